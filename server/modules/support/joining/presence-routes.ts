/** The doors of presence at a ticket. */
import { Type } from 'typebox'
import { route } from '#platform/http/route.ts'
import { Closed, Id, Message, OneOf, Problem, Timestamp } from '#platform/http/shapes.ts'
import { leaveTicket, listPresent, presenceSeconds, sayPresent } from './presence.ts'
import { presenceStates } from './tables.ts'

const params = Closed({ id: Id })

const PresentList = Type.Object({
  data: Type.Array(
    Type.Object({
      user_id: Id,
      name: Type.String(),
      state: OneOf(presenceStates),
      since: Timestamp,
    }),
    { description: 'Everybody but whoever asks' },
  ),
})

const sayRoute = route({
  method: 'POST',
  path: '/tickets/:id/presence',
  may: 'ticket.work',
  summary: 'Say that one looks at a ticket, or writes in it; answers who else does',
  description:
    `Say it again every twenty seconds or so: after ${presenceSeconds} seconds of silence one is gone. On /events/stream the ` +
    'topic ticket.presence names the ticket at which somebody came, left, or began to write.',
  params,
  body: Closed({ state: OneOf(presenceStates) }),
  replies: { 200: PresentList, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => ({ data: await sayPresent(tx, actor, id, body.state) }),
})

const listRoute = route({
  method: 'GET',
  path: '/tickets/:id/presence',
  may: 'ticket.work',
  summary: 'Who else looks at a ticket, or writes in it',
  params,
  replies: { 200: PresentList, 404: Problem },
  run: async ({ tx, actor, params: { id } }) => ({ data: await listPresent(tx, actor, id) }),
})

const leaveRoute = route({
  method: 'DELETE',
  path: '/tickets/:id/presence',
  may: 'ticket.work',
  summary: 'Say that one has left a ticket',
  params,
  replies: { 200: Message, 404: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    await leaveTicket(tx, actor, id)
    return { message: 'You have left the ticket.' }
  },
})

export const presenceRoutes = [sayRoute, listRoute, leaveRoute]
