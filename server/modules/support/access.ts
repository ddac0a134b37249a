/**
 * Who sees which ticket. Every list, search, count and record goes through this one condition: people see their own; agents
 * also those given to them, those that nobody has yet, and those that a colleague called them into; admins all of them.
 * What somebody may not see does not exist for them.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import { Forbidden } from '#platform/errors.ts'
import { isId } from '#platform/ids.ts'
import type { AuthorKind, Ticket } from './tables.ts'

/** Works at the help desk: sees notes, and answers for the house. A key without that permission does neither. */
export function isOfTheHouse(actor: Actor): boolean {
  return ['owner', 'admin', 'agent'].includes(actor.role) && (!actor.scopes || actor.scopes.includes('ticket.work'))
}

export function requireHouse(actor: Actor): void {
  if (!isOfTheHouse(actor)) throw new Forbidden('forbidden', 'Only those who work at the help desk may do this.')
}

/** As which of the three somebody acts. */
export function kindOf(actor: Actor): AuthorKind {
  if (actor.kind === 'system') return 'program'
  return isOfTheHouse(actor) ? 'house' : 'requester'
}

export function seesAllTickets({ role }: Actor): boolean {
  return role === 'owner' || role === 'admin'
}

/** Of rows of `support.tickets` or `support.ticket_rows`, named `t`. */
export function visibleTo(actor: Actor): RawBuilder<boolean> {
  if (seesAllTickets(actor)) return sql<boolean>`true`
  const person = personOf(actor)
  const own = person ? sql<boolean>`t.user_id = ${person}::uuid` : sql<boolean>`false`
  if (actor.role !== 'agent') return own
  if (!person) return sql<boolean>`t.status = 'open'`
  return sql<boolean>`(t.status = 'open' or t.assigned_to = ${person}::uuid or ${own} or t.id in (
    select f.ticket_id from support.followers f
    where f.workspace_id = ${actor.workspaceId}::uuid and f.user_id = ${person}::uuid and f.was_called))`
}

/** Keys and services act too, but tickets belong to people. */
export function personOf(actor: Actor): string | null {
  return actor.kind === 'user' && actor.id && isId(actor.id) ? actor.id.toLowerCase() : null
}

/** What the requester may see of a ticket's messages. */
export function visibleMessages(actor: Actor): RawBuilder<boolean> {
  return isOfTheHouse(actor) ? sql<boolean>`true` : sql<boolean>`not m.is_internal`
}

/** For what is the requester's own, such as a rating. */
export function isRequester(actor: Actor, ticket: Ticket): boolean {
  const person = personOf(actor)
  return person !== null && person === ticket.user_id
}
