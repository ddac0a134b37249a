/** What happened to a ticket, step by step, as its ledger has it. */
import { sql } from 'kysely'
import { Type } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { Unreadable } from '#platform/errors.ts'
import { countRows } from '#platform/http/paging.ts'
import { route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  JsonObject,
  NullableId,
  NullableText,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { nameOf } from '#modules/accounts/index.ts'
import type { TicketEvent } from './tables.ts'
import { getTicket } from './tickets.ts'

const Entry = Type.Object(
  {
    type: Type.String(),
    at: Timestamp,
    actor_kind: OneOf(['requester', 'house', 'program']),
    actor_id: NullableId,
    actor_name: NullableText,
    from: NullableText,
    to: NullableText,
    data: JsonObject,
  },
  { $id: 'TicketHistoryEntry' },
)

/** Every entry of one ticket, oldest first: what folds (clocks, statistics) begin with. */
export async function readLedger(tx: Tx, ticketId: string): Promise<TicketEvent[]> {
  return tx.sql
    .selectFrom('support.ticket_events')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticketId)
    .orderBy('seq')
    .execute()
}

/** The cursor is the place in the ledger, which is a number, and not an id as in other lists. */
async function listHistory(tx: Tx, ticketId: string, query: { limit?: number; cursor?: string; count?: 'exact' }) {
  const limit = query.limit ?? 50
  if (query.cursor !== undefined && !/^\d{1,15}$/.test(query.cursor)) {
    throw new Unreadable('bad_cursor', 'This cursor is not one that this list gave out. Start without it.')
  }
  const from = sql`from support.ticket_events where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticketId}::uuid`
  const { rows } = await sql<TicketEvent>`
    select * ${from} and seq > ${query.cursor ?? 0}::bigint order by seq limit ${limit + 1}`.execute(tx.sql)
  const shown = rows.slice(0, limit)
  const names = await nameOf(
    tx,
    shown.flatMap((row) => row.actor_id ?? []),
  )
  return {
    data: shown.map((row) => ({
      type: row.type,
      at: row.at,
      actor_kind: row.actor_kind,
      actor_id: row.actor_id,
      actor_name: row.actor_id ? (names.get(row.actor_id) ?? null) : null,
      from: row.from_value,
      to: row.to_value,
      data: row.data,
    })),
    next_cursor: rows.length > limit ? String(shown.at(-1)!.seq) : null,
    total: await countRows(tx, from, query.count === 'exact'),
  }
}

const historyRoute = route({
  method: 'GET',
  path: '/tickets/:id/history',
  may: 'ticket.work',
  summary: 'What happened to a ticket, oldest first',
  params: Closed({ id: Id }),
  query: Closed(pageQuery),
  replies: { 200: Page(Entry), 404: Problem },
  run: async ({ tx, actor, params: { id }, query }) => {
    await getTicket(tx, actor, id)
    return listHistory(tx, id, query)
  },
})

export const historyRoutes = [historyRoute]
