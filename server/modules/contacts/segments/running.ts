/** The dynamic lists that follow their rules: neither paused nor deleted. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { dependenciesOf } from './criteria.ts'

export interface Segment {
  id: string
  name: string
  criteria: unknown
}

/** Locked in the order of their ids, as everything does that changes members: their counters change too. */
export async function runningLists(tx: Tx, { ids, lock = false }: { ids?: string[]; lock?: boolean } = {}) {
  const { rows } = await sql<Segment>`
    select id, name, criteria from contacts.lists
    where workspace_id = ${tx.workspaceId} and type = 'dynamic' and is_active and deleted_at is null
      ${ids ? sql`and id = any(${ids}::uuid[])` : sql``}
    order by id ${lock ? sql`for no key update` : sql``}`.execute(tx.sql)
  return rows
}

/** Those that others depend on come first. With `ids`, only these lists and what they depend on. */
export function inOrder(lists: Segment[], ids?: ReadonlySet<string>): Segment[] {
  const byId = new Map(lists.map((list) => [list.id, list]))
  const ordered = new Set<Segment>()
  const visiting = new Set<string>()
  const visit = (list: Segment): void => {
    if (ordered.has(list) || visiting.has(list.id)) return
    visiting.add(list.id)
    for (const id of dependenciesOf(list.criteria)?.lists.keys() ?? []) {
      const other = byId.get(id)
      if (other) visit(other)
    }
    ordered.add(list)
  }
  for (const list of lists) if (!ids || ids.has(list.id)) visit(list)
  return [...ordered]
}
