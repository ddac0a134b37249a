/** What is known of a ticket, and how more becomes known: pure, in whatever order it comes. */
import { earlier } from './order-state.ts'

export const ticketVerbs = ['created', 'resolved', 'closed', 'reopened'] as const
export type TicketVerb = (typeof ticketVerbs)[number]

export interface TicketState {
  key: string
  contactId: string | null
  number: string
  subject: string
  openedAt: string | null
  /** The last time of each, since a ticket can be opened again. */
  resolvedAt: string | null
  closedAt: string | null
  reopenedAt: string | null
  /** Into another ticket, and out of it again. */
  mergedAt: string | null
  unmergedAt: string | null
  told: string
}

export function joinTickets(one: TicketState, other: TicketState): TicketState {
  const { number, subject, told } = one.told >= other.told ? one : other
  return {
    key: one.key,
    contactId: one.contactId ?? other.contactId,
    number,
    subject,
    openedAt: earlier(one.openedAt, other.openedAt),
    resolvedAt: later(one.resolvedAt, other.resolvedAt),
    closedAt: later(one.closedAt, other.closedAt),
    reopenedAt: later(one.reopenedAt, other.reopenedAt),
    mergedAt: later(one.mergedAt, other.mergedAt),
    unmergedAt: later(one.unmergedAt, other.unmergedAt),
    told,
  }
}

export function isOpen({ resolvedAt, closedAt, reopenedAt }: TicketState): boolean {
  const ended = later(resolvedAt, closedAt)
  return ended === null || (reopenedAt !== null && reopenedAt > ended)
}

/** Part of another ticket, which counts in its place. */
export function isMerged({ mergedAt, unmergedAt }: TicketState): boolean {
  return mergedAt !== null && (unmergedAt === null || unmergedAt < mergedAt)
}

function later(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return one >= other ? one : other
}
