/** The door of splitting a ticket. */
import { Type } from 'typebox'
import { created, route } from '#platform/http/route.ts'
import { Closed, Id, Problem } from '#platform/http/shapes.ts'
import { ticketFields, viewTicket } from '../ticket-view.ts'
import { splitMax, splitTicket } from './split.ts'

const splitRoute = route({
  method: 'POST',
  path: '/tickets/:id/split',
  may: 'ticket.work',
  summary: 'Open a ticket of its own for some messages of a ticket',
  description:
    'The messages, with their files, move to a new ticket of the same requester, which is linked to this one. Merging the new ' +
    'ticket into this one takes it back. If-Match names the version of this ticket.',
  params: Closed({ id: Id }),
  body: Closed({
    message_ids: Type.Array(Id, { minItems: 1, maxItems: splitMax }),
    subject: Type.String({ minLength: 1, maxLength: 300, pattern: '\\S' }),
  }),
  replies: { 201: Type.Object(ticketFields), 404: Problem, 409: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, body, services, ifVersion }) => {
    const ticket = await splitTicket(tx, actor, id, body, { services, ifVersion })
    return created(await viewTicket(tx, actor, ticket), `/tickets/${ticket.id}`, ticket.version)
  },
})

export const splitRoutes = [splitRoute]
