/** The doors of links between tickets. */
import { Type } from 'typebox'
import { created, route } from '#platform/http/route.ts'
import { Closed, Id, Message, OneOf, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import { ticketStatuses } from '../tables.ts'
import { linkTickets, listLinks, relations, unlinkTickets } from './links.ts'
import { linkKinds } from './tables.ts'

const params = Closed({ id: Id })

const LinkView = Type.Object(
  {
    id: Id,
    kind: OneOf(linkKinds, { description: 'As the link was made' }),
    relation: OneOf(relations, {
      description: 'How it reads from the ticket that was asked for: blocks, blocked_by …',
    }),
    created_at: Timestamp,
    ticket: Type.Object({
      id: Id,
      ticket_number: Type.String(),
      subject: Type.String(),
      status: OneOf(ticketStatuses),
    }),
  },
  { $id: 'TicketLink' },
)

const listLinksRoute = route({
  method: 'GET',
  path: '/tickets/:id/links',
  may: 'ticket.work',
  summary: 'Tickets that have to do with this one, in either direction',
  description:
    'Oldest link first; those to tickets that the reader may not see are left out. Links of what was merged into the ticket ' +
    'are its own. `may_belong_to` is made by the program, where a mail named a ticket and could not be believed: merge the one ' +
    'into the other if they are one.',
  params,
  query: Closed(pageQuery),
  replies: { 200: Page(LinkView), 404: Problem },
  run: ({ tx, actor, params: { id }, query }) => listLinks(tx, actor, id, query),
})

const linkRoute = route({
  method: 'POST',
  path: '/tickets/:id/links',
  may: 'ticket.work',
  summary: 'Link a ticket to another',
  description:
    'Read from the ticket in the address: it is related to, a duplicate of, blocks, causes or may belong to the other.',
  params,
  body: Closed({ ticket_id: Id, kind: OneOf(linkKinds) }),
  replies: { 201: LinkView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id }, body }) =>
    created(await linkTickets(tx, actor, id, body), `/tickets/${id}/links`),
})

const unlinkRoute = route({
  method: 'DELETE',
  path: '/tickets/:id/links/:link_id',
  may: 'ticket.work',
  summary: 'Take a link away, from either end',
  params: Closed({ id: Id, link_id: Id }),
  replies: { 200: Message, 404: Problem },
  run: async ({ tx, actor, params: { id, link_id } }) => {
    await unlinkTickets(tx, actor, id, link_id)
    return { message: 'The link was taken away.' }
  },
})

export const ticketLinkRoutes = [listLinksRoute, linkRoute, unlinkRoute]
