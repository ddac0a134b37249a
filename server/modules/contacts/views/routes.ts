/** The doors of saved views. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Color,
  Id,
  Message,
  NullableInteger,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  TextOrNull,
  Timestamp,
} from '#platform/http/shapes.ts'
import type { Actor, Permissions } from '#platform/actor.ts'
import { RuleProblems } from '../rules/rule-routes.ts'
import { RuleShape, type Rule } from '../rules/rule.ts'
import { chooseDefault, orderViews, pinView } from './choices.ts'
import { layouts, visibilities } from './tables.ts'
import { problemsOf } from './view-rules.ts'
import {
  createView,
  deleteView,
  duplicateView,
  getView,
  listViews,
  mayChange,
  restoreView,
  updateView,
  type ChosenView,
} from './views.ts'

const params = Closed({ id: Id })
const name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })

const Columns = Type.Array(
  Closed({
    field: Type.String({ minLength: 1, maxLength: 120, description: 'As the contact has it, or custom_fields.<key>' }),
    width: Type.Optional(Type.Integer({ minimum: 20, maximum: 2_000, description: 'Pixels' })),
  }),
  { maxItems: 100, description: 'In the order in which they are shown; none: those that the client begins with' },
)

const viewFields = {
  id: Id,
  name: Type.String(),
  icon: NullableText,
  color: NullableText,
  layout: OneOf(layouts),
  visibility: OneOf(visibilities, { description: 'private: seen by its owner alone' }),
  filter: Type.Unsafe<Rule | null>({
    type: ['object', 'null'],
    additionalProperties: true,
    description: 'A rule; null finds everybody',
  }),
  search: Type.String(),
  sort: NullableText,
  columns: Columns,
  group_by: NullableText,
  is_pinned: Type.Boolean({ description: 'By the person who asks, as is_default and position' }),
  is_default: Type.Boolean(),
  position: NullableInteger,
  may_change: Type.Boolean(),
  owner_id: Id,
  owner_name: Type.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
  deleted_at: NullableTimestamp,
}
const ViewShape = Type.Object(viewFields, { $id: 'SavedView' })
const ViewDetails = Type.Object({ ...viewFields, problems: RuleProblems })

const input = {
  icon: Type.Optional(TextOrNull(50, 'A name that the client knows')),
  color: Type.Optional(Type.Unsafe<string | null>({ anyOf: [Color, { type: 'null' }] })),
  layout: Type.Optional(OneOf(layouts, { description: 'A board has a column for each value of group_by' })),
  visibility: Type.Optional(OneOf(visibilities)),
  filter: Type.Optional(Type.Unsafe<Rule | null>({ anyOf: [RuleShape, { type: 'null' }] })),
  search: Type.Optional(Type.String({ maxLength: 200 })),
  sort: Type.Optional(TextOrNull(50, 'As the list of contacts takes it')),
  columns: Type.Optional(Columns),
  group_by: Type.Optional(TextOrNull(120, 'A field with few values: a choice, a text, yes or no, tags or lists')),
}

const listRoute = route({
  method: 'GET',
  path: '/contacts/views',
  may: 'contact.read',
  summary: 'Saved views: one’s own, and those that are shared',
  description: 'Pinned ones first, then in one’s own order. Sort by position, name, created_at, updated_at.',
  query: Closed({
    ...pageQuery,
    search: Type.Optional(Type.String({ maxLength: 200 })),
    visibility: Type.Optional(OneOf(visibilities)),
    pinned: Type.Optional(Type.Boolean()),
    mine: Type.Optional(Type.Boolean()),
    deleted: Type.Optional(Type.Boolean({ description: 'The deleted ones instead of the others' })),
    sort: Type.Optional(Type.String({ maxLength: 50 })),
  }),
  replies: { 200: Page(ViewShape) },
  run: ({ tx, actor, query, services }) =>
    listViews(tx, actor, query, (view) => showView(view, actor, services.permissions)),
})

const createRoute = route({
  method: 'POST',
  path: '/contacts/views',
  may: 'view.save',
  summary: 'Save a view: a filter, a search, an order and columns under a name',
  description:
    'The rule is one as POST /contacts/filter/count describes it. Lists, counts, exports and bulk actions take the view by ' +
    '`view`: whatever else they say narrows it down further, and a sort order of theirs takes the place of its own. ' +
    'Sharing it with the workspace needs the right to write contacts.',
  body: Closed({ name, ...input }),
  replies: { 201: ViewShape, 403: Problem, 409: Problem },
  run: async ({ tx, actor, body, services: { permissions } }) => {
    const view = await createView(tx, actor, body, permissions)
    return created(showView(view, actor, permissions), `/contacts/views/${view.id}`, view.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/contacts/views/:id',
  may: 'contact.read',
  summary: 'One view, and what of it is not there any more',
  params,
  replies: { 200: ViewDetails, 404: Problem },
  run: async ({ tx, actor, params: { id }, services }) => {
    const view = await getView(tx, actor, id)
    const shown = { ...showView(view, actor, services.permissions), problems: await problemsOf(tx, view) }
    return record(shown, view.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/contacts/views/:id',
    may: 'view.save',
    summary: 'Change a view: the fields that are named are replaced, the others stay',
    description: 'A shared view is changed by its owner and by admins.',
    params,
    body: Closed({ name: Type.Optional(name), ...input }),
    replies: { 200: ViewShape, 403: Problem, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion, services: { permissions } }) => {
      const view = await updateView(tx, actor, id, body, { permissions, ifVersion })
      return record(showView(view, actor, permissions), view.version)
    },
  }),
)

const deleteRoute = route({
  method: 'DELETE',
  path: '/contacts/views/:id',
  may: 'view.save',
  summary: 'Delete a view, not its contacts; it can be restored',
  params,
  replies: { 200: Message, 403: Problem, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion, services: { permissions } }) => {
    await deleteView(tx, actor, id, { permissions, ifVersion })
    return { message: 'The view was deleted. It can be restored.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/contacts/views/:id/restore',
  may: 'view.save',
  summary: 'Bring a deleted view back, unless its name was taken meanwhile',
  params,
  replies: { 200: ViewShape, 403: Problem, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
    const view = await restoreView(tx, actor, id, permissions)
    return record(showView(view, actor, permissions), view.version)
  },
})

const duplicateRoute = route({
  method: 'POST',
  path: '/contacts/views/:id/duplicate',
  may: 'view.save',
  summary: 'Copy a view as a private one of one’s own',
  params,
  body: Type.Unsafe<{ name?: string } | null>({ ...Closed({ name: Type.Optional(name) }), type: ['object', 'null'] }),
  replies: { 201: ViewShape, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, body, services: { permissions } }) => {
    const view = await duplicateView(tx, actor, id, body?.name)
    return created(showView(view, actor, permissions), `/contacts/views/${view.id}`, view.version)
  },
})

const orderRoute = route({
  method: 'PUT',
  path: '/contacts/views/order',
  may: 'view.save',
  summary: 'Put views in one’s own order',
  description: 'These come first, in this order; those that are not named follow. Nobody else’s order changes.',
  body: Closed({ view_ids: Type.Array(Id, { maxItems: 500, uniqueItems: true }) }),
  replies: { 200: Message },
  run: async ({ tx, actor, body }) => {
    await orderViews(tx, actor, body.view_ids)
    return { message: 'The views are in this order now.' }
  },
})

const choiceRoutes = (
  [
    ['PUT', 'pin', pinView, 'Pin a view for oneself'],
    ['DELETE', 'pin', pinView, 'Unpin a view for oneself'],
    ['PUT', 'default', chooseDefault, 'Choose the view that opens first, for oneself'],
    ['DELETE', 'default', chooseDefault, 'Open no view first, where this was the one'],
  ] as const
).map(([method, what, choose, summary]) =>
  route({
    method,
    path: `/contacts/views/:id/${what}`,
    may: 'view.save',
    summary,
    params,
    replies: { 200: ViewShape, 404: Problem },
    run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
      const view = await choose(tx, actor, id, method === 'PUT')
      return record(showView(view, actor, permissions), view.version)
    },
  }),
)

export const viewRoutes = [
  listRoute,
  createRoute,
  orderRoute,
  showRoute,
  replaceRoute!,
  changeRoute!,
  deleteRoute,
  restoreRoute,
  duplicateRoute,
  ...choiceRoutes,
]

function showView(view: ChosenView, actor: Actor, permissions: Permissions) {
  const { workspace_id: _workspace, version: _version, ...shown } = view
  return { ...shown, may_change: mayChange(permissions, actor, view) }
}
