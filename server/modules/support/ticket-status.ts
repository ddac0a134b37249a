/**
 * The life of a ticket: pure, no I/O. What is open belongs to nobody yet; what is in work belongs to somebody. Closing is
 * possible from anywhere, and what is resolved or closed comes back by one move alone.
 */
import { Conflict } from '#platform/errors.ts'
import type { TicketStatus } from './tables.ts'

export const ticketMoves = ['assign', 'unassign', 'start', 'ask', 'answer', 'resolve', 'close', 'reopen'] as const
/**
 * `start`: the house works on it. `ask`: it waits for the requester. `answer`: the requester wrote. `reopen` leads to
 * `in_progress` where somebody has the ticket, and to `open` where nobody has.
 */
export type TicketMove = (typeof ticketMoves)[number]

/** From each status, the moves that it allows and where they lead. */
const table: Record<TicketStatus, Partial<Record<TicketMove, TicketStatus>>> = {
  open: {
    assign: 'assigned',
    start: 'in_progress',
    ask: 'waiting_customer',
    answer: 'open',
    resolve: 'resolved',
    close: 'closed',
  },
  assigned: {
    assign: 'assigned',
    unassign: 'open',
    start: 'in_progress',
    ask: 'waiting_customer',
    answer: 'assigned',
    resolve: 'resolved',
    close: 'closed',
  },
  in_progress: {
    assign: 'in_progress',
    unassign: 'open',
    start: 'in_progress',
    ask: 'waiting_customer',
    answer: 'in_progress',
    resolve: 'resolved',
    close: 'closed',
  },
  waiting_customer: {
    assign: 'waiting_customer',
    unassign: 'open',
    start: 'in_progress',
    ask: 'waiting_customer',
    answer: 'in_progress',
    resolve: 'resolved',
    close: 'closed',
  },
  resolved: { assign: 'resolved', unassign: 'resolved', resolve: 'resolved', close: 'closed', reopen: 'in_progress' },
  closed: { close: 'closed', reopen: 'in_progress' },
}

/** Whether the house still has something to do. */
export const isEnded = (status: TicketStatus): boolean => status === 'resolved' || status === 'closed'

/** Where a move leads; null when the status does not allow it. `hasAgent`: whether somebody has the ticket. */
export function nextStatus(from: TicketStatus, move: TicketMove, hasAgent: boolean): TicketStatus | null {
  const to = table[from][move] ?? null
  return move === 'reopen' && to && !hasAgent ? 'open' : to
}

/** The same, or `Conflict` with a sentence that says what is possible instead. */
export function followMove(from: TicketStatus, move: TicketMove, hasAgent: boolean): TicketStatus {
  const to = nextStatus(from, move, hasAgent)
  if (to) return to
  throw new Conflict(
    'ticket_status',
    `A ticket that is ${from} cannot be changed so (${move}); possible now: ${possibleMoves(from).join(', ')}.`,
  )
}

/** What somebody of the house may do now; `answer` is the requester's. */
export function possibleMoves(from: TicketStatus): TicketMove[] {
  return ticketMoves.filter((move) => move !== 'answer' && table[from][move])
}

/** By which move a status is reached that somebody asks for by its name; null where they are the same. */
export function moveTowards(from: TicketStatus, to: TicketStatus): TicketMove | null {
  if (from === to) return null
  if (to === 'resolved') return 'resolve'
  if (to === 'closed') return 'close'
  if (isEnded(from)) {
    if (to === 'open' || to === 'in_progress') return 'reopen'
    throw new Conflict('ticket_status', `A ticket that is ${from} comes back as in_progress, or open, first.`)
  }
  if (to === 'waiting_customer') return 'ask'
  if (to === 'in_progress') return 'start'
  if (to === 'open') return 'unassign'
  if (from === 'open') {
    throw new Conflict('ticket_unassigned', 'Nobody has this ticket yet. Name an agent in assigned_to.')
  }
  throw new Conflict('ticket_status', `A ticket that is ${from} is past "assigned". It can be started, or given back.`)
}
