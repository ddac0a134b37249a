/**
 * What this module knows of a person. A ticket stays, for its times and counts are about the house, but it is emptied: of its
 * requester, of every word in it, whoever wrote it, since answers quote questions. Words that the person left in the tickets
 * of others go as well.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { inBatches } from '#platform/db/cursor.ts'
import { nobody, type PersonalData, type Person } from '#platform/privacy/personal-data.ts'
import { exportsRoom, forgetAsked } from './export/exports.ts'

/** The house's own notes on its work, copies for searching, and what only means something to the program. */
const hidden = ['workspace_id', 'search_text', 'file_key', 'sha256', 'tag_keys', 'priority_rank', 'version']

const tables = [
  'support.tickets',
  'support.messages',
  'support.message_versions',
  'support.message_reads',
  'support.attachments',
  'support.ticket_events',
  'support.ticket_mails',
  'support.operation_changes',
] as const

export const personalData: PersonalData = {
  tables,

  async find(tx, asked) {
    if ('contact_id' in asked) return null
    const condition =
      'email' in asked
        ? sql<boolean>`lower(t.contact_email) = lower(${asked.email})`
        : sql<boolean>`t.user_id::text = lower(${asked.user_id})`
    const { rows } = await sql<{ contact_id: string | null; user_id: string | null; email: string; name: string }>`
      select distinct t.contact_id, t.user_id, lower(t.contact_email) as email, t.contact_name as name
      from support.tickets t where t.workspace_id = ${tx.workspaceId}::uuid and ${condition} limit 100`.execute(tx.sql)
    if (!rows.length) return null
    return {
      ...nobody(),
      contactIds: distinct(rows.flatMap((row) => row.contact_id ?? [])),
      userIds: distinct(rows.flatMap((row) => row.user_id ?? [])),
      emails: distinct(rows.map((row) => row.email)),
      names: distinct(rows.map((row) => row.name)),
    }
  },

  async *export(tx, person) {
    for (const table of tables) {
      const rows = sql<{ row: unknown }>`
        select to_jsonb(t) - ${hidden}::text[] as row from ${sql.table(table)} t
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout(table, person)}`
      for await (const batch of inBatches(tx, rows)) yield { table, rows: batch.map(({ row }) => row) }
    }
  },

  async erase(tx, person) {
    const counts: Record<string, number> = {}
    await exportsRoom.withdrawExports(tx)
    await forgetAsked(tx, person)
    counts['support.message_reads'] = await affected(
      tx,
      sql`delete from support.message_reads t
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout('support.message_reads', person)}`,
    )
    counts['support.message_versions'] = await affected(
      tx,
      sql`delete from support.message_versions t
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout('support.message_versions', person)}`,
    )
    counts['support.attachments'] = await affected(
      tx,
      sql`delete from support.attachments t
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout('support.attachments', person)}`,
    )
    counts['support.messages'] = await affected(
      tx,
      sql`update support.messages t set content = '', author_email = case when author_kind = 'house' then author_email else '' end,
          author_name = case when author_kind = 'house' then author_name else '' end,
          user_id = case when author_kind = 'house' then user_id end
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout('support.messages', person)}`,
    )
    counts['support.ticket_mails'] = await affected(
      tx,
      sql`delete from support.ticket_mails t
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout('support.ticket_mails', person)}`,
    )
    // Taking back what was done to many must not write into what was emptied.
    counts['support.operation_changes'] = await affected(
      tx,
      sql`delete from support.operation_changes t
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout('support.operation_changes', person)}`,
    )
    await sql`delete from support.ticket_tokens t where t.workspace_id = ${tx.workspaceId}::uuid and t.ticket_id in (
      select k.id from support.tickets k where k.workspace_id = t.workspace_id and ${ownTicket(person, 'k')})`.execute(
      tx.sql,
    )
    counts['support.tickets'] = await affected(
      tx,
      sql`update support.tickets t set contact_id = null, user_id = null, contact_email = '', contact_name = '', subject = '',
          description = '', resolution_notes = null, internal_notes = null, satisfaction_comment = null, tags = '{}',
          metadata = '{}', former_contacts = '{}'
        where t.workspace_id = ${tx.workspaceId}::uuid and ${isAbout('support.tickets', person)}`,
    )
    return counts
  },

  async sweep(place) {
    await exportsRoom.sweepExports(place)
    return {}
  },

  async files(tx, person) {
    const { rows } = await sql<{ id: string; file_key: string }>`
      select t.id, t.file_key from support.attachments t
      where t.workspace_id = ${tx.workspaceId}::uuid and t.scan <> 'infected' and ${isAbout('support.attachments', person)}
      order by t.id`.execute(tx.sql)
    return rows.map(({ id, file_key: key }) => ({ key, name: `tickets/${id}/${key.split('/').at(-1)}` }))
  },
}

/** By the ids, and by the address: a ticket of somebody whose contact is gone is still theirs. */
function isAbout(table: (typeof tables)[number], person: Person): RawBuilder<boolean> {
  const users = usersOf(person)
  const emails = sql`${person.emails}::text[]`
  const ownTickets = sql`select k.id from support.tickets k
    where k.workspace_id = ${sql.ref('t.workspace_id')} and ${ownTicket(person, 'k')}`
  const inMessages = sql<boolean>`t.message_id in (
    select m.id from support.messages m where m.workspace_id = t.workspace_id and (
      m.ticket_id in (${ownTickets}) and m.came_from is null or m.came_from in (${ownTickets})
      or (m.author_kind <> 'house' and (m.user_id = any(${users}) or lower(m.author_email) = any(${emails})))))`
  switch (table) {
    case 'support.tickets':
      return ownTicket(person, 't')
    case 'support.messages':
      // What another requester said in a ticket that was merged into this person's is still that other's.
      return sql<boolean>`(t.ticket_id in (${ownTickets}) and t.came_from is null or t.came_from in (${ownTickets})
        or (t.author_kind <> 'house' and t.author_email <> ''
          and (t.user_id = any(${users}) or lower(t.author_email) = any(${emails}))))`
    case 'support.message_versions':
      return inMessages
    case 'support.attachments':
      return sql<boolean>`(t.ticket_id in (${ownTickets}) and (t.message_id is null or not exists (
          select from support.messages o where o.workspace_id = t.workspace_id and o.id = t.message_id
            and o.came_from is not null))
        or ${inMessages} or (t.author_kind <> 'house' and t.user_id = any(${users})))`
    case 'support.message_reads':
      return sql<boolean>`(t.reader_id = any(${users}) or t.reader_id = any(${person.contactIds}::uuid[]))`
    case 'support.ticket_mails':
      return sql<boolean>`(t.ticket_id in (${ownTickets}) or t.email = any(${emails}))`
    case 'support.ticket_events':
    case 'support.operation_changes':
      return sql<boolean>`t.ticket_id in (${ownTickets})`
  }
}

function ownTicket(person: Person, name: string): RawBuilder<boolean> {
  const column = (own: string) => sql.ref(`${name}.${own}`)
  return sql<boolean>`(${column('contact_id')} = any(${person.contactIds}::uuid[])
    or ${column('user_id')} = any(${usersOf(person)})
    or (${column('contact_email')} <> '' and lower(${column('contact_email')}) = any(${person.emails}::text[])))`
}

/** Of other services an id can be any text; here they are UUIDs. */
function usersOf(person: Person) {
  return sql`array(select id::uuid from unnest(${person.userIds}::text[]) as id
    where id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')`
}

async function affected(tx: Tx, statement: RawBuilder<unknown>): Promise<number> {
  return Number((await statement.execute(tx.sql)).numAffectedRows ?? 0)
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts.filter(Boolean))]
}
