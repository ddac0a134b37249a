/**
 * The doors of people without an account. The token comes in a header, never in an address that logs and other pages would
 * see. What is wrong with it is not said: 404, always.
 */
import { Type } from 'typebox'
import { NotFound, TooMany } from '#platform/errors.ts'
import { Reply, route, streamRoute } from '#platform/http/route.ts'
import { Closed, Email, Id, NullableText, OneOf, Problem, Timestamp } from '#platform/http/shapes.ts'
import { chooseLanguage } from '#modules/contacts/index.ts'
import { asHolder, requireWorkspace, tokenOf } from './holder.ts'
import { evenOut, limitOpening } from './limits.ts'
import {
  addPublicMessage,
  findPublicTicket,
  openPublicTicket,
  publicMessages,
  replaceOwnToken,
  replaceTokenOf,
  type Opened,
  type PublicMessages,
} from './tickets.ts'
import { priorities, ticketStatuses, type Ticket, type TicketMessage } from '../tables.ts'

const query = Closed({
  workspace: Type.Optional(Type.String({ maxLength: 100, description: 'Slug; without it, the first workspace' })),
})
const Words = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '\\S' })

const PublicMessage = Type.Object(
  {
    id: Id,
    author_kind: OneOf(['requester', 'house', 'program']),
    author_name: Type.String(),
    content: Type.String(),
    created_at: Timestamp,
  },
  { $id: 'PublicMessage' },
)

const PublicTicket = Type.Object(
  {
    id: Id,
    ticket_number: Type.String(),
    subject: Type.String(),
    description: Type.String(),
    status: OneOf(ticketStatuses),
    priority: OneOf(priorities),
    category: NullableText,
    resolution_notes: NullableText,
    created_at: Timestamp,
    updated_at: Timestamp,
    messages: Type.Array(PublicMessage, { description: 'Public ones, oldest first; the newest 200' }),
    has_more: Type.Boolean({ description: 'Whether there are older messages than these' }),
  },
  { $id: 'PublicTicket' },
)

const openRoute = streamRoute({
  method: 'POST',
  path: '/public/tickets',
  may: 'public',
  rate: '30/minute',
  summary: 'Open a ticket without an account',
  description:
    'Keep the access_token: it is the only way back to the ticket, and is shown once. Nothing is sent to the address. ' +
    '`website` is a trap for robots: leave it empty and hide it.',
  query,
  body: Closed({
    email: Email,
    name: Type.Optional(Type.String({ maxLength: 200 })),
    subject: Words(300),
    description: Words(50_000),
    category: Type.Optional(Type.String({ maxLength: 100 })),
    language: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$', maxLength: 35 })),
    website: Type.Optional(Type.String({ maxLength: 1_000 })),
  }),
  replies: {
    201: Type.Object({
      ticket_number: Type.String(),
      id: Id,
      access_token: Type.String({ description: 'For X-Ticket-Token' }),
      status: OneOf(ticketStatuses),
    }),
    404: Problem,
  },
  stream: async ({ body, query: { workspace }, runtime, request, ip }) => {
    const begunAt = performance.now()
    const workspaceId = await requireWorkspace(runtime, workspace)
    const { website, language = chooseLanguage(null, request.headers['accept-language']), ...input } = body
    if (website) throw new TooMany('too_many_tickets', 'Too many tickets were opened. Try again later.')
    await limitOpening(runtime, { workspaceId, email: input.email, ip })
    const { ticket, token } = await runtime.db.transaction(workspaceId, (tx) =>
      openPublicTicket(tx, runtime, { ...input, language }),
    )
    await evenOut(begunAt)
    const { ticket_number, id, status } = ticket
    const location = `/api/v1/public/tickets/${ticket_number}`
    return new Reply(201, { ticket_number, id, access_token: token, status }, { location, ...unlinked })
  },
})

const showRoute = streamRoute({
  method: 'GET',
  path: '/public/tickets/:ticket_number',
  may: 'public',
  rate: '120/minute',
  summary: 'A ticket, by its token in X-Ticket-Token, or by a number that cannot be guessed',
  description:
    'Public messages alone, and those that were said in this ticket. What is missing, wrong or another’s looks the same: 404; so ' +
    'does a ticket whose requester has written by mail or from an account, unless the help desk gave the token. Whoever is wrong about one ticket too often hears 429 instead, wherever they ask from; the right token goes on working.',
  params: Closed({ ticket_number: Type.String({ maxLength: 100 }) }),
  query,
  replies: { 200: PublicTicket, 404: Problem },
  stream: async ({ params, query: { workspace }, runtime, request, ip }) => {
    const asked = { address: params.ticket_number, token: tokenOf(request) }
    const view = await asHolder(runtime, { asked, workspace, ip }, async (tx) => {
      const found = await findPublicTicket(tx, runtime, asked)
      return viewPublic(found.own, await publicMessages(tx, found))
    })
    return new Reply(200, view, unlinked)
  },
})

const messageRoute = streamRoute({
  method: 'POST',
  path: '/public/tickets/:ticket_id/messages',
  may: 'public',
  rate: '30/minute',
  summary: 'Write in a ticket, by its token in X-Ticket-Token, or by a number that cannot be guessed',
  description:
    'Brings back a ticket that was resolved or closed not long ago. Later it opens a new one that follows it: the reply then ' +
    'names that one, with a token of its own.',
  params: Closed({ ticket_id: Type.String({ maxLength: 100, description: 'The id, or the number' }) }),
  query,
  body: Closed({ content: Words(50_000) }),
  replies: {
    201: Type.Object({
      id: Id,
      ticket_id: Id,
      ticket_number: Type.String(),
      author_kind: OneOf(['requester', 'house', 'program']),
      author_name: Type.String(),
      content: Type.String(),
      created_at: Timestamp,
      access_token: Type.Optional(Type.String({ description: 'Of the ticket that follows the old one' })),
    }),
    404: Problem,
  },
  stream: async ({ params, query: { workspace }, body, runtime, request, ip }) => {
    const asked = { address: params.ticket_id, token: tokenOf(request) }
    const said = await asHolder(runtime, { asked, workspace, ip, writes: true }, (tx) =>
      addPublicMessage(tx, runtime, asked, body.content),
    )
    return new Reply(201, viewSaid(said), unlinked)
  },
})

const Replaced = Type.Object({
  ticket_number: Type.String(),
  id: Id,
  access_token: Type.String({ description: 'For X-Ticket-Token; shown once' }),
})

const replaceOwnTokenRoute = streamRoute({
  method: 'POST',
  path: '/public/tickets/:ticket_id/access-token',
  may: 'public',
  rate: '10/minute',
  summary: 'Replace the token of a ticket, by the present one in X-Ticket-Token',
  description:
    'For when somebody else has it. The present one is dead at once, wherever it was sent on to; so is a number that opened ' +
    'the ticket.',
  params: Closed({ ticket_id: Type.String({ maxLength: 100, description: 'The id, or the number' }) }),
  replies: { 201: Replaced, 404: Problem },
  stream: async ({ params, runtime, request, ip }) => {
    const token = tokenOf(request)
    if (token === null) throw new NotFound('ticket')
    const asked = { address: params.ticket_id, token }
    const opened = await asHolder(runtime, { asked, ip, writes: true }, (tx) => replaceOwnToken(tx, runtime, asked))
    return new Reply(201, viewReplaced(opened), unlinked)
  },
})

const replaceTokenRoute = route({
  method: 'POST',
  path: '/tickets/:id/access-token',
  may: 'ticket.work',
  summary: 'Replace the token by which somebody without an account comes back to a ticket',
  description:
    'Each one that was given out before is dead at once, and the history of the ticket says who did it. The new one opens the ' +
    'ticket also after its requester has written by mail: give it to that person alone, or to nobody; 409 where the ticket was not opened without an account.',
  params: Closed({ id: Id }),
  replies: { 201: Replaced, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, services }) =>
    new Reply(201, viewReplaced(await replaceTokenOf(tx, services, actor, id)), unlinked),
})

export const publicRoutes = [openRoute, showRoute, messageRoute, replaceOwnTokenRoute, replaceTokenRoute]

/** The address of such a page is not to be told to the next one, nor kept by anybody. */
const unlinked = { 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-robots-tag': 'noindex, nofollow' }

function viewReplaced({ ticket, token }: Opened) {
  return { ticket_number: ticket.ticket_number, id: ticket.id, access_token: token }
}

function viewPublic(ticket: Ticket, { messages, hasMore }: PublicMessages) {
  return {
    id: ticket.id,
    ticket_number: ticket.ticket_number,
    subject: ticket.subject,
    description: ticket.description,
    status: ticket.status,
    priority: ticket.priority,
    category: ticket.category,
    resolution_notes: ticket.resolution_notes,
    created_at: ticket.created_at,
    updated_at: ticket.updated_at,
    messages,
    has_more: hasMore,
  }
}

function viewSaid({ message, ticket, newToken }: { message: TicketMessage; ticket: Ticket; newToken: string | null }) {
  const { id, author_kind, author_name, content, created_at } = message
  const { id: ticket_id, ticket_number } = ticket
  return {
    id,
    ticket_id,
    ticket_number,
    author_kind,
    author_name,
    content,
    created_at,
    ...(newToken ? { access_token: newToken } : {}),
  }
}
