/**
 * Why somebody is in it, or not: the tree with the truth of each node, and what the contact has. The database judges each
 * condition by the same SQL that finds members, so the explanation cannot differ from the membership.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { compileLeaf } from './compile.ts'
import { leavesOf, type Leaf, type Node } from './read.ts'
import { timesSql } from './relations.ts'
import type { Resolved } from './resolve.ts'
import type { Rule } from './rule.ts'

export type Explained = { matches: boolean } & (
  | { all: Explained[] }
  | { any: Explained[] }
  | { not: Explained }
  | ({ actual: unknown } & Record<string, unknown>)
)

interface Judged {
  matches: boolean
  actual: unknown
}

/** `rule` is what `resolved` was read from. A deleted contact is not there. */
export async function explainRule(tx: Tx, rule: Rule, resolved: Resolved, contactId: string): Promise<Explained> {
  const judged = await judgeLeaves(tx, resolved, contactId)
  return explainNode(rule, resolved.root, judged)
}

async function judgeLeaves(tx: Tx, rule: Resolved, contactId: string): Promise<Map<Leaf, Judged>> {
  const leaves = leavesOf(rule.root)
  const each = leaves.map((leaf) => {
    const actual = leaf.kind === 'event' ? timesSql(rule, leaf) : leaf.field.shown
    return sql`jsonb_build_object('matches', (${compileLeaf(rule, leaf)}) is true, 'actual', ${actual})`
  })
  const { rows } = await sql<{ judged: Judged[] }>`
    select jsonb_build_array(${sql.join(each)}) as judged
    from contacts.contact_rows c where c.id = ${contactId} and c.deleted_at is null`.execute(tx.sql)
  const [row] = rows
  if (!row) throw new NotFound('contact')
  return new Map(leaves.map((leaf, index) => [leaf, row.judged[index]!]))
}

function explainNode(rule: Rule, node: Node, judged: Map<Leaf, Judged>): Explained {
  switch (node.kind) {
    case 'all': {
      const all = (rule as { all: Rule[] }).all.map((one, index) => explainNode(one, node.nodes[index]!, judged))
      return { matches: all.every((one) => one.matches), all }
    }
    case 'any': {
      const any = (rule as { any: Rule[] }).any.map((one, index) => explainNode(one, node.nodes[index]!, judged))
      return { matches: any.some((one) => one.matches), any }
    }
    case 'not': {
      const not = explainNode((rule as { not: Rule }).not, node.node, judged)
      return { matches: !not.matches, not }
    }
    default:
      return { ...rule, ...judged.get(node)! }
  }
}
