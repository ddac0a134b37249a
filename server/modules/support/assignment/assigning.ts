/**
 * Gives waiting tickets to agents, by the rule of `rule.ts`: one transaction at a time in a workspace, so that no two of
 * them see the same room.
 */
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { giveTicket } from '../moves.ts'
import type { Ticket } from '../tables.ts'
import { agentsOnline, silentMs } from './agents.ts'
import { planAssignments, type Candidate, type WaitingTicket } from './rule.ts'
import { takeTurn } from './settings.ts'

/** Looked at in one go, the most urgent and oldest first. */
const waitingMax = 500

/** Answers the tickets that were given to somebody. Does nothing where the workspace does not want it. */
export async function assignWaiting(tx: Tx, services: Pick<Services, 'config'>): Promise<Ticket[]> {
  if (!(await isWorthATurn(tx, services))) return []
  const settings = await takeTurn(tx, services)
  if (!settings.auto_assign) return []
  const agents = await readCandidates(tx)
  if (!agents.length) return []
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

/**
 * Without any lock, because the usual answer is no, and whoever opens a ticket would wait for all others who do. An agent who
 * comes in the same moment gives out what waits themselves.
 */
async function isWorthATurn(tx: Tx, { config }: Pick<Services, 'config'>): Promise<boolean> {
  const { rows } = await sql<{ worth: boolean }>`
    select coalesce((select auto_assign from support.assignment_settings where workspace_id = ${tx.workspaceId}),
        ${config.tickets.autoAssign})
      and exists (select from support.agents where workspace_id = ${tx.workspaceId} and presence = 'online'
        and seen_at >= ${new Date(tx.now.getTime() - silentMs)})
      and exists (
        select from support.tickets
        where workspace_id = ${tx.workspaceId} and deleted_at is null and merged_into is null and status = 'open'
          and assigned_to is null) as worth`.execute(tx.sql)
  return rows[0]!.worth
}

async function readCandidates(tx: Tx): Promise<Candidate[]> {
  const agents = await agentsOnline(tx)
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
