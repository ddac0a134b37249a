/** Orders and bookings out of a timeline that was written at once, so that the demo's record has what its timeline tells. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'

export async function seedFacts(tx: Tx): Promise<void> {
  await sql`
    insert into contacts.orders (workspace_id, id, order_key, contact_id, status, amount, currency, completed_at, told, happened_at)
    select i.workspace_id, gen_random_uuid(), i.metadata ->> 'order_id', i.contact_id, 'completed',
      (i.metadata ->> 'amount')::numeric, i.metadata ->> 'currency', i.occurred_at, '', i.occurred_at
    from contacts.interactions i
    where i.workspace_id = ${tx.workspaceId} and i.interaction_type = 'purchase' and i.metadata ? 'order_id'
    on conflict do nothing`.execute(tx.sql)
  await sql`
    insert into contacts.bookings (workspace_id, id, kind, booking_key, contact_id, status, title, starts_at, booked_at,
      completed_at, cancelled_at, happened_at)
    select ${tx.workspaceId}::uuid, gen_random_uuid(), 'booking', booking_id, contact_id,
      case when cancelled_at is not null then 'cancelled' when completed_at is not null then 'completed' else 'booked' end,
      title, starts_at, booked_at, completed_at, cancelled_at, coalesce(starts_at, booked_at)
    from (
      select booking_id, contact_id, max(description) filter (where interaction_type = 'booking_created') as title,
        max((metadata ->> 'date')::timestamptz) as starts_at,
        min(occurred_at) filter (where interaction_type = 'booking_created') as booked_at,
        min(occurred_at) filter (where interaction_type = 'booking_completed') as completed_at,
        min(occurred_at) filter (where interaction_type = 'booking_cancelled') as cancelled_at
      from contacts.interactions
      where workspace_id = ${tx.workspaceId} and booking_id is not null
        and interaction_type in ('booking_created', 'booking_completed', 'booking_cancelled')
      group by booking_id, contact_id) as told
    where booked_at is not null`.execute(tx.sql)
}
