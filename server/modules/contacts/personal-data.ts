/** What this module knows of a person, for a copy or an erasure. A test compares `tables` with the schema itself. */
import { sql } from 'kysely'
import type { PersonalData } from '#platform/module.ts'
import type { Tx } from '#platform/db/db.ts'

/** Every table of this module that names a contact, and the column that does. */
const columns = {
  'contacts.contacts': 'id',
  'contacts.list_members': 'contact_id',
  'contacts.contact_tags': 'contact_id',
  'contacts.notes': 'contact_id',
  'contacts.interactions': 'contact_id',
  'contacts.consents': 'contact_id',
  'contacts.import_changes': 'contact_id',
} as const

/** Rows of a file that could not be imported name nobody, but one of their cells can be the person's address. */
const refusedRows = 'contacts.import_errors'

export const personalData: PersonalData = {
  tables: [...Object.keys(columns), refusedRows],

  async export(tx, contactIds) {
    const found: Record<string, unknown[]> = {}
    for (const [table, column] of Object.entries(columns)) {
      const { rows } = await sql<{ row: unknown }>`
        select to_jsonb(t) - array['workspace_id', 'search_text', 'name_key', 'company_key', 'email_key'] as row
        from ${sql.table(table)} t where ${sql.ref(`t.${column}`)} = any(${contactIds}::uuid[])`.execute(tx.sql)
      found[table] = rows.map(({ row }) => row)
    }
    const refused = await sql<{ cells: string[] }>`
      select cells from contacts.import_errors where ${nameAny(contactIds)}`.execute(tx.sql)
    found[refusedRows] = refused.rows
    return found
  },

  /** The rows of the other tables go with the contact's own (their keys cascade); they are counted first. */
  async erase(tx, contactIds) {
    const counts: Record<string, number> = {}
    for (const [table, column] of Object.entries(columns))
      counts[table] = await countRows(tx, table, column, contactIds)
    const refused = await sql`delete from contacts.import_errors where ${nameAny(contactIds)}`.execute(tx.sql)
    counts[refusedRows] = Number(refused.numAffectedRows ?? 0)
    await sql`delete from contacts.contacts where id = any(${contactIds}::uuid[])`.execute(tx.sql)
    return counts
  },
}

async function countRows(tx: Tx, table: string, column: string, contactIds: string[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${sql.table(table)} t
    where ${sql.ref(`t.${column}`)} = any(${contactIds}::uuid[])`.execute(tx.sql)
  return rows[0]!.count
}

function nameAny(contactIds: string[]) {
  return sql`exists (
    select from unnest(cells) as cell
    where lower(trim(cell)) in (select email_key from contacts.contacts where id = any(${contactIds}::uuid[])))`
}
