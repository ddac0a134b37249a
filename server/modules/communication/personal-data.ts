/**
 * What this module knows of a person. Deliveries stay, because a campaign's numbers are not about anybody, but nothing in
 * them leads to the person any more; the mails that the sandbox kept go, also those that were written to the address alone.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { inBatches } from '#platform/db/cursor.ts'
import type { PersonalData, Person } from '#platform/privacy/personal-data.ts'

const hidden = ['workspace_id', 'claim', 'lease_until', 'raw']

export const personalData: PersonalData = {
  tables: [
    'communication.deliveries',
    'communication.link_clicks',
    'communication.sandbox_messages',
    'communication.merged_rows',
  ],

  async *export(tx, person) {
    for (const table of personalData.tables) {
      const rows = sql<{ row: unknown }>`
        select to_jsonb(t) - ${hidden}::text[] as row from ${sql.table(table)} t
        where t.workspace_id = ${tx.workspaceId} and ${isAbout(table, person)}`
      for await (const batch of inBatches(tx, rows)) yield { table, rows: batch.map(({ row }) => row) }
    }
  },

  async erase(tx, person) {
    return {
      'communication.deliveries': await anonymizeDeliveries(tx, person),
      'communication.link_clicks': await removeRows(tx, 'communication.link_clicks', person),
      'communication.sandbox_messages': await removeRows(tx, 'communication.sandbox_messages', person),
      'communication.merged_rows': await removeRows(tx, 'communication.merged_rows', person),
    }
  },
}

function isAbout(table: string, person: Person): RawBuilder<boolean> {
  const isContact = sql<boolean>`t.contact_id = any(${person.contactIds}::uuid[])`
  if (table !== 'communication.sandbox_messages') return isContact
  return sql<boolean>`(${isContact} or lower(t.recipient) = any(${person.emails}::text[]))`
}

/** The contact's id goes as well: a new one takes its place, so that the row keeps its key. What waits is not sent. */
async function anonymizeDeliveries(tx: Tx, person: Person): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    update communication.deliveries t set contact_id = gen_random_uuid(), email = '', full_name = '', domain = '',
      response = null, bounce_response = null, message_id = null,
      state = case when state in ('queued', 'retry') then 'skipped' else state end,
      reason = case when state in ('queued', 'retry') then 'deleted' else reason end
    where workspace_id = ${tx.workspaceId} and ${isAbout('communication.deliveries', person)} returning id`.execute(
    tx.sql,
  )
  return rows.length
}

async function removeRows(tx: Tx, table: string, person: Person): Promise<number> {
  const { rows } = await sql<{ workspace_id: string }>`
    delete from ${sql.table(table)} t where t.workspace_id = ${tx.workspaceId} and ${isAbout(table, person)}
    returning workspace_id`.execute(tx.sql)
  return rows.length
}
