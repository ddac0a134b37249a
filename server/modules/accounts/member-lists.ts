/** The people of the house, page by page: any number of them. Customers come with tokens, and are no members of the house. */
import { sql, type RawBuilder } from 'kysely'
import type { Role } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { toMember, type MemberToTell } from './members.ts'

/** A page is this long unless another length is asked for: most houses fit into one. */
export const membersPerPage = 1_000

interface Paging {
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** In the order in which they came. */
export async function listMembers(tx: Tx, query: Paging) {
  const limit = query.limit ?? membersPerPage
  const byTime = { created_at: { expression: sql`m.created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, 'created_at')
  const after = afterCursor(query.cursor, sort, sql`u.id`)
  const from = sql`from ${staff(tx)}`
  const { rows } = await sql<Parameters<typeof toMember>[0] & { sort_key: string }>`
    select u.id, u.email, u.full_name, u.totp_enabled_at, m.role, m.created_at, m.created_at::text as sort_key
    ${from} ${after ? sql`and ${after}` : sql``} order by ${orderBy(sort, sql`u.id`)} limit ${limit + 1}`.execute(
    tx.sql,
  )
  return { ...page(rows, limit, sort, toMember), total: await countRows(tx, from, query.count === 'exact') }
}

export interface MembersQuery extends Paging {
  roles: readonly Role[]
  /** In the name, whatever its accents and case. */
  search?: string
  /** Ids of the only ones that are asked for. */
  among?: readonly string[]
  except?: readonly string[]
}

/** Those with one of these roles, by name. */
export async function pageOfMembers(tx: Tx, { roles, search, among, except, ...query }: MembersQuery) {
  const limit = query.limit ?? 50
  const byName = { name: { expression: sql`platform.fold(u.full_name)`, type: 'text' as const } }
  const sort = parseSort(undefined, byName, 'name')
  const after = afterCursor(query.cursor, sort, sql`u.id`)
  const from = sql`from ${staff(tx)} and m.role = any(${[...roles]}::text[])
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

/** Which of these addresses are members' own; in small letters. */
export async function memberAddressesAmong(tx: Tx, addresses: readonly string[]): Promise<Set<string>> {
  if (!addresses.length) return new Set()
  const wanted = addresses.map((address) => address.toLowerCase())
  const { rows } = await sql<{ email: string }>`
    select lower(u.email) as email from ${staff(tx)} and lower(u.email) = any(${wanted}::text[])`.execute(tx.sql)
  return new Set(rows.map(({ email }) => email))
}

/** One look for each of the house: a join may read all users of the installation, who are mostly customers. */
function staff(tx: Tx): RawBuilder<unknown> {
  return sql`accounts.memberships m cross join lateral (select * from accounts.users where id = m.user_id limit 1) u
    where m.workspace_id = ${tx.workspaceId}::uuid and m.role <> 'customer'`
}
