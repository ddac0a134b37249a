/** Who belongs to the workspace, and with which role. There is always an owner. */
import { sql } from 'kysely'
import type { Actor, Role } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import { requireRank } from './ranks.ts'
import type { Language, StaffRole } from './tables.ts'

export interface Member {
  user_id: string
  email: string | null
  full_name: string
  role: Role
  two_factor_enabled: boolean
  created_at: Date
}

/** From the very next request on: sessions read the role anew each time. */
export async function changeRole(tx: Tx, actor: Actor, userId: string, role: StaffRole): Promise<Member> {
  const current = await lockMember(tx, userId)
  requireRank(actor, current)
  requireRank(actor, role)
  if (current === 'owner' && role !== 'owner') await requireOtherOwner(tx, userId)
  await tx.sql
    .updateTable('accounts.memberships')
    .set({ role, source: 'rapport' })
    .where('workspace_id', '=', tx.workspaceId)
    .where('user_id', '=', userId)
    .execute()
  return toMember(await members(tx).where('u.id', '=', userId).executeTakeFirstOrThrow())
}

/** Ends the membership and every session in this workspace. What the person made stays. */
export async function removeMember(tx: Tx, actor: Actor, userId: string): Promise<void> {
  const current = await lockMember(tx, userId)
  requireRank(actor, current)
  if (current === 'owner') await requireOtherOwner(tx, userId)
  await tx.sql
    .deleteFrom('accounts.memberships')
    .where('workspace_id', '=', tx.workspaceId)
    .where('user_id', '=', userId)
    .execute()
  await tx.sql
    .deleteFrom('accounts.sessions')
    .where('workspace_id', '=', tx.workspaceId)
    .where('user_id', '=', userId)
    .execute()
}

/** Those of these people who are members now; for what is to be given or told to somebody of the house. */
export async function membersAmong(tx: Tx, ids: readonly string[]): Promise<Map<string, MemberToTell>> {
  if (!ids.length) return new Map()
  const rows = await members(tx)
    .where('u.id', '=', sql<string>`any(${[...ids]}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, toTell(row)]))
}

/** Name and address of an account of this workspace, a customer's too; null where it is none, or has no address. */
export async function accountOf(tx: Tx, userId: string): Promise<{ name: string; email: string } | null> {
  const row = await tx.sql
    .selectFrom('accounts.memberships as m')
    .innerJoin('accounts.users as u', 'u.id', 'm.user_id')
    .select(['u.email', 'u.full_name as name'])
    .where('m.workspace_id', '=', tx.workspaceId)
    .where('u.id', '=', userId)
    .executeTakeFirst()
  return row?.email ? { name: row.name, email: row.email } : null
}

export interface MemberToTell {
  id: string
  name: string
  role: Role
  email: string | null
  language: Language
}

/** All with one of these roles, by name. Whoever needs only some of them asks for those, or for a page. */
export async function membersWithRole(tx: Tx, roles: readonly Role[]): Promise<MemberToTell[]> {
  const rows = await members(tx)
    .where('m.role', 'in', [...roles])
    .orderBy('u.full_name')
    .orderBy('u.id')
    .execute()
  return rows.map(toTell)
}

/** Names for ids of people and API keys, as they are shown beside what they did; in one query for a whole page. */
export async function nameOf(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const wanted = [...new Set(ids)]
  if (!wanted.length) return new Map()
  const people = tx.sql.selectFrom('accounts.users').select(['id', 'full_name as name']).where('id', 'in', wanted)
  const keys = tx.sql.selectFrom('accounts.api_keys').select(['id', 'name']).where('id', 'in', wanted)
  const rows = await people.unionAll(keys).execute()
  return new Map(rows.map(({ id, name }) => [id, name]))
}

function members(tx: Tx) {
  return (
    tx.sql
      .selectFrom('accounts.memberships as m')
      .innerJoin('accounts.users as u', 'u.id', 'm.user_id')
      .select(['u.id', 'u.email', 'u.full_name', 'u.language', 'u.totp_enabled_at', 'm.role', 'm.created_at'])
      .where('m.workspace_id', '=', tx.workspaceId)
      // Written out, as the index of the house's people has it.
      .where(sql<boolean>`m.role <> 'customer'`)
  )
}

function toTell(row: { id: string; full_name: string; role: Role; email: string | null; language: Language }) {
  const { id, full_name: name, role, email, language } = row
  return { id, name, role, email, language }
}

export function toMember(row: {
  id: string
  email: string | null
  full_name: string
  totp_enabled_at: Date | null
  role: Role
  created_at: Date
}): Member {
  const { id, email, full_name, role, created_at } = row
  return { user_id: id, email, full_name, role, two_factor_enabled: row.totp_enabled_at !== null, created_at }
}

/**
 * Locks the workspace's owners together with the member, always in the order of their ids, so that two owners who
 * remove each other at the same moment do not both succeed.
 */
async function lockMember(tx: Tx, userId: string): Promise<Role> {
  const rows = await tx.sql
    .selectFrom('accounts.memberships')
    .select(['user_id', 'role'])
    .where('workspace_id', '=', tx.workspaceId)
    .where((eb) => eb.or([eb('user_id', '=', userId), eb('role', '=', 'owner')]))
    .orderBy('user_id')
    .forUpdate()
    .execute()
  const member = rows.find((row) => row.user_id === userId)
  if (!member) throw new NotFound('member')
  return member.role
}

async function requireOtherOwner(tx: Tx, userId: string): Promise<void> {
  const other = await tx.sql
    .selectFrom('accounts.memberships')
    .select('user_id')
    .where('workspace_id', '=', tx.workspaceId)
    .where('role', '=', 'owner')
    .where('user_id', '!=', userId)
    .limit(1)
    .executeTakeFirst()
  if (!other) throw new Conflict('last_owner', 'This is the last owner. Make somebody else an owner first.')
}
