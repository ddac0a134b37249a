/**
 * Keeps the clocks of a ticket with everything that happens to it, in the same transaction: the ledger's new entries are
 * folded into the stored state, and what falls due is written on the ticket. The caller holds the ticket's row.
 */
import type { Tx } from '#platform/db/db.ts'
import { systemActor } from '#platform/actor.ts'
import { writeLedger } from '../ledger.ts'
import type { Ticket } from '../tables.ts'
import { ticketData } from '../ticket-data.ts'
import { readCalendarVersions } from './calendar-versions.ts'
import { clocksAt, nextLook, riskFrom, type ClocksState } from './clocks.ts'
import {
  calendarsNamed,
  newBreaches,
  newWarnings,
  sameTerms,
  tellClocks,
  toStored,
  type Breach,
  type ClockWarning,
  type StoredState,
  type TermsReference,
  type Told,
} from './ledger-clocks.ts'
import { matchPolicy, type ActivePolicy } from './matching.ts'
import { activePolicies } from './policies.ts'

/** What the clocks put on the ticket's row. */
export type ClockFields = Pick<
  Ticket,
  | 'first_response_due_at'
  | 'next_response_due_at'
  | 'resolution_due_at'
  | 'due_at'
  | 'at_risk_at'
  | 'first_response_breached_at'
  | 'next_response_breached_at'
  | 'resolution_breached_at'
>

/** Entries after which another policy may hold. */
const asksAnew = new Set(['created', 'changed', 'restored', 'status'])

/**
 * Answers what stands on the row now; null where nothing was ever promised of this ticket, which costs one question.
 * `policies`: those that are active, when the caller has many tickets; `anew` asks in any case which of them holds.
 */
export async function keepClocks(
  tx: Tx,
  ticketId: string,
  { policies, anew = false }: { policies?: readonly ActivePolicy[]; anew?: boolean } = {},
): Promise<ClockFields | null> {
  const active = policies ?? (await activePolicies(tx))
  const stored = await readStored(tx, ticketId)
  if (!stored && !active.length) return null
  const entries = await readEntries(tx, ticketId, stored?.seq ?? 0)
  const from = stored?.state ?? null
  const calendars = await readCalendarVersions(tx, calendarsNamed(entries, from))
  const told = tellClocks(entries, from, calendars)
  if (!told) return null
  let seq = entries.at(-1)?.seq ?? stored!.seq
  let now: Told = told
  if (anew || entries.some(({ type }) => asksAnew.has(type))) {
    const ticket = await readTicket(tx, ticketId)
    const wanted = await matchPolicy(tx, ticket, active)
    if (!stored && !wanted) return null
    if (!sameTerms(told.terms, wanted)) {
      seq = await promise(tx, ticketId, wanted)
      now = await withTerms(tx, told, wanted)
    }
  }
  const state = clocksAt(now.state, tx.now.getTime())
  const breaches = [...now.breaches, ...newBreaches(now.state, state, now.terms)]
  const warnings = [...now.warnings, ...newWarnings(now.state, state, now.terms)]
  if (warnings.length) seq = await noteWarnings(tx, ticketId, warnings, state)
  if (breaches.length) seq = await noteBreaches(tx, ticketId, breaches)
  await writeStored(tx, ticketId, seq, { state, terms: now.terms })
  return writeFields(tx, ticketId, state)
}

/** Of tickets that have none yet; where nothing is promised of any ticket, one question for all. */
export async function keepFirstClocks(tx: Tx, ticketIds: readonly string[]): Promise<Map<string, ClockFields>> {
  const kept = new Map<string, ClockFields>()
  const policies = await activePolicies(tx)
  if (!policies.length) return kept
  for (const id of ticketIds) {
    const fields = await keepClocks(tx, id, { policies })
    if (fields) kept.set(id, fields)
  }
  return kept
}

async function readStored(tx: Tx, ticketId: string): Promise<{ seq: number; state: StoredState } | undefined> {
  const row = await tx.sql
    .selectFrom('support.ticket_clocks')
    .select(['seq', 'state'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticketId)
    .executeTakeFirst()
  return row && { seq: row.seq, state: row.state as StoredState }
}

async function readEntries(tx: Tx, ticketId: string, afterSeq: number) {
  return tx.sql
    .selectFrom('support.ticket_events')
    .select(['seq', 'type', 'at', 'actor_kind', 'to_value', 'data'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticketId)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .execute()
}

async function readTicket(tx: Tx, ticketId: string): Promise<Ticket> {
  return tx.sql
    .selectFrom('support.tickets')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', ticketId)
    .executeTakeFirstOrThrow()
}

async function promise(tx: Tx, ticketId: string, terms: TermsReference | null): Promise<number> {
  return writeLedger(tx, systemActor(tx.workspaceId), ticketId, [{ type: 'sla', data: { ...terms } }])
}

async function withTerms(tx: Tx, told: Told, terms: TermsReference | null): Promise<Told> {
  const entry = { type: 'sla', at: tx.now, actor_kind: 'program' as const, to_value: null, data: { ...terms } }
  const before = toStored(told)
  const calendars = await readCalendarVersions(tx, calendarsNamed([entry], before))
  const after = tellClocks([entry], before, calendars)!
  return {
    ...after,
    breaches: [...told.breaches, ...after.breaches],
    warnings: [...told.warnings, ...after.warnings],
  }
}

/**
 * In the ledger at the hour at which it came. The world hears of it while it is of use: not of a promise that was kept, broken
 * or put off before anybody looked.
 */
async function noteWarnings(
  tx: Tx,
  ticketId: string,
  warnings: ClockWarning[],
  { clocks }: ClocksState,
): Promise<number> {
  const ticket = await readTicket(tx, ticketId)
  for (const { clock, dueMs, atMs, policyId } of warnings) {
    if (clocks[clock].dueMs !== dueMs || clocks[clock].breachedMs !== null) continue
    const more = { clock, due_at: new Date(dueMs), warned_at: new Date(atMs), policy_id: policyId }
    await tx.publish('ticket.sla_warning', ticketId, { ...ticketData(ticket), ...more })
  }
  tx.notify('ticket', { id: ticketId })
  return writeLedger(
    tx,
    systemActor(tx.workspaceId),
    ticketId,
    warnings.map(({ clock, dueMs, atMs }) => ({
      type: 'sla_warning' as const,
      at: new Date(atMs),
      to: clock,
      data: { due_at: new Date(dueMs) },
    })),
  )
}

/** In the ledger at the hour at which it was due; the world hears of it now. */
async function noteBreaches(tx: Tx, ticketId: string, breaches: Breach[]): Promise<number> {
  await tx.sql
    .insertInto('support.sla_breaches')
    .values(
      breaches.map(({ clock, atMs, policyId }) => ({
        workspace_id: tx.workspaceId,
        ticket_id: ticketId,
        clock,
        breached_at: new Date(atMs),
        policy_id: policyId,
        noticed_at: tx.now,
      })),
    )
    .execute()
  const ticket = await readTicket(tx, ticketId)
  for (const { clock, atMs, policyId } of breaches) {
    const more = { clock, breached_at: new Date(atMs), policy_id: policyId }
    await tx.publish('ticket.sla_breached', ticketId, { ...ticketData(ticket), ...more })
  }
  tx.notify('ticket', { id: ticketId })
  return writeLedger(
    tx,
    systemActor(tx.workspaceId),
    ticketId,
    breaches.map(({ clock, atMs }) => ({ type: 'deadline' as const, at: new Date(atMs), to: clock })),
  )
}

async function writeStored(tx: Tx, ticketId: string, seq: number, told: Pick<Told, 'state' | 'terms'>): Promise<void> {
  const next = nextLook(told.state)
  const row = {
    seq,
    state: JSON.stringify(toStored(told)),
    policy_id: told.terms?.policy_id ?? null,
    next_due_at: next === null ? null : new Date(next),
  }
  await tx.sql
    .insertInto('support.ticket_clocks')
    .values({ workspace_id: tx.workspaceId, ticket_id: ticketId, ...row })
    .onConflict((conflict) => conflict.columns(['workspace_id', 'ticket_id']).doUpdateSet(row))
    .execute()
}

async function writeFields(tx: Tx, ticketId: string, state: ClocksState): Promise<ClockFields> {
  const { clocks } = state
  const time = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))
  return tx.sql
    .updateTable('support.tickets')
    .set({
      first_response_due_at: time(clocks.first_response.dueMs),
      next_response_due_at: time(clocks.next_response.dueMs),
      resolution_due_at: time(clocks.resolution.dueMs),
      at_risk_at: time(riskFrom(state)),
      first_response_breached_at: time(clocks.first_response.breachedMs),
      next_response_breached_at: time(clocks.next_response.breachedMs),
      resolution_breached_at: time(clocks.resolution.breachedMs),
    })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', ticketId)
    .returning([
      'first_response_due_at',
      'next_response_due_at',
      'resolution_due_at',
      'due_at',
      'at_risk_at',
      'first_response_breached_at',
      'next_response_breached_at',
      'resolution_breached_at',
    ])
    .executeTakeFirstOrThrow()
}
