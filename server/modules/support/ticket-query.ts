/** Tickets in an order, page by page. */
import { sql } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type Sort, type SortColumn } from '#platform/http/paging.ts'
import { Closed, pageQuery } from '#platform/http/shapes.ts'
import { fromTickets, ticketFilters, type TicketFilter } from './ticket-filter.ts'
import { areLabelsRare, countNear, planSearch, readNear, type Sorted } from './ticket-search.ts'
import type { Ticket } from './tables.ts'

const sort = Type.Optional(Type.String({ maxLength: 50 }))
export const TicketListQuery = Closed({ ...ticketFilters, ...pageQuery, sort })
export type TicketListQuery = Static<typeof TicketListQuery>

/** Each expression is that of an index, word for word. */
const sortColumns: Record<string, SortColumn> = {
  created_at: { expression: sql`t.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`t.updated_at`, type: 'timestamptz' },
  last_message_at: { expression: sql`t.last_message_at`, type: 'timestamptz' },
  due_at: { expression: sql`coalesce(t.due_at, 'infinity'::timestamptz)`, type: 'timestamptz' },
  waiting_since: { expression: sql`coalesce(t.waiting_since, 'infinity'::timestamptz)`, type: 'timestamptz' },
  priority: { expression: sql`t.priority_rank`, type: 'int' },
}
export const ticketSorts = Object.keys(sortColumns)

export function ticketOrder(given: string | undefined): Sort {
  return parseSort(given, sortColumns, '-created_at')
}

export async function listTickets<View>(
  tx: Tx,
  actor: Actor,
  query: TicketListQuery & TicketFilter,
  view: (row: Ticket) => View,
) {
  const limit = query.limit ?? 50
  const order = ticketOrder(query.sort)
  const after = afterCursor(query.cursor, order, sql`t.id`)
  const search = await planSearch(tx, actor, query)
  const near = search.isCommon ? await readNear(tx, actor, query, { order, after, limit, search }) : null
  if (near) {
    const { data, next_cursor } = page(near, limit, order, view)
    return { data, next_cursor, total: await countNear(tx, actor, query, search) }
  }
  const { rarest } = search
  const byLabels = await areLabelsRare(tx, query)
  const from = fromTickets(actor, query, tx.now, { rarest, byLabels })
  const { rows } = await sql<Sorted>`
    select t.*, (${order.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(order, sql`t.id`)} limit ${limit + 1}`.execute(tx.sql)
  const { data, next_cursor } = page(rows, limit, order, view)
  const isWhole = !after && rows.length <= limit
  const all = fromTickets(actor, query, tx.now, { rarest })
  const total = isWhole ? rows.length : await countRows(tx, all, query.count === 'exact')
  return { data, next_cursor, total }
}
