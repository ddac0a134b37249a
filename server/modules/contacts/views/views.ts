/**
 * Saved views of the contacts. A private one is its owner's alone, and to others as if it were not there; a shared one is
 * everybody's to use, and its owner's and the admins' to change.
 */
import { sql } from 'kysely'
import { authorize, may, type Actor, type Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Forbidden, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { orRefuse } from '../constraints.ts'
import type { Rule } from '../rules/rule.ts'
import type { SavedView, ViewColumn } from './tables.ts'
import { checkContent } from './view-rules.ts'

/** As one person sees it. */
export interface ChosenView extends SavedView {
  is_pinned: boolean
  is_default: boolean
  position: number | null
}

export interface ViewInput {
  name?: string
  icon?: string | null
  color?: string | null
  layout?: SavedView['layout']
  visibility?: SavedView['visibility']
  filter?: Rule | null
  search?: string
  sort?: string | null
  columns?: ViewColumn[]
  group_by?: string | null
}

/** Pinned ones first, then as the person put them, then in the order in which they were made. */
const sortColumns: Record<string, SortColumn> = {
  position: {
    expression: sql`(case when coalesce(k.is_pinned, false) then 0 else 1000000 end + coalesce(k.position, 500000))`,
    type: 'int',
  },
  name: { expression: sql`lower(v.name)`, type: 'text' },
  created_at: { expression: sql`v.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`v.updated_at`, type: 'timestamptz' },
}

export interface ViewsQuery {
  search?: string
  visibility?: SavedView['visibility']
  pinned?: boolean
  mine?: boolean
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Those that the actor may see. */
export async function listViews<View>(tx: Tx, actor: Actor, query: ViewsQuery, show: (view: ChosenView) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'position')
  const after = afterCursor(query.cursor, sort, sql`v.id`)
  const from = sql`${seenBy(actor)}
    and ${query.deleted ? sql`v.deleted_at is not null` : sql`v.deleted_at is null`}
    ${query.search ? sql`and platform.fold(v.name) like contacts.contains_pattern(${query.search})` : sql``}
    ${query.visibility ? sql`and v.visibility = ${query.visibility}` : sql``}
    ${query.pinned === undefined ? sql`` : sql`and coalesce(k.is_pinned, false) = ${query.pinned}`}
    ${query.mine === undefined ? sql`` : sql`and (v.owner_id = ${actor.id}::uuid) is ${query.mine ? sql`true` : sql`not true`}`}`
  const { rows } = await sql<ChosenView & { sort_key: string }>`
    select ${chosen}, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`v.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, show), total }
}

/** What is another's and private looks as if it were not there. */
export async function getView(tx: Tx, actor: Actor, id: string, { deletedToo = false } = {}): Promise<ChosenView> {
  const { rows } = await sql<ChosenView>`
    select ${chosen} ${seenBy(actor)} and v.id = ${id} ${deletedToo ? sql`` : sql`and v.deleted_at is null`}`.execute(
    tx.sql,
  )
  if (!rows[0]) throw new NotFound('view')
  return rows[0]
}

export async function createView(
  tx: Tx,
  actor: Actor,
  input: ViewInput & { name: string },
  permissions: Permissions,
): Promise<ChosenView> {
  const ownerId = ownerOf(actor)
  if (input.visibility === 'workspace') authorize(permissions, actor, 'view.share')
  await checkContent(tx, input)
  return insertView(tx, actor, ownerId, input)
}

async function insertView(
  tx: Tx,
  actor: Actor,
  ownerId: string,
  input: ViewInput & { name: string },
): Promise<ChosenView> {
  const id = newId()
  await orRefuse(
    tx.sql
      .insertInto('contacts.views')
      .values({
        ...toRow(input),
        name: input.name.trim(),
        workspace_id: tx.workspaceId,
        id,
        owner_id: ownerId,
        owner_name: actor.name,
        created_at: tx.now,
        updated_at: tx.now,
      })
      .execute(),
    nameTaken(input.name.trim()),
  )
  return getView(tx, actor, id)
}

/** Naming nothing changes nothing, not even the version. */
export async function updateView(
  tx: Tx,
  actor: Actor,
  id: string,
  input: ViewInput,
  { permissions, ifVersion }: { permissions: Permissions; ifVersion: number | undefined },
): Promise<ChosenView> {
  const view = await lockView(tx, actor, id, permissions)
  checkVersion(view.version, ifVersion)
  if (input.visibility === 'workspace') authorize(permissions, actor, 'view.share')
  const layout = input.layout ?? view.layout
  const groupBy = input.group_by === undefined ? view.group_by : input.group_by
  await checkContent(tx, { ...input, layout, ...(layout === 'board' ? { group_by: groupBy } : {}) })
  if (Object.keys(input).length) {
    await orRefuse(
      tx.sql.updateTable('contacts.views').set(toRow(input)).where('id', '=', id).execute(),
      nameTaken(input.name?.trim() ?? view.name),
    )
  }
  return getView(tx, actor, id)
}

export async function deleteView(
  tx: Tx,
  actor: Actor,
  id: string,
  { permissions, ifVersion }: { permissions: Permissions; ifVersion: number | undefined },
): Promise<void> {
  const view = await lockView(tx, actor, id, permissions)
  checkVersion(view.version, ifVersion)
  await tx.sql.updateTable('contacts.views').set({ deleted_at: tx.now }).where('id', '=', id).execute()
}

/** Restoring a view that is there changes nothing. */
export async function restoreView(tx: Tx, actor: Actor, id: string, permissions: Permissions): Promise<ChosenView> {
  const view = await lockView(tx, actor, id, permissions, { deletedToo: true })
  if (view.deleted_at) {
    await orRefuse(
      tx.sql.updateTable('contacts.views').set({ deleted_at: null }).where('id', '=', id).execute(),
      nameTaken(view.name),
    )
  }
  return getView(tx, actor, id)
}

/**
 * The copy is the actor’s own, and private until it is shared; "Guests" becomes "Guests (2)". What the original names may
 * have gone since it was saved: the copy says so as the original does.
 */
export async function duplicateView(tx: Tx, actor: Actor, id: string, name: string | undefined): Promise<ChosenView> {
  const { filter, search, sort, columns, group_by, layout, icon, color, name: original } = await getView(tx, actor, id)
  const content = { filter, search, sort, columns, group_by, layout, icon, color }
  return insertView(tx, actor, ownerOf(actor), { ...content, name: name ?? (await freeName(tx, actor, original)) })
}

/** Whether the actor may change it, delete it, or take it back from the workspace. */
export function mayChange(permissions: Permissions, actor: Actor, view: SavedView): boolean {
  if (view.owner_id === actor.id) return view.visibility === 'private' || may(permissions, actor, 'view.share')
  return view.visibility === 'workspace' && may(permissions, actor, 'view.manage')
}

const chosen = sql`v.*, coalesce(k.is_pinned, false) as is_pinned, coalesce(k.is_default, false) as is_default, k.position`

/** `from … where …`, to be continued with `and`. */
function seenBy(actor: Actor) {
  return sql`from contacts.views v
    left join contacts.view_choices k on k.workspace_id = v.workspace_id and k.view_id = v.id and k.user_id = ${actor.id}::uuid
    where (v.visibility = 'workspace' or v.owner_id = ${actor.id}::uuid)`
}

async function lockView(
  tx: Tx,
  actor: Actor,
  id: string,
  permissions: Permissions,
  { deletedToo = false } = {},
): Promise<SavedView> {
  const view = await tx.sql
    .selectFrom('contacts.views')
    .selectAll()
    .where('id', '=', id)
    .where((is) => is.or([is('visibility', '=', 'workspace'), is('owner_id', '=', actor.id)]))
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!view || (view.deleted_at && !deletedToo)) throw new NotFound('view')
  if (mayChange(permissions, actor, view)) return view
  throw new Forbidden('not_yours', 'This view is shared by somebody else. Duplicate it, and change the copy.')
}

function toRow({ filter, columns, name, ...plain }: ViewInput) {
  return {
    ...plain,
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(filter === undefined ? {} : { filter: filter && JSON.stringify(filter) }),
    ...(columns === undefined ? {} : { columns: JSON.stringify(columns) }),
  }
}

function ownerOf({ id }: Actor): string {
  if (!id) throw new Forbidden('no_owner', 'A view belongs to a person or a key. Sign in as one to save it.')
  return id
}

async function freeName(tx: Tx, actor: Actor, name: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select candidate as name
    from generate_series(1, 1000) as number,
      lateral (select case number when 1 then ${name} else ${name.slice(0, 90)} || ' (' || number || ')' end as candidate) as c
    where not exists (
      select from contacts.views
      where deleted_at is null and owner_id = ${actor.id}::uuid and lower(name) = lower(candidate))
    order by number limit 1`.execute(tx.sql)
  return rows[0]?.name ?? `${name.slice(0, 60)} ${newId()}`
}

function nameTaken(name: string) {
  const detail = `You have a view called “${name}” already.`
  const errors = [{ pointer: '/name', code: 'name_taken', detail }]
  return { views_name: () => new Conflict('name_taken', detail, { errors }) }
}
