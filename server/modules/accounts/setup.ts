/** The first visit: makes the first workspace and its owner, once. Afterwards this door is closed for good. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Conflict } from '#platform/errors.ts'
import type { Runtime } from '#platform/services.ts'
import { openSession, type Visit } from './sessions.ts'
import type { OpenedSession } from './sign-in.ts'
import type { Language } from './tables.ts'
import { acceptPassword, checkTimezone, createUser } from './users.ts'
import { createWorkspace, firstWorkspaceId } from './workspaces.ts'

export interface SetUp {
  workspace_name: string
  full_name: string
  email: string
  password: string
  language?: Language | undefined
  timezone?: string | undefined
  country?: string | undefined
}

export async function isSetUpNeeded(runtime: Runtime): Promise<boolean> {
  return (await firstWorkspaceId(runtime.db)) === null
}

/** The password is judged and computed first, outside of the lock; whoever comes second finds the door closed. */
export async function setUp(runtime: Runtime, visit: Visit, input: SetUp): Promise<OpenedSession> {
  if (!(await isSetUpNeeded(runtime))) throw closed()
  if (input.timezone) checkTimezone(input.timezone)
  const personal = [input.email, input.full_name, input.workspace_name]
  const passwordHash = await acceptPassword('/password', input.password, personal)
  const opened = await runtime.db.transaction('system', async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('accounts.setup', 0))`.execute(tx.sql)
    const earlier = await tx.sql.selectFrom('accounts.workspaces').select('id').limit(1).executeTakeFirst()
    if (earlier) throw closed()
    return makeFirst(tx, visit, input, passwordHash)
  })
  runtime.log.info({ workspace_id: opened.workspaceId }, 'set up')
  return opened
}

async function makeFirst(tx: Tx, visit: Visit, input: SetUp, passwordHash: string): Promise<OpenedSession> {
  const language = input.language ?? 'en'
  const workspace = await createWorkspace(tx, {
    name: input.workspace_name,
    language,
    timezone: input.timezone,
    country: input.country,
  })
  const userId = await createUser(tx, {
    email: input.email,
    full_name: input.full_name,
    password_hash: passwordHash,
    language,
  })
  await tx.sql
    .insertInto('accounts.memberships')
    .values({ workspace_id: workspace.id, user_id: userId, role: 'owner' })
    .execute()
  const scope = { userId, workspaceId: workspace.id }
  return { ...(await openSession(tx, visit, scope)), ...scope }
}

function closed(): Conflict {
  return new Conflict('setup_closed', 'Rapport is set up already. Sign in, or ask for an invitation.')
}
