/**
 * Gives waiting tickets to agents, by the rule of `rule.ts`: one transaction at a time in a workspace, so that no two of
 * them see the same room.
 */
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { membersWithRole } from '#modules/accounts/index.ts'
import { deskRoles } from '../agents.ts'
import { giveTicket } from '../moves.ts'
import type { Ticket } from '../tables.ts'
import { withWork } from './agents.ts'
import { planAssignments, type Candidate, type WaitingTicket } from './rule.ts'
import { takeTurn } from './settings.ts'

/** Looked at in one go, the most urgent and oldest first. */
const waitingMax = 500

/** Answers the tickets that were given to somebody. Does nothing where the workspace does not want it. */
export async function assignWaiting(tx: Tx, services: Pick<Services, 'config'>): Promise<Ticket[]> {
  if (!(await somethingWaits(tx))) return []
  const settings = await takeTurn(tx, services)
  if (!settings.auto_assign) return []
  const agents = await readCandidates(tx)
  if (!agents.some(({ isOnline }) => isOnline)) return []
  const tickets = await lockWaiting(tx)
  const refusals = await readRefusals(tx, [...tickets.keys()])
  const waiting = [...tickets.values()].map((ticket) => toWaiting(ticket, refusals.get(ticket.id) ?? []))
  const plan = planAssignments(agents, waiting, tx.now.getTime())
  const given: Ticket[] = []
  for (const { ticketId, agentId } of plan) {
    given.push(await giveTicket(tx, systemActor(tx.workspaceId), tickets.get(ticketId)!, agentId))
  }
  await noteTurns(tx, [...new Set(plan.map(({ agentId }) => agentId))])
  return given
}

/** Without any lock: the usual answer is no. */
async function somethingWaits(tx: Tx): Promise<boolean> {
  const { rows } = await sql`
    select from support.tickets
    where workspace_id = ${tx.workspaceId} and deleted_at is null and merged_into is null and status = 'open'
      and assigned_to is null limit 1`.execute(tx.sql)
  return rows.length > 0
}

async function readCandidates(tx: Tx): Promise<Candidate[]> {
  const agents = await withWork(tx, await membersWithRole(tx, deskRoles))
  return agents.map((agent) => ({
    id: agent.user_id,
    isOnline: agent.presence === 'online',
    capacity: agent.capacity,
    load: agent.load,
    assignedAtMs: agent.assigned_at?.getTime() ?? null,
    categories: agent.categories,
  }))
}

/** Those in other hands are skipped: whoever holds one may be waiting for the turn that this transaction has. */
async function lockWaiting(tx: Tx): Promise<Map<string, Ticket>> {
  const { rows } = await sql<Ticket>`
    select t.* from support.tickets t
    where t.workspace_id = ${tx.workspaceId} and t.deleted_at is null and t.merged_into is null and t.status = 'open'
      and t.assigned_to is null
    order by t.priority_rank desc, t.created_at, t.id limit ${waitingMax} for no key update skip locked`.execute(tx.sql)
  return new Map(rows.map((row) => [row.id, row]))
}

/** Whoever gave a ticket back does not get it again by itself. */
async function readRefusals(tx: Tx, ticketIds: string[]): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ ticket_id: string; agents: string[] }>`
    select ticket_id, array_agg(from_value) as agents from support.ticket_events
    where workspace_id = ${tx.workspaceId} and ticket_id = any(${ticketIds}::uuid[]) and type = 'assigned'
      and to_value is null and from_value is not null
    group by ticket_id`.execute(tx.sql)
  return new Map(rows.map(({ ticket_id, agents }) => [ticket_id, agents]))
}

function toWaiting(ticket: Ticket, refusedBy: string[]): WaitingTicket {
  return {
    id: ticket.id,
    priority: ticket.priority,
    category: ticket.category,
    openedAtMs: ticket.created_at.getTime(),
    notFor: ticket.user_id ? [...refusedBy, ticket.user_id] : refusedBy,
  }
}

/** `seen_at` is left alone: to get a ticket is no sign of life. */
async function noteTurns(tx: Tx, agentIds: string[]): Promise<void> {
  if (!agentIds.length) return
  await sql`
    update support.agents set assigned_at = ${tx.now}
    where workspace_id = ${tx.workspaceId} and user_id = any(${agentIds}::uuid[])`.execute(tx.sql)
}
