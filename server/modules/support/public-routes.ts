/**
 * The doors of people without an account. The token comes in a header, never in an address that logs and other pages would
 * see. What is wrong with it is not said: 404, always.
 */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { NotFound, TooMany } from '#platform/errors.ts'
import { Reply, streamRoute } from '#platform/http/route.ts'
import { Closed, Email, Id, NullableText, OneOf, Problem, Timestamp } from '#platform/http/shapes.ts'
import { networkOf } from '#platform/limits/network.ts'
import type { Runtime } from '#platform/services.ts'
import { defaultWorkspaceId, findWorkspaceId } from '#modules/accounts/index.ts'
import { chooseLanguage } from '#modules/contacts/index.ts'
import {
  addPublicMessage,
  findPublicTicket,
  openPublicTicket,
  publicMessages,
  readToken,
  type PublicMessages,
} from './public-tickets.ts'

import { priorities, ticketStatuses, type Ticket, type TicketMessage } from './tables.ts'

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
    const workspaceId = await requireWorkspace(runtime, workspace)
    const { website, language = chooseLanguage(null, request.headers['accept-language']), ...input } = body
    if (website) throw new TooMany('too_many_tickets', 'Too many tickets were opened. Try again later.')
    await limitOpening(runtime, { workspaceId, email: input.email, ip })
    const { ticket, token } = await runtime.db.transaction(workspaceId, (tx) =>
      openPublicTicket(tx, runtime, { ...input, language }),
    )
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
  description: 'Public messages alone. What is missing, wrong or another’s looks the same: 404.',
  params: Closed({ ticket_number: Type.String({ maxLength: 100 }) }),
  query,
  replies: { 200: PublicTicket, 404: Problem },
  stream: async ({ params, query: { workspace }, runtime, request }) => {
    const asked = { address: params.ticket_number, token: tokenOf(request) }
    const workspaceId = await workspaceOf(runtime, asked.token, workspace)
    const view = await runtime.db.transaction(workspaceId, async (tx) => {
      const ticket = await findPublicTicket(tx, runtime, asked)
      return viewPublic(ticket, await publicMessages(tx, ticket))
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
    const workspaceId = await workspaceOf(runtime, asked.token, workspace)
    await limitWriting(runtime, { workspaceId, address: asked.address, ip })
    const said = await runtime.db.transaction(workspaceId, (tx) => addPublicMessage(tx, runtime, asked, body.content))
    return new Reply(201, viewSaid(said), unlinked)
  },
})

export const publicRoutes = [openRoute, showRoute, messageRoute]

/** The address of such a page is not to be told to the next one, nor kept by anybody. */
const unlinked = { 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-robots-tag': 'noindex, nofollow' }

function tokenOf(request: FastifyRequest): string | null {
  const header = request.headers['x-ticket-token']
  return typeof header === 'string' && header ? header : null
}

/** A token says which workspace it is for, under our signature; one that does not is nobody's. */
async function workspaceOf(runtime: Runtime, token: string | null, slug: string | undefined): Promise<string> {
  const { publicAccess } = runtime.config.tickets
  if (token !== null && publicAccess !== 'off') {
    const holder = readToken(runtime, token)
    if (holder) return holder.workspaceId
  }
  if (token !== null || publicAccess !== 'number') throw new NotFound('ticket')
  return requireWorkspace(runtime, slug)
}

async function requireWorkspace(runtime: Runtime, slug: string | undefined): Promise<string> {
  if (runtime.config.tickets.publicAccess === 'off') throw new NotFound('ticket')
  const id = slug === undefined ? await defaultWorkspaceId(runtime.db) : await findWorkspaceId(runtime.db, slug)
  if (!id) throw new NotFound('workspace')
  return id
}

const hourMs = 3_600_000

/** By network and by address: whoever has many of the one still has few of the other. */
async function limitOpening(
  { limits, tokens }: Runtime,
  { workspaceId, email, ip }: { workspaceId: string; email: string; ip: string },
): Promise<void> {
  const address = tokens.fingerprint('support.limit', email.trim().toLowerCase()).toString('base64url')
  await takeEach(limits, [
    [`ticket:network:${networkOf(ip)}`, 30],
    [`ticket:address:${workspaceId}:${address}`, 10],
  ])
}

async function limitWriting(
  { limits }: Runtime,
  { workspaceId, address, ip }: { workspaceId: string; address: string; ip: string },
): Promise<void> {
  await takeEach(limits, [
    [`word:network:${networkOf(ip)}`, 120],
    [`word:ticket:${workspaceId}:${address.toLowerCase()}`, 60],
  ])
}

async function takeEach(limits: Runtime['limits'], keys: [string, number][]): Promise<void> {
  for (const [key, limit] of keys) {
    const { allowed, resetMs } = await limits.take(`support:${key}`, { limit, windowMs: hourMs })
    if (allowed) continue
    const retryAfterSeconds = Math.ceil(resetMs / 1_000)
    throw new TooMany('too_many_tickets', 'Too much was sent from here. Try again later.', { retryAfterSeconds })
  }
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
