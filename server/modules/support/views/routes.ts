/** The doors of saved views of tickets. */
import { Type } from 'typebox'
import type { Actor, Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Color,
  Id,
  Message,
  NullableText,
  NullableTimestamp,
  OneOf,
  pageQuery,
  Problem,
  TextOrNull,
  Timestamp,
  Total,
} from '#platform/http/shapes.ts'
import { builtInNames, ticketSorts, ViewFilter } from '../ticket-query.ts'
import { builtInViews } from './open.ts'
import { visibilities, type TicketViewRow } from './tables.ts'
import {
  changeView,
  countInView,
  createView,
  deleteView,
  duplicateView,
  getView,
  listViews,
  mayChange,
  restoreView,
  viewSorts,
} from './views.ts'

/** Each count may look at ten thousand tickets. */
const countedMax = 50

const params = Closed({ id: Id })
const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })
const Columns = Type.Array(
  Closed({
    field: Type.String({ minLength: 1, maxLength: 120, description: 'As the ticket has it' }),
    width: Type.Optional(Type.Integer({ minimum: 20, maximum: 2_000, description: 'Pixels' })),
  }),
  { maxItems: 100, description: 'In the order in which they are shown; none: those that the client begins with' },
)
const Count = Type.Optional(Total)

const viewFields = {
  id: Id,
  name: Type.String(),
  icon: NullableText,
  color: NullableText,
  visibility: OneOf(visibilities, { description: 'private: seen by its owner alone' }),
  filter: ViewFilter,
  sort: NullableText,
  columns: Columns,
  may_change: Type.Boolean(),
  owner_id: Id,
  owner_name: Type.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
  deleted_at: NullableTimestamp,
}
const ViewShape = Type.Object({ ...viewFields, count: Count }, { $id: 'TicketSavedView' })
const BuiltIn = Type.Object({
  name: OneOf(builtInNames, { description: 'What `view` takes' }),
  filter: ViewFilter,
  sort: NullableText,
  count: Count,
})

const input = {
  icon: Type.Optional(TextOrNull(50, 'A name that the client knows')),
  color: Type.Optional(Type.Unsafe<string | null>({ anyOf: [Color, { type: 'null' }] })),
  visibility: Type.Optional(OneOf(visibilities)),
  filter: Type.Optional(ViewFilter),
  sort: Type.Optional(TextOrNull(50, `${ticketSorts.join(', ')}, with a leading - for the other direction`)),
  columns: Type.Optional(Columns),
}

function show(view: TicketViewRow, actor: Actor, permissions: Permissions) {
  return {
    id: view.id,
    name: view.name,
    icon: view.icon,
    color: view.color,
    visibility: view.visibility,
    filter: view.filter,
    sort: view.sort,
    columns: view.columns,
    may_change: mayChange(permissions, actor, view),
    owner_id: view.owner_id,
    owner_name: view.owner_name,
    created_at: view.created_at,
    updated_at: view.updated_at,
    deleted_at: view.deleted_at,
  }
}

const listRoute = route({
  method: 'GET',
  path: '/tickets/views',
  may: 'ticket.work',
  summary: 'Views of tickets: one’s own, those that are shared, and those that are always there',
  description: `Sort by ${viewSorts.join(', ')}. With \`counts\`, each says how many tickets whoever asks sees by it; then a page has at most ${countedMax}.`,
  query: Closed({
    ...pageQuery,
    search: Type.Optional(Type.String({ maxLength: 200 })),
    visibility: Type.Optional(OneOf(visibilities)),
    mine: Type.Optional(Type.Boolean()),
    deleted: Type.Optional(Type.Boolean({ description: 'The deleted ones instead of the others' })),
    counts: Type.Optional(Type.Boolean()),
    sort: Type.Optional(Type.String({ maxLength: 50 })),
  }),
  replies: {
    200: Type.Object({
      data: Type.Array(ViewShape),
      next_cursor: NullableText,
      total: Total,
      built_in: Type.Array(BuiltIn),
    }),
  },
  run: async ({ tx, actor, query: { counts, ...query }, services: { permissions } }) => {
    if (counts && (query.limit ?? 0) > countedMax) {
      throw Invalid.at('?limit', 'maximum', `With counts, ask for at most ${countedMax} views at once.`)
    }
    const list = await listViews(tx, actor, query)
    const shown = list.data.map((view) => show(view, actor, permissions))
    const builtIn = builtInNames.map((key) => ({ name: key, ...builtInViews[key] }))
    if (!counts) return { ...list, data: shown, built_in: builtIn }
    return { ...list, data: await counted(tx, actor, shown), built_in: await counted(tx, actor, builtIn) }
  },
})

/** One after the other: they share the transaction's connection. */
async function counted<View extends { filter: ViewFilter }>(tx: Tx, actor: Actor, views: View[]) {
  const rows: (View & { count: number | { at_least: number } })[] = []
  for (const view of views) rows.push({ ...view, count: await countInView(tx, actor, view.filter) })
  return rows
}

const createRoute = route({
  method: 'POST',
  path: '/tickets/views',
  may: 'ticket.work',
  summary: 'Save a view: a filter, an order and columns under a name',
  description:
    'The filter is made of the parameters of GET /tickets, which opens the view by `view`. `assigned_to: me` is whoever ' +
    'looks. A view shows nobody more than they may see.',
  body: Closed({ name, ...input }),
  replies: { 201: ViewShape, 409: Problem },
  run: async ({ tx, actor, body, services: { permissions } }) => {
    const view = await createView(tx, actor, body)
    return created(show(view, actor, permissions), `/tickets/views/${view.id}`, view.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/views/:id',
  may: 'ticket.work',
  summary: 'One view, and how many tickets whoever asks sees by it',
  params,
  replies: { 200: ViewShape, 404: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
    const view = await getView(tx, actor, id)
    const count = await countInView(tx, actor, view.filter)
    return record({ ...show(view, actor, permissions), count }, view.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tickets/views/:id',
    may: 'ticket.work',
    summary: 'Change a view of tickets: the fields that are named are replaced, the others stay',
    description: 'A shared view is changed by its owner and by admins.',
    params,
    body: Closed({ name: Type.Optional(name), ...input }),
    replies: { 200: ViewShape, 403: Problem, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion, services: { permissions } }) => {
      const view = await changeView(tx, actor, id, body, { permissions, ifVersion })
      return record(show(view, actor, permissions), view.version)
    },
  }),
)

const deleteRoute = route({
  method: 'DELETE',
  path: '/tickets/views/:id',
  may: 'ticket.work',
  summary: 'Delete a view, not its tickets; it can be restored',
  params,
  replies: { 200: Message, 403: Problem, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion, services: { permissions } }) => {
    await deleteView(tx, actor, id, { permissions, ifVersion })
    return { message: 'The view was deleted. It can be restored.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/tickets/views/:id/restore',
  may: 'ticket.work',
  summary: 'Bring a deleted view of tickets back, unless its name was taken meanwhile',
  params,
  replies: { 200: ViewShape, 403: Problem, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
    const view = await restoreView(tx, actor, id, permissions)
    return record(show(view, actor, permissions), view.version)
  },
})

const duplicateRoute = route({
  method: 'POST',
  path: '/tickets/views/:id/duplicate',
  may: 'ticket.work',
  summary: 'Copy a view of tickets as a private one of one’s own',
  params,
  body: Type.Unsafe<{ name?: string } | null>({ ...Closed({ name: Type.Optional(name) }), type: ['object', 'null'] }),
  replies: { 201: ViewShape, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, body, services: { permissions } }) => {
    const view = await duplicateView(tx, actor, id, body?.name)
    return created(show(view, actor, permissions), `/tickets/views/${view.id}`, view.version)
  },
})

export const viewRoutes = [
  listRoute,
  createRoute,
  showRoute,
  replaceRoute!,
  changeRoute!,
  deleteRoute,
  restoreRoute,
  duplicateRoute,
]
