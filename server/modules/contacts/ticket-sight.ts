/** Entries of the timeline about tickets, for people who may not see each ticket. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import type { ShownInteraction } from './interactions.ts'

/** Of a ticket that the actor may not see, its kind and time are left. */
export async function hideUnseenTickets<Entry extends ShownInteraction>(
  tx: Tx,
  actor: Actor,
  { sights, permissions }: Pick<Services, 'sights' | 'permissions'>,
  entries: Entry[],
): Promise<Entry[]> {
  const ids = new Set(entries.map(ticketOf).filter((id) => id !== null))
  if (!ids.size) return entries
  const seen = (await sights.ticket?.(tx, actor, [...ids], permissions)) ?? new Set()
  return entries.map((entry) => {
    const id = ticketOf(entry)
    return id === null || seen.has(id) ? entry : { ...entry, description: '', metadata: {}, is_hidden: true }
  })
}

/** Null: the entry is not about a ticket. One that does not say which is of a ticket that nobody sees. */
function ticketOf({ interaction_type: type, metadata }: ShownInteraction): string | null {
  if (!type.startsWith('ticket_')) return null
  const { ticket_id: id } = metadata as { ticket_id?: unknown }
  return typeof id === 'string' ? id : ''
}
