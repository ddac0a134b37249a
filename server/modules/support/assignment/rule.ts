/**
 * Who gets a ticket: pure, and the same for the same agents and tickets in whatever order they come.
 *
 * A ticket goes to an agent who is online, takes its category and has room for its weight: to whoever is then the least
 * filled, compared with what they can take; among equals, to whoever has waited longest for a ticket.
 */
import type { Priority } from '../tables.ts'

/** What a ticket of this priority fills of an agent's capacity; halves are exact in binary. */
export const weights: Record<Priority, number> = { urgent: 4, high: 2, normal: 1, low: 0.5 }

export interface Candidate {
  id: string
  isOnline: boolean
  /** The weight of tickets that they can have in hand; `weights.urgent` or more. */
  capacity: number
  /** The weight of those that they have. */
  load: number
  /** When they last got one; null if never. */
  assignedAtMs: number | null
  /** Those that they take; empty takes all. */
  categories: readonly string[]
}

export interface WaitingTicket {
  id: string
  priority: Priority
  category: string | null
  openedAtMs: number
  /** The requester, and those who gave it back. */
  notFor: readonly string[]
}

export interface Assignment {
  ticketId: string
  agentId: string
}

/**
 * Urgent tickets first, then the oldest. A ticket that fits nobody who could take it keeps their room: a stream of small
 * tickets would fill it for ever otherwise. One that nobody online takes at all keeps nobody's.
 */
export function planAssignments(
  agents: readonly Candidate[],
  tickets: readonly WaitingTicket[],
  nowMs: number,
): Assignment[] {
  const open = new Map(agents.filter(({ isOnline }) => isOnline).map((agent) => [agent.id, { ...agent }]))
  const plan: Assignment[] = []
  for (const ticket of tickets.toSorted(byUrgency)) {
    if (!open.size) break
    const able = [...open.values()].filter((agent) => takes(agent, ticket))
    const chosen = choose(able, weights[ticket.priority])
    if (chosen) {
      chosen.load += weights[ticket.priority]
      chosen.assignedAtMs = Math.max(nowMs, chosen.assignedAtMs ?? nowMs) + plan.length // in the order of the plan
      plan.push({ ticketId: ticket.id, agentId: chosen.id })
    } else for (const { id } of able) open.delete(id)
  }
  return plan
}

function choose(able: Candidate[], weight: number): Candidate | undefined {
  const filled = (agent: Candidate): number => (agent.load + weight) / agent.capacity
  return able
    .filter((agent) => agent.load + weight <= agent.capacity)
    .toSorted(
      (one, other) =>
        filled(one) - filled(other) ||
        (one.assignedAtMs ?? 0) - (other.assignedAtMs ?? 0) ||
        (one.id < other.id ? -1 : 1),
    )[0]
}

function takes({ id, categories }: Candidate, { category, notFor }: WaitingTicket): boolean {
  if (notFor.includes(id)) return false
  const wanted = category?.toLowerCase()
  return categories.length === 0 || categories.some((one) => one.toLowerCase() === wanted)
}

function byUrgency(one: WaitingTicket, other: WaitingTicket): number {
  return (
    weights[other.priority] - weights[one.priority] ||
    one.openedAtMs - other.openedAtMs ||
    (one.id < other.id ? -1 : Number(one.id > other.id))
  )
}
