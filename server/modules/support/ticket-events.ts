/** What is told of tickets: to the ledger of each, to whoever listens for events, and to the screens that are open. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { kindOf } from './access.ts'
import type { Ticket } from './tables.ts'

export type LedgerType =
  | 'created'
  | 'status'
  | 'assigned'
  | 'changed'
  | 'message'
  | 'first_response'
  | 'deleted'
  | 'restored'
  | 'escalated'
  | 'satisfaction'
  | 'merged'
  | 'deadline'

export interface LedgerEntry {
  type: LedgerType
  from?: string | null
  to?: string | null
  /** Ids, names of fields, numbers: never anybody's words, for the ledger outlives an erasure. */
  data?: Record<string, unknown>
  /** When it happened, where that is not now: a deadline is missed at its hour, whenever that is found out. */
  at?: Date
}

/** Clocks, statistics and the history of a ticket are folds over this. */
export async function record(tx: Tx, actor: Actor, ticketId: string, entries: LedgerEntry[]): Promise<void> {
  if (!entries.length) return
  const kind = kindOf(actor)
  await tx.sql
    .insertInto('support.ticket_events')
    .values(
      entries.map(({ type, from = null, to = null, data = {}, at = tx.now }) => ({
        workspace_id: tx.workspaceId,
        ticket_id: ticketId,
        type,
        at,
        actor_kind: kind,
        actor_id: kind === 'house' ? actor.id : null,
        from_value: from,
        to_value: to,
        data: JSON.stringify(data),
      })),
    )
    .execute()
}

export type TicketEventName =
  | 'ticket.created'
  | 'ticket.updated'
  | 'ticket.assigned'
  | 'ticket.resolved'
  | 'ticket.closed'
  | 'ticket.reopened'
  | 'ticket.deleted'
  | 'ticket.restored'
  | 'ticket.message.new'
  | 'ticket.mentioned'
  | 'ticket.escalated'
  | 'ticket.satisfaction.received'

/** `more` is added to the ticket's own facts. Open screens hear the id alone, and read what they may. */
export async function tell(tx: Tx, event: TicketEventName, ticket: Ticket, more: object = {}): Promise<void> {
  await tx.publish(event, ticket.id, { ...ticketData(ticket), ...more })
  await tx.notify('ticket', { id: ticket.id })
}

/** The document's fields and ours; no note, and nobody's address. */
function ticketData(ticket: Ticket): object {
  return {
    ticket_id: ticket.id,
    ticket_number: ticket.ticket_number,
    user_id: ticket.user_id,
    contact_id: ticket.contact_id,
    assigned_to: ticket.assigned_to,
    subject: ticket.subject,
    status: ticket.status,
    priority: ticket.priority,
    category: ticket.category,
    source: ticket.source,
    created_at: ticket.created_at,
  }
}
