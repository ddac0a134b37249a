/** Workspaces as neighbours see them. */
import type { Db, Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'

export interface WorkspaceFacts {
  id: string
  name: string
  language: string
  timezone: string
  country: string
  currency: string
  mail_from: string | null
  mail_from_name: string | null
  postal_address: string | null
}

export async function getWorkspace(tx: Tx, id: string): Promise<WorkspaceFacts> {
  const row = await tx.sql
    .selectFrom('accounts.workspaces')
    .select(['id', 'name', 'language', 'timezone', 'country', 'currency', 'mail_from', 'mail_from_name', 'postal_address'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw new NotFound('workspace')
  return row
}

/** The workspace that a public form means when it names none: the installation's first. */
export async function defaultWorkspaceId(db: Db): Promise<string | null> {
  const [first] = await listWorkspaceIds(db)
  return first ?? null
}

export async function findWorkspaceId(db: Db, slug: string): Promise<string | null> {
  const row = await db.transaction('system', (tx) =>
    tx.sql.selectFrom('accounts.workspaces').select('id').where('slug', '=', slug).executeTakeFirst(),
  )
  return row?.id ?? null
}

/** Oldest first, for scheduled work. */
export async function listWorkspaceIds(db: Db): Promise<string[]> {
  const rows = await db.transaction('system', (tx) =>
    tx.sql.selectFrom('accounts.workspaces').select('id').orderBy('created_at').orderBy('id').execute(),
  )
  return rows.map((row) => row.id)
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'accounts.workspaces': WorkspaceFacts & { slug: string; created_at: Date }
  }
}
