/** The doors of the ticket record. */
import { Type } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  JsonObject,
  Message,
  NullableText,
  OneOf,
  Page,
  Problem,
  Text,
  TextOrNull,
} from '#platform/http/shapes.ts'
import { openTicket } from './opening.ts'
import { lockTicket, deleteTicket, getTicket, restoreTicket, updateTicket } from './tickets.ts'
import { AttachmentView, viewAttachment } from './attachment-view.ts'
import { listAttachments } from './attachments.ts'
import { readThrough } from './cached-reads.ts'
import { closeTicket, giveTicket, resolveTicket, takeBack } from './moves.ts'
import { listTickets, TicketListQuery, ticketSorts } from './ticket-query.ts'
import {
  listMessages,
  MessageView,
  ticketFields,
  nameAgents,
  TicketView,
  viewTicket,
  viewUnnamed,
} from './ticket-view.ts'
import { openView } from './views/open.ts'
import { priorities, ticketSources, ticketStatuses } from './tables.ts'

const params = Closed({ id: Id })

const words = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '\\S', ...(description ? { description } : {}) })
const optional = {
  priority: Type.Optional(OneOf(priorities)),
  category: Type.Optional(TextOrNull(100, 'Such as billing, technical, product')),
  source: Type.Optional(OneOf(ticketSources)),
  tags: Type.Optional(Type.Array(words(50), { maxItems: 50, description: 'Set by the help desk alone' })),
  metadata: Type.Optional(Type.Unsafe<Record<string, unknown>>({ ...JsonObject, maxProperties: 50 })),
  internal_notes: Type.Optional(TextOrNull(50_000, 'Seen and set by the help desk alone')),
  contact_name: Type.Optional(Text(200)),
  assigned_to: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      format: 'uuid',
      description: 'A member who works at the help desk; null: nobody. Set by the help desk alone',
    }),
  ),
}

const NewTicketBody = Closed({
  subject: words(300),
  description: words(50_000),
  ...optional,
  contact_id: Type.Optional(Id),
  contact_email: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
})

const TicketChangeBody = Closed({
  subject: Type.Optional(words(300)),
  description: Type.Optional(words(50_000)),
  ...optional,
  resolution_notes: Type.Optional(TextOrNull(50_000)),
  status: Type.Optional(OneOf(ticketStatuses)),
})

const listTicketsRoute = route({
  method: 'GET',
  path: '/tickets',
  may: 'ticket.read',
  summary: 'Tickets: searched, filtered, sorted, page by page',
  description:
    'People see their own tickets; agents also those that are given to them, those that nobody has yet, and those that a ' +
    `colleague called them into; admins see all. Sort by ${ticketSorts.join(', ')}, with a leading - for the other ` +
    'direction; the newest come first unless told otherwise. Of a search for words that very many say, the total may be ' +
    'at_least a smaller number than 10,000; count=exact counts them all.',
  query: TicketListQuery,
  replies: { 200: Page(TicketView) },
  run: async ({ tx, actor, query, services }) => {
    const asked = await openView(tx, actor, query)
    const read = () => listTickets(tx, actor, asked, (row) => viewUnnamed(actor, row))
    // What is late becomes so without anything being written.
    const isOfNow = [asked, asked.within].some((one) => one?.overdue !== undefined || one?.at_risk !== undefined)
    const found = isOfNow ? await read() : await readThrough(tx, services, actor, 'ticket_list', asked, read)
    return { ...found, data: await nameAgents(tx, found.data) }
  },
})

const openTicketRoute = route({
  method: 'POST',
  path: '/tickets',
  may: 'ticket.write',
  summary: 'Open a ticket',
  description:
    'For oneself; the help desk may open one for somebody else, by contact_id or contact_email, who is found or made a ' +
    'contact.',
  body: NewTicketBody,
  replies: { 201: TicketView },
  run: async ({ tx, actor, body, services }) => {
    const ticket = await openTicket(tx, actor, body, services)
    return created(await viewTicket(tx, actor, ticket), `/tickets/${ticket.id}`, ticket.version)
  },
})

const TicketDetails = Type.Object({
  ...ticketFields,
  messages: Type.Array(MessageView, { description: 'The conversation, oldest first; the first 200' }),
  messages_next_cursor: NullableText,
  attachments: Type.Array(AttachmentView, { description: 'Of the ticket and of its messages' }),
})

const showTicketRoute = route({
  method: 'GET',
  path: '/tickets/:id',
  may: 'ticket.read',
  summary: 'One ticket, with its conversation and its files',
  params,
  query: Closed({ deleted: Type.Optional(Type.Boolean({ description: 'Also when it is deleted; for admins' })) }),
  replies: { 200: TicketDetails, 404: Problem },
  run: async ({ tx, actor, params: { id }, query, services }) => {
    const isAdmin = actor.role === 'owner' || actor.role === 'admin'
    const deletedToo = isAdmin && query.deleted === true
    const { version, ...kept } = await readThrough(tx, services, actor, 'ticket', [id.toLowerCase(), deletedToo], () =>
      readDetails(tx, actor, id, deletedToo),
    )
    const [details] = await nameAgents(tx, [kept])
    return record(details!, version)
  },
})

async function readDetails(tx: Tx, actor: Actor, id: string, deletedToo: boolean) {
  const ticket = await getTicket(tx, actor, id, { deletedToo })
  const thread = await listMessages(tx, actor, id, { limit: 200 })
  return {
    ...viewUnnamed(actor, ticket),
    messages: thread.data,
    messages_next_cursor: thread.next_cursor,
    attachments: (await listAttachments(tx, actor, id)).map((each) => viewAttachment(actor, each)),
    version: ticket.version,
  }
}

const [replaceTicketRoute, changeTicketRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tickets/:id',
    may: 'ticket.write',
    summary: 'Change a ticket: the fields that are named are replaced, the others stay',
    description:
      'Requesters may put right the subject and the description. `status` follows the life of a ticket; what it does not ' +
      'allow is refused with what is possible instead.',
    params,
    body: TicketChangeBody,
    replies: { 200: TicketView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
      const ticket = await updateTicket(tx, actor, id, body, ifVersion)
      return record(await viewTicket(tx, actor, ticket), ticket.version)
    },
  }),
)

const deleteTicketRoute = route({
  method: 'DELETE',
  path: '/tickets/:id',
  may: 'ticket.delete',
  summary: 'Delete a ticket; it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, ifVersion }) => {
    await deleteTicket(tx, actor, id, ifVersion)
    return { message: 'The ticket was deleted. It can be restored.' }
  },
})

const restoreTicketRoute = route({
  method: 'POST',
  path: '/tickets/:id/restore',
  may: 'ticket.delete',
  summary: 'Bring a deleted ticket back',
  params,
  replies: { 200: TicketView, 404: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const ticket = await restoreTicket(tx, actor, id)
    return record(await viewTicket(tx, actor, ticket), ticket.version)
  },
})

const assignTicketRoute = route({
  method: 'POST',
  path: '/tickets/:id/assign',
  may: 'ticket.work',
  summary: 'Give a ticket to an agent, or take it back',
  description: 'Null takes it back: the ticket is open again. Giving it to who has it changes nothing.',
  params,
  body: Closed({
    agent_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      format: 'uuid',
      description: 'A member who works at the help desk',
    }),
  }),
  replies: { 200: TicketView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, body: { agent_id: agentId } }) => {
    const ticket = await lockTicket(tx, actor, id)
    const given = agentId ? await giveTicket(tx, actor, ticket, agentId) : await takeBack(tx, actor, ticket)
    return record(await viewTicket(tx, actor, given), given.version)
  },
})

const resolveTicketRoute = route({
  method: 'POST',
  path: '/tickets/:id/resolve',
  may: 'ticket.work',
  summary: 'Resolve a ticket',
  description:
    'The requester reads the resolution. Resolving again replaces its words. What nobody had, the actor has then.',
  params,
  body: Closed({ resolution: words(50_000) }),
  replies: { 200: TicketView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const ticket = await resolveTicket(tx, actor, await lockTicket(tx, actor, id), body.resolution)
    return record(await viewTicket(tx, actor, ticket), ticket.version)
  },
})

const closeTicketRoute = route({
  method: 'POST',
  path: '/tickets/:id/close',
  may: 'ticket.write',
  summary: 'Close a ticket; requesters may close their own',
  params,
  replies: { 200: TicketView, 404: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const ticket = await closeTicket(tx, actor, await lockTicket(tx, actor, id))
    return record(await viewTicket(tx, actor, ticket), ticket.version)
  },
})

export const ticketRoutes = [
  listTicketsRoute,
  openTicketRoute,
  showTicketRoute,
  replaceTicketRoute!,
  changeTicketRoute!,
  deleteTicketRoute,
  restoreTicketRoute,
  assignTicketRoute,
  resolveTicketRoute,
  closeTicketRoute,
]
