/**
 * Which contacts: search, filters and sort orders, for the list, for bulk actions and for audiences alike. Everything
 * reads `contacts.contact_rows as c`, the view whose conditions every index may serve.
 */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { saysByIndex, searchWords } from '#platform/db/search.ts'
import { Closed, Id, OneOf } from '#platform/http/shapes.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { phoneKey } from './contact-fields.ts'
import { inBand } from './rules/fields.ts'
import { compileRule } from './rules/compile.ts'
import { hasAnyTag, isMemberOfAny, type Holder, type Purpose } from './rules/members.ts'
import { readRuleText } from './rules/rule-text.ts'
import { resolveKept, resolveRule, type Resolved } from './rules/resolve.ts'
import { RuleShape, type Rule } from './rules/rule.ts'
import { engagementLevels, genders, statuses, viewContact, type ContactRow, type ContactView } from './contact-view.ts'

/** The same names as query parameters of the list and as an object in bulk actions and audiences. */
export const filterFields = {
  search: Type.Optional(
    Type.String({ maxLength: 200, description: 'Every word must occur in name, e-mail or company' }),
  ),
  group: Type.Optional(Id),
  list: Type.Optional(Id),
  tags: Type.Optional(
    Type.Unsafe<string | string[]>({
      anyOf: [
        { type: 'string', maxLength: 2_000 },
        { type: 'array', items: { type: 'string', maxLength: 100 }, maxItems: 50 },
      ],
      description: 'Names, separated by commas; a contact must have every one of them',
    }),
  ),
  is_active: Type.Optional(Type.Boolean()),
  status: Type.Optional(OneOf(statuses)),
  language: Type.Optional(Type.String({ maxLength: 35 })),
  company: Type.Optional(
    Type.String({ maxLength: 200, description: 'The whole name; case and accents do not matter' }),
  ),
  source: Type.Optional(Type.String({ maxLength: 100 })),
  engagement_level: Type.Optional(OneOf(engagementLevels)),
  deleted: Type.Optional(Type.Boolean({ description: 'The deleted ones instead of the others' })),
  created_after: Type.Optional(Type.String({ format: 'date-time' })),
  created_before: Type.Optional(Type.String({ format: 'date-time' })),
  filter: Type.Optional(
    Type.Unsafe<string | Rule>({
      anyOf: [{ type: 'string', maxLength: 64_000 }, RuleShape],
      description: 'A rule; in an address as JSON text',
    }),
  ),
  email: Type.Optional(Type.String({ maxLength: 254, description: 'The whole address; case does not matter' })),
  phone: Type.Optional(
    Type.String({ maxLength: 40, description: 'The whole number, in any spelling of the workspace’s country' }),
  ),
  user_id: Type.Optional(Id),
  gender: Type.Optional(OneOf(genders)),
}
export const ContactFilter = Closed(filterFields)
export type ContactFilter = Static<typeof ContactFilter> & {
  /** The id of a saved view, where a door takes one; it has to be opened for the actor who names it. */
  view?: string
  /** What the opened view asks for itself. */
  within?: { search: string; rule: Rule | null }
}

/** For doors that begin with a saved view (`views/open.ts`). */
export const viewedFields = {
  ...filterFields,
  view: Type.Optional(
    Type.Unsafe<string>({ ...Id, description: 'A saved view, narrowed down by the other parameters' }),
  ),
}

/** Each expression is that of an index, word for word. */
const sortColumns: Record<string, SortColumn> = {
  created_at: { expression: sql`c.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`c.updated_at`, type: 'timestamptz' },
  email: { expression: sql`c.email_key`, type: 'text' },
  first_name: { expression: sql`platform.fold(c.first_name || ' ' || c.last_name)`, type: 'text' },
  last_name: { expression: sql`c.name_key`, type: 'text' },
  full_name: { expression: sql`platform.fold(c.first_name || ' ' || c.last_name)`, type: 'text' },
  company: { expression: sql`c.company_key`, type: 'text' },
  engagement_score: { expression: sql`c.engagement_score`, type: 'int' },
  lifetime_value: { expression: sql`c.lifetime_value`, type: 'numeric' },
  last_booking_date: { expression: sql`coalesce(c.last_booking_date, '-infinity'::timestamptz)`, type: 'timestamptz' },
  last_email_opened_at: {
    expression: sql`coalesce(c.last_email_opened_at, '-infinity'::timestamptz)`,
    type: 'timestamptz',
  },
}
const deletedSort: Record<string, SortColumn> = { deleted_at: { expression: sql`c.deleted_at`, type: 'timestamptz' } }
export const sortNames = Object.keys(sortColumns)

/** What can be sorted by, and what is sorted by unless told otherwise. */
export function contactSort({ deleted }: ContactFilter): { columns: Record<string, SortColumn>; fallback: string } {
  return deleted
    ? { columns: { ...sortColumns, ...deletedSort }, fallback: '-deleted_at' }
    : { columns: sortColumns, fallback: '-created_at' }
}

export interface ContactListQuery extends ContactFilter {
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export function listContacts(
  tx: Tx,
  query: ContactListQuery,
): Promise<{ data: ContactView[]; next_cursor: string | null; total: number | { at_least: number } }>
export function listContacts<View>(
  tx: Tx,
  query: ContactListQuery,
  view: (row: ContactRow) => View,
): Promise<{ data: View[]; next_cursor: string | null; total: number | { at_least: number } }>
/** A page with tags and lists in one round trip, and where there are more, the total in another. */
export async function listContacts(tx: Tx, query: ContactListQuery, view: (row: ContactRow) => unknown = viewContact) {
  const limit = query.limit ?? 50
  const { columns, fallback } = contactSort(query)
  const sort = parseSort(query.sort, columns, fallback)
  const after = afterCursor(query.cursor, sort, sql`c.id`)
  const fromFor = await matching(tx, query)
  const from = fromFor('page')
  const { rows } = await sql<ContactRow & { sort_key: string }>`
    with c as materialized (
      select c.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`c.id`)} limit ${limit + 1})
    select c.*, ${tagNames}, ${listItems} from c order by ${orderBy(sort, sql`c.id`)}`.execute(tx.sql)
  // A first page that holds everybody has counted them.
  const isExact = query.count === 'exact'
  const total =
    !after && rows.length <= limit ? rows.length : await countRows(tx, fromFor(isExact ? 'whole' : 'page'), isExact)
  const { data, next_cursor } = page(rows, limit, sort, view)
  return { data, next_cursor, total }
}

/** Names in the order in which the workspace ranks its tags. */
export const tagNames = sql`coalesce((
  select jsonb_agg(t.name order by t.priority desc, t.name)
  from contacts.contact_tags ct join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
  where ct.workspace_id = c.workspace_id and ct.contact_id = c.id), '[]') as tags`

export const listItems = sql`coalesce((
  select jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name) order by l.name)
  from contacts.list_members m join contacts.lists l on l.workspace_id = m.workspace_id and l.id = m.list_id
  where m.workspace_id = c.workspace_id and m.contact_id = c.id and l.deleted_at is null), '[]') as lists`

/** `from … c where …`, to be continued with `and`. */
export async function fromMatching(tx: Tx, filter: ContactFilter, purpose: Purpose): Promise<RawBuilder<unknown>> {
  return (await matching(tx, filter))(purpose)
}

/**
 * The same for each purpose. Lists and tags are looked up first, so that the planner sees ids, whose frequency it knows,
 * instead of a subquery, whose result it cannot guess.
 */
async function matching(tx: Tx, filter: ContactFilter): Promise<(purpose: Purpose) => RawBuilder<unknown>> {
  const conditions = [
    filter.deleted ? sql`c.deleted_at is not null and c.merged_into is null` : sql`c.deleted_at is null`,
  ]
  for (const word of searchWords(filter.search)) conditions.push(saysByIndex(sql`c.search_text`, word))
  if (filter.view && !filter.within) throw new Error('a saved view was named, and not opened')
  for (const word of searchWords(filter.within?.search)) conditions.push(saysByIndex(sql`c.search_text`, word))
  const lists: Holder[][] = []
  for (const list of [filter.list, filter.group]) if (list) lists.push(await listHolder(tx, list))
  const tags: Holder[][] = []
  for (const tag of tagsOf(filter)) tags.push(await tagHolder(tx, tag))
  // Written as the partial index says it, so that the planner sees that the index will do.
  if (filter.is_active !== undefined) conditions.push(filter.is_active ? sql`c.is_active` : sql`not c.is_active`)
  if (filter.status) conditions.push(sql`c.status = ${filter.status}`)
  if (filter.language) conditions.push(sql`c.language = ${filter.language}`)
  if (filter.company) conditions.push(sql`c.company_key = platform.fold(${filter.company})`)
  if (filter.source) {
    conditions.push(sql`c.source is not null and platform.fold(c.source) = platform.fold(${filter.source})`)
  }
  if (filter.engagement_level) conditions.push(inBand(filter.engagement_level))
  const rules: Resolved[] = []
  if (filter.filter) rules.push(await resolveRule(tx, readRuleText(filter.filter)))
  // A view whose rule names what has gone finds nobody by it; the view itself says so.
  if (filter.within?.rule) rules.push(await resolveKept(tx, filter.within.rule, '/filter'))
  if (filter.created_after) conditions.push(sql`c.created_at > ${filter.created_after}::timestamptz`)
  if (filter.created_before) conditions.push(sql`c.created_at < ${filter.created_before}::timestamptz`)
  if (filter.email) conditions.push(sql`c.email_key = lower(${filter.email.trim()})`)
  if (filter.phone) conditions.push(await hasPhone(tx, filter.phone))
  if (filter.user_id) conditions.push(sql`c.user_id = ${filter.user_id}::uuid`)
  if (filter.gender) conditions.push(sql`c.gender = ${filter.gender}`)
  return (purpose) => {
    const all = [
      ...conditions,
      ...lists.map((holders) => isMemberOfAny(holders, purpose)),
      ...tags.map((holders) => hasAnyTag(holders, purpose)),
      ...rules.map((rule) => compileRule(rule, purpose)),
    ]
    return sql`from contacts.contact_rows c where ${sql.join(all, sql` and `)}`
  }
}

export function tagsOf(filter: Pick<ContactFilter, 'tags'>): string[] {
  const names = typeof filter.tags === 'string' ? filter.tags.split(',') : (filter.tags ?? [])
  return [...new Set(names.map((name) => name.trim()).filter(Boolean))]
}

/** Numbers are compared in E.164; what cannot be a number is nobody's. */
async function hasPhone(tx: Tx, phone: string): Promise<RawBuilder<boolean>> {
  const { country } = await getWorkspace(tx, tx.workspaceId)
  const key = phoneKey(phone, country)
  return key ? sql<boolean>`c.phone_key = ${key}` : sql<boolean>`false`
}

/** Nothing for a list that is not there: nobody is in it. */
async function listHolder(tx: Tx, id: string): Promise<Holder[]> {
  const list = await tx.sql
    .selectFrom('contacts.lists')
    .select('contact_count as size')
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return list ? [{ id, size: list.size }] : []
}

async function tagHolder(tx: Tx, name: string): Promise<Holder[]> {
  const tag = await tx.sql
    .selectFrom('contacts.tags')
    .select(['id', 'usage_count as size'])
    .where(sql`lower(name)`, '=', sql`lower(${name})`)
    .executeTakeFirst()
  return tag ? [tag] : []
}
