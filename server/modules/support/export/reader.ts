/** Reads the tickets of an export in batches from the transaction's snapshot, each ticket once, however many there are. */
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import { inBatches } from '#platform/db/cursor.ts'
import type { Tx } from '#platform/db/db.ts'
import { orderBy } from '#platform/http/paging.ts'
import { nameOf } from '#modules/accounts/index.ts'
import { fromTickets } from '../ticket-filter.ts'
import { ticketOrder } from '../ticket-query.ts'
import { planSearch } from '../ticket-search.ts'
import type { AuthorKind, TicketSource } from '../tables.ts'
import type { ExportedTicket, ExportPlan } from './columns.ts'
import type { ExportRequest } from './requests.ts'

/** A description, as a message, can have 50,000 characters. */
const batchSize = 200

/** `from … t where …`: those that the actor sees now; what they may not see is not in the file, even by its id. */
export async function fromMeant(tx: Tx, actor: Actor, request: ExportRequest): Promise<RawBuilder<unknown>> {
  const filter = { ...request.filter, deleted: false }
  const { rarest } = await planSearch(tx, actor, filter)
  const from = fromTickets(actor, filter, tx.now, { rarest })
  return request.ticket_ids ? sql`${from} and t.id = any(${request.ticket_ids}::uuid[])` : from
}

export async function countMeant(tx: Tx, from: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count ${from}`.execute(tx.sql)
  return rows[0]!.count
}

/** `tx` has to be this reader's alone until it ends. */
export async function* readTickets(
  tx: Tx,
  plan: ExportPlan,
  from: RawBuilder<unknown>,
  sort: string | undefined,
): AsyncGenerator<ExportedTicket[]> {
  // A plan that is good to the last row, not only for the first ones.
  await sql`set local cursor_tuple_fraction = 1`.execute(tx.sql)
  const columns = sql.join(plan.reads.map((name) => sql.ref(`t.${name}`)))
  const tickets = sql<ExportedTicket>`select ${columns} ${from} order by ${orderBy(ticketOrder(sort), sql`t.id`)}`
  for await (const batch of inBatches(tx, tickets, batchSize)) {
    await gather(tx, plan, batch)
    yield batch
  }
}

async function gather(tx: Tx, { names }: ExportPlan, tickets: ExportedTicket[]): Promise<void> {
  if (names.includes('assigned_to_name')) {
    const agents = await nameOf(
      tx,
      tickets.flatMap((ticket) => ticket.assigned_to ?? []),
    )
    for (const ticket of tickets) {
      ticket.assigned_to_name = ticket.assigned_to ? (agents.get(ticket.assigned_to) ?? '') : null
    }
  }
  if (names.includes('message_count')) {
    const counts = await countMessages(tx, idsOf(tickets))
    for (const ticket of tickets) ticket.message_count = counts.get(ticket.id) ?? 0
  }
}

async function countMessages(tx: Tx, ids: string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ id: string; count: number }>`
    select k.id, (select count(*) from support.messages m
      where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = k.id and ${isPublic}) as count
    from unnest(${ids}::uuid[]) as k (id)`.execute(tx.sql)
  return new Map(rows.map(({ id, count }) => [id, count]))
}

/** Internal ones leave by no door. */
const isPublic = sql`m.deleted_at is null and not m.is_internal`

export interface SaidMessage {
  ticket_id: string
  id: string
  author_kind: AuthorKind
  author_name: string
  author_email: string
  content: string
  source: TicketSource
  edited_at: Date | null
  created_at: Date
}

/**
 * What was said in public in each of these tickets, oldest first: asked ticket by ticket in their order, it answers the next
 * messages, and none once there are no more. However long a conversation is, a few hundred are held.
 */
export function readMessages(tx: Tx, tickets: ExportedTicket[]): (ticketId: string) => Promise<SaidMessage[]> {
  const messages = sql<SaidMessage>`
    select m.*
    from unnest(${idsOf(tickets)}::uuid[]) with ordinality as k (id, place)
    cross join lateral (
      select m.ticket_id, m.id, m.author_kind, m.author_name, m.author_email, m.content, m.source, m.edited_at, m.created_at
      from support.messages m
      where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = k.id and ${isPublic}
      -- Ticket by ticket along the index: without an order the planner of a young table reads all messages there are.
      order by m.created_at, m.id) as m
    order by k.place, m.created_at, m.id`
  const batches = inBatches(tx, messages, batchSize)
  let read: SaidMessage[] = []
  return async (ticketId) => {
    if (!read.length) {
      const { value, done } = await batches.next()
      // A batch is counted after it was given out: it stays whole.
      read = done ? [] : [...value]
    }
    const other = read.findIndex((message) => message.ticket_id !== ticketId)
    return read.splice(0, other < 0 ? read.length : other)
  }
}

function idsOf(tickets: ExportedTicket[]): string[] {
  return tickets.map(({ id }) => id)
}
