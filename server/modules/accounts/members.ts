/** Who belongs to the workspace, and with which role. There is always an owner. */
import { sql } from 'kysely'
import type { Actor, Role } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
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

/** Customers come with tokens, by the thousand, and are no members of the house. */
export async function listMembers(tx: Tx): Promise<Member[]> {
  const rows = await members(tx).orderBy('m.created_at').limit(1_000).execute()
  return rows.map(toMember)
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

/** Those of these people who are members now, with their role; for what is to be given to somebody of the house. */
export async function membersAmong(tx: Tx, ids: readonly string[]): Promise<Map<string, { name: string; role: Role }>> {
  if (!ids.length) return new Map()
  const rows = await members(tx)
    .where('u.id', 'in', [...ids])
    .execute()
  return new Map(rows.map(({ id, full_name, role }) => [id, { name: full_name, role }]))
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

/** Members with one of these roles, a thousand at most, by name: for those who are to be told something, or given work. */
export async function membersWithRole(tx: Tx, roles: readonly Role[]): Promise<MemberToTell[]> {
  const rows = await members(tx)
    .select('u.language')
    .where('m.role', 'in', [...roles])
    .orderBy('u.full_name')
    .orderBy('u.id')
    .limit(1_000)
    .execute()
  return rows.map(({ id, full_name: name, role, email, language }) => ({ id, name, role, email, language }))
}

export interface MembersQuery {
  roles: readonly Role[]
  /** In the name, whatever its accents and case. */
  search?: string
  /** Ids of the only ones that are asked for. */
  among?: readonly string[]
  except?: readonly string[]
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Any number of them, page by page, by name. */
export async function pageOfMembers(tx: Tx, { roles, search, among, except, ...query }: MembersQuery) {
  const limit = query.limit ?? 50
  const byName = { name: { expression: sql`platform.fold(u.full_name)`, type: 'text' as const } }
  const sort = parseSort(undefined, byName, 'name')
  const after = afterCursor(query.cursor, sort, sql`u.id`)
  const from = sql`from accounts.memberships m join accounts.users u on u.id = m.user_id
    where m.workspace_id = ${tx.workspaceId}::uuid and m.role = any(${[...roles]}::text[])
      ${search ? sql`and position(platform.fold(${search}) in platform.fold(u.full_name)) > 0` : sql``}
      ${among ? sql`and u.id = any(${[...among]}::uuid[])` : sql``}
      ${except?.length ? sql`and u.id <> all(${[...except]}::uuid[])` : sql``}`
  const { rows } = await sql<MemberToTell & { sort_key: string }>`
    select u.id, u.full_name as name, m.role, u.email, u.language, platform.fold(u.full_name) as sort_key
    ${from} ${after ? sql`and ${after}` : sql``} order by ${orderBy(sort, sql`u.id`)} limit ${limit + 1}`.execute(
    tx.sql,
  )
  const list = page(rows, limit, sort, ({ sort_key: _key, ...member }): MemberToTell => member)
  return { ...list, total: await countRows(tx, from, query.count === 'exact') }
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
  return tx.sql
    .selectFrom('accounts.memberships as m')
    .innerJoin('accounts.users as u', 'u.id', 'm.user_id')
    .select(['u.id', 'u.email', 'u.full_name', 'u.totp_enabled_at', 'm.role', 'm.created_at'])
    .where('m.workspace_id', '=', tx.workspaceId)
    .where('m.role', '!=', 'customer')
}

function toMember(row: {
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
