/** The doors of canned replies. */
import { Type } from 'typebox'
import { may, type Actor, type Permissions } from '#platform/actor.ts'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  Message,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  TextOrNull,
  Timestamp,
} from '#platform/http/shapes.ts'
import { visibilities } from '#platform/saved-views/sharing.ts'
import { previewReply } from './preview.ts'
import {
  changeReply,
  createReply,
  deleteReply,
  getReply,
  listReplies,
  mayChange,
  replySorts,
  restoreReply,
} from './replies.ts'
import type { CannedReply } from './tables.ts'
import { variableNames } from './variables.ts'

const params = Closed({ id: Id })
const words = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '\\S', ...(description ? { description } : {}) })
const Language = { maxLength: 35, pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$' }

const shortcut = Type.String({
  minLength: 1,
  maxLength: 50,
  pattern: '^[^\\s/]+$',
  description: 'What is typed to find it, without spaces or slashes; one of a kind in the workspace, whatever its case',
})
const title = words(200)
const content = words(
  20_000,
  `Plain text. {{name}} stands for a value, {{default name "words"}} says what to write where there is none. Names: ${variableNames.join(', ')}`,
)
const optional = {
  language: Type.Optional(
    Type.Unsafe<string | null>({ type: ['string', 'null'], ...Language, description: 'BCP 47; null is for all' }),
  ),
  category: Type.Optional(TextOrNull(100)),
  tags: Type.Optional(Type.Array(words(50), { maxItems: 50 })),
  visibility: Type.Optional(OneOf(visibilities, { description: 'private: seen by its owner alone' })),
}

const CannedReplyView = Type.Object(
  {
    id: Id,
    shortcut: Type.String(),
    title: Type.String(),
    content: Type.String(),
    language: NullableText,
    category: NullableText,
    tags: Type.Array(Type.String()),
    visibility: OneOf(visibilities),
    owner_id: Id,
    owner_name: Type.String(),
    may_change: Type.Boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: NullableTimestamp,
  },
  { $id: 'CannedReply' },
)

function view(reply: CannedReply, actor: Actor, permissions: Permissions) {
  return {
    id: reply.id,
    shortcut: reply.shortcut,
    title: reply.title,
    content: reply.content,
    language: reply.language,
    category: reply.category,
    tags: reply.tags,
    visibility: reply.visibility,
    owner_id: reply.owner_id,
    owner_name: reply.owner_name,
    may_change: may(permissions, actor, 'ticket.work') && mayChange(permissions, actor, reply),
    created_at: reply.created_at,
    updated_at: reply.updated_at,
    deleted_at: reply.deleted_at,
  }
}

const listRoute = route({
  method: 'GET',
  path: '/tickets/canned-replies',
  may: 'ticket.work',
  summary: 'Canned replies: one’s own, and those that are shared',
  description: `Sort by ${replySorts.join(', ')}, with a leading - for the other direction.`,
  query: Closed({
    ...pageQuery,
    search: Type.Optional(
      Type.String({
        maxLength: 200,
        description: 'Every word must occur in shortcut, title, text, category or tags; accents and case do not matter',
      }),
    ),
    category: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    tag: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
    language: Type.Optional(
      Type.String({ ...Language, description: 'Those in this language, and those that are for all' }),
    ),
    visibility: Type.Optional(OneOf(visibilities)),
    mine: Type.Optional(Type.Boolean()),
    deleted: Type.Optional(Type.Boolean({ description: 'The deleted ones instead of the others' })),
    sort: Type.Optional(Type.String({ maxLength: 50 })),
  }),
  replies: { 200: Page(CannedReplyView) },
  run: ({ tx, actor, query, services: { permissions } }) =>
    listReplies(tx, actor, query, (reply) => view(reply, actor, permissions)),
})

const createRoute = route({
  method: 'POST',
  path: '/tickets/canned-replies',
  may: 'ticket.work',
  summary: 'Save an answer to use again',
  description: 'A variable that does not exist is refused. Without `visibility` it is private.',
  body: Closed({ shortcut, title, content, ...optional }),
  replies: { 201: CannedReplyView, 409: Problem },
  run: async ({ tx, actor, body, services: { permissions } }) => {
    const reply = await createReply(tx, actor, body)
    return created(view(reply, actor, permissions), `/tickets/canned-replies/${reply.id}`, reply.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/canned-replies/:id',
  may: 'ticket.work',
  summary: 'One canned reply, with its variables as they were written',
  params,
  replies: { 200: CannedReplyView, 404: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
    const reply = await getReply(tx, actor, id)
    return record(view(reply, actor, permissions), reply.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tickets/canned-replies/:id',
    may: 'ticket.work',
    summary: 'Change a canned reply: the fields that are named are replaced, the others stay',
    description: 'A shared one is changed by its owner and by admins.',
    params,
    body: Closed({
      shortcut: Type.Optional(shortcut),
      title: Type.Optional(title),
      content: Type.Optional(content),
      ...optional,
    }),
    replies: { 200: CannedReplyView, 403: Problem, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion, services: { permissions } }) => {
      const reply = await changeReply(tx, actor, id, body, { permissions, ifVersion })
      return record(view(reply, actor, permissions), reply.version)
    },
  }),
)

const deleteRoute = route({
  method: 'DELETE',
  path: '/tickets/canned-replies/:id',
  may: 'ticket.work',
  summary: 'Delete a canned reply; it can be restored',
  params,
  replies: { 200: Message, 403: Problem, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion, services: { permissions } }) => {
    await deleteReply(tx, actor, id, { permissions, ifVersion })
    return { message: 'The canned reply was deleted. It can be restored.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/tickets/canned-replies/:id/restore',
  may: 'ticket.work',
  summary: 'Bring a deleted canned reply back, unless its shortcut was taken meanwhile',
  params,
  replies: { 200: CannedReplyView, 403: Problem, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, services: { permissions } }) => {
    const reply = await restoreReply(tx, actor, id, permissions)
    return record(view(reply, actor, permissions), reply.version)
  },
})

const previewRoute = route({
  method: 'POST',
  path: '/tickets/:id/canned-replies/:reply_id/preview',
  may: 'ticket.work',
  summary: 'A canned reply with the values of one ticket; nothing is sent',
  params: Closed({ id: Id, reply_id: Id }),
  replies: {
    200: Type.Object({
      content: Type.String(),
      missing: Type.Array(OneOf(variableNames), { description: 'Had neither a value here nor words instead of it' }),
    }),
    404: Problem,
  },
  run: ({ tx, actor, params: { id, reply_id: replyId } }) => previewReply(tx, actor, id, replyId),
})

export const cannedReplyRoutes = [
  listRoute,
  createRoute,
  showRoute,
  replaceRoute!,
  changeRoute!,
  deleteRoute,
  restoreRoute,
  previewRoute,
]
