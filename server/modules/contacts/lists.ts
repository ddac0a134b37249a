/**
 * Lists of contacts. Static ones (document 5 calls them groups) are filled by hand, see `membership.ts`; dynamic ones follow
 * a rule, see `segments/`.
 */
import { sql, type Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import type { Rule } from './rules/rule.ts'
import { checkCriteria, dependenciesOf, requireCriteria } from './segments/criteria.ts'
import { startRefresh } from './segments/refresh-job.ts'
import { runningLists } from './segments/running.ts'
import type { ListTable } from './tables.ts'

export type List = Selectable<ListTable>

export interface ListInput {
  name?: string
  description?: string
  color?: string
  is_active?: boolean
  /** Of dynamic lists alone. */
  criteria?: Rule
}

const sortColumns: Record<string, SortColumn> = {
  name: { expression: sql`lower(l.name)`, type: 'text' },
  contact_count: { expression: sql`l.contact_count`, type: 'int' },
  created_at: { expression: sql`l.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`l.updated_at`, type: 'timestamptz' },
}

export interface ListsQuery {
  search?: string
  type?: List['type']
  is_active?: boolean
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** A page of lists, each as `view` shows it. */
export async function listLists<View>(tx: Tx, query: ListsQuery, view: (list: List) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'name')
  const after = afterCursor(query.cursor, sort, sql`l.id`)
  const from = sql`from contacts.lists l
    where ${query.deleted ? sql`l.deleted_at is not null` : sql`l.deleted_at is null`}
      ${query.search ? sql`and platform.fold(l.name) like platform.contains_pattern(${query.search})` : sql``}
      ${query.type ? sql`and l.type = ${query.type}` : sql``}
      ${query.is_active === undefined ? sql`` : sql`and l.is_active = ${query.is_active}`}`
  const { rows } = await sql<List & { sort_key: string }>`
    select l.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`l.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

export async function getList(tx: Tx, id: string): Promise<List> {
  const list = await tx.sql
    .selectFrom('contacts.lists')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (!list) throw new NotFound('list')
  return list
}

/** A dynamic one is filled by a job that begins with it. */
export async function createList(
  tx: Tx,
  actor: Actor,
  { criteria, type = 'static', ...input }: ListInput & { name: string; type?: List['type'] },
): Promise<List> {
  requireCriteria(type, criteria)
  if (criteria) await checkCriteria(tx, criteria, null)
  const list = await orRefuse(
    tx.sql
      .insertInto('contacts.lists')
      .values({
        ...input,
        type,
        ...(criteria ? { criteria: JSON.stringify(criteria) } : {}),
        name: input.name.trim(),
        workspace_id: tx.workspaceId,
        id: newId(),
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(input.name.trim()),
  )
  return type === 'dynamic' ? refreshed(tx, actor, list) : list
}

/** Naming nothing changes nothing, not even the version. A new rule, or an end of the pause, is followed at once. */
export async function updateList(
  tx: Tx,
  actor: Actor,
  id: string,
  { criteria, ...input }: ListInput,
  ifVersion: number | undefined,
): Promise<List> {
  const list = await lockList(tx, id)
  checkVersion(list.version, ifVersion)
  if (criteria) {
    requireCriteria(list.type, criteria)
    await checkCriteria(tx, criteria, id)
  }
  const changes = {
    ...input,
    ...(input.name === undefined ? {} : { name: input.name.trim() }),
    ...(criteria ? { criteria: JSON.stringify(criteria), last_refreshed_at: null } : {}),
  }
  if (!Object.keys(changes).length) return list
  const changed = await orRefuse(
    tx.sql.updateTable('contacts.lists').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow(),
    nameTaken(changes.name ?? list.name),
  )
  const resumes = changed.type === 'dynamic' && changed.is_active && (criteria || !list.is_active)
  return resumes ? refreshed(tx, actor, changed) : changed
}

async function refreshed(tx: Tx, actor: Actor, list: List): Promise<List> {
  return { ...list, refresh_job_id: await startRefresh(tx, list.id, actor.id) }
}

/** Its members stay remembered, so that restoring it brings them back. */
export async function deleteList(tx: Tx, actor: Actor, id: string, ifVersion: number | undefined): Promise<void> {
  const list = await lockList(tx, id)
  checkVersion(list.version, ifVersion)
  await tx.sql.updateTable('contacts.lists').set({ deleted_at: tx.now }).where('id', '=', id).execute()
  await refreshDependents(tx, actor, id)
}

/** Restoring a list that is there changes nothing. */
export async function restoreList(tx: Tx, actor: Actor, id: string): Promise<List> {
  const list = await lockList(tx, id, { deletedToo: true })
  if (!list.deleted_at) return list
  const restored = await orRefuse(
    tx.sql
      .updateTable('contacts.lists')
      .set({ deleted_at: null })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(list.name),
  )
  await refreshDependents(tx, actor, id)
  return restored.type === 'dynamic' && restored.is_active ? refreshed(tx, actor, restored) : restored
}

/** Rules that name a list find other people once it goes or comes back. */
async function refreshDependents(tx: Tx, actor: Actor, id: string): Promise<void> {
  const running = await runningLists(tx)
  for (const list of running) {
    if (dependenciesOf(list.criteria)?.lists.has(id)) await startRefresh(tx, list.id, actor.id)
  }
}

/**
 * A copy with the same members, in one statement; "VIP" becomes "VIP (2)", then "VIP (3)". A dynamic list's copy follows
 * the same rule, unless `freeze` makes it a static list of those who are members now.
 */
export async function duplicateList(
  tx: Tx,
  actor: Actor,
  id: string,
  { name, freeze = false }: { name?: string | undefined; freeze?: boolean | undefined } = {},
): Promise<List> {
  const original = await lockList(tx, id)
  const follows = original.type === 'dynamic' && !freeze
  const copy = await createList(tx, actor, {
    name: name ?? (await freeName(tx, original.name)),
    description: original.description,
    color: original.color,
    is_active: original.is_active,
    ...(follows ? { type: 'dynamic' as const, criteria: original.criteria as Rule } : {}),
  })
  await sql`
    insert into contacts.list_members (workspace_id, list_id, contact_id, added_by)
    select m.workspace_id, ${copy.id}, m.contact_id, ${actor.kind === 'user' ? actor.id : null}
    from contacts.list_members m join contacts.contacts c on c.workspace_id = m.workspace_id and c.id = m.contact_id
    where m.list_id = ${id} and c.deleted_at is null`.execute(tx.sql)
  return getList(tx, copy.id)
}

export async function lockList(tx: Tx, id: string, { deletedToo = false } = {}): Promise<List> {
  const list = await tx.sql
    .selectFrom('contacts.lists')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!list || (list.deleted_at && !deletedToo)) throw new NotFound('list')
  return list
}

/** A segment's members are whom its rule finds. */
export function requireStatic(list: Pick<List, 'type'>): void {
  if (list.type === 'static') return
  throw new Conflict(
    'list_is_dynamic',
    'This list fills itself by its rule. Change the rule, or duplicate the list as a static one and change that.',
  )
}

async function freeName(tx: Tx, name: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select candidate as name
    from generate_series(2, 1000) as number, lateral (select ${name.slice(0, 90)} || ' (' || number || ')' as candidate) as c
    where not exists (select from contacts.lists where deleted_at is null and lower(name) = lower(candidate))
    order by number limit 1`.execute(tx.sql)
  return rows[0]?.name ?? `${name.slice(0, 60)} ${newId()}`
}

function nameTaken(name: string) {
  const errors = [{ pointer: '/name', code: 'name_taken', detail: `There is a list called “${name}” already.` }]
  return { lists_name: () => new Conflict('name_taken', `There is a list called “${name}” already.`, { errors }) }
}
