/**
 * Users and workspaces that a token names are made on first sight: the auth service is the authority on who exists and
 * which role they have. What has been seen is remembered for a few seconds, then confirmed by one statement.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Runtime } from '#platform/services.ts'
import type { Claims } from './outside-tokens.ts'

const rememberedMs = 5_000

export async function meetTokenBearer(runtime: Runtime, claims: Claims): Promise<Actor> {
  const { userId, workspaceId, role, email, name } = claims
  const said = createHash('sha256')
    .update(JSON.stringify([userId, role, email, name]))
    .digest('base64url')
  await runtime.cache.getOrSet(`${workspaceId}:accounts:bearer:${said}`, rememberedMs, async () => {
    if (!(await isKnown(runtime, claims))) await makeKnown(runtime, claims)
    return true
  })
  return { kind: 'user', id: userId, workspaceId, role, scopes: null, email, name }
}

/** Whether all rows are there and say what the token says. People who sign in here keep their own name and role. */
async function isKnown({ db }: Runtime, { userId, workspaceId, role, email, name }: Claims): Promise<boolean> {
  const rows = await db.lookup(
    'accounts.known_bearer',
    `select from accounts.workspaces w
     join accounts.memberships m on m.workspace_id = w.id and m.user_id = $2
     join accounts.users u on u.id = m.user_id
     where w.id = $1
       and (m.source = 'rapport' or m.role = $3)
       and (u.origin = 'rapport' or (u.email is not distinct from $4 and u.full_name = $5))`,
    [workspaceId, userId, role, email, name],
  )
  return rows.length > 0
}

/** Any number of first requests may race here: each statement lets the first one win. */
async function makeKnown(runtime: Runtime, { userId, workspaceId, role, email, name }: Claims): Promise<void> {
  await runtime.db.transaction(workspaceId, async (tx) => {
    await sql`
      insert into accounts.workspaces (id, name, slug) values (${workspaceId}, ${'Rapport'}, ${workspaceId})
      on conflict do nothing`.execute(tx.sql)
    await sql`
      insert into accounts.users (id, origin, email, full_name) values (${userId}, 'token', ${email}, ${name})
      on conflict (id) do update set email = excluded.email, full_name = excluded.full_name
        where users.origin = 'token'`.execute(tx.sql)
    await sql`
      insert into accounts.memberships (workspace_id, user_id, role, source)
      values (${workspaceId}, ${userId}, ${role}, 'token')
      on conflict (workspace_id, user_id) do update set role = excluded.role where memberships.source = 'token'`.execute(
      tx.sql,
    )
  })
}
