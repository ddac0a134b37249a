/**
 * What a rule means, as SQL on the row `c` of `contacts.contact_rows`: every value a parameter, every name from the
 * catalogue.
 *
 * What is empty equals nothing, is part of nothing and is neither before nor after anything; so `neq` and each `not_…`
 * match it. `not` is a true complement: nobody is outside of both a rule and its opposite. A condition as such may be
 * null, which a WHERE takes for false, so that it stays plain enough for an index; `not` is where null would leak.
 */
import { sql, type RawBuilder } from 'kysely'
import { conditionSql } from './conditions.ts'
import type { Purpose } from './members.ts'
import type { Leaf, Node } from './read.ts'
import { relationSql } from './relations.ts'
import type { Resolved } from './resolve.ts'

export function compileRule(rule: Resolved, purpose: Purpose = 'page'): RawBuilder<boolean> {
  return compileNode(rule, purpose, rule.root)
}

export function compileLeaf(rule: Resolved, leaf: Leaf, purpose: Purpose = 'page'): RawBuilder<boolean> {
  return leaf.kind === 'event' ? relationSql(rule, leaf) : conditionSql(rule, leaf, purpose)
}

function compileNode(rule: Resolved, purpose: Purpose, node: Node): RawBuilder<boolean> {
  switch (node.kind) {
    case 'all':
      return joined(rule, purpose, node.nodes, sql` and `, sql<boolean>`true`)
    case 'any':
      return joined(rule, purpose, node.nodes, sql` or `, sql<boolean>`false`)
    case 'not':
      return sql<boolean>`((${compileNode(rule, purpose, node.node)}) is not true)`
    default:
      return compileLeaf(rule, node, purpose)
  }
}

function joined(rule: Resolved, purpose: Purpose, nodes: Node[], by: RawBuilder<unknown>, empty: RawBuilder<boolean>) {
  if (!nodes.length) return empty
  return sql<boolean>`(${sql.join(
    nodes.map((node) => compileNode(rule, purpose, node)),
    by,
  )})`
}
