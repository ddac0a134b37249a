/** A contact under the names of document 4: the same person, with what they bought and booked. */
import { sql } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { Id, NullableId, NullableText, NullableTimestamp, Timestamp } from '#platform/http/shapes.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { genders, type ContactRow } from '../contact-view.ts'
import { joinFullName } from '../names.ts'
import { customerTags, CustomerTagView } from './customer-tags.ts'

/** Four dates and counts that document 4 keeps apart as the customer's history. */
export const historyFields = {
  first_order_date: NullableTimestamp,
  first_appointment_date: NullableTimestamp,
  returned_orders: Type.Integer(),
  cancelled_appointments: Type.Integer(),
}

export const CustomerView = Type.Object(
  {
    id: Id,
    user_id: NullableId,
    business_id: Type.String({ format: 'uuid', description: 'The workspace' }),
    full_name: Type.String(),
    email: Type.String(),
    phone: NullableText,
    gender: Type.Unsafe<(typeof genders)[number] | null>({ type: ['string', 'null'], enum: [...genders, null] }),
    avatar_url: NullableText,
    total_orders: Type.Integer(),
    total_appointments: Type.Integer(),
    last_order_date: NullableTimestamp,
    last_appointment_date: NullableTimestamp,
    lifetime_value: Type.String({ description: 'Exact decimal' }),
    currency: Type.String({ description: 'Of the lifetime value: the currency of the workspace' }),
    ...historyFields,
    tags: Type.Array(CustomerTagView),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Customer' },
)
export type CustomerView = Static<typeof CustomerView>

/** Any number of contacts in two statements. */
export async function viewCustomers(tx: Tx, rows: ContactRow[]): Promise<CustomerView[]> {
  if (!rows.length) return []
  const { currency } = await getWorkspace(tx, tx.workspaceId)
  const tags = Map.groupBy(
    await customerTags(tx, sql`ct.contact_id = any(${rows.map((row) => row.id)}::uuid[])`),
    (tag) => tag.customer_id,
  )
  return rows.map((row) => ({
    id: row.id,
    user_id: row.user_id,
    business_id: row.workspace_id,
    full_name: joinFullName(row),
    email: row.email,
    phone: row.phone,
    gender: row.gender,
    avatar_url: row.avatar_url,
    total_orders: row.total_orders,
    total_appointments: row.total_appointments,
    last_order_date: row.last_order_date,
    last_appointment_date: row.last_appointment_date,
    lifetime_value: row.lifetime_value,
    currency,
    first_order_date: row.first_order_date,
    first_appointment_date: row.first_appointment_date,
    returned_orders: row.returned_orders,
    cancelled_appointments: row.cancelled_appointments,
    tags: tags.get(row.id) ?? [],
    created_at: row.created_at,
    updated_at: row.updated_at,
  }))
}

export async function viewCustomer(tx: Tx, row: ContactRow): Promise<CustomerView> {
  const [customer] = await viewCustomers(tx, [row])
  return customer!
}
