/** Tickets, as the help desk tells of them: how many a person has opened, and how many wait for an answer. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { recordInteractions, type NewInteraction } from '../interactions.ts'
import { refreshFigures, takeTurn } from './figures.ts'
import { notUnderstood, Ticket, TicketMerge, timeOf, toldBy, understand } from './shapes.ts'
import { fromPart, isSomebody, nobodyKnown, resolveWho, whoOf, type Who } from './who.ts'
import { isMerged, isOpen, joinTickets, ticketVerbs, type TicketState, type TicketVerb } from './ticket-state.ts'

interface Told {
  event: Event
  verb: TicketVerb
  who: Who
  state: TicketState
}

export async function tellTickets(tx: Tx, events: Event[], verb: TicketVerb): Promise<void> {
  const told = events.map((event) => read(event, verb))
  await takeTurn(tx)
  const known = await readTickets(tx, [...new Set(told.map(({ state }) => state.key))])
  await nameRequesters(tx, told, known)
  const joined = await keep(
    tx,
    told.map(({ state }) => state),
    known,
  )
  const tickets = [...joined.values()]
  // Of a ticket that is opened again, each end that is told has its entry; one told before its person is known is in the state.
  const each = told.map(({ state }) => ({ ...state, contactId: joined.get(state.key)?.contactId ?? null }))
  await recordInteractions(tx, [...each, ...tickets].flatMap(toInteractions))
}

/** A ticket that is part of another one is not counted, until it is a ticket of its own again. */
export async function tellMerges(tx: Tx, events: Event[], verb: 'merged' | 'unmerged'): Promise<void> {
  const states = events.flatMap((event) => {
    const { merged_ids: ids, merged_at: mergedAt, unmerged_at: unmergedAt } = understand(TicketMerge, event)
    const merge = verb === 'merged' ? { mergedAt: timeOf(event, mergedAt) } : { unmergedAt: timeOf(event, unmergedAt) }
    return ids.map((id): TicketState => ({ ...nothingKnown, ...merge, key: String(id) }))
  })
  await takeTurn(tx)
  await keep(tx, states, await readTickets(tx, [...new Set(states.map(({ key }) => key))]))
}

const nothingKnown: Omit<TicketState, 'key'> = {
  contactId: null,
  number: '',
  subject: '',
  openedAt: null,
  resolvedAt: null,
  closedAt: null,
  reopenedAt: null,
  mergedAt: null,
  unmergedAt: null,
  told: '',
}

/** What was known and what is told now, by key; the figures of their people follow. */
async function keep(tx: Tx, told: TicketState[], known: Map<string, TicketState>): Promise<Map<string, TicketState>> {
  const joined = new Map<string, TicketState>()
  for (const state of told) {
    const before = joined.get(state.key) ?? known.get(state.key)
    joined.set(state.key, before ? joinTickets(before, state) : state)
  }
  const tickets = [...joined.values()]
  await writeTickets(tx, tickets)
  await refreshFigures(
    tx,
    tickets.map((ticket) => ticket.contactId).filter((id) => id !== null),
  )
  return joined
}

function read(event: Event, verb: TicketVerb): Told {
  const data = understand(Ticket, event)
  const key = data.ticket_id ?? data.id ?? data.ticket_number
  if (key === undefined) throw notUnderstood(event, 'it names no ticket: send a ticket_id.')
  const requester: Who = {
    ...(data.requester ? fromPart(data.requester) : {}),
    ...(data.requester_email ? { email: data.requester_email } : {}),
    ...(data.requester_name ? { fullName: data.requester_name } : {}),
  }
  const at = (when: TicketVerb, told: string | undefined): string | null => (verb === when ? timeOf(event, told) : null)
  return {
    event,
    verb,
    who: { ...requester, ...whoOf(data) },
    state: {
      ...nothingKnown,
      key: String(key),
      number: data.ticket_number ?? '',
      subject: data.subject ?? '',
      openedAt: at('created', data.created_at),
      resolvedAt: at('resolved', data.resolved_at),
      closedAt: at('closed', data.closed_at),
      reopenedAt: at('reopened', data.reopened_at),
      told: `${verb === 'created' ? 1 : 0} ${toldBy(event)}`,
    },
  }
}

async function nameRequesters(tx: Tx, told: Told[], known: Map<string, TicketState>): Promise<void> {
  const open = told.filter(({ who, state }) => !known.get(state.key)?.contactId && isSomebody(who))
  const ids = await resolveWho(
    tx,
    open.map(({ who }) => who),
    { source: 'ticket' },
  )
  open.forEach(({ state }, index) => (state.contactId = ids[index] ?? null))
  for (const { event, verb, who, state } of told) {
    if (verb !== 'created' || state.contactId || known.get(state.key)?.contactId) continue
    if (!isSomebody(who)) throw notUnderstood(event, 'it names nobody: send an email, a contact_id or a user_id.')
    throw nobodyKnown(event)
  }
}

async function readTickets(tx: Tx, keys: string[]): Promise<Map<string, TicketState>> {
  const rows = await tx.sql
    .selectFrom('contacts.ticket_facts')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_key', '=', sql<string>`any(${keys}::text[])`)
    .execute()
  return new Map(
    rows.map((row) => [
      row.ticket_key,
      {
        key: row.ticket_key,
        contactId: row.contact_id,
        number: row.number,
        subject: row.subject,
        openedAt: row.opened_at?.toISOString() ?? null,
        resolvedAt: row.resolved_at?.toISOString() ?? null,
        closedAt: row.closed_at?.toISOString() ?? null,
        reopenedAt: row.reopened_at?.toISOString() ?? null,
        mergedAt: row.merged_at?.toISOString() ?? null,
        unmergedAt: row.unmerged_at?.toISOString() ?? null,
        told: row.told,
      },
    ]),
  )
}

async function writeTickets(tx: Tx, tickets: TicketState[]): Promise<void> {
  const rows = tickets.map((ticket) => ({
    ticket_key: ticket.key,
    contact_id: ticket.contactId,
    number: ticket.number,
    subject: ticket.subject,
    opened_at: ticket.openedAt,
    resolved_at: ticket.resolvedAt,
    closed_at: ticket.closedAt,
    reopened_at: ticket.reopenedAt,
    merged_at: ticket.mergedAt,
    unmerged_at: ticket.unmergedAt,
    is_open: isOpen(ticket),
    is_merged: isMerged(ticket),
    told: ticket.told,
  }))
  await sql`
    insert into contacts.ticket_facts (workspace_id, ticket_key, contact_id, number, subject, opened_at, resolved_at,
      closed_at, reopened_at, merged_at, unmerged_at, is_open, is_merged, told)
    select ${tx.workspaceId}::uuid, ticket_key, contact_id, number, subject, opened_at, resolved_at, closed_at, reopened_at,
      merged_at, unmerged_at, is_open, is_merged, told
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(ticket_key text, contact_id uuid, number text, subject text,
      opened_at timestamptz, resolved_at timestamptz, closed_at timestamptz, reopened_at timestamptz,
      merged_at timestamptz, unmerged_at timestamptz, is_open boolean, is_merged boolean, told text)
    on conflict (workspace_id, ticket_key) do update set contact_id = excluded.contact_id, number = excluded.number,
      subject = excluded.subject, opened_at = excluded.opened_at, resolved_at = excluded.resolved_at,
      closed_at = excluded.closed_at, reopened_at = excluded.reopened_at, merged_at = excluded.merged_at,
      unmerged_at = excluded.unmerged_at, is_open = excluded.is_open, is_merged = excluded.is_merged, told = excluded.told`.execute(
    tx.sql,
  )
}

function toInteractions(ticket: TicketState): NewInteraction[] {
  const { key, contactId, number, subject } = ticket
  if (!contactId) return []
  const times = {
    created: ticket.openedAt,
    resolved: ticket.resolvedAt,
    closed: ticket.closedAt,
    reopened: ticket.reopenedAt,
  } as const
  return ticketVerbs.flatMap((verb): NewInteraction[] => {
    const at = times[verb]
    if (!at) return []
    return [
      {
        contactId,
        type: `ticket_${verb}`,
        description: [number, subject].filter(Boolean).join(' · ') || key,
        metadata: { ticket_id: key, ...(number ? { ticket_number: number } : {}) },
        occurredAt: at,
        sourceKey: verb === 'created' ? `ticket:${key}:created` : `ticket:${key}:${verb}:${at}`,
      },
    ]
  })
}
