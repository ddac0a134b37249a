/** What other modules ask of a workspace: how it is called, and in which language, place and currency it lives. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'

export interface WorkspaceFacts {
  id: string
  name: string
  slug: string
  language: string
  timezone: string
  /** ISO 3166, such as FR. */
  country: string
  currency: string
  mail_from: string | null
  mail_from_name: string | null
  postal_address: string | null
}

export async function getWorkspace(tx: Tx, id: string): Promise<WorkspaceFacts> {
  const { rows } = await sql<WorkspaceFacts>`
    select id, name, slug, language, timezone, country, currency, mail_from, mail_from_name, postal_address
    from accounts.workspaces where id = ${id}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('workspace')
  return rows[0]
}
