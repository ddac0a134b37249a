/** What a customer is worth, from the figures that events of orders and appointments have left on the contact. */
import { sql } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { Id, NullableInteger, NullableTimestamp, OneOf } from '#platform/http/shapes.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { engagementLevel, engagementLevels } from '../contact-view.ts'
import type { Contact } from '../tables.ts'
import { historyFields } from './customer-view.ts'

const Share = Type.Unsafe<number | null>({ type: ['number', 'null'], description: '0 to 1; null of nothing' })

export const CustomerStats = Type.Object(
  {
    customer_id: Id,
    total_orders: Type.Integer(),
    total_appointments: Type.Integer(),
    total_bookings: Type.Integer(),
    lifetime_value: Type.String({ description: 'Exact decimal: completed orders less what was returned' }),
    currency: Type.String(),
    average_order_value: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Exact decimal' }),
    last_order_date: NullableTimestamp,
    last_appointment_date: NullableTimestamp,
    days_since_last_order: NullableInteger,
    return_rate: Share,
    cancellation_rate: Share,
    ...historyFields,
    history: Type.Object(
      { id: Id, customer_id: Id, ...historyFields },
      { description: 'The same four under the name that document 4 gives them' },
    ),
    engagement: Type.Object({
      score: Type.Integer(),
      level: OneOf(engagementLevels),
      emails_opened: Type.Integer(),
      emails_clicked: Type.Integer(),
      last_engaged_at: NullableTimestamp,
    }),
  },
  { $id: 'CustomerStats' },
)
export type CustomerStats = Static<typeof CustomerStats>

/** The database divides: money stays an exact decimal. */
export async function customerStats(tx: Tx, id: string): Promise<CustomerStats> {
  const { rows } = await sql<Contact & { average: string | null }>`
    select c.*, round(c.lifetime_value / nullif(c.total_orders, 0), 2)::text as average
    from contacts.contacts c where c.id = ${id} and c.deleted_at is null`.execute(tx.sql)
  const row = rows[0]
  if (!row) throw new NotFound('customer')
  const { currency } = await getWorkspace(tx, tx.workspaceId)
  const { first_order_date, first_appointment_date, returned_orders, cancelled_appointments } = row
  const history = { first_order_date, first_appointment_date, returned_orders, cancelled_appointments }
  return {
    customer_id: id,
    total_orders: row.total_orders,
    total_appointments: row.total_appointments,
    total_bookings: row.total_bookings,
    lifetime_value: row.lifetime_value,
    currency,
    average_order_value: row.average,
    last_order_date: row.last_order_date,
    last_appointment_date: row.last_appointment_date,
    days_since_last_order: row.last_order_date && daysBetween(row.last_order_date, tx.now),
    return_rate: shareOf(returned_orders, row.total_orders),
    cancellation_rate: shareOf(cancelled_appointments, row.total_appointments),
    ...history,
    history: { id, customer_id: id, ...history },
    engagement: {
      score: row.engagement_score,
      level: engagementLevel(row.engagement_score),
      emails_opened: row.total_emails_opened,
      emails_clicked: row.total_emails_clicked,
      last_engaged_at: row.last_engaged_at,
    },
  }
}

function daysBetween(from: Date, to: Date): number {
  return Math.max(0, Math.floor((to.getTime() - from.getTime()) / 86_400_000))
}

/** Never above 1, whatever order the events of other programs came in. */
function shareOf(part: number, whole: number): number | null {
  return whole > 0 ? Math.min(1, Math.round((part / whole) * 1_000) / 1_000) : null
}
