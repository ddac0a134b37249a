/** The doors of saved views. */
import { Type } from 'typebox'
import type { Actor, Permissions } from '#platform/actor.ts'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, NullableText, OneOf, Page, Problem, TextOrNull } from '#platform/http/shapes.ts'
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
import { RuleProblems } from '../rules/rule-routes.ts'
import { RuleShape, type Rule } from '../rules/rule.ts'
import { layouts } from './tables.ts'
import { problemsOf } from './view-rules.ts'
import { views, type ChosenView } from './views.ts'

const path = '/contacts/views'
const Columns = viewColumns('As the contact has it, or custom_fields.<key>')

const viewFields = {
  ...shownView,
  layout: OneOf(layouts),
  filter: Type.Unsafe<Rule | null>({
    type: ['object', 'null'],
    additionalProperties: true,
    description: 'A rule; null finds everybody',
  }),
  search: Type.String(),
  columns: Columns,
  group_by: NullableText,
}
const ViewShape = Type.Object(viewFields, { $id: 'SavedView' })
const ViewDetails = Type.Object({ ...viewFields, problems: RuleProblems })

const input = {
  ...viewInput,
  layout: Type.Optional(OneOf(layouts, { description: 'A board has a column for each value of group_by' })),
  filter: Type.Optional(Type.Unsafe<Rule | null>({ anyOf: [RuleShape, { type: 'null' }] })),
  search: Type.Optional(Type.String({ maxLength: 200 })),
  sort: Type.Optional(TextOrNull(50, 'As the list of contacts takes it')),
  columns: Type.Optional(Columns),
  group_by: Type.Optional(TextOrNull(120, 'A field with few values: a choice, a text, yes or no, tags or lists')),
}

const listRoute = route({
  method: 'GET',
  path,
  may: 'contact.read',
  summary: 'Saved views: one’s own, and those that are shared',
  description: 'Pinned ones first, then in one’s own order. Sort by position, name, created_at, updated_at.',
  query: Closed(viewsQuery),
  replies: { 200: Page(ViewShape) },
  run: ({ tx, actor, query, services }) =>
    views.listViews(tx, actor, query, (view) => showView(view, actor, services.permissions)),
})

const createRoute = route({
  method: 'POST',
  path,
  may: 'view.save',
  summary: 'Save a view: a filter, a search, an order and columns under a name',
  description:
    'The rule is one as POST /contacts/filter/count describes it. Lists, counts, exports and bulk actions take the view by ' +
    '`view`: whatever else they say narrows it down further, and a sort order of theirs takes the place of its own. ' +
    'Sharing it with the workspace needs the right to write contacts.',
  body: Closed({ name: viewName, ...input }),
  replies: { 201: ViewShape, 403: Problem, 409: Problem },
  run: async ({ tx, actor, body, services: { permissions } }) => {
    const view = await views.createView(tx, actor, body, permissions)
    return created(showView(view, actor, permissions), `${path}/${view.id}`, view.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: `${path}/:id`,
  may: 'contact.read',
  summary: 'One view, and what of it is not there any more',
  params: viewParams,
  replies: { 200: ViewDetails, 404: Problem },
  run: async ({ tx, actor, params: { id }, services }) => {
    const view = await views.getView(tx, actor, id)
    const shown = { ...showView(view, actor, services.permissions), problems: await problemsOf(tx, view) }
    return record(shown, view.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: `${path}/:id`,
    may: 'view.save',
    summary: 'Change a view: the fields that are named are replaced, the others stay',
    description: 'A shared view is changed by its owner and by admins.',
    params: viewParams,
    body: Closed({ name: Type.Optional(viewName), ...input }),
    replies: { 200: ViewShape, 403: Problem, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion, services: { permissions } }) => {
      const view = await views.changeView(tx, actor, id, body, { permissions, ifVersion })
      return record(showView(view, actor, permissions), view.version)
    },
  }),
)

const doors = {
  path,
  may: 'view.save',
  words: { view: 'view', views: 'views', found: 'contacts' },
  room: views,
  shape: ViewShape,
  show: showView,
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

function showView(view: ChosenView, actor: Actor, permissions: Permissions) {
  const { workspace_id: _workspace, version: _version, ...shown } = view
  return { ...shown, may_change: views.mayChange(permissions, actor, view) }
}
