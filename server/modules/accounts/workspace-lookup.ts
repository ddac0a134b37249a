/** Which workspaces there are: for public forms, and for scheduled work that goes through all of them. */
import { sql } from 'kysely'
import type { Db } from '#platform/db/db.ts'

/** The workspace that a public form means when it names none: the installation's first. */
export async function defaultWorkspaceId(db: Db): Promise<string | null> {
  const [first] = await listWorkspaceIds(db)
  return first ?? null
}

export async function findWorkspaceId(db: Db, slug: string): Promise<string | null> {
  const { rows } = await db.transaction('system', (tx) =>
    sql<{ id: string }>`select id from accounts.workspaces where slug = ${slug}`.execute(tx.sql),
  )
  return rows[0]?.id ?? null
}

/** Oldest first. */
export async function listWorkspaceIds(db: Db): Promise<string[]> {
  const { rows } = await db.transaction('system', (tx) =>
    sql<{ id: string }>`select id from accounts.workspaces order by created_at, id`.execute(tx.sql),
  )
  return rows.map((row) => row.id)
}
