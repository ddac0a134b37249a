/** Row types of the facts. */
import type { ColumnType, Generated } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { InteractionTable } from '../tables.ts'
import type { BookingKind, BookingStatus } from './booking-state.ts'
import type { OrderStatus, Return } from './order-state.ts'

export interface OrderTable {
  workspace_id: string
  id: string
  order_key: string
  contact_id: NullableText
  status: OrderStatus
  /** Exact decimal as text. */
  amount: NullableText
  currency: NullableText
  completed_at: NullableTime
  returned_at: NullableTime
  returned_amount: Generated<string>
  returns: ColumnType<Record<string, Return>, string | undefined, string>
  told: Generated<string>
  happened_at: GeneratedTime
}

export interface BookingTable {
  workspace_id: string
  id: string
  kind: BookingKind
  booking_key: string
  contact_id: NullableText
  status: BookingStatus
  title: Generated<string>
  location: Generated<string>
  link: NullableText
  reason: Generated<string>
  starts_at: NullableTime
  ends_at: NullableTime
  booked_at: NullableTime
  completed_at: NullableTime
  cancelled_at: NullableTime
  told: Generated<string>
  happened_at: GeneratedTime
}

export interface TicketFactTable {
  workspace_id: string
  ticket_key: string
  contact_id: NullableText
  number: Generated<string>
  subject: Generated<string>
  opened_at: NullableTime
  resolved_at: NullableTime
  closed_at: NullableTime
  reopened_at: NullableTime
  merged_at: NullableTime
  unmerged_at: NullableTime
  is_open: boolean
  is_merged: Generated<boolean>
  told: Generated<string>
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.outside_users': { workspace_id: string; user_key: string; contact_id: string }
    'contacts.orders': OrderTable
    'contacts.bookings': BookingTable
    'contacts.ticket_facts': TicketFactTable
    'contacts.removed_interactions': InteractionTable & { removed_at: GeneratedTime; removed_by: NullableText }
  }
}
