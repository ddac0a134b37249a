/**
 * Tags as document 4 has them: a label on one customer. Behind each is the workspace's one tag of that name, so that a
 * label given here is found, counted and renamed everywhere else.
 */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { Closed, Color, Id, NullableId } from '#platform/http/shapes.ts'
import { getContact } from '../contacts.ts'
import { asOperation } from '../operations/record.ts'
import { tagContacts, untagContacts } from '../tagging.ts'
import { ensureTags } from '../tags.ts'

export const CustomerTagView = Type.Object(
  {
    id: Id,
    customer_id: Id,
    label: Type.String(),
    color: Type.String(),
    priority: Type.Integer(),
    created_by: NullableId,
  },
  { $id: 'CustomerTag' },
)
export type CustomerTagView = Static<typeof CustomerTagView>

const label = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^,]*[^,\\s][^,]*$',
  description: 'Without commas',
})
export const labelFields = {
  label,
  color: Type.Optional(Color),
  priority: Type.Optional(Type.Integer({ minimum: -1_000, maximum: 1_000 })),
}
export const Label = Closed(labelFields)
export type Label = Static<typeof Label>

export const labelsMax = 50
const Several = Type.Array(Type.Unsafe<Label | string>({ anyOf: [label, Label] }), { minItems: 1, maxItems: labelsMax })
/** One label, a list of them, or that list under a name; a list takes plain texts too. */
export const Labels = Type.Unsafe<
  Label | (Label | string)[] | { tags: (Label | string)[] } | { labels: (Label | string)[] }
>({
  anyOf: [Label, Several, Closed({ tags: Several }), Closed({ labels: Several })],
})

/** `one` tells that a single label was sent, and a single one is expected back. */
export function readLabels(body: Static<typeof Labels>): { labels: Label[]; one: boolean } {
  if ('label' in body) return { labels: [body], one: true }
  const several = Array.isArray(body) ? body : 'tags' in body ? body.tags : body.labels
  return { labels: several.map((each) => (typeof each === 'string' ? { label: each } : each)), one: false }
}

/**
 * Puts the labels on the customer. Colour and priority are given to a tag that is new; one that the workspace has keeps its
 * own, because it is on other customers as well. Answers the tags that were asked for, in their order.
 */
export async function labelCustomer(
  tx: Tx,
  actor: Actor,
  customerId: string,
  labels: Label[],
): Promise<CustomerTagView[]> {
  await getContact(tx, customerId)
  const names = labels.map((each) => each.label.trim())
  const known = await tagNamesOf(tx, names)
  const tags = await ensureTags(tx, actor, names)
  await dressTags(
    tx,
    labels.filter((each) => !known.has(fold(each.label))),
  )
  const ids = tags.map((tag) => tag.id)
  await asOperation(
    tx,
    actor,
    { kind: 'edit', action: 'add_tag', facts: { tag: tags.map(({ name }) => name).join(', ') } },
    () => tagContacts(tx, actor, ids, [customerId]),
  )
  const rows = await customerTags(tx, sql`ct.contact_id = ${customerId} and ct.tag_id = any(${ids}::uuid[])`)
  const byName = new Map(rows.map((row) => [fold(row.label), row]))
  return [...new Set(names.map(fold))].flatMap((name) => byName.get(name) ?? [])
}

/** The customer and the tag must be there, and the tag on the customer. */
export async function unlabelCustomer(tx: Tx, actor: Actor, customerId: string, tagId: string): Promise<void> {
  await getContact(tx, customerId)
  const removed = await asOperation(tx, actor, { kind: 'edit', action: 'remove_tag', facts: { tag_id: tagId } }, () =>
    untagContacts(tx, actor, [tagId], [customerId]),
  )
  if (!removed.length) throw new NotFound('tag')
}

const sortColumns: Record<string, SortColumn> = {
  priority: { expression: sql`t.priority`, type: 'int' },
  label: { expression: sql`lower(t.name)`, type: 'text' },
}

export interface CustomerTagsQuery {
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export async function listCustomerTags(tx: Tx, customerId: string, query: CustomerTagsQuery) {
  await getContact(tx, customerId, { deletedToo: true })
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, '-priority')
  const after = afterCursor(query.cursor, sort, sql`t.id`)
  const from = sql`from contacts.contact_tags ct
    join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
    where ct.workspace_id = platform.workspace_id() and ct.contact_id = ${customerId}`
  const { rows } = await sql<CustomerTagView & { sort_key: string }>`
    select ${tagColumns}, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`t.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, (tag): CustomerTagView => tag), total }
}

const tagColumns = sql`t.id, ct.contact_id as customer_id, t.name as label, t.color, t.priority,
  coalesce(ct.tagged_by, t.created_by) as created_by`

/** Those that `where` names by `ct` and `t`, the highest priority first. */
export async function customerTags(tx: Tx, where: RawBuilder<unknown>): Promise<CustomerTagView[]> {
  const { rows } = await sql<CustomerTagView>`
    select ${tagColumns} from contacts.contact_tags ct
    join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
    where ct.workspace_id = platform.workspace_id() and ${where}
    order by t.priority desc, t.name`.execute(tx.sql)
  return rows
}

async function tagNamesOf(tx: Tx, names: string[]): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`
    select lower(name) as name from contacts.tags
    where lower(name) in (select lower(name) from unnest(${names}::text[]) as name)`.execute(tx.sql)
  return new Set(rows.map((row) => row.name))
}

async function dressTags(tx: Tx, labels: Label[]): Promise<void> {
  const dressed = labels.filter((each) => each.color !== undefined || each.priority !== undefined)
  if (!dressed.length) return
  const rows = dressed.map((each) => ({ name: each.label.trim(), color: each.color, priority: each.priority }))
  await sql`
    update contacts.tags t set color = coalesce(wish.color, t.color), priority = coalesce(wish.priority, t.priority)
    from (
      select distinct on (lower(name)) * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as wish(name text, color text, priority int)) as wish
    where lower(t.name) = lower(wish.name)`.execute(tx.sql)
}

function fold(name: string): string {
  return name.trim().toLowerCase()
}
