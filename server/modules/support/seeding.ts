/** Tickets with a past, for the demo: they happen by the same functions as any other, only earlier. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { addMessage, type NewMessage } from './messages.ts'
import { anonymous } from './public/tickets.ts'
import { resolveTicket } from './moves.ts'
import { openTicket, type NewTicket } from './opening.ts'

export interface TicketSeed extends NewTicket {
  contact_id: string
  openedAt: Date
  /** Hours after the opening, in order; without an agent it is the requester who writes. */
  words: (NewMessage & { afterHours: number; agent?: Actor })[]
  resolved?: { afterHours: number; agent: Actor; resolution: string }
}

export async function seedTickets(tx: Tx, owner: Actor, services: Services, seeds: TicketSeed[]): Promise<void> {
  for (const { openedAt, words, resolved, ...input } of seeds) {
    const at = (hours: number): Tx =>
      Object.create(tx, { now: { value: new Date(openedAt.getTime() + hours * 3_600_000) } }) as Tx
    let ticket = await openTicket(at(0), owner, input, services)
    const author = { kind: 'requester' as const, name: ticket.contact_name, email: ticket.contact_email }
    for (const { afterHours, agent, ...message } of words) {
      const said = agent
        ? await addMessage(at(afterHours), agent, ticket, message, services)
        : await addMessage(at(afterHours), anonymous(tx.workspaceId), ticket, message, services, { author })
      ticket = said.ticket
    }
    if (resolved) await resolveTicket(at(resolved.afterHours), resolved.agent, ticket, resolved.resolution)
  }
}
