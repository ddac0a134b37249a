/** How it went, in the requester's words: once per ticket, after its end. It changes nothing else about the ticket. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, Gone } from '#platform/errors.ts'
import { record, tell } from '../ticket-events.ts'
import { isEnded } from '../ticket-status.ts'
import type { Ticket } from '../tables.ts'

export interface Rating {
  rating: number
  comment?: string | null
}

/** The caller holds the ticket. Who rates twice, or a ticket in work, is told so. */
export async function rateTicket(tx: Tx, actor: Actor, ticket: Ticket, { rating, comment }: Rating): Promise<Ticket> {
  if (ticket.satisfaction_rating !== null) {
    throw new Gone('already_rated', 'This ticket has been rated already. Thank you.')
  }
  if (!isEnded(ticket.status)) {
    throw new Conflict('ticket_in_work', 'This ticket is still in work. It can be rated once it is resolved.')
  }
  const rated = await tx.sql
    .updateTable('support.tickets')
    .set({ satisfaction_rating: rating, satisfaction_comment: comment?.trim() || null, satisfaction_at: tx.now })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', ticket.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  await record(tx, actor, ticket.id, [{ type: 'satisfaction', to: String(rating) }])
  await tell(tx, 'ticket.satisfaction.received', rated, {
    rating,
    satisfaction_rating: rating,
    satisfaction_comment: rated.satisfaction_comment,
  })
  return rated
}
