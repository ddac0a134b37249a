/** What this module itself keeps of people: the copies that were made for them. Requests and the ledger name nobody. */
import { sql } from 'kysely'
import type { PersonalData } from '#platform/privacy/personal-data.ts'
import { hashesOf } from './subject.ts'

export const personalData: PersonalData = {
  tables: ['privacy.requests'],
  async *export() {},

  /** The row stays, as proof that there was a copy; the file is one of `files`. */
  async erase(tx, person, services) {
    const { rows } = await sql<{ id: string }>`
      update privacy.requests set file_key = null, sealed = case when kind = 'export' then null else sealed end
      where kind = 'export' and (file_key is not null or sealed is not null)
        and subject_hashes && ${hashesOf(services, tx.workspaceId, person)}::text[] returning id`.execute(tx.sql)
    return { 'privacy.requests': rows.length }
  },

  async sweep({ workspaceId, db, services }, person) {
    const hashes = hashesOf(services, workspaceId, person)
    const ids = await db.transaction(workspaceId, async (tx) => {
      const { rows } = await sql<{ id: string }>`
        select id from privacy.requests
        where kind = 'export' and subject_hashes && ${hashes}::text[]`.execute(tx.sql)
      return rows.map(({ id }) => id)
    })
    for (const id of ids) await services.files.delete(`${workspaceId}/privacy/${id}.zip`)
    return {}
  },
}
