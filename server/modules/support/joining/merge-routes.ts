/** The doors of merging tickets: do it, look it up, take it back. */
import { Type } from 'typebox'
import { Reply, route } from '#platform/http/route.ts'
import { Closed, Id, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { nameAgents, ticketFields, TicketView, viewTicket, viewUnnamed } from '../ticket-view.ts'
import { getTicket } from '../tickets.ts'
import { duplicatesMax, mergeTickets } from './merge.ts'
import { getTicketMerge, listTicketMerges, TicketMergeView, viewMerge } from './merges.ts'
import { undoDays, undoTicketMerge } from './undo.ts'

const params = Closed({ id: Id })

const mergeRoute = route({
  method: 'POST',
  path: '/tickets/:id/merge',
  may: 'ticket.work',
  summary: 'Merge duplicates into a ticket',
  description:
    'Messages, files, followers and tags of the duplicates go to the ticket; a description becomes a message there. The ' +
    'duplicates are closed, asking for one answers 404 with `merged_into`, and answers by mail or by the public page reach the ' +
    'ticket. Of another requester the words are for the help desk alone, and that person takes no part. ' +
    `It can be undone for ${undoDays} days. If-Match names the version of the ticket.`,
  params,
  body: Closed({
    duplicate_ids: Type.Array(Id, { minItems: 1, maxItems: duplicatesMax }),
    different_requesters: Type.Optional(
      Type.Boolean({ description: 'Needed where the tickets are of different people; 409 says which' }),
    ),
  }),
  replies: { 200: Type.Object({ ...ticketFields, merge_id: Id }), 404: Problem, 409: Problem, 412: Problem },
  run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
    const { ticket, mergeId } = await mergeTickets(tx, actor, id, body, ifVersion)
    const view = { ...(await viewTicket(tx, actor, ticket)), merge_id: mergeId }
    return new Reply(200, view, { etag: `"v${ticket.version}"` })
  },
})

const listMergesRoute = route({
  method: 'GET',
  path: '/tickets/:id/merges',
  may: 'ticket.work',
  summary: 'What was merged into a ticket, the newest first',
  params,
  query: Closed(pageQuery),
  replies: { 200: Page(TicketMergeView), 404: Problem },
  run: async ({ tx, actor, params: { id }, query }) => {
    await getTicket(tx, actor, id)
    return listTicketMerges(tx, id, query)
  },
})

const showMergeRoute = route({
  method: 'GET',
  path: '/tickets/merges/:id',
  may: 'ticket.work',
  summary: 'One merge of tickets',
  params,
  replies: { 200: TicketMergeView, 404: Problem },
  run: async ({ tx, actor, params: { id } }) => viewMerge(await getTicketMerge(tx, actor, id)),
})

const undoMergeRoute = route({
  method: 'POST',
  path: '/tickets/merges/:id/undo',
  may: 'ticket.work',
  summary: 'Undo a merge of tickets: every message returns to its ticket',
  description:
    'What was said in the ticket since stays there; `merge.kept` counts messages that were moved on or removed meanwhile. ' +
    'Merges of one ticket are undone in the opposite order.',
  params,
  replies: {
    200: Type.Object({ ticket: TicketView, restored: Type.Array(Type.Object(ticketFields)), merge: TicketMergeView }),
    404: Problem,
    409: Problem,
  },
  run: async ({ tx, actor, params: { id } }) => {
    const { ticket, restored, merge } = await undoTicketMerge(tx, actor, id)
    return {
      ticket: await viewTicket(tx, actor, ticket),
      restored: await nameAgents(
        tx,
        restored.map((row) => viewUnnamed(actor, row)),
      ),
      merge: viewMerge(merge),
    }
  },
})

export const ticketMergeRoutes = [mergeRoute, listMergesRoute, showMergeRoute, undoMergeRoute]
