/** What was found, for people: suggestions with their explanation, and what they say of them. "Not a duplicate" is remembered for good. */
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { says, searchWords } from '#platform/db/search.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { joinFullName } from '../names.ts'
import { regroup } from './groups.ts'
import type { Field } from './model.ts'
import { toPerson, type Identifying, type Person } from './person.ts'
import type { PairStatus, Reason } from './tables.ts'

/** As much of a contact as tells it from another. */
export interface ShortContact extends Identifying {
  id: string
  avatar_url: string | null
  /** As JSON tells it. */
  created_at: string
}

interface PairRow {
  id: string
  a: ShortContact
  b: ShortContact
  probability: number
  reasons: Reason[]
  status: PairStatus
  group_id: string | null
  found_by: 'scan' | 'change'
  found_at: Date
  dismissed_at: Date | null
  dismissed_by_name: string
  sort_key: string
}

export interface SuggestionsQuery {
  status?: PairStatus
  contact_id?: string
  min_probability?: number
  search?: string
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

const sortColumns: Record<string, SortColumn> = {
  probability: { expression: sql`p.weight`, type: 'numeric' },
  found_at: { expression: sql`p.found_at`, type: 'timestamptz' },
}

export async function listSuggestions(tx: Tx, query: SuggestionsQuery) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, '-probability')
  const after = afterCursor(query.cursor, sort, sql`p.id`)
  const from = fromSuggestions(query)
  const { rows } = await sql<PairRow>`
    select ${pairColumns}, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`p.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = !after && rows.length <= limit ? rows.length : await countRows(tx, from, query.count === 'exact')
  const { data, next_cursor } = page<PairRow, ReturnType<typeof viewSuggestion>>(rows, limit, sort, viewSuggestion)
  return { data, next_cursor, total }
}

/** Those in a group's own pairs, strongest first. */
export async function suggestionsOfGroups(tx: Tx, groupIds: string[]) {
  const { rows } = await sql<PairRow>`
    select ${pairColumns}, '' as sort_key ${fromSuggestions({})} and p.group_id = any(${groupIds}::uuid[])
    order by p.weight desc, p.id`.execute(tx.sql)
  return rows.map(viewSuggestion)
}

/** Dismissing twice changes nothing; what has been merged is no question any more. */
export async function dismissSuggestion(tx: Tx, actor: Actor, id: string) {
  const pair = await lockPair(tx, id)
  if (pair.status === 'merged') {
    throw new Conflict('already_merged', 'These two have been merged. Undo the merge to tell them apart.')
  }
  await dismiss(tx, actor, sql`p.id = ${id}`)
  await regroup(tx, [pair.a, pair.b])
  return showSuggestion(tx, id)
}

/** All pairs of the group. Answers their ids, by which it can be taken back. */
export async function dismissGroup(tx: Tx, actor: Actor, groupId: string): Promise<string[]> {
  const { rows } = await sql<{ contact_ids: string[] }>`
    select contact_ids from contacts.duplicate_groups where id = ${groupId} for update`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('group of duplicates')
  const dismissed = await dismiss(tx, actor, sql`p.group_id = ${groupId}`)
  await regroup(tx, rows[0].contact_ids)
  return dismissed
}

/** Takes "not a duplicate" back. Those that are open already stay so. */
export async function restoreSuggestions(tx: Tx, ids: string[]): Promise<number> {
  const { rows } = await sql<{ a: string; b: string }>`
    update contacts.duplicate_pairs
    set status = 'open', dismissed_at = null, dismissed_by = null, dismissed_by_name = ''
    where id = any(${ids}::uuid[]) and status = 'dismissed' returning a, b`.execute(tx.sql)
  await regroup(tx, [...new Set(rows.flatMap(({ a, b }) => [a, b]))])
  return rows.length
}

export async function restoreSuggestion(tx: Tx, id: string) {
  await lockPair(tx, id)
  await restoreSuggestions(tx, [id])
  return showSuggestion(tx, id)
}

export function viewShort(contact: ShortContact) {
  const { id, email, first_name, last_name, company, phone, avatar_url, created_at } = contact
  const full_name = joinFullName({ first_name, last_name })
  return { id, email, first_name, last_name, full_name, company, phone, avatar_url, created_at: new Date(created_at) }
}

/** Field by field: both values, how alike they are, and how much that says; the strongest first. */
export function explain(reasons: Reason[], a: Person, b: Person) {
  return reasons
    .map(([field, level, weight]) => ({ field, a: valueOf(a, field), b: valueOf(b, field), level, weight }))
    .toSorted((one, other) => Math.abs(other.weight) - Math.abs(one.weight))
}

export const shortColumns = (contact: 'ca' | 'cb' | 'c'): RawBuilder<unknown> => {
  const of = sql.raw(contact)
  return sql`jsonb_build_object('id', ${of}.id, 'email', ${of}.email, 'first_name', ${of}.first_name,
    'last_name', ${of}.last_name, 'company', ${of}.company, 'phone', ${of}.phone, 'phone_key', ${of}.phone_key,
    'avatar_url', ${of}.avatar_url, 'custom_fields', ${of}.custom_fields, 'created_at', ${of}.created_at)`
}

const pairColumns = sql`p.id, p.probability, p.reasons, p.status, p.group_id, p.found_by, p.found_at, p.dismissed_at,
  p.dismissed_by_name, ${shortColumns('ca')} as a, ${shortColumns('cb')} as b`

/** Deleted contacts are no question; but of two that were merged, one is deleted. */
function fromSuggestions(query: SuggestionsQuery): RawBuilder<unknown> {
  const status = query.status ?? 'open'
  const conditions = [sql`p.status = ${status}`]
  if (status !== 'merged') conditions.push(sql`ca.deleted_at is null and cb.deleted_at is null`)
  if (query.contact_id) conditions.push(sql`(p.a = ${query.contact_id} or p.b = ${query.contact_id})`)
  if (query.min_probability !== undefined) conditions.push(sql`p.probability >= ${query.min_probability}`)
  for (const word of searchWords(query.search)) {
    conditions.push(sql`(${says(sql`ca.search_text`, word)} or ${says(sql`cb.search_text`, word)})`)
  }
  return sql`
    from contacts.duplicate_pairs p
    join contacts.contacts ca on ca.workspace_id = p.workspace_id and ca.id = p.a
    join contacts.contacts cb on cb.workspace_id = p.workspace_id and cb.id = p.b
    where ${sql.join(conditions, sql` and `)}`
}

async function showSuggestion(tx: Tx, id: string) {
  const { rows } = await sql<PairRow>`
    select ${pairColumns}, '' as sort_key from contacts.duplicate_pairs p
    join contacts.contacts ca on ca.workspace_id = p.workspace_id and ca.id = p.a
    join contacts.contacts cb on cb.workspace_id = p.workspace_id and cb.id = p.b where p.id = ${id}`.execute(tx.sql)
  return viewSuggestion(rows[0]!)
}

async function lockPair(tx: Tx, id: string): Promise<{ a: string; b: string; status: PairStatus }> {
  const pair = await tx.sql
    .selectFrom('contacts.duplicate_pairs')
    .select(['a', 'b', 'status'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!pair) throw new NotFound('suggestion')
  return pair
}

async function dismiss(tx: Tx, actor: Actor, which: RawBuilder<unknown>): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update contacts.duplicate_pairs p
    set status = 'dismissed', group_id = null, dismissed_at = ${tx.now}, dismissed_by_name = ${actor.name},
      dismissed_by = ${actor.kind === 'user' ? actor.id : null}
    where ${which} and p.status = 'open' returning p.id`.execute(tx.sql)
  return rows.map(({ id }) => id)
}

export type Suggestion = ReturnType<typeof viewSuggestion>

function viewSuggestion(row: PairRow) {
  return {
    id: row.id,
    status: row.status,
    probability: row.probability,
    group_id: row.group_id,
    found_by: row.found_by,
    found_at: row.found_at,
    dismissed_at: row.dismissed_at,
    dismissed_by_name: row.dismissed_by_name,
    contacts: [viewShort(row.a), viewShort(row.b)],
    explanation: explain(row.reasons, toPerson(row.a), toPerson(row.b)),
  }
}

function valueOf(person: Person, field: Field): string | null {
  const values: Record<Field, string> = {
    first_name: person.given,
    last_name: person.family,
    email: person.emails.filter(Boolean).join(', '),
    phone: person.phones.join(', '),
    company: person.company,
    birth_date: person.birthDate,
    address: [person.streetNumber, person.street, person.unit].filter(Boolean).join(' '),
    city: person.city,
    postcode: person.postcode,
    region: person.region,
    identifier: person.identifier?.value ?? '',
  }
  return values[field] || null
}
