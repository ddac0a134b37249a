/** What is told of tickets: to the ledger of each, to whoever listens for events, and to the screens that are open. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { writeLedger, writeLedgers, type LedgerEntry } from './ledger.ts'
import { keepClocks, keepFirstClocks, type ClockFields } from './sla/keeping.ts'
import { ticketData } from './ticket-data.ts'
import type { Ticket } from './tables.ts'

export type { LedgerEntry, LedgerType } from './ledger.ts'

/**
 * Clocks, statistics and the history of a ticket are folds over this. Call it when the row is written: what the clocks put on
 * the row is answered, for whoever has a copy of it.
 */
export async function record(
  tx: Tx,
  actor: Actor,
  ticketId: string,
  entries: LedgerEntry[],
): Promise<ClockFields | null> {
  if (!entries.length) return null
  await writeLedger(tx, actor, ticketId, entries)
  return keepClocks(tx, ticketId)
}

/** Of tickets that were just written: answers them with what the clocks put on them. */
export async function recordOpened(tx: Tx, actor: Actor, tickets: Ticket[]): Promise<Ticket[]> {
  await writeLedgers(
    tx,
    actor,
    tickets.map(({ id, priority, source, category }) => ({
      ticketId: id,
      entry: { type: 'created', to: 'open', data: { priority, source, category } },
    })),
  )
  const clocks = await keepFirstClocks(
    tx,
    tickets.map(({ id }) => id),
  )
  return tickets.map((ticket) => ({ ...ticket, ...clocks.get(ticket.id) }))
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
  | 'ticket.merged'
  | 'ticket.unmerged'
  | 'ticket.split'
  | 'ticket.message.new'
  | 'ticket.mentioned'
  | 'ticket.escalated'
  | 'ticket.satisfaction.received'

/** `more` is added to the ticket's own facts. Open screens hear the id alone, and read what they may. */
export async function tell(tx: Tx, event: TicketEventName, ticket: Ticket, more: object = {}): Promise<void> {
  await tellAll(tx, event, [{ ticket, more }])
}

export async function tellAll(
  tx: Tx,
  event: TicketEventName,
  told: readonly { ticket: Ticket; more: object }[],
): Promise<void> {
  await tx.publishAll(
    told.map(({ ticket, more }) => ({ event, subject: ticket.id, data: { ...ticketData(ticket), ...more } })),
  )
  for (const { ticket } of told) tx.notify('ticket', { id: ticket.id })
}
