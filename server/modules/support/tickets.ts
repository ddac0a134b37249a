/** What can be done to the record of a ticket. Its status moves in `moves.ts`, what is said in it is in `messages.ts`. */
import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Forbidden, NotFound } from '#platform/errors.ts'
import { isOfTheHouse, visibleTo } from './access.ts'
import { MergedTicket } from './merged.ts'
import { refuseHouseFields } from './opening.ts'
import { giveTicket, moveTicket, takeBack } from './moves.ts'
import { record, tell } from './ticket-events.ts'
import { cleanTags } from './ticket-tags.ts'
import { moveTowards } from './ticket-status.ts'
import type { Priority, Ticket, TicketSource, TicketStatus, TicketUpdate } from './tables.ts'

/** Unseen and absent look the same. `deletedToo` finds merged ones as well, as they stand. */
export async function getTicket(tx: Tx, actor: Actor, id: string, { deletedToo = false } = {}): Promise<Ticket> {
  const { rows } = await sql<Ticket>`
    select t.* from support.tickets t where t.id = ${id} and ${visibleTo(actor)}`.execute(tx.sql)
  return requireThere(tx, actor, id, rows[0], deletedToo)
}

/** The same, held until the transaction ends: whatever changes a ticket begins here. */
export async function lockTicket(tx: Tx, actor: Actor, id: string, { deletedToo = false } = {}): Promise<Ticket> {
  const { rows } = await sql<Ticket>`
    select t.* from support.tickets t where t.id = ${id} and ${visibleTo(actor)} for no key update`.execute(tx.sql)
  return requireThere(tx, actor, id, rows[0], deletedToo)
}

/** For work that knew the ticket from earlier: where it was merged meanwhile, what it was merged into. */
export async function lockLiveTicket(tx: Tx, actor: Actor, id: string): Promise<Ticket> {
  try {
    return await lockTicket(tx, actor, id)
  } catch (error) {
    if (error instanceof MergedTicket) return lockTicket(tx, actor, error.survivorId)
    throw error
  }
}

/** Unless it was merged, in which case whoever sees the survivor hears where it went. */
async function requireThere(
  tx: Tx,
  actor: Actor,
  id: string,
  ticket: Ticket | undefined,
  deletedToo: boolean,
): Promise<Ticket> {
  if (ticket && !ticket.merged_into && (deletedToo || !ticket.deleted_at)) return ticket
  if (ticket?.merged_into && deletedToo) return ticket
  // What the duplicate was closed with would hide it from agents who see all of its conversation in the survivor.
  const asked = ticket || isOfTheHouse(actor)
  const survivorId = asked ? await visibleSurvivor(tx, actor, id) : null
  throw survivorId ? new MergedTicket(survivorId) : new NotFound('ticket')
}

async function visibleSurvivor(tx: Tx, actor: Actor, id: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select t.id from support.tickets n
    join support.tickets t on t.workspace_id = n.workspace_id and t.id = n.merged_into
    where n.workspace_id = ${tx.workspaceId}::uuid and n.id = ${id}::uuid and t.deleted_at is null and ${visibleTo(actor)}`.execute(
    tx.sql,
  )
  return rows[0]?.id ?? null
}

export interface TicketChange {
  subject?: string
  description?: string
  priority?: Priority
  category?: string | null
  source?: TicketSource
  tags?: string[]
  metadata?: Record<string, unknown>
  internal_notes?: string | null
  resolution_notes?: string | null
  contact_name?: string
  status?: TicketStatus
  assigned_to?: string | null
}

/** What a requester may still put right: their own words. */
const requesterFields: readonly string[] = ['subject', 'description']

/** PUT and PATCH: what is named is replaced, all else stays. Naming what is already so changes nothing. */
export async function updateTicket(
  tx: Tx,
  actor: Actor,
  id: string,
  input: TicketChange,
  ifVersion: number | undefined,
): Promise<Ticket> {
  const ticket = await lockTicket(tx, actor, id)
  checkVersion(ticket.version, ifVersion)
  if (!isOfTheHouse(actor)) {
    const foreign = Object.keys(input).filter((name) => !requesterFields.includes(name))
    refuseHouseFields(input, foreign)
    if (ticket.status === 'closed') {
      throw new Forbidden('ticket_closed', 'This ticket is closed. Write a message to open it again.')
    }
  }
  const { status, assigned_to: agentId, ...fields } = input
  let changed = await changeFields(tx, actor, ticket, fields)
  if (agentId !== undefined && agentId !== changed.assigned_to) {
    changed = agentId
      ? await giveTicket(tx, actor, changed, agentId, '/assigned_to')
      : await takeBack(tx, actor, changed)
  }
  return status ? moveToStatus(tx, actor, changed, status) : changed
}

/** "Open" is a status and says as well that nobody has the ticket. */
async function moveToStatus(tx: Tx, actor: Actor, ticket: Ticket, status: TicketStatus): Promise<Ticket> {
  const move = moveTowards(ticket.status, status)
  if (!move || move === 'assign') return ticket
  const moved = move === 'unassign' ? ticket : await moveTicket(tx, actor, ticket, move)
  return status === 'open' ? takeBack(tx, actor, moved) : moved
}

/** Tickets stay, with everything in them, until somebody restores them or an erasure empties them. */
export async function deleteTicket(tx: Tx, actor: Actor, id: string, ifVersion: number | undefined): Promise<void> {
  const ticket = await lockTicket(tx, actor, id)
  checkVersion(ticket.version, ifVersion)
  const deleted = await writeTicket(tx, ticket, { deleted_at: tx.now })
  await record(tx, actor, id, [{ type: 'deleted' }])
  await tell(tx, 'ticket.deleted', deleted)
}

export async function restoreTicket(tx: Tx, actor: Actor, id: string): Promise<Ticket> {
  const ticket = await lockTicket(tx, actor, id, { deletedToo: true })
  if (!ticket.deleted_at) return ticket
  const restored = await writeTicket(tx, ticket, { deleted_at: null })
  const clocks = await record(tx, actor, id, [{ type: 'restored' }])
  await tell(tx, 'ticket.restored', restored)
  return { ...restored, ...clocks }
}

async function changeFields(tx: Tx, actor: Actor, ticket: Ticket, input: TicketChange): Promise<Ticket> {
  const wanted = {
    ...input,
    ...(input.subject === undefined ? {} : { subject: input.subject.trim() }),
    ...(input.tags ? { tags: cleanTags(input.tags) } : {}),
    ...(input.category === undefined ? {} : { category: input.category?.trim() || null }),
  }
  const different = Object.entries(wanted).filter(
    ([name, value]) => !isDeepStrictEqual(value, ticket[name as keyof Ticket]),
  )
  if (!different.length) return ticket
  const set = different.map(([name, value]) => [name, name === 'metadata' ? JSON.stringify(value) : value])
  const changed = await writeTicket(tx, ticket, Object.fromEntries(set) as TicketUpdate)
  const names = different.map(([name]) => name)
  const { priority: from } = ticket
  const { priority: to } = changed
  const clocks = await record(tx, actor, ticket.id, [
    { type: 'changed', data: { fields: names, ...(from === to ? {} : { priority: { from, to } }) } },
  ])
  await tell(tx, 'ticket.updated', changed, { changed: names })
  return { ...changed, ...clocks }
}

async function writeTicket(tx: Tx, ticket: Ticket, set: TicketUpdate): Promise<Ticket> {
  return tx.sql
    .updateTable('support.tickets')
    .set(set)
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', ticket.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}
