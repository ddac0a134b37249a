/** What this module knows of a person, for a copy or an erasure. A test compares `tables` with the schema itself. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { exportsRoom } from './export/exports.ts'
import { inBatches } from '#platform/db/cursor.ts'
import type { PersonalData, Person } from '#platform/privacy/personal-data.ts'
import { patternsOf, tracesOf } from '#platform/privacy/scrub.ts'
import { keysOf } from './avatar-files.ts'
import { findPerson } from './person.ts'
import { sweepUploads } from './import/sweep.ts'
import { hashAddress, suppress } from './suppression.ts'

/** Every table of this module that names a contact, and the column that does. */
const columns = {
  'contacts.contacts': 'id',
  'contacts.list_members': 'contact_id',
  'contacts.contact_tags': 'contact_id',
  'contacts.notes': 'contact_id',
  'contacts.interactions': 'contact_id',
  'contacts.consents': 'contact_id',
  'contacts.import_changes': 'contact_id',
  'contacts.duplicate_keys': 'contact_id',
  'contacts.outside_users': 'contact_id',
  'contacts.orders': 'contact_id',
  'contacts.bookings': 'contact_id',
  'contacts.ticket_facts': 'contact_id',
  'contacts.opening_figures': 'contact_id',
  'contacts.removed_interactions': 'contact_id',
  'contacts.custom_values': 'contact_id',
  'contacts.avatars': 'contact_id',
  'contacts.operation_changes': 'contact_id',
  'contacts.contact_addresses': 'contact_id',
  'contacts.merges': 'primary_id',
  'contacts.merge_records': 'contact_id',
  'contacts.merge_moves': 'contact_id',
} as const

/** Rows of a file that could not be imported name nobody, but one of their cells can be the person's address. */
const refusedRows = 'contacts.import_errors'
/** What a public form asked for in the name of an address; such rows live for seconds. */
const publicRequests = 'contacts.public_requests'

/** Of no meaning to the person: copies of other columns, made for searching. */
const hidden = ['workspace_id', 'search_text', 'name_key', 'company_key', 'email_key', 'phone_key']

/** A suggestion names two, a group of them several. */
const pairs = 'contacts.duplicate_pairs'
const groups = 'contacts.duplicate_groups'
/** An export of chosen contacts remembers whom it was asked for. */
const exportsOf = 'contacts.exports'

/** Reports go to addresses; one of them can be a contact's. */
const reportSchedules = 'contacts.report_schedules'
const reportMails = 'contacts.report_mails'

export const personalData: PersonalData = {
  tables: [
    ...Object.keys(columns),
    refusedRows,
    publicRequests,
    pairs,
    groups,
    exportsOf,
    reportSchedules,
    reportMails,
  ],
  find: findPerson,

  async *export(tx, person) {
    for (const [table, column] of Object.entries(columns)) {
      const rows = sql<{ row: unknown }>`
        select to_jsonb(t) - ${hidden}::text[] as row from ${sql.table(table)} t
        where ${sql.ref(`t.${column}`)} = any(${person.contactIds}::uuid[])`
      for await (const batch of inBatches(tx, rows)) yield { table, rows: batch.map(({ row }) => row) }
    }
    const refused = await sql<{ cells: string[] }>`
      select cells from contacts.import_errors where ${namesPerson(person)}`.execute(tx.sql)
    yield { table: refusedRows, rows: refused.rows }
    const asked = await sql<{ kind: string }>`
      select kind, email, details, created_at from contacts.public_requests
      where lower(email) = any(${person.emails}::text[])`.execute(tx.sql)
    yield { table: publicRequests, rows: asked.rows }
    // Of the other one, who is no business of this one's, not even the id.
    const suggested = await sql<{ probability: number; status: string; found_at: Date }>`
      select probability, status, found_at from contacts.duplicate_pairs where ${inPair(person)}`.execute(tx.sql)
    yield { table: pairs, rows: suggested.rows }
    const grouped = await sql<{ probability: number; contacts: number }>`
      select probability, cardinality(contact_ids) as contacts from contacts.duplicate_groups
      where contact_ids && ${person.contactIds}::uuid[]`.execute(tx.sql)
    yield { table: groups, rows: grouped.rows }
    const exported = await sql<{ format: string; created_at: Date }>`
      select format, created_at from contacts.exports where contact_ids && ${person.contactIds}::uuid[]`.execute(tx.sql)
    yield { table: exportsOf, rows: exported.rows }
    const planned = await sql<object>`
      select frequency, format, created_at from contacts.report_schedules where ${isRecipient(person)}`.execute(tx.sql)
    yield { table: reportSchedules, rows: planned.rows }
    const brought = await sql<object>`
      select address, state, sent_at from contacts.report_mails
      where lower(address) = any(${person.emails}::text[])`.execute(tx.sql)
    yield { table: reportMails, rows: brought.rows }
  },

  /**
   * The rows of the other tables go with the contact's own (their keys cascade); they are counted first. The address stays on
   * the suppression list as a keyed hash, so that nobody writes to the person again by mistake.
   */
  async erase(tx, person, services) {
    const counts: Record<string, number> = {}
    for (const [table, column] of Object.entries(columns)) counts[table] = await countRows(tx, table, column, person)
    await suppress(tx, services, person.emails, 'erasure')
    await announceErased(tx, person)
    counts[refusedRows] = await affected(tx, sql`delete from contacts.import_errors where ${namesPerson(person)}`)
    counts[publicRequests] = await affected(
      tx,
      sql`delete from contacts.public_requests where lower(email) = any(${person.emails}::text[])`,
    )
    const hashes = person.emails.map((email) => hashAddress(services, tx.workspaceId, email))
    await sql`
      delete from contacts.confirmation_mails
      where address_hash in (select decode(hash, 'hex') from unnest(${hashes}::text[]) as hash)`.execute(tx.sql)
    await exportsRoom.withdrawExports(tx)
    counts[reportMails] = await affected(
      tx,
      sql`delete from contacts.report_mails where lower(address) = any(${person.emails}::text[])`,
    )
    counts[reportSchedules] = await affected(
      tx,
      sql`
        update contacts.report_schedules
        set addresses = array(
          select address from unnest(addresses) as address where lower(address) <> all(${person.emails}::text[]))
        where ${isRecipient(person)}`,
    )
    counts[exportsOf] = await affected(
      tx,
      sql`
        update contacts.exports
        set contact_ids = array(select unnest(contact_ids) except select unnest(${person.contactIds}::uuid[]))
        where contact_ids && ${person.contactIds}::uuid[]`,
    )
    counts[groups] = await affected(
      tx,
      sql`
        delete from contacts.duplicate_groups where contact_ids && ${person.contactIds}::uuid[] and id in (
          select group_id from contacts.duplicate_pairs where ${inPair(person)})`,
    )
    counts[pairs] = await affected(tx, sql`delete from contacts.duplicate_pairs where ${inPair(person)}`)
    await sql`delete from contacts.contacts where id = any(${person.contactIds}::uuid[])`.execute(tx.sql)
    return counts
  },

  async files(tx, person) {
    const { rows } = await sql<{ contact_id: string; file_id: string }>`
      select contact_id, file_id from contacts.avatars
      where contact_id = any(${person.contactIds}::uuid[]) order by contact_id`.execute(tx.sql)
    return rows.flatMap(({ contact_id, file_id }, index) =>
      keysOf(tx.workspaceId, contact_id, file_id).map((key) => ({
        key,
        name: `avatar${index ? `-${index + 1}` : ''}-${key.split('-').at(-1)}`,
      })),
    )
  },

  async sweep(place, person) {
    await exportsRoom.sweepExports(place)
    return sweepUploads(place, person)
  },
}

/** Others hear that the person is gone, without hearing once more who it was. */
async function announceErased(tx: Tx, person: Person): Promise<void> {
  const { rows } = await sql<{ id: string; is_deleted: boolean }>`
    select id, deleted_at is not null as is_deleted from contacts.contacts
    where id = any(${person.contactIds}::uuid[]) order by id for update`.execute(tx.sql)
  await tx.publishAll(
    rows.flatMap(({ id, is_deleted }) =>
      ['contact.erased', ...(is_deleted ? [] : ['contact.deleted', 'customer.deleted'])].map((event) => ({
        event,
        subject: id,
        data: { contact_id: id, customer_id: id, erased: true },
      })),
    ),
  )
}

async function countRows(tx: Tx, table: string, column: string, person: Person): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${sql.table(table)} t
    where ${sql.ref(`t.${column}`)} = any(${person.contactIds}::uuid[])`.execute(tx.sql)
  return rows[0]!.count
}

async function affected(tx: Tx, statement: ReturnType<typeof sql>): Promise<number> {
  return Number((await statement.execute(tx.sql)).numAffectedRows ?? 0)
}

function inPair({ contactIds }: Person) {
  return sql`(a = any(${contactIds}::uuid[]) or b = any(${contactIds}::uuid[]))`
}

function isRecipient({ emails }: Person) {
  return sql`exists (select from unnest(addresses) as address where lower(address) = any(${emails}::text[]))`
}

function namesPerson(person: Person) {
  return sql`lower(array_to_json(cells)::text) like any(${patternsOf(tracesOf(person))}::text[])`
}
