/**
 * Browser sessions: 256 random bits in a cookie, of which the database keeps the hash. A session ends when it is not
 * used for a week, after a month in any case, and whenever its person says so, changes the password or loses the
 * membership. The role is read anew with every request.
 */
import { createHash } from 'node:crypto'
import type { Actor, Role } from '#platform/actor.ts'
import { hashSecret, randomSecret } from '#platform/crypto/random.ts'
import type { Db, Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import type { Identity } from '#platform/http/route.ts'
import { newId } from '#platform/ids.ts'
import type { SessionRow } from './tables.ts'

export const sessionCookie = 'rapport'
export const sessionSecondsMax = 30 * 86_400
const idleDaysMax = 7

const identifyText = `
  with found as (
    select s.id, s.user_id, s.workspace_id, s.last_seen_at, m.role, u.email, u.full_name
    from accounts.sessions s
    join accounts.users u on u.id = s.user_id
    join accounts.memberships m on m.workspace_id = s.workspace_id and m.user_id = s.user_id
    where s.token_hash = $1 and s.expires_at > now() and s.last_seen_at > now() - make_interval(days => $2)
  ), seen as (
    update accounts.sessions s set last_seen_at = now() from found
    where s.id = found.id and found.last_seen_at < now() - interval '1 minute'
  )
  select id, user_id, workspace_id, role, email, full_name from found`

/** Null for a cookie that is unknown, or too old. */
export async function identifySession(db: Db, token: string): Promise<Identity | null> {
  const [found] = await db.lookup<{
    id: string
    user_id: string
    workspace_id: string
    role: Role
    email: string | null
    full_name: string
  }>('accounts.identify_session', identifyText, [hashSecret(token), idleDaysMax])
  if (!found) return null
  const actor: Actor = {
    kind: 'user',
    id: found.user_id,
    workspaceId: found.workspace_id,
    role: found.role,
    scopes: null,
    email: found.email,
    name: found.full_name,
  }
  return { actor, session: { id: found.id, userId: found.user_id, csrfToken: csrfTokenOf(token) } }
}

/** Proves that a page read it from our reply: only whoever has the cookie's value can compute it. */
export function csrfTokenOf(token: string): string {
  return createHash('sha256').update(`csrf:${token}`).digest('base64url')
}

export interface Visit {
  ip: string
  userAgent: string
}

/** Makes a session with a new token; the one that the browser had before ends. */
export async function openSession(
  tx: Tx,
  visit: Visit,
  { userId, workspaceId, replaces }: { userId: string; workspaceId: string; replaces?: string | undefined },
): Promise<{ token: string; csrfToken: string }> {
  if (replaces) await tx.sql.deleteFrom('accounts.sessions').where('token_hash', '=', hashSecret(replaces)).execute()
  const token = randomSecret()
  await tx.sql
    .insertInto('accounts.sessions')
    .values({
      id: newId(),
      user_id: userId,
      workspace_id: workspaceId,
      token_hash: hashSecret(token),
      user_agent: visit.userAgent,
      ip: visit.ip,
      expires_at: new Date(tx.now.getTime() + sessionSecondsMax * 1_000),
    })
    .execute()
  return { token, csrfToken: csrfTokenOf(token) }
}

export async function listSessions(tx: Tx, userId: string): Promise<SessionRow[]> {
  return tx.sql
    .selectFrom('accounts.sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .where('expires_at', '>', tx.now)
    .where('last_seen_at', '>', idleLimit(tx))
    .orderBy('last_seen_at', 'desc')
    .limit(200)
    .execute()
}

export async function endSession(tx: Tx, userId: string, id: string): Promise<void> {
  const ended = await tx.sql
    .deleteFrom('accounts.sessions')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  if (!ended.numDeletedRows) throw new NotFound('session')
}

/** All of a person's sessions, or all but one. */
export async function endSessions(tx: Tx, userId: string, except?: string): Promise<void> {
  let sessions = tx.sql.deleteFrom('accounts.sessions').where('user_id', '=', userId)
  if (except) sessions = sessions.where('id', '!=', except)
  await sessions.execute()
}

/** Answers false where the person does not belong to that workspace. */
export async function switchWorkspace(
  tx: Tx,
  session: { id: string; userId: string },
  workspaceId: string,
): Promise<boolean> {
  const changed = await tx.sql
    .updateTable('accounts.sessions')
    .set({ workspace_id: workspaceId })
    .where('id', '=', session.id)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('accounts.memberships')
          .select('user_id')
          .where('workspace_id', '=', workspaceId)
          .where('user_id', '=', session.userId),
      ),
    )
    .executeTakeFirst()
  return changed.numUpdatedRows > 0n
}

/** Removes what can let nobody in any more. */
export async function sweepExpired(tx: Tx): Promise<void> {
  await tx.sql
    .deleteFrom('accounts.sessions')
    .where((eb) => eb.or([eb('expires_at', '<', tx.now), eb('last_seen_at', '<', idleLimit(tx))]))
    .execute()
  await tx.sql.deleteFrom('accounts.password_resets').where('expires_at', '<', tx.now).execute()
}

function idleLimit(tx: Tx): Date {
  return new Date(tx.now.getTime() - idleDaysMax * 86_400_000)
}
