/**
 * Saved views of the tickets. A private one is its owner's alone, and to others as if it were not there; a shared one is
 * everybody's at the help desk to use, and its owner's and the admins' to change. A view narrows a list down and opens
 * nothing: each sees by it what they may see anyway.
 */
import './tables.ts'
import { sql, type RawBuilder } from 'kysely'
import { may, type Actor, type Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Forbidden, Invalid, NotFound, type InputError } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { newId } from '#platform/ids.ts'
import { requireAgents } from '../agents.ts'
import { orRefuse } from '../constraints.ts'
import { fromTickets, ticketSorts, type ViewFilter } from '../ticket-query.ts'
import { ticketFields } from '../ticket-view.ts'
import type { TicketViewRow, ViewColumn, Visibility } from './tables.ts'

export interface ViewInput {
  name?: string
  icon?: string | null
  color?: string | null
  visibility?: Visibility
  filter?: ViewFilter
  sort?: string | null
  columns?: ViewColumn[]
}

export interface ViewsQuery {
  search?: string
  visibility?: Visibility
  mine?: boolean
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

const sortColumns: Record<string, SortColumn> = {
  name: { expression: sql`platform.fold(v.name)`, type: 'text' },
  created_at: { expression: sql`v.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`v.updated_at`, type: 'timestamptz' },
}
export const viewSorts = Object.keys(sortColumns)

/** Those that the actor may see. */
export async function listViews(tx: Tx, actor: Actor, query: ViewsQuery) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'name')
  const after = afterCursor(query.cursor, sort, sql`v.id`)
  const from = sql`from support.views v where v.workspace_id = ${tx.workspaceId}::uuid and ${seenBy(actor)}
    and v.deleted_at is ${query.deleted ? sql`not null` : sql`null`}
    ${query.search ? sql`and platform.fold(v.name) like support.contains_pattern(${query.search})` : sql``}
    ${query.visibility ? sql`and v.visibility = ${query.visibility}` : sql``}
    ${query.mine === undefined ? sql`` : sql`and (v.owner_id = ${actor.id}::uuid) is ${query.mine ? sql`true` : sql`not true`}`}`
  const { rows } = await sql<TicketViewRow & { sort_key: string }>`
    select v.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`v.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page<(typeof rows)[number], TicketViewRow>(rows, limit, sort, (row) => row), total }
}

/** How many tickets whoever asks sees by it: exact up to 10,000. */
export function countInView(tx: Tx, actor: Actor, filter: ViewFilter): Promise<number | { at_least: number }> {
  return countRows(tx, fromTickets(actor, { within: filter }, tx.now), false)
}

/** What is another's and private looks as if it were not there. */
export async function getView(tx: Tx, actor: Actor, id: string): Promise<TicketViewRow> {
  const { rows } = await sql<TicketViewRow>`
    select v.* from support.views v
    where v.workspace_id = ${tx.workspaceId}::uuid and v.id = ${id} and ${seenBy(actor)} and v.deleted_at is null`.execute(
    tx.sql,
  )
  if (!rows[0]) throw new NotFound('view')
  return rows[0]
}

export async function createView(tx: Tx, actor: Actor, input: ViewInput & { name: string }): Promise<TicketViewRow> {
  await checkContent(tx, input)
  return insertView(tx, actor, input)
}

export interface Changing {
  permissions: Permissions
  ifVersion?: number | undefined
}

/** Naming nothing changes nothing, not even the version. */
export async function changeView(
  tx: Tx,
  actor: Actor,
  id: string,
  input: ViewInput,
  { permissions, ifVersion }: Changing,
): Promise<TicketViewRow> {
  const view = await lockView(tx, actor, id, permissions)
  checkVersion(view.version, ifVersion)
  if (!Object.keys(input).length) return view
  if (input.visibility === 'private' && view.owner_id !== actor.id) {
    const detail = 'Only its owner can take it back from the others. Delete it instead.'
    throw Invalid.at('/visibility', 'not_yours', detail)
  }
  await checkContent(tx, input)
  return write(tx, view, toRow(input), input.name?.trim())
}

/** Its tickets stay; it can be restored. */
export async function deleteView(tx: Tx, actor: Actor, id: string, changing: Changing): Promise<void> {
  const view = await lockView(tx, actor, id, changing.permissions)
  checkVersion(view.version, changing.ifVersion)
  await write(tx, view, { deleted_at: tx.now })
}

/** Restoring a view that is there changes nothing. */
export async function restoreView(tx: Tx, actor: Actor, id: string, permissions: Permissions): Promise<TicketViewRow> {
  const view = await lockView(tx, actor, id, permissions, { deletedToo: true })
  return view.deleted_at ? write(tx, view, { deleted_at: null }) : view
}

/** The copy is the actor's own, and private until it is shared; "Late" becomes "Late (2)". */
export async function duplicateView(
  tx: Tx,
  actor: Actor,
  id: string,
  name: string | undefined,
): Promise<TicketViewRow> {
  const { filter, sort, columns, icon, color, name: original } = await getView(tx, actor, id)
  const copy = { filter, sort, columns, icon, color, name: name ?? (await freeName(tx, actor, original)) }
  return insertView(tx, actor, copy)
}

/** Whether the actor may change it, or delete it. */
export function mayChange(permissions: Permissions, actor: Actor, view: TicketViewRow): boolean {
  if (view.owner_id === actor.id) return true
  return view.visibility === 'workspace' && may(permissions, actor, 'ticket.configure')
}

/** Of rows of `support.views`, named `v`. */
function seenBy(actor: Actor): RawBuilder<boolean> {
  return sql<boolean>`(v.visibility = 'workspace' or v.owner_id = ${actor.id}::uuid)`
}

async function insertView(tx: Tx, actor: Actor, input: ViewInput & { name: string }): Promise<TicketViewRow> {
  if (!actor.id) throw new Forbidden('no_owner', 'A view belongs to a person or a key. Sign in as one to save it.')
  return orRefuse(
    tx.sql
      .insertInto('support.views')
      .values({
        ...toRow(input),
        name: input.name.trim(),
        workspace_id: tx.workspaceId,
        id: newId(),
        owner_id: actor.id,
        owner_name: actor.name,
        created_at: tx.now,
        updated_at: tx.now,
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(input.name.trim()),
  )
}

async function lockView(
  tx: Tx,
  actor: Actor,
  id: string,
  permissions: Permissions,
  { deletedToo = false } = {},
): Promise<TicketViewRow> {
  const { rows } = await sql<TicketViewRow>`
    select v.* from support.views v
    where v.workspace_id = ${tx.workspaceId}::uuid and v.id = ${id} and ${seenBy(actor)} for no key update`.execute(
    tx.sql,
  )
  const view = rows[0]
  if (!view || (view.deleted_at && !deletedToo)) throw new NotFound('view')
  if (mayChange(permissions, actor, view)) return view
  throw new Forbidden('not_yours', 'This view is shared by somebody else. Duplicate it, and change the copy.')
}

async function write(
  tx: Tx,
  view: TicketViewRow,
  set: ReturnType<typeof toRow> & { deleted_at?: Date | null },
  name = view.name,
): Promise<TicketViewRow> {
  return orRefuse(
    tx.sql
      .updateTable('support.views')
      .set(set)
      .where('workspace_id', '=', tx.workspaceId)
      .where('id', '=', view.id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(name),
  )
}

/** Throws `Invalid` with every fault, each at its pointer. */
async function checkContent(tx: Tx, { columns = [], sort, filter }: ViewInput): Promise<void> {
  const errors: InputError[] = []
  const seen = new Set<string>()
  for (const [index, { field }] of columns.entries()) {
    const pointer = `/columns/${index}/field`
    if (seen.has(field)) errors.push({ pointer, code: 'repeated', detail: `The column “${field}” stands there twice.` })
    else if (!Object.hasOwn(ticketFields, field)) {
      errors.push({ pointer, code: 'unknown_field', detail: `A ticket has no field “${field}”.` })
    }
    seen.add(field)
  }
  if (sort && !ticketSorts.includes(sort.replace(/^-/, ''))) {
    const detail = `Sort by one of ${ticketSorts.join(', ')}; a leading - turns the order round.`
    errors.push({ pointer: '/sort', code: 'unknown_sort', detail })
  }
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
  const agent = filter?.assigned_to
  if (agent && agent !== 'none' && agent !== 'me') await requireAgents(tx, [agent], '/filter/assigned_to')
}

function toRow({ filter, columns, name, ...plain }: ViewInput) {
  return {
    ...plain,
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
    ...(columns === undefined ? {} : { columns: JSON.stringify(columns) }),
  }
}

async function freeName(tx: Tx, actor: Actor, name: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select candidate as name
    from generate_series(1, 1000) as number,
      lateral (select case number when 1 then ${name} else ${name.slice(0, 90)} || ' (' || number || ')' end as candidate) as c
    where not exists (
      select from support.views
      where workspace_id = ${tx.workspaceId}::uuid and deleted_at is null and owner_id = ${actor.id}::uuid
        and lower(name) = lower(candidate))
    order by number limit 1`.execute(tx.sql)
  return rows[0]?.name ?? `${name.slice(0, 60)} ${newId()}`
}

function nameTaken(name: string) {
  const detail = `You have a view called “${name}” already.`
  const errors = [{ pointer: '/name', code: 'name_taken', detail }]
  return { views_name: () => new Conflict('name_taken', detail, { errors }) }
}
