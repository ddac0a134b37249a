/**
 * The dynamic lists in which a survivor was itself. Its rule may put it out of one for as long as it is merged; an undo brings
 * it back, and with the date on which it had come.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { judge } from '../segments/follow.ts'
import { inOrder, runningLists } from '../segments/running.ts'

export async function rememberDynamicLists(tx: Tx, mergeId: string, primaryId: string): Promise<void> {
  await sql`
    insert into contacts.merge_moves (workspace_id, merge_id, table_name, row_key, contact_id, action, content)
    select t.workspace_id, ${mergeId}::uuid, 'contacts.list_members', t.list_id::text, t.contact_id, 'had', to_jsonb(t)
    from contacts.list_members t join contacts.lists l on l.workspace_id = t.workspace_id and l.id = t.list_id
    where t.workspace_id = ${tx.workspaceId} and t.contact_id = ${primaryId} and l.type = 'dynamic'`.execute(tx.sql)
}

/** What an undo may have to ask: any list that follows its rule, for rules name lists. None, where the survivor was in none. */
export function listsToAsk(tx: Tx, mergeId: string): RawBuilder<unknown> {
  return sql`
    select l.id from contacts.lists l
    where l.workspace_id = ${tx.workspaceId} and l.type = 'dynamic' and l.is_active and l.deleted_at is null
      and exists (select from contacts.merge_moves m where ${had(tx, mergeId)})`
}

/**
 * The rules are asked here and not by the reaction alone, which could not know of the date any more. One by one, what others
 * depend on first: each sees what those before it have decided.
 */
export async function rejoinDynamicLists(tx: Tx, mergeId: string, primaryId: string): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select m.row_key as id from contacts.merge_moves m
    where ${had(tx, mergeId)} and not exists (
      select from contacts.list_members t
      where t.workspace_id = m.workspace_id and t.list_id = m.row_key::uuid and t.contact_id = ${primaryId})`.execute(
    tx.sql,
  )
  if (rows.length) {
    const left = new Set(rows.map(({ id }) => id))
    for (const list of inOrder(await runningLists(tx), left)) await judge(tx, [list.id], [primaryId])
  }
  await sql`
    update contacts.list_members t set added_at = r.added_at, added_by = r.added_by
    from contacts.merge_moves m, lateral jsonb_populate_record(null::contacts.list_members, m.content) as r
    where ${had(tx, mergeId)} and t.workspace_id = m.workspace_id and t.list_id = m.row_key::uuid
      and t.contact_id = ${primaryId} and t.added_at <> r.added_at`.execute(tx.sql)
}

function had(tx: Tx, mergeId: string): RawBuilder<unknown> {
  return sql`m.workspace_id = ${tx.workspaceId} and m.merge_id = ${mergeId}
    and m.table_name = 'contacts.list_members' and m.action = 'had'`
}
