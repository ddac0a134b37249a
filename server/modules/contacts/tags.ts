/** Tags: words that people stick on contacts. Which contact has which is in `tagging.ts`. */
import { createHash } from 'node:crypto'
import { sql, type Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { userId } from './membership.ts'
import type { TagTable } from './tables.ts'

export type Tag = Selectable<TagTable>

export interface TagInput {
  name?: string
  color?: string
  description?: string | null
  priority?: number
}

const sortColumns: Record<string, SortColumn> = {
  name: { expression: sql`lower(t.name)`, type: 'text' },
  priority: { expression: sql`t.priority`, type: 'int' },
  contact_count: { expression: sql`t.usage_count`, type: 'int' },
  created_at: { expression: sql`t.created_at`, type: 'timestamptz' },
}

export interface TagsQuery {
  search?: string
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export async function listTags<View>(tx: Tx, query: TagsQuery, view: (tag: Tag) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'name')
  const after = afterCursor(query.cursor, sort, sql`t.id`)
  const from = sql`from contacts.tags t where t.workspace_id = platform.workspace_id()
    ${query.search ? sql`and platform.fold(t.name) like platform.contains_pattern(${query.search})` : sql``}`
  const { rows } = await sql<Tag & { sort_key: string }>`
    select t.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`t.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

/** The counter is kept by a trigger, so the most used are the head of an index. */
export async function popularTags(tx: Tx, limit: number): Promise<Tag[]> {
  return tx.sql
    .selectFrom('contacts.tags')
    .selectAll()
    .where('usage_count', '>', 0)
    .orderBy('usage_count', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
}

export async function getTag(tx: Tx, id: string): Promise<Tag> {
  const tag = await tx.sql.selectFrom('contacts.tags').selectAll().where('id', '=', id).executeTakeFirst()
  if (!tag) throw new NotFound('tag')
  return tag
}

export async function createTag(tx: Tx, actor: Actor, input: TagInput & { name: string }): Promise<Tag> {
  const name = input.name.trim()
  const values = {
    ...input,
    name,
    slug: toSlug(name),
    workspace_id: tx.workspaceId,
    id: newId(),
    created_by: userId(actor),
  }
  const insert = tx.sql.insertInto('contacts.tags').values(values).returningAll().executeTakeFirstOrThrow()
  return orRefuse(insert, nameTaken(name))
}

export async function updateTag(
  tx: Tx,
  _actor: Actor,
  id: string,
  input: TagInput,
  ifVersion: number | undefined,
): Promise<Tag> {
  const tag = await lockTag(tx, id)
  checkVersion(tag.version, ifVersion)
  const name = input.name?.trim()
  const changes = { ...input, ...(name === undefined ? {} : { name, slug: toSlug(name) }) }
  if (!Object.keys(changes).length) return tag
  const update = tx.sql.updateTable('contacts.tags').set(changes).where('id', '=', id)
  return orRefuse(update.returningAll().executeTakeFirstOrThrow(), nameTaken(name ?? tag.name))
}

export async function lockTag(tx: Tx, id: string): Promise<Tag> {
  const tag = await tx.sql
    .selectFrom('contacts.tags')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!tag) throw new NotFound('tag')
  return tag
}

/** Finds these tags by name and makes those that are missing, also when others make them at the same moment. */
export async function ensureTags(tx: Tx, actor: Actor, names: string[]): Promise<{ id: string; name: string }[]> {
  const wanted = [...new Map(names.map((name) => [name.trim().toLowerCase(), name.trim()])).values()].filter(Boolean)
  if (!wanted.length) return []
  const rows = wanted.map((name) => ({ id: newId(), name, slug: toSlug(name) }))
  await sql`
    insert into contacts.tags (workspace_id, id, name, slug, created_by)
    select ${tx.workspaceId}::uuid, id, name, slug, ${userId(actor)}::uuid
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as tag(id uuid, name text, slug text)
    where not exists (select from contacts.tags t where lower(t.name) = lower(tag.name))
    order by lower(name) on conflict do nothing`.execute(tx.sql)
  const found = await sql<{ id: string; name: string }>`
    select id, name from contacts.tags
    where lower(name) in (select lower(name) from unnest(${wanted}::text[]) as name)`.execute(tx.sql)
  return found.rows
}

/**
 * For addresses: "Gold customer" → gold-customer. What plain letters cannot tell ("Fidèle", "C++", "常連") gets a few digits of the
 * name's hash, so that two names never fight over one slug.
 */
export function toSlug(name: string): string {
  const lower = name.trim().toLowerCase()
  const plain = lower
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 80)
  if (plain === lower.replaceAll(' ', '-')) return plain
  const readable = lower
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 80)
  const suffix = createHash('sha256').update(lower).digest('hex').slice(0, 6)
  return readable ? `${readable}-${suffix}` : suffix
}

function nameTaken(name: string) {
  const errors = [{ pointer: '/name', code: 'name_taken', detail: `There is a tag called “${name}” already.` }]
  const refuse = () => new Conflict('name_taken', `There is a tag called “${name}” already.`, { errors })
  return { tags_name: refuse, tags_slug: refuse }
}
