/**
 * Who else is at a ticket. Whoever has it open says so again and again, and is gone after a minute of silence. Open screens
 * hear by the live stream that something changed, by the ticket's id alone, and ask for what they may see.
 */
import './tables.ts'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Forbidden } from '#platform/errors.ts'
import { nameOf } from '#modules/accounts/index.ts'
import { personOf } from '../access.ts'
import { getTicket } from '../tickets.ts'
import type { PresenceState } from './tables.ts'

/** Say it again well before. */
export const presenceSeconds = 60

export interface Present {
  user_id: string
  name: string
  state: PresenceState
  since: Date
}

/** Answers who else is there. Only what is new to the others is told to them. */
export async function sayPresent(tx: Tx, actor: Actor, ticketId: string, state: PresenceState): Promise<Present[]> {
  const ticket = await getTicket(tx, actor, ticketId)
  const person = requirePerson(actor)
  await sql`
    delete from support.ticket_presence
    where workspace_id = ${tx.workspaceId}::uuid and user_id = ${person}::uuid and not ${isThere(tx)}`.execute(tx.sql)
  const { rows } = await sql<{ is_new: boolean }>`
    insert into support.ticket_presence as p (workspace_id, ticket_id, user_id, state, since, seen_at)
    values (${tx.workspaceId}::uuid, ${ticket.id}::uuid, ${person}::uuid, ${state}, ${tx.now}::timestamptz, ${tx.now}::timestamptz)
    on conflict (workspace_id, ticket_id, user_id) do update set seen_at = excluded.seen_at, state = excluded.state,
      since = case when p.state = excluded.state then p.since else excluded.since end
    returning since = ${tx.now}::timestamptz as is_new`.execute(tx.sql)
  if (rows[0]!.is_new) tx.notify('ticket.presence', { id: ticket.id })
  return listPresent(tx, actor, ticket.id)
}

/** Leaving twice changes nothing. */
export async function leaveTicket(tx: Tx, actor: Actor, ticketId: string): Promise<void> {
  const ticket = await getTicket(tx, actor, ticketId)
  const { numDeletedRows } = await tx.sql
    .deleteFrom('support.ticket_presence')
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticket.id)
    .where('user_id', '=', requirePerson(actor))
    .executeTakeFirstOrThrow()
  if (numDeletedRows) tx.notify('ticket.presence', { id: ticket.id })
}

/** Everybody but whoever asks, the longest first. */
export async function listPresent(tx: Tx, actor: Actor, ticketId: string): Promise<Present[]> {
  await getTicket(tx, actor, ticketId)
  const { rows } = await sql<Omit<Present, 'name'>>`
    select user_id, state, since from support.ticket_presence
    where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticketId}::uuid and ${isThere(tx)}
      and user_id is distinct from ${personOf(actor)}::uuid
    order by since, user_id limit 50`.execute(tx.sql)
  const names = await nameOf(
    tx,
    rows.map((row) => row.user_id),
  )
  return rows.map((row) => ({ ...row, name: names.get(row.user_id) ?? '' }))
}

function isThere(tx: Tx) {
  return sql<boolean>`(seen_at > ${tx.now}::timestamptz - make_interval(secs => ${presenceSeconds}))`
}

function requirePerson(actor: Actor): string {
  const person = personOf(actor)
  if (!person) throw new Forbidden('nobody_there', 'This credential stands for nobody who could look at a ticket.')
  return person
}
