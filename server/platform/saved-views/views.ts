/**
 * Saved views of any kind of thing: who may see, use and change them, under which names, and what each person makes of them.
 * What a view may hold is told by its module.
 */
import { sql, type Selectable } from 'kysely'
import type { Actor, Permissions } from '../actor.ts'
import { orRefuse } from '../db/constraints.ts'
import type { Tx } from '../db/db.ts'
import { checkVersion, Conflict, Forbidden, NotFound } from '../errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '../http/paging.ts'
import { newId } from '../ids.ts'
import { ownedBy, refuseTakingBack, requireOwner, sharedWith, type Visibility } from './sharing.ts'
import type { ViewChoiceTable, ViewColumn, ViewTable } from './tables.ts'

export type SavedView = Selectable<ViewTable>

/** A view as one person sees it. */
export type Chosen<View extends SavedView = SavedView> = View & {
  is_pinned: boolean
  is_default: boolean
  position: number | null
}

export interface ViewInput {
  name?: string
  icon?: string | null
  color?: string | null
  visibility?: Visibility
  filter?: object | null
  sort?: string | null
  columns?: ViewColumn[]
}

export interface ViewsQuery {
  search?: string
  visibility?: Visibility
  pinned?: boolean
  mine?: boolean
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export interface Changing {
  permissions: Permissions
  ifVersion?: number | undefined
}

export interface ViewKind<View extends SavedView, Input extends ViewInput> {
  /** Tables that have the columns of `ViewTable` and `ViewChoiceTable`. */
  table: string
  choices: string
  /** What a copy takes along besides icon, colour, order and columns. */
  content: readonly (keyof View & keyof Input)[]
  mayChange(permissions: Permissions, actor: Actor, view: View): boolean
  /** Throws where the input may not be kept; `view` is the one that changes by it. */
  check(tx: Tx, input: Input, by: { actor: Actor; permissions: Permissions; view: View | null }): Promise<void>
}

/** Pinned ones first, then as the person put them, then in the order in which they were made. */
const sortColumns: Record<string, SortColumn> = {
  position: {
    expression: sql`(case when coalesce(k.is_pinned, false) then 0 else 1000000 end + coalesce(k.position, 500000))`,
    type: 'int',
  },
  name: { expression: sql`platform.fold(v.name)`, type: 'text' },
  created_at: { expression: sql`v.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`v.updated_at`, type: 'timestamptz' },
}
export const viewSorts = Object.keys(sortColumns)

export type ViewsRoom<View extends SavedView, Input extends ViewInput> = ReturnType<typeof savedViews<View, Input>>

export function savedViews<View extends SavedView, Input extends ViewInput>(kind: ViewKind<View, Input>) {
  // The builder knows tables by the types of their names; here the name is the module's to tell.
  const [table, choices] = [kind.table as 'views', kind.choices as 'choices']
  const rowsOf = (tx: Tx) => tx.sql.withTables<{ views: ViewTable; choices: ViewChoiceTable }>()

  /** Those that the actor may see. */
  async function listViews<Shown>(tx: Tx, actor: Actor, query: ViewsQuery, show: (view: Chosen<View>) => Shown) {
    const limit = query.limit ?? 50
    const sort = parseSort(query.sort, sortColumns, 'position')
    const after = afterCursor(query.cursor, sort, sql`v.id`)
    const from = sql`${seenBy(tx, actor)}
      and v.deleted_at is ${query.deleted ? sql`not null` : sql`null`}
      ${query.search ? sql`and position(platform.fold(${query.search}) in platform.fold(v.name)) > 0` : sql``}
      ${query.visibility ? sql`and v.visibility = ${query.visibility}` : sql``}
      ${query.pinned === undefined ? sql`` : sql`and coalesce(k.is_pinned, false) = ${query.pinned}`}
      ${query.mine === undefined ? sql`` : sql`and ${ownedBy(actor, 'v', query.mine)}`}`
    const { rows } = await sql<Chosen<View> & { sort_key: string }>`
      select ${chosen}, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`v.id`)} limit ${limit + 1}`.execute(tx.sql)
    const total = await countRows(tx, from, query.count === 'exact')
    return { ...page(rows, limit, sort, ({ sort_key: _key, ...view }) => show(view as unknown as Chosen<View>)), total }
  }

  /** What is another's and private looks as if it were not there. */
  async function getView(tx: Tx, actor: Actor, id: string): Promise<Chosen<View>> {
    const { rows } = await sql<Chosen<View>>`
      select ${chosen} ${seenBy(tx, actor)} and v.id = ${id} and v.deleted_at is null`.execute(tx.sql)
    if (!rows[0]) throw new NotFound('view')
    return rows[0]
  }

  async function createView(
    tx: Tx,
    actor: Actor,
    input: Input & { name: string },
    permissions: Permissions,
  ): Promise<Chosen<View>> {
    requireOwner(actor, 'A view')
    await kind.check(tx, input, { actor, permissions, view: null })
    return insertView(tx, actor, input)
  }

  /** Naming nothing changes nothing, not even the version. */
  async function changeView(
    tx: Tx,
    actor: Actor,
    id: string,
    input: Input,
    { permissions, ifVersion }: Changing,
  ): Promise<Chosen<View>> {
    const view = await lockView(tx, actor, id, permissions)
    checkVersion(view.version, ifVersion)
    refuseTakingBack(actor, view, input.visibility)
    if (Object.keys(input).length) {
      await kind.check(tx, input, { actor, permissions, view })
      await write(tx, view, toRow(input), input.name?.trim())
    }
    return getView(tx, actor, id)
  }

  /** What it finds stays; the view can be restored. */
  async function deleteView(tx: Tx, actor: Actor, id: string, { permissions, ifVersion }: Changing): Promise<void> {
    const view = await lockView(tx, actor, id, permissions)
    checkVersion(view.version, ifVersion)
    await write(tx, view, { deleted_at: tx.now })
  }

  /** Restoring a view that is there changes nothing. */
  async function restoreView(tx: Tx, actor: Actor, id: string, permissions: Permissions): Promise<Chosen<View>> {
    const view = await lockView(tx, actor, id, permissions, { deletedToo: true })
    if (view.deleted_at) await write(tx, view, { deleted_at: null })
    return getView(tx, actor, id)
  }

  /**
   * The copy is the actor’s own, and private until it is shared; "Guests" becomes "Guests (2)". What the original names may
   * have gone since it was saved: the copy says so as the original does.
   */
  async function duplicateView(tx: Tx, actor: Actor, id: string, name?: string): Promise<Chosen<View>> {
    requireOwner(actor, 'A view')
    const view = await getView(tx, actor, id)
    const { icon, color, sort, columns } = view
    const own = Object.fromEntries(kind.content.map((key) => [key, view[key]]))
    const copy = { icon, color, sort, columns, ...own, name: name ?? (await freeName(tx, actor, view.name)) }
    return insertView(tx, actor, copy as Input & { name: string })
  }

  /** `from … where …`, to be continued with `and`. */
  function seenBy(tx: Tx, actor: Actor) {
    return sql`from ${sql.table(table)} v
      left join ${sql.table(choices)} k
        on k.workspace_id = v.workspace_id and k.view_id = v.id and k.user_id = ${actor.id}::uuid
      where v.workspace_id = ${tx.workspaceId}::uuid and ${sharedWith(actor, 'v')}`
  }

  async function insertView(tx: Tx, actor: Actor, input: Input & { name: string }): Promise<Chosen<View>> {
    const id = newId()
    const name = input.name.trim()
    const row = {
      ...toRow(input),
      name,
      workspace_id: tx.workspaceId,
      id,
      owner_id: requireOwner(actor, 'A view'),
      owner_name: actor.name,
      created_at: tx.now,
      updated_at: tx.now,
    }
    await orRefuse(rowsOf(tx).insertInto(table).values(row).execute(), nameTaken(name))
    return getView(tx, actor, id)
  }

  async function lockView(
    tx: Tx,
    actor: Actor,
    id: string,
    permissions: Permissions,
    { deletedToo = false } = {},
  ): Promise<View> {
    const { rows } = await sql<View>`
      select v.* from ${sql.table(table)} v
      where v.workspace_id = ${tx.workspaceId}::uuid and v.id = ${id} and ${sharedWith(actor, 'v')}
      for no key update`.execute(tx.sql)
    const view = rows[0]
    if (!view || (view.deleted_at && !deletedToo)) throw new NotFound('view')
    if (kind.mayChange(permissions, actor, view)) return view
    throw new Forbidden('not_yours', 'This view is shared by somebody else. Duplicate it, and change the copy.')
  }

  async function write(
    tx: Tx,
    view: View,
    set: ReturnType<typeof toRow> & { deleted_at?: Date | null },
    name = view.name,
  ): Promise<void> {
    const written = rowsOf(tx)
      .updateTable(table)
      .set(set)
      .where('workspace_id', '=', tx.workspaceId)
      .where('id', '=', view.id)
      .execute()
    await orRefuse(written, nameTaken(name))
  }

  async function freeName(tx: Tx, actor: Actor, name: string): Promise<string> {
    const { rows } = await sql<{ name: string }>`
      select candidate as name
      from generate_series(1, 1000) as number,
        lateral (select case number when 1 then ${name} else ${name.slice(0, 90)} || ' (' || number || ')' end as candidate) as c
      where not exists (
        select from ${sql.table(table)}
        where workspace_id = ${tx.workspaceId}::uuid and deleted_at is null and owner_id = ${actor.id}::uuid
          and lower(name) = lower(candidate))
      order by number limit 1`.execute(tx.sql)
    return rows[0]?.name ?? `${name.slice(0, 60)} ${newId()}`
  }

  return {
    ...kind,
    listViews,
    getView,
    createView,
    changeView,
    deleteView,
    restoreView,
    duplicateView,
  }
}

const chosen = sql`v.*, coalesce(k.is_pinned, false) as is_pinned, coalesce(k.is_default, false) as is_default, k.position`

function toRow({ filter, columns, name, ...plain }: ViewInput) {
  return {
    ...plain,
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(filter === undefined ? {} : { filter: filter && JSON.stringify(filter) }),
    ...(columns === undefined ? {} : { columns: JSON.stringify(columns) }),
  }
}

function nameTaken(name: string) {
  const detail = `You have a view called “${name}” already.`
  const errors = [{ pointer: '/name', code: 'name_taken', detail }]
  return { views_name: () => new Conflict('name_taken', detail, { errors }) }
}
