/** The doors of the facts: what a person ordered and booked. */
import { Type } from 'typebox'
import { sql, type Selectable } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { route } from '#platform/http/route.ts'
import {
  Closed,
  Id,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { getContact } from '../contacts.ts'
import type { BookingTable, OrderTable } from './tables.ts'

const params = Closed({ id: Id })
const orderStatuses = ['completed', 'partly_returned', 'returned'] as const
const bookingStatuses = ['booked', 'completed', 'cancelled'] as const

const OrderView = Type.Object(
  {
    id: Id,
    order_id: Type.String({ description: 'As the shop names it' }),
    status: OneOf(orderStatuses),
    amount: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Exact decimal' }),
    currency: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'ISO 4217. The lifetime value adds up the orders in the currency of the workspace',
    }),
    completed_at: NullableTimestamp,
    returned_at: NullableTimestamp,
    returned_amount: Type.String(),
  },
  { $id: 'Order' },
)

const BookingView = Type.Object(
  {
    id: Id,
    booking_id: Type.String({ description: 'As the scheduler names it' }),
    kind: OneOf(['booking', 'appointment']),
    status: OneOf(bookingStatuses),
    title: Type.String(),
    location: Type.String(),
    link: NullableText,
    reason: Type.String({ description: 'Why it was cancelled' }),
    starts_at: NullableTimestamp,
    ends_at: NullableTimestamp,
    booked_at: NullableTimestamp,
    completed_at: NullableTimestamp,
    cancelled_at: NullableTimestamp,
    happened_at: Timestamp,
  },
  { $id: 'Booking' },
)

interface Asked {
  limit?: number
  cursor?: string
  count?: 'exact'
  sort?: string
  search?: string
}

const listQuery = {
  ...pageQuery,
  sort: Type.Optional(OneOf(['happened_at', '-happened_at'])),
  search: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the number or the title' })),
}

const listOrdersRoute = route({
  method: 'GET',
  path: '/contacts/:id/orders',
  may: 'contact.read',
  summary: 'What a contact ordered, the latest first',
  params,
  query: Closed({ ...listQuery, status: Type.Optional(OneOf(orderStatuses)) }),
  replies: { 200: Page(OrderView), 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    await getContact(tx, id, { deletedToo: true })
    const from = sql`from contacts.orders f where f.workspace_id = ${tx.workspaceId} and f.contact_id = ${id}
      ${query.status ? sql`and f.status = ${query.status}` : sql``}
      ${query.search ? sql`and platform.fold(f.order_key) like platform.contains_pattern(${query.search})` : sql``}`
    return pageOf<Selectable<OrderTable>, ReturnType<typeof viewOrder>>(tx, query, from, viewOrder)
  },
})

const listBookingsRoute = route({
  method: 'GET',
  path: '/contacts/:id/bookings',
  may: 'contact.read',
  summary: 'What a contact booked, appointments included, the latest first',
  params,
  query: Closed({
    ...listQuery,
    kind: Type.Optional(OneOf(['booking', 'appointment'])),
    status: Type.Optional(OneOf(bookingStatuses)),
  }),
  replies: { 200: Page(BookingView), 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    await getContact(tx, id, { deletedToo: true })
    const from = sql`from contacts.bookings f where f.workspace_id = ${tx.workspaceId} and f.contact_id = ${id}
      ${query.kind ? sql`and f.kind = ${query.kind}` : sql``}
      ${query.status ? sql`and f.status = ${query.status}` : sql``}
      ${
        query.search
          ? sql`and platform.fold(f.booking_key || ' ' || f.title) like platform.contains_pattern(${query.search})`
          : sql``
      }`
    return pageOf<Selectable<BookingTable>, ReturnType<typeof viewBooking>>(tx, query, from, viewBooking)
  },
})

export const factRoutes = [listOrdersRoute, listBookingsRoute]

async function pageOf<Row extends { id: string }, View>(
  tx: Tx,
  query: Asked,
  from: ReturnType<typeof sql>,
  view: (row: Row) => View,
) {
  const limit = query.limit ?? 50
  const columns = { happened_at: { expression: sql`f.happened_at`, type: 'timestamptz' as const } }
  const sort = parseSort(query.sort, columns, '-happened_at')
  const after = afterCursor(query.cursor, sort, sql`f.id`)
  const { rows } = await sql<Row & { sort_key: string }>`
    select f.*, f.happened_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`f.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

function viewOrder(row: Selectable<OrderTable>) {
  return {
    id: row.id,
    order_id: row.order_key,
    status: row.status,
    amount: row.amount === null ? null : shortDecimal(row.amount),
    currency: row.currency,
    completed_at: row.completed_at,
    returned_at: row.returned_at,
    returned_amount: shortDecimal(row.returned_amount),
  }
}

function viewBooking(row: Selectable<BookingTable>) {
  const { workspace_id: _, contact_id: __, told: ___, booking_key, ...shown } = row
  return { ...shown, booking_id: booking_key }
}

/** `49.90` of 49.9000; what has more than two places keeps them. */
export function shortDecimal(amount: string): string {
  return amount.replace(/(\.\d\d)0{1,2}$/, '$1').replace(/(\.\d{3})0$/, '$1')
}
