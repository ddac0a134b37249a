/**
 * Signing in: password, then second factor, then a session. An unknown address costs the same work and gets the same
 * answer as a wrong password; no connection is held while a password is computed.
 */
import { createHash } from 'node:crypto'
import { verifyPassword } from '#platform/crypto/passwords.ts'
import type { Tx } from '#platform/db/db.ts'
import { Forbidden, Unauthenticated } from '#platform/errors.ts'
import type { Runtime } from '#platform/services.ts'
import { countAttempt, forgiveAttempts } from './attempts.ts'
import { noticeJob } from './background.ts'
import { openSession, type Visit } from './sessions.ts'
import { useSecondFactor } from './two-factor.ts'
import type { UserRow } from './tables.ts'

export interface Credentials {
  email: string
  password: string
  totp?: string | undefined
}

export interface OpenedSession {
  token: string
  csrfToken: string
  userId: string
  workspaceId: string
}

/** `replaces` is the cookie that the browser came with: its session ends. */
export async function signIn(
  runtime: Runtime,
  visit: Visit,
  credentials: Credentials,
  replaces?: string,
): Promise<OpenedSession> {
  const user = await proveIdentity(runtime, visit, credentials)
  if (!user.workspace_id) throw new Forbidden('no_workspace', 'You do not belong to any workspace any more.')
  const scope = { userId: user.id, workspaceId: user.workspace_id }
  const opened = await runtime.db.transaction(scope.workspaceId, async (tx) => {
    await noticeNewDevice(tx, user, visit)
    return openSession(tx, visit, { ...scope, replaces })
  })
  runtime.log.info({ user_id: user.id, ip: visit.ip }, 'signed in')
  return { ...opened, ...scope }
}

type Person = Pick<UserRow, 'id' | 'email' | 'password_hash' | 'totp_secret' | 'totp_enabled_at'> & {
  workspace_id: string | null
}

/** Who has this address, this password and, where it is switched on, this second factor. */
export async function proveIdentity(runtime: Runtime, visit: Visit, credentials: Credentials): Promise<Person> {
  await countAttempt(runtime.limits, credentials.email, visit.ip)
  const [user] = await runtime.db.lookup<Person>(
    'accounts.person_by_email',
    `select u.id, u.email, u.password_hash, u.totp_secret, u.totp_enabled_at,
       (select m.workspace_id from accounts.memberships m where m.user_id = u.id order by m.created_at limit 1)
     from accounts.users u where lower(u.email) = lower($1) and u.origin = 'rapport'`,
    [credentials.email],
  )
  if (!(await verifyPassword(user?.password_hash ?? null, credentials.password)) || !user) {
    runtime.log.warn({ ip: visit.ip, user_id: user?.id }, 'a sign-in was refused')
    throw new Unauthenticated('invalid_credentials', 'This e-mail address and password do not belong together.')
  }
  if (user.totp_enabled_at) await requireSecondFactor(runtime, visit, user, credentials.totp)
  await forgiveAttempts(runtime.limits, credentials.email)
  return user
}

async function requireSecondFactor(runtime: Runtime, visit: Visit, user: Person, code?: string): Promise<void> {
  if (!code) throw new Unauthenticated('totp_required', 'Enter the code of your authenticator app.')
  if (await runtime.db.transaction('system', (tx) => useSecondFactor(tx, runtime, user.id, code))) return
  runtime.log.warn({ ip: visit.ip, user_id: user.id }, 'a second factor was refused')
  throw new Unauthenticated('totp_invalid', 'This code is not right, or it was used already.')
}

/** The first device is the one that made the account; each further one is worth a mail. */
async function noticeNewDevice(tx: Tx, user: Person, visit: Visit): Promise<void> {
  const known = await tx.sql
    .selectFrom('accounts.known_devices')
    .select('user_id')
    .where('user_id', '=', user.id)
    .limit(1)
    .executeTakeFirst()
  const device = createHash('sha256').update(visit.userAgent).digest()
  const added = await tx.sql
    .insertInto('accounts.known_devices')
    .values({ user_id: user.id, device_hash: device })
    .onConflict((conflict) => conflict.doNothing())
    .returning('user_id')
    .executeTakeFirst()
  if (known && added) await noticeJob.enqueue(tx, { notice: 'new_device', user_id: user.id, ...visit })
}
