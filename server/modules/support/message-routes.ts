/** The doors of the conversation. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, Id, Message, OneOf, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import { deleteMessage, editMessage, listVersions } from './message-changes.ts'
import { getMessage, postMessage } from './messages.ts'
import { countUnread, markAllRead, markRead } from './reading.ts'
import { listMessages, MessageView, viewMessage } from './ticket-view.ts'
import { getTicket } from './tickets.ts'

const inTicket = Closed({ ticket_id: Id })
const params = Closed({ ticket_id: Id, id: Id })
const Content = Type.String({ minLength: 1, maxLength: 100_000, pattern: '\\S', description: 'Plain text' })

const listMessagesRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/messages',
  may: 'ticket.read',
  summary: 'The conversation of a ticket, oldest first',
  description: 'Requesters do not see internal notes, nor that there are any.',
  params: inTicket,
  query: Closed({ ...pageQuery, sort: Type.Optional(OneOf(['created_at', '-created_at'])) }),
  replies: { 200: Page(MessageView), 404: Problem },
  run: async ({ tx, actor, params: { ticket_id }, query }) => {
    await getTicket(tx, actor, ticket_id)
    return listMessages(tx, actor, ticket_id, query)
  },
})

const postMessageRoute = route({
  method: 'POST',
  path: '/tickets/:ticket_id/messages',
  may: 'ticket.write',
  summary: 'Write in a ticket',
  description:
    'A public answer of the help desk puts the ticket in progress, or where `status` says; whoever answers what nobody has, has ' +
    'it then. A word of the requester brings a ticket back that was resolved or closed not long ago; later, it opens a new ' +
    'ticket that follows it: the reply then names that one in ticket_id.',
  params: inTicket,
  body: Closed({
    content: Content,
    is_internal: Type.Optional(Type.Boolean({ description: 'A note that requesters never see' })),
    status: Type.Optional(OneOf(['in_progress', 'waiting_customer', 'resolved'])),
    mentions: Type.Optional(
      Type.Array(Id, { maxItems: 20, description: 'Colleagues to call in: they follow the ticket, and see it' }),
    ),
    if_last_message_id: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        format: 'uuid',
        description:
          'The last message that the author has seen, null where there was none: 409 answered_meanwhile, with ' +
          'last_message_id, when there is a later one',
      }),
    ),
  }),
  replies: { 201: MessageView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { ticket_id }, body, services }) => {
    const { message, ticket } = await postMessage(tx, actor, ticket_id, body, services)
    const place = `/tickets/${ticket.id}/messages/${message.id}`
    return created(await viewMessage(tx, actor, message), place, message.version)
  },
})

const unreadCountRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/messages/unread-count',
  may: 'ticket.read',
  summary: 'How many messages of others whoever asks has not read',
  params: inTicket,
  replies: { 200: Type.Object({ count: Type.Integer() }), 404: Problem },
  run: async ({ tx, actor, params: { ticket_id } }) => ({ count: await countUnread(tx, actor, ticket_id) }),
})

const markAllReadRoute = route({
  method: 'POST',
  path: '/tickets/:ticket_id/messages/mark-all-read',
  may: 'ticket.read',
  summary: 'Mark every message as read by whoever asks',
  params: inTicket,
  replies: { 200: Type.Object({ message: Type.String(), count: Type.Integer() }), 404: Problem },
  run: async ({ tx, actor, params: { ticket_id } }) => {
    const count = await markAllRead(tx, actor, ticket_id)
    return { message: 'Everything is marked as read.', count }
  },
})

const showMessageRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/messages/:id',
  may: 'ticket.read',
  summary: 'One message',
  params,
  replies: { 200: MessageView, 404: Problem },
  run: async ({ tx, actor, params: { ticket_id, id } }) => {
    const message = await getMessage(tx, actor, ticket_id, id)
    return record(await viewMessage(tx, actor, message), message.version)
  },
})

const [replaceMessageRoute, changeMessageRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tickets/:ticket_id/messages/:id',
    may: 'ticket.write',
    summary: 'Put other words into a message of one’s own; what it said stays in its history',
    params,
    body: Closed({ content: Content }),
    replies: { 200: MessageView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { ticket_id: ticketId, id }, body, ifVersion }) => {
      const message = await editMessage(tx, actor, { ticketId, id }, body.content, ifVersion)
      return record(await viewMessage(tx, actor, message), message.version)
    },
  }),
)

const deleteMessageRoute = route({
  method: 'DELETE',
  path: '/tickets/:ticket_id/messages/:id',
  may: 'ticket.write',
  summary: 'Delete a message of one’s own; admins may delete any',
  params,
  replies: { 200: Message, 404: Problem, 409: Problem, 412: Problem },
  run: async ({ tx, actor, params: { ticket_id: ticketId, id }, ifVersion }) => {
    await deleteMessage(tx, actor, { ticketId, id }, ifVersion)
    return { message: 'The message was deleted.' }
  },
})

const markReadRoute = route({
  method: 'POST',
  path: '/tickets/:ticket_id/messages/:id/mark-read',
  may: 'ticket.read',
  summary: 'Mark a message as read by whoever asks',
  params,
  replies: { 200: Message, 404: Problem },
  run: async ({ tx, actor, params: { ticket_id, id } }) => {
    await markRead(tx, actor, ticket_id, id)
    return { message: 'The message is marked as read.' }
  },
})

const versionsRoute = route({
  method: 'GET',
  path: '/tickets/:ticket_id/messages/:id/versions',
  may: 'ticket.work',
  summary: 'What a message said before it was changed or deleted, oldest first',
  params,
  replies: {
    200: Type.Object({
      data: Type.Array(
        Type.Object({
          version: Type.Integer(),
          content: Type.String(),
          what: OneOf(['edited', 'deleted']),
          ended_at: Timestamp,
          ended_by_name: Type.String(),
        }),
      ),
    }),
    404: Problem,
  },
  run: async ({ tx, actor, params: { ticket_id, id } }) => ({ data: await listVersions(tx, actor, ticket_id, id) }),
})

export const messageRoutes = [
  listMessagesRoute,
  postMessageRoute,
  unreadCountRoute,
  markAllReadRoute,
  showMessageRoute,
  replaceMessageRoute!,
  changeMessageRoute!,
  deleteMessageRoute,
  markReadRoute,
  versionsRoute,
]
