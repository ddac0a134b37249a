/** Looking for a person by what is said of them: the address, the id of an account, the telephone. */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { isId } from '#platform/ids.ts'

/** What is filled where it is empty. */
export const fillable = ['first_name', 'last_name', 'company', 'phone', 'phone_key', 'user_id'] as const
export type Known = Partial<Record<(typeof fillable)[number] | 'language', string>>

export interface Wanted {
  number: number
  email: string | null
  /** Lower case where it is a UUID. */
  userId: string | null
  /** Only where the telephone may decide. */
  phoneKey: string | null
  known: Known
  source: string
}

export interface Match {
  id: string
  email: string
  first_name: string
  last_name: string
  company: string | null
  phone: string | null
  phone_key: string | null
  user_id: string | null
  /** `address`: one that the person had before, on another record. */
  found_by: 'email' | 'address' | 'user_id' | 'phone'
}

const columns = sql.join(
  ['id', 'email', 'first_name', 'last_name', 'company', 'phone', 'phone_key', 'user_id'].map((name) => sql.ref(name)),
)
type Found = Match & { number: number }

/**
 * Everybody who might be meant, by each of the three keys. A statement for each key that somebody has, since one for all takes the
 * planner longer than the search; and through the indexes row by row, also while the tables are too young for the planner to
 * know how many rows they have.
 */
export async function lookUp(tx: Tx, wanted: Wanted[]): Promise<Map<number, Match[]>> {
  const byEmail = await findByEmail(
    tx,
    wanted.filter(({ email }) => email),
  )
  const known = new Set(byEmail.map(({ number }) => number))
  const byAddress = await findByFormerAddress(
    tx,
    wanted.filter(({ email, number }) => email && !known.has(number)),
  )
  const byUser = await findByUser(
    tx,
    wanted.filter(({ userId }) => userId),
  )
  const byPhone = await findByPhone(
    tx,
    wanted.filter(({ phoneKey }) => phoneKey),
  )
  return Map.groupBy([...byEmail, ...byAddress, ...byUser, ...byPhone], ({ number }) => number)
}

async function findByEmail(tx: Tx, wanted: Wanted[]): Promise<Found[]> {
  if (!wanted.length) return []
  const { rows } = await sql<Found>`
    select w.number, 'email' as found_by, ${columns} from ${listed(wanted, ({ email }) => email)}, lateral (
      select ${columns} from contacts.contacts
      where workspace_id = ${tx.workspaceId} and email_key = lower(w.key) and deleted_at is null limit 1) c`.execute(
    tx.sql,
  )
  return rows
}

async function findByFormerAddress(tx: Tx, wanted: Wanted[]): Promise<Found[]> {
  if (!wanted.length) return []
  const { rows } = await sql<Found>`
    select w.number, 'address' as found_by, ${columns} from ${listed(wanted, ({ email }) => email)}, lateral (
      select contact_id from contacts.contact_addresses
      where workspace_id = ${tx.workspaceId} and email_key = lower(w.key) order by added_at desc, contact_id limit 1) a,
    lateral (
      select ${columns} from contacts.contacts
      where workspace_id = ${tx.workspaceId} and id = a.contact_id and deleted_at is null limit 1) c`.execute(tx.sql)
  return rows
}

/** By the id that accounts here have, and by those that other programs give. */
async function findByUser(tx: Tx, wanted: Wanted[]): Promise<Found[]> {
  if (!wanted.length) return []
  const own = wanted.filter(({ userId }) => isId(userId!))
  const { rows } = await sql<Found>`
    select w.number, 'user_id' as found_by, ${columns} from ${listed(own, ({ userId }) => userId)}, lateral (
      select ${columns} from contacts.contacts
      where workspace_id = ${tx.workspaceId} and user_id = w.key::uuid and deleted_at is null
      order by created_at, id limit 1) c
    union all
    select w.number, 'user_id', ${columns} from ${listed(wanted, ({ userId }) => userId)}, lateral (
      select contact_id from contacts.outside_users where workspace_id = ${tx.workspaceId} and user_key = w.key limit 1) u,
    lateral (
      select ${columns} from contacts.contacts
      where workspace_id = ${tx.workspaceId} and id = u.contact_id and deleted_at is null limit 1) c`.execute(tx.sql)
  return rows
}

/** Two are enough to know that the number tells nothing. */
async function findByPhone(tx: Tx, wanted: Wanted[]): Promise<Found[]> {
  if (!wanted.length) return []
  const { rows } = await sql<Found>`
    select w.number, 'phone' as found_by, ${columns} from ${listed(wanted, ({ phoneKey }) => phoneKey)}, lateral (
      select ${columns} from contacts.contacts where workspace_id = ${tx.workspaceId} and deleted_at is null and id in (
        select coalesce(merged_into, id) from contacts.contacts
        where workspace_id = ${tx.workspaceId} and phone_key = w.key and (deleted_at is null or merged_into is not null))
      limit 2) c`.execute(tx.sql)
  return rows
}

/** As JSON, of which the planner expects as many rows whatever is in it: a plan that is kept is then as good as a new one. */
function listed(wanted: Wanted[], keyOf: (one: Wanted) => string | null): RawBuilder<unknown> {
  const rows = wanted.map((one) => ({ number: one.number, key: keyOf(one) }))
  return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w(number int, key text)`
}
