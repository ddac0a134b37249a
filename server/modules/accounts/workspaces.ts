/** Workspaces: what neighbours ask of them, and what an admin changes. */
import type { Db, Tx } from '#platform/db/db.ts'
import { checkVersion, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { workspaceColumns, type Language, type WorkspaceRow } from './tables.ts'
import { checkTimezone } from './users.ts'

export async function getWorkspace(tx: Tx, id: string): Promise<WorkspaceRow> {
  const row = await tx.sql
    .selectFrom('accounts.workspaces')
    .select(workspaceColumns)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw new NotFound('workspace')
  return row
}

/** The installation's first workspace, for public forms that name none; null before it is set up. */
export async function firstWorkspaceId(db: Db): Promise<string | null> {
  const [first] = await db.lookup<{ id: string }>(
    'accounts.first_workspace',
    'select id from accounts.workspaces order by created_at, id limit 1',
    [],
  )
  return first?.id ?? null
}

/** For public forms that name one: `?workspace=moulin`. */
export async function workspaceIdOf(db: Db, slug: string): Promise<string | null> {
  const [found] = await db.lookup<{ id: string }>(
    'accounts.workspace_by_slug',
    'select id from accounts.workspaces where slug = $1',
    [slug],
  )
  return found?.id ?? null
}

/** Whom an event of another program is for: the workspace that it names, or, when it names none, the only one there is. */
export async function workspaceForEvent(db: Db, id: string | null): Promise<string | null> {
  if (!id) {
    const all = await listWorkspaceIds(db)
    return all.length === 1 ? all[0]! : null
  }
  const [found] = await db.lookup<{ id: string }>(
    'accounts.workspace_by_id',
    'select id from accounts.workspaces where id = $1',
    [id],
  )
  return found?.id ?? null
}

/** For scheduled work, which goes through all of them. */
export async function listWorkspaceIds(db: Db): Promise<string[]> {
  const rows = await db.lookup<{ id: string }>(
    'accounts.workspace_ids',
    'select id from accounts.workspaces order by id',
    [],
  )
  return rows.map(({ id }) => id)
}

export interface WorkspaceSettings {
  name?: string | undefined
  language?: Language | undefined
  timezone?: string | undefined
  country?: string | undefined
  currency?: string | undefined
  mail_from?: string | null | undefined
  mail_from_name?: string | null | undefined
  postal_address?: string | null | undefined
}

export async function changeWorkspace(
  tx: Tx,
  settings: WorkspaceSettings,
  ifVersion: number | undefined,
): Promise<WorkspaceRow> {
  const row = await tx.sql
    .selectFrom('accounts.workspaces')
    .selectAll()
    .where('id', '=', tx.workspaceId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  checkVersion(row.version, ifVersion)
  if (settings.timezone) checkTimezone(settings.timezone)
  if (settings.mail_from_name && /\p{Cc}/u.test(settings.mail_from_name)) {
    throw Invalid.at('/mail_from_name', 'format', 'A name has no line breaks.')
  }
  if (Object.keys(settings).length === 0) return row
  return tx.sql
    .updateTable('accounts.workspaces')
    .set(settings)
    .where('id', '=', tx.workspaceId)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export interface NewWorkspace {
  name: string
  language: Language
  timezone?: string | undefined
  country?: string | undefined
}

/** Its slug comes from its name, with a number behind it where another workspace has that one. */
export async function createWorkspace(tx: Tx, input: NewWorkspace): Promise<WorkspaceRow> {
  const id = newId()
  const wanted = slugOf(input.name)
  for (const slug of [wanted, `${wanted}-${id.slice(-6)}`, id]) {
    const row = await tx.sql
      .insertInto('accounts.workspaces')
      .values({
        id,
        slug,
        name: input.name,
        language: input.language,
        ...(input.timezone ? { timezone: input.timezone } : {}),
        ...(input.country ? { country: input.country } : {}),
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (row) return row
  }
  throw new Error('a slug made of a new id was taken')
}

function slugOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const slug = plain.replace(/[^a-z0-9]+/g, '-').slice(0, 60)
  return slug.replace(/^-|-$/g, '') || 'workspace'
}
