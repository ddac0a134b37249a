/** Shapes of saved views, and the doors that are the same whatever the views are of. */
import { Type, type TSchema } from 'typebox'
import type { Actor, Permissions } from '../actor.ts'
import { created, record, route, type AnyRoute } from '../http/route.ts'
import {
  Closed,
  Color,
  Id,
  Message,
  NullableInteger,
  NullableText,
  NullableTimestamp,
  OneOf,
  pageQuery,
  Problem,
  TextOrNull,
  Timestamp,
} from '../http/shapes.ts'
import { viewChoices } from './choices.ts'
import { visibilities } from './sharing.ts'
import type { Chosen, SavedView, ViewInput, ViewsRoom } from './views.ts'

export const viewParams = Closed({ id: Id })
export const viewName = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' })

/** `field` says what may stand there. */
export function viewColumns(field: string) {
  const column = Closed({
    field: Type.String({ minLength: 1, maxLength: 120, description: field }),
    width: Type.Optional(Type.Integer({ minimum: 20, maximum: 2_000, description: 'Pixels' })),
  })
  const description = 'In the order in which they are shown; none: those that the client begins with'
  return Type.Array(column, { maxItems: 100, description })
}

/** Of every view; its kind adds what it holds. */
export const shownView = {
  id: Id,
  name: Type.String(),
  icon: NullableText,
  color: NullableText,
  visibility: OneOf(visibilities, { description: 'private: seen by its owner alone' }),
  sort: NullableText,
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

export const viewInput = {
  icon: Type.Optional(TextOrNull(50, 'A name that the client knows')),
  color: Type.Optional(Type.Unsafe<string | null>({ anyOf: [Color, { type: 'null' }] })),
  visibility: Type.Optional(OneOf(visibilities)),
}

export const viewsQuery = {
  ...pageQuery,
  search: Type.Optional(Type.String({ maxLength: 200 })),
  visibility: Type.Optional(OneOf(visibilities)),
  pinned: Type.Optional(Type.Boolean()),
  mine: Type.Optional(Type.Boolean()),
  deleted: Type.Optional(Type.Boolean({ description: 'The deleted ones instead of the others' })),
  sort: Type.Optional(Type.String({ maxLength: 50 })),
}

export interface CommonDoors<View extends SavedView, Input extends ViewInput> {
  path: string
  may: string
  /** As the reference page calls one, and what it finds. */
  words: { view: string; views: string; found: string }
  room: ViewsRoom<View, Input>
  shape: TSchema
  show(view: Chosen<View>, actor: Actor, permissions: Permissions): object
}

/** To delete, restore and copy a view. */
export function keepingDoors<View extends SavedView, Input extends ViewInput>(
  doors: CommonDoors<View, Input>,
): AnyRoute[] {
  const { path, may, words, room, shape, show } = doors
  const deleteRoute = route({
    method: 'DELETE',
    path: `${path}/:id`,
    may,
    summary: `Delete a view, not its ${words.found}; it can be restored`,
    params: viewParams,
    replies: { 200: Message, 403: Problem, 404: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, ifVersion, services: { permissions } }) => {
      await room.deleteView(tx, actor, id, { permissions, ifVersion })
      return { message: 'The view was deleted. It can be restored.' }
    },
  })
  const restoreRoute = route({
    method: 'POST',
    path: `${path}/:id/restore`,
    may,
    summary: `Bring a deleted ${words.view} back, unless its name was taken meanwhile`,
    params: viewParams,
    replies: { 200: shape, 403: Problem, 404: Problem, 409: Problem },
    run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
      const view = await room.restoreView(tx, actor, id, permissions)
      return record(show(view, actor, permissions), view.version)
    },
  })
  const duplicateRoute = route({
    method: 'POST',
    path: `${path}/:id/duplicate`,
    may,
    summary: `Copy a ${words.view} as a private one of one’s own`,
    params: viewParams,
    body: Type.Unsafe<{ name?: string } | null>({
      ...Closed({ name: Type.Optional(viewName) }),
      type: ['object', 'null'],
    }),
    replies: { 201: shape, 404: Problem, 409: Problem },
    run: async ({ tx, actor, params: { id }, body, services: { permissions } }) => {
      const view = await room.duplicateView(tx, actor, id, body?.name)
      return created(show(view, actor, permissions), `${path}/${view.id}`, view.version)
    },
  })
  return [deleteRoute, restoreRoute, duplicateRoute]
}

/** To pin a view, to open it first, and to put views in an order: for oneself. */
export function choosingDoors<View extends SavedView, Input extends ViewInput>(
  doors: CommonDoors<View, Input>,
): AnyRoute[] {
  const { path, may, words, room, shape, show } = doors
  const { pinView, chooseDefault, orderViews } = viewChoices(room)
  const orderRoute = route({
    method: 'PUT',
    path: `${path}/order`,
    may,
    summary: `Put ${words.views} in one’s own order`,
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
      ['PUT', 'pin', pinView, `Pin a ${words.view} for oneself`],
      ['DELETE', 'pin', pinView, `Unpin a ${words.view} for oneself`],
      ['PUT', 'default', chooseDefault, `Choose the ${words.view} that opens first, for oneself`],
      ['DELETE', 'default', chooseDefault, `Open no ${words.view} first, where this was the one`],
    ] as const
  ).map(([method, what, choose, summary]) =>
    route({
      method,
      path: `${path}/:id/${what}`,
      may,
      summary,
      params: viewParams,
      replies: { 200: shape, 404: Problem },
      run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
        const view = await choose(tx, actor, id, method === 'PUT')
        return record(show(view, actor, permissions), view.version)
      },
    }),
  )
  return [orderRoute, ...choiceRoutes]
}
