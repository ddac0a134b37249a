/**
 * Changing a password, and getting a new one by mail. A reset is single use, good for half an hour, and for the password
 * that was there when it was asked for; it leaves the second factor on and ends every session.
 */
import { verifyPassword } from '#platform/crypto/passwords.ts'
import { hashSecret, randomSecret } from '#platform/crypto/random.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, Unauthenticated } from '#platform/errors.ts'
import type { Runtime } from '#platform/services.ts'
import { countAttempt, forgiveAttempts } from './attempts.ts'
import { noticeJob, resetJob } from './background.ts'
import { endSessions, type Visit } from './sessions.ts'
import { acceptPassword } from './users.ts'
import { firstWorkspaceId } from './workspaces.ts'

const resetMinutes = 30
const resetsPerHour = { limit: 3, windowMs: 3_600_000 }

/** Ends all other sessions; the one that asks goes on. */
export async function changePassword(
  runtime: Runtime,
  visit: Visit,
  who: { userId: string; workspaceId: string; sessionId: string | undefined },
  input: { current_password: string; new_password: string },
): Promise<void> {
  await countAttempt(runtime.limits, who.userId, visit.ip)
  const [user] = await runtime.db.lookup<{ email: string; full_name: string; password_hash: string | null }>(
    'accounts.password_of',
    'select email, full_name, password_hash from accounts.users where id = $1',
    [who.userId],
  )
  if (!user || !(await verifyPassword(user.password_hash, input.current_password))) {
    throw Invalid.at('/current_password', 'wrong_password', 'This is not your current password.')
  }
  await forgiveAttempts(runtime.limits, who.userId)
  const hash = await acceptPassword('/new_password', input.new_password, [user.email, user.full_name])
  await runtime.db.transaction(who.workspaceId, async (tx) => {
    await setPassword(tx, who.userId, hash)
    await endSessions(tx, who.userId, who.sessionId)
    await noticeJob.enqueue(tx, { notice: 'password_changed', user_id: who.userId, ...visit })
  })
}

/** Does the same for every address: whether anybody has it is found out in the background. */
export async function requestReset(runtime: Runtime, visit: Visit, email: string): Promise<void> {
  const taken = await runtime.limits.take(`accounts:reset:${email.toLowerCase()}`, resetsPerHour)
  const workspaceId = taken.allowed ? await firstWorkspaceId(runtime.db) : null
  if (!workspaceId) return
  await runtime.db.transaction(workspaceId, (tx) => resetJob.enqueue(tx, { email, ip: visit.ip }))
}

export interface ResetMail {
  to: string
  full_name: string
  language: 'en' | 'fr' | 'ro'
  token: string
}

/** A new token for the person with this address; null when there is none. Earlier tokens end. */
export async function issueReset(tx: Tx, email: string): Promise<ResetMail | null> {
  const user = await tx.sql
    .selectFrom('accounts.users')
    .select(['id', 'email', 'full_name', 'language', 'password_hash'])
    .where((eb) => eb(eb.fn<string>('lower', ['email']), '=', email.toLowerCase()))
    .where('origin', '=', 'rapport')
    .executeTakeFirst()
  if (!user?.email) return null
  const token = randomSecret()
  await tx.sql.deleteFrom('accounts.password_resets').where('user_id', '=', user.id).execute()
  await tx.sql
    .insertInto('accounts.password_resets')
    .values({
      token_hash: hashSecret(token),
      user_id: user.id,
      password_mark: markOf(user.password_hash),
      expires_at: new Date(tx.now.getTime() + resetMinutes * 60_000),
    })
    .execute()
  return { to: user.email, full_name: user.full_name, language: user.language, token }
}

export async function confirmReset(
  runtime: Runtime,
  visit: Visit,
  input: { token: string; new_password: string },
): Promise<void> {
  const found = await runtime.db.transaction('system', (tx) => findReset(tx, input.token))
  const hash = await acceptPassword('/new_password', input.new_password, [found.email, found.full_name])
  await runtime.db.transaction(found.workspace_id ?? 'system', async (tx) => {
    // Once more, now with the person locked: of two confirmations with one token, one finds another password there.
    const reset = await findReset(tx, input.token)
    await tx.sql.deleteFrom('accounts.password_resets').where('user_id', '=', reset.user_id).execute()
    await setPassword(tx, reset.user_id, hash)
    await endSessions(tx, reset.user_id)
    if (!reset.workspace_id) return
    await noticeJob.enqueue(tx, { notice: 'password_changed', user_id: reset.user_id, ...visit })
  })
  await forgiveAttempts(runtime.limits, found.email)
}

async function findReset(tx: Tx, token: string) {
  const found = await tx.sql
    .selectFrom('accounts.password_resets as r')
    .innerJoin('accounts.users as u', 'u.id', 'r.user_id')
    .select(['r.user_id', 'r.password_mark', 'u.email', 'u.full_name', 'u.password_hash'])
    .select((eb) =>
      eb
        .selectFrom('accounts.memberships as m')
        .select('m.workspace_id')
        .whereRef('m.user_id', '=', 'u.id')
        .orderBy('m.created_at')
        .limit(1)
        .as('workspace_id'),
    )
    .where('r.token_hash', '=', hashSecret(token))
    .where('r.expires_at', '>', tx.now)
    .forUpdate('u')
    .executeTakeFirst()
  if (!found?.email || !found.password_mark.equals(markOf(found.password_hash))) {
    throw new Unauthenticated('invalid_token', 'This link is too old, or was used already. Ask for a new one.')
  }
  return { ...found, email: found.email }
}

async function setPassword(tx: Tx, userId: string, hash: string): Promise<void> {
  await tx.sql.updateTable('accounts.users').set({ password_hash: hash }).where('id', '=', userId).execute()
}

function markOf(passwordHash: string | null): Buffer {
  return hashSecret(passwordHash ?? '')
}
