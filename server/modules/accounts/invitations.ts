/**
 * Invitations: by mail, good for a week and for one use, bound to the address they went to. A new person chooses a
 * password; whoever has an account joins with it. The link's token names its workspace, signed, and the row keeps its hash.
 */
import { randomBytes } from 'node:crypto'
import type { Actor } from '#platform/actor.ts'
import { hashSecret } from '#platform/crypto/random.ts'
import { packUuids, type Tokens } from '#platform/crypto/tokens.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, Forbidden, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { invitationJob } from './background.ts'
import { requireRank } from './ranks.ts'
import { openSession, type Visit } from './sessions.ts'
import { proveIdentity, type OpenedSession } from './sign-in.ts'
import type { InvitationRow, Language, StaffRole } from './tables.ts'
import { acceptPassword, createUser } from './users.ts'
import { getWorkspace } from './workspaces.ts'

const purpose = 'accounts.invitation'
const daysMax = 7

export async function listInvitations(tx: Tx): Promise<InvitationRow[]> {
  return tx.sql.selectFrom('accounts.invitations').selectAll().orderBy('created_at', 'desc').limit(1_000).execute()
}

export async function invite(
  tx: Tx,
  actor: Actor,
  input: { email: string; role: StaffRole; language?: Language | undefined },
): Promise<InvitationRow> {
  requireRank(actor, input.role)
  const email = input.email.toLowerCase()
  if (await isMember(tx, email)) throw new Conflict('already_member', 'This person belongs to the workspace already.')
  const { language } = await getWorkspace(tx, tx.workspaceId)
  await tx.sql.deleteFrom('accounts.invitations').where('email', '=', email).where('expires_at', '<', tx.now).execute()
  const row = await tx.sql
    .insertInto('accounts.invitations')
    .values({
      workspace_id: tx.workspaceId,
      id: newId(),
      email,
      role: input.role,
      language: input.language ?? language,
      invited_by: actor.kind === 'user' ? actor.id : null,
      expires_at: expiryFrom(tx),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!row) throw new Conflict('already_invited', 'An invitation waits for this person already. You can send it again.')
  await invitationJob.enqueue(tx, { invitation_id: row.id })
  return row
}

/** A new mail with a new link, good for another week; the earlier link ends. */
export async function resendInvitation(tx: Tx, actor: Actor, id: string): Promise<InvitationRow> {
  const row = await tx.sql
    .updateTable('accounts.invitations')
    .set({ expires_at: expiryFrom(tx), token_hash: null })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw new NotFound('invitation')
  requireRank(actor, row.role)
  await invitationJob.enqueue(tx, { invitation_id: row.id })
  return row
}

export async function withdrawInvitation(tx: Tx, actor: Actor, id: string): Promise<void> {
  const row = await tx.sql.deleteFrom('accounts.invitations').where('id', '=', id).returning('role').executeTakeFirst()
  if (!row) throw new NotFound('invitation')
  requireRank(actor, row.role)
}

/** The link's token, made when its mail is; null when the invitation was withdrawn meanwhile. */
export async function issueInvitation(
  tx: Tx,
  { tokens }: Services,
  id: string,
): Promise<{ row: InvitationRow; token: string } | null> {
  const found = await tx.sql
    .selectFrom('accounts.invitations')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!found) return null
  const payload = Buffer.concat([packUuids(tx.workspaceId), randomBytes(32)])
  const token = tokens.sign(purpose, payload, { expiresAt: found.expires_at })
  await tx.sql
    .updateTable('accounts.invitations')
    .set({ token_hash: hashSecret(token) })
    .where('id', '=', id)
    .execute()
  return { row: found, token }
}

/** The workspace that a link leads to; null for what is no link of ours, or too old. */
export function workspaceOfInvitation(tokens: Tokens, token: string): string | null {
  const payload = tokens.open(purpose, token)
  if (payload?.length !== 48) return null
  const hex = payload.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export interface InvitationFace {
  email: string
  workspace_name: string
  role: StaffRole
  user_exists: boolean
}

export async function inspectInvitation(tx: Tx, token: string): Promise<InvitationFace> {
  const row = await findInvitation(tx, token)
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const user = await findUser(tx, row.email)
  return { email: row.email, workspace_name: workspace.name, role: row.role, user_exists: user !== undefined }
}

export interface Acceptance {
  token: string
  full_name?: string | undefined
  password?: string | undefined
  totp?: string | undefined
}

/** `signedIn` is the session that the request came with: its person joins without a password when the address is theirs. */
export async function acceptInvitation(
  runtime: Runtime,
  visit: Visit,
  input: Acceptance,
  signedIn: { userId: string; cookie: string | undefined } | null,
): Promise<OpenedSession> {
  const workspaceId = workspaceOfInvitation(runtime.tokens, input.token)
  if (!workspaceId) throw new NotFound('invitation')
  const { invitation, user } = await runtime.db.transaction(workspaceId, async (tx) => {
    const found = await findInvitation(tx, input.token)
    return { invitation: found, user: await findUser(tx, found.email) }
  })
  const passwordHash = user ? null : await newPassword(input, invitation.email)
  if (user && signedIn?.userId !== user.id) await proveAccount(runtime, visit, input, invitation.email, signedIn)
  return runtime.db.transaction(workspaceId, async (tx) => {
    const row = await useInvitation(tx, input.token)
    const { full_name: name = '' } = input
    const userId =
      user?.id ??
      (await createUser(tx, {
        email: row.email,
        full_name: name,
        password_hash: passwordHash ?? '',
        language: row.language,
      }))
    await tx.sql
      .insertInto('accounts.memberships')
      .values({ workspace_id: workspaceId, user_id: userId, role: row.role })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    const opened = await openSession(tx, visit, { userId, workspaceId, replaces: signedIn?.cookie })
    return { ...opened, userId, workspaceId }
  })
}

async function newPassword(input: Acceptance, email: string): Promise<string> {
  if (!input.full_name?.trim()) throw Invalid.at('/full_name', 'required', 'Tell us your name.')
  if (!input.password) throw Invalid.at('/password', 'required', 'Choose a password.')
  return acceptPassword('/password', input.password, [email, input.full_name])
}

async function proveAccount(
  runtime: Runtime,
  visit: Visit,
  input: Acceptance,
  email: string,
  signedIn: object | null,
): Promise<void> {
  if (!input.password) {
    const detail = signedIn ? 'This invitation is for somebody else. Sign out first.' : 'Sign in to join.'
    throw new Forbidden('invitation_for_other', detail)
  }
  await proveIdentity(runtime, visit, { email, password: input.password, totp: input.totp })
}

async function findInvitation(tx: Tx, token: string): Promise<InvitationRow> {
  const row = await tx.sql
    .selectFrom('accounts.invitations')
    .selectAll()
    .where('token_hash', '=', hashSecret(token))
    .where('expires_at', '>', tx.now)
    .executeTakeFirst()
  if (!row) throw new NotFound('invitation')
  return row
}

/** Single use: whoever deletes the row has it. */
async function useInvitation(tx: Tx, token: string): Promise<InvitationRow> {
  const row = await tx.sql
    .deleteFrom('accounts.invitations')
    .where('token_hash', '=', hashSecret(token))
    .where('expires_at', '>', tx.now)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw new NotFound('invitation')
  return row
}

async function findUser(tx: Tx, email: string): Promise<{ id: string } | undefined> {
  return tx.sql
    .selectFrom('accounts.users')
    .select('id')
    .where((eb) => eb(eb.fn<string>('lower', ['email']), '=', email))
    .where('origin', '=', 'rapport')
    .executeTakeFirst()
}

async function isMember(tx: Tx, email: string): Promise<boolean> {
  const user = await findUser(tx, email)
  if (!user) return false
  const membership = await tx.sql
    .selectFrom('accounts.memberships')
    .select('role')
    .where('workspace_id', '=', tx.workspaceId)
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  return membership !== undefined
}

function expiryFrom(tx: Tx): Date {
  return new Date(tx.now.getTime() + daysMax * 86_400_000)
}
