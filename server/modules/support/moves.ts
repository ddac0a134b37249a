/**
 * How a ticket moves from status to status, and from agent to agent. The caller holds the row (`lockTicket`); each step names
 * the status and version that it starts from, so that one who holds a copy from earlier moves nothing.
 */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, Stale } from '#platform/errors.ts'
import { isOfTheHouse, personOf } from './access.ts'
import { requireAgents } from './agents.ts'
import { record, tell, type LedgerEntry } from './ticket-events.ts'
import { followMove, isEnded, type TicketMove } from './ticket-status.ts'
import type { Ticket, TicketUpdate } from './tables.ts'

/** Moves nothing, and tells nothing, where the ticket is already there. `set` goes into the same update. */
export async function moveTicket(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  move: Exclude<TicketMove, 'assign' | 'unassign'>,
  set: TicketUpdate = {},
): Promise<Ticket> {
  const held = await takeWhereNeeded(tx, actor, ticket, move)
  const to = followMove(held.status, move, held.assigned_to !== null)
  if (to === held.status) return Object.keys(set).length ? writeStep(tx, held, set) : held
  const moved = await writeStep(tx, held, { status: to, ...marksOf(tx, held, move), ...set })
  const clocks = await record(tx, actor, ticket.id, [{ type: 'status', from: held.status, to, data: { move } }])
  await tellOf(tx, moved, move)
  return { ...moved, ...clocks }
}

/** Closing what is closed changes nothing, so a retry is safe; so it is with resolving, but for the words. */
export async function resolveTicket(tx: Tx, actor: Actor, ticket: Ticket, resolution: string): Promise<Ticket> {
  const said = ticket.status === 'resolved' && ticket.resolution_notes === resolution
  return moveTicket(tx, actor, ticket, 'resolve', said ? {} : { resolution_notes: resolution })
}

export async function closeTicket(tx: Tx, actor: Actor, ticket: Ticket): Promise<Ticket> {
  return moveTicket(tx, actor, ticket, 'close')
}

/** Gives it to somebody; giving it to who has it changes nothing. */
export async function giveTicket(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  agentId: string,
  pointer = '/agent_id',
): Promise<Ticket> {
  const agent = agentId.toLowerCase()
  const names = await requireAgents(tx, [agent], pointer)
  if (ticket.assigned_to === agent) return ticket
  const to = followMove(ticket.status, 'assign', true)
  const given = await writeStep(tx, ticket, { status: to, assigned_to: agent })
  const clocks = await recordHanding(tx, actor, ticket, given)
  await tell(tx, 'ticket.assigned', given, { agent_id: agent, agent_name: names.get(agent) ?? '' })
  return { ...given, ...clocks }
}

/** Nobody has it any more: it is open again. */
export async function takeBack(tx: Tx, actor: Actor, ticket: Ticket): Promise<Ticket> {
  if (!ticket.assigned_to) return ticket
  const to = followMove(ticket.status, 'unassign', false)
  const open = await writeStep(tx, ticket, { status: to, assigned_to: null })
  const clocks = await recordHanding(tx, actor, ticket, open)
  await tell(tx, 'ticket.updated', open, { changed: ['assigned_to'] })
  return { ...open, ...clocks }
}

/** Whoever of the house deals with what nobody has, has it from then on: work without an owner is lost. */
async function takeWhereNeeded(tx: Tx, actor: Actor, ticket: Ticket, move: TicketMove): Promise<Ticket> {
  if (ticket.assigned_to || !['start', 'ask', 'resolve', 'close'].includes(move)) return ticket
  const person = personOf(actor)
  if (person && isOfTheHouse(actor) && ticket.user_id !== person) {
    const agents = await requireAgents(tx, [person], '/agent_id').catch(() => null)
    if (agents && !isEnded(ticket.status)) return giveTicket(tx, actor, ticket, person)
  }
  if (move === 'start' || move === 'ask') {
    throw new Conflict('ticket_unassigned', 'Nobody has this ticket yet. Assign it to an agent first.')
  }
  return ticket
}

/** What a move leaves on the record besides the status. */
function marksOf(tx: Tx, ticket: Ticket, move: TicketMove): TicketUpdate {
  if (move === 'resolve') return { resolved_at: tx.now, waiting_since: null }
  if (move === 'close') return { closed_at: tx.now, waiting_since: null }
  if (move !== 'reopen') return {}
  return { resolved_at: null, closed_at: null, waiting_since: tx.now, reopened_count: ticket.reopened_count + 1 }
}

async function tellOf(tx: Tx, ticket: Ticket, move: TicketMove): Promise<void> {
  switch (move) {
    case 'resolve':
      return tell(tx, 'ticket.resolved', ticket, {
        resolved_at: ticket.resolved_at,
        resolution: ticket.resolution_notes,
      })
    case 'close':
      return tell(tx, 'ticket.closed', ticket, { closed_at: ticket.closed_at })
    case 'reopen':
      return tell(tx, 'ticket.reopened', ticket, { reopened_at: ticket.waiting_since })
    default:
      return tell(tx, 'ticket.updated', ticket, { changed: ['status'] })
  }
}

async function recordHanding(tx: Tx, actor: Actor, before: Ticket, after: Ticket): Promise<Partial<Ticket> | null> {
  const entries: LedgerEntry[] = [{ type: 'assigned', from: before.assigned_to, to: after.assigned_to }]
  if (before.status !== after.status) {
    const move = after.assigned_to ? 'assign' : 'unassign'
    entries.push({ type: 'status', from: before.status, to: after.status, data: { move } })
  }
  return record(tx, actor, before.id, entries)
}

async function writeStep(tx: Tx, ticket: Ticket, set: TicketUpdate): Promise<Ticket> {
  const written = await tx.sql
    .updateTable('support.tickets')
    .set(set)
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', ticket.id)
    .where('status', '=', ticket.status)
    .where('version', '=', ticket.version)
    .where('deleted_at', 'is', null)
    .returningAll()
    .executeTakeFirst()
  if (!written) throw new Stale()
  return written
}
