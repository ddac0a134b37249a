/** The doors of saved views of tickets. */
import { Type } from 'typebox'
import type { Actor, Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, NullableText, OneOf, Problem, TextOrNull, Total } from '#platform/http/shapes.ts'
import {
  choosingDoors,
  keepingDoors,
  shownView,
  viewColumns,
  viewInput,
  viewName,
  viewParams,
  viewsQuery,
} from '#platform/saved-views/doors.ts'
import { viewSorts } from '#platform/saved-views/views.ts'
import { ticketSorts } from '../ticket-query.ts'
import { builtInNames, ViewFilter } from '../ticket-filter.ts'
import { builtInViews } from './open.ts'
import { countInView, views, type ChosenTicketView } from './views.ts'

/** Each count may look at ten thousand tickets. */
const countedMax = 50

const path = '/tickets/views'
const Columns = viewColumns('As the ticket has it')
const Count = Type.Optional(Total)

const viewFields = { ...shownView, filter: ViewFilter, columns: Columns }
const ViewShape = Type.Object({ ...viewFields, count: Count }, { $id: 'TicketSavedView' })
const BuiltIn = Type.Object({
  name: OneOf(builtInNames, { description: 'What `view` takes' }),
  filter: ViewFilter,
  sort: NullableText,
  count: Count,
})

const input = {
  ...viewInput,
  filter: Type.Optional(ViewFilter),
  sort: Type.Optional(TextOrNull(50, `${ticketSorts.join(', ')}, with a leading - for the other direction`)),
  columns: Type.Optional(Columns),
}

const listRoute = route({
  method: 'GET',
  path,
  may: 'ticket.work',
  summary: 'Views of tickets: one’s own, those that are shared, and those that are always there',
  description: `Pinned ones first, then in one’s own order. Sort by ${viewSorts.join(', ')}. With \`counts\`, each says how many tickets whoever asks sees by it; then a page has at most ${countedMax}.`,
  query: Closed({
    ...viewsQuery,
    counts: Type.Optional(Type.Boolean()),
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
    const list = await views.listViews(tx, actor, query, (view) => show(view, actor, permissions))
    const builtIn = builtInNames.map((key) => ({ name: key, ...builtInViews[key] }))
    if (!counts) return { ...list, built_in: builtIn }
    return { ...list, data: await counted(tx, actor, list.data), built_in: await counted(tx, actor, builtIn) }
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
  path,
  may: 'ticket.work',
  summary: 'Save a view: a filter, an order and columns under a name',
  description:
    'The filter is made of the parameters of GET /tickets, which opens the view by `view`. `assigned_to: me` is whoever ' +
    'looks. A view shows nobody more than they may see.',
  body: Closed({ name: viewName, ...input }),
  replies: { 201: ViewShape, 409: Problem },
  run: async ({ tx, actor, body, services: { permissions } }) => {
    const view = await views.createView(tx, actor, body, permissions)
    return created(show(view, actor, permissions), `${path}/${view.id}`, view.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: `${path}/:id`,
  may: 'ticket.work',
  summary: 'One view, and how many tickets whoever asks sees by it',
  params: viewParams,
  replies: { 200: ViewShape, 404: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
    const view = await views.getView(tx, actor, id)
    const count = await countInView(tx, actor, view.filter)
    return record({ ...show(view, actor, permissions), count }, view.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: `${path}/:id`,
    may: 'ticket.work',
    summary: 'Change a view of tickets: the fields that are named are replaced, the others stay',
    description: 'A shared view is changed by its owner and by admins.',
    params: viewParams,
    body: Closed({ name: Type.Optional(viewName), ...input }),
    replies: { 200: ViewShape, 403: Problem, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion, services: { permissions } }) => {
      const view = await views.changeView(tx, actor, id, body, { permissions, ifVersion })
      return record(show(view, actor, permissions), view.version)
    },
  }),
)

const doors = {
  path,
  may: 'ticket.work',
  words: { view: 'view of tickets', views: 'views of tickets', found: 'tickets' },
  room: views,
  shape: ViewShape,
  show,
}

export const viewRoutes = [
  listRoute,
  createRoute,
  showRoute,
  replaceRoute!,
  changeRoute!,
  ...keepingDoors(doors),
  ...choosingDoors(doors),
]

function show(view: ChosenTicketView, actor: Actor, permissions: Permissions) {
  const { workspace_id: _workspace, version: _version, ...shown } = view
  return { ...shown, may_change: views.mayChange(permissions, actor, view) }
}
