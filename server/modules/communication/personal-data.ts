/**
 * What this module knows of a person. Deliveries stay, because a campaign's numbers are not about anybody, but nothing in
 * them leads to the person any more; the mails that the sandbox kept go.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { PersonalData } from '#platform/module.ts'

const hidden = ['workspace_id', 'claim', 'lease_until', 'raw']

export const personalData: PersonalData = {
  tables: ['communication.deliveries', 'communication.link_clicks', 'communication.sandbox_messages'],

  async export(tx, contactIds) {
    const found: Record<string, unknown[]> = {}
    for (const table of personalData.tables) {
      const { rows } = await sql<{ row: unknown }>`
        select to_jsonb(t) - ${hidden}::text[] as row from ${sql.table(table)} t
        where t.workspace_id = ${tx.workspaceId} and t.contact_id = any(${contactIds}::uuid[])`.execute(tx.sql)
      found[table] = rows.map(({ row }) => row)
    }
    return found
  },

  async erase(tx, contactIds) {
    return {
      'communication.deliveries': await anonymizeDeliveries(tx, contactIds),
      'communication.link_clicks': await removeRows(tx, 'communication.link_clicks', contactIds),
      'communication.sandbox_messages': await removeRows(tx, 'communication.sandbox_messages', contactIds),
    }
  },
}

/** The contact's id goes as well: a new one takes its place, so that the row keeps its key. What waits is not sent. */
async function anonymizeDeliveries(tx: Tx, contactIds: string[]): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    update communication.deliveries set contact_id = gen_random_uuid(), email = '', full_name = '', domain = '',
      response = null, message_id = null,
      state = case when state in ('queued', 'retry') then 'skipped' else state end,
      reason = case when state in ('queued', 'retry') then 'deleted' else reason end
    where workspace_id = ${tx.workspaceId} and contact_id = any(${contactIds}::uuid[]) returning id`.execute(tx.sql)
  return rows.length
}

async function removeRows(tx: Tx, table: string, contactIds: string[]): Promise<number> {
  const { rows } = await sql<{ contact_id: string }>`
    delete from ${sql.table(table)}
    where workspace_id = ${tx.workspaceId} and contact_id = any(${contactIds}::uuid[]) returning contact_id`.execute(
    tx.sql,
  )
  return rows.length
}
