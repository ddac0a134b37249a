/**
 * The figures of a contact's record, always derived from the facts and from what was there before facts were kept. Money adds
 * up exactly, in the currency of the workspace; orders in another one are shown and not added (docs/decisions/0021).
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { publishContacts, type ContactFacts } from '../contact-events.ts'

/** Facts are read, joined and written by one transaction of a workspace at a time. */
export async function takeTurn(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(7276777, hashtext(${tx.workspaceId}))`.execute(tx.sql)
}

const counted = [
  'total_orders',
  'returned_orders',
  'total_bookings',
  'total_appointments',
  'cancelled_appointments',
  'total_tickets',
  'open_tickets',
  'first_order_date',
  'last_order_date',
  'first_appointment_date',
  'last_appointment_date',
  'last_booking_date',
  'lifetime_value',
] as const

/**
 * Writes those that are not what they should be, and tells of them; answers how many contacts that were. The rows are locked
 * by a statement of its own, so that the next one sees what whoever held them has written.
 */
export async function refreshFigures(tx: Tx, contactIds: string[], { quiet = false } = {}): Promise<number> {
  if (!contactIds.length) return 0
  const ids = [...new Set(contactIds)]
  await sql`
    select from contacts.contacts where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[])
    order by id for no key update`.execute(tx.sql)
  const { currency } = await getWorkspace(tx, tx.workspaceId)
  const { rows } = await sql<ContactFacts & { changed: string[] }>`
    with ${factFigures(tx, currency, (id) => sql`${id} = any(${ids}::uuid[])`)}
    update contacts.contacts c set ${sql.join(counted.map((name) => sql`${sql.ref(name)} = ${sql.ref(`s.${name}`)}`))}
    from (
      select f.*, array_remove(array[${sql.join(
        counted.map(
          (name) =>
            sql`case when ${sql.ref(`c.${name}`)} is distinct from ${sql.ref(`f.${name}`)} then ${sql.lit(name)} end`,
        ),
      )}], null) as changed
      from contacts.contacts c join figures f using (id)
      where c.workspace_id = ${tx.workspaceId} and c.id = any(${ids}::uuid[]) and ${differ(counted)}) s
    where c.workspace_id = ${tx.workspaceId} and c.id = any(${ids}::uuid[]) and c.id = s.id
    returning c.id, c.email, c.first_name, c.last_name, c.company, c.source, s.changed`.execute(tx.sql)
  if (quiet) return rows.length
  for (const contacts of Map.groupBy(rows, (row) => row.changed.join()).values()) {
    const [{ changed }] = contacts as [(typeof rows)[number]]
    await publishContacts(tx, 'updated', contacts, { changed })
  }
  return rows.length
}

/** The same for all contacts between two ids, the first excluded; nobody is locked whose figures are right. */
export async function repairFigures(tx: Tx, after: string, last: string): Promise<number> {
  const { currency } = await getWorkspace(tx, tx.workspaceId)
  const { rows } = await sql<{ id: string }>`
    with ${factFigures(tx, currency, (id) => sql`${id} > ${after}::uuid and ${id} <= ${last}::uuid`)}
    select c.id from contacts.contacts c join figures f using (id)
    where c.workspace_id = ${tx.workspaceId} and ${differ(counted)}`.execute(tx.sql)
  return refreshFigures(
    tx,
    rows.map((row) => row.id),
  )
}

/**
 * For whoever writes figures of which there are no facts, such as a file that knows how often somebody ordered: what the record
 * says beyond its facts is kept, and later facts are added to it. The caller has just written these contacts, and so holds them.
 */
export async function adoptFigures(tx: Tx, contactIds: string[]): Promise<void> {
  if (!contactIds.length) return
  const { currency } = await getWorkspace(tx, tx.workspaceId)
  const ids = [...new Set(contactIds)]
  await sql`delete from contacts.opening_figures where workspace_id = ${tx.workspaceId} and contact_id = any(${ids}::uuid[])`.execute(
    tx.sql,
  )
  // A date that the facts tell too is no news; one that only the record has is kept.
  await sql`
    with ${factFigures(tx, currency, (id) => sql`${id} = any(${ids}::uuid[])`)}
    insert into contacts.opening_figures (workspace_id, id, contact_id, total_orders, returned_orders, total_appointments,
      cancelled_appointments, total_bookings, first_order_date, last_order_date, first_appointment_date,
      last_appointment_date, last_booking_date, lifetime_value)
    select ${tx.workspaceId}, gen_random_uuid(), c.id, c.total_orders - f.total_orders, c.returned_orders - f.returned_orders,
      c.total_appointments - f.total_appointments, c.cancelled_appointments - f.cancelled_appointments,
      c.total_bookings - f.total_bookings, nullif(c.first_order_date, f.first_order_date),
      nullif(c.last_order_date, f.last_order_date), nullif(c.first_appointment_date, f.first_appointment_date),
      nullif(c.last_appointment_date, f.last_appointment_date), nullif(c.last_booking_date, f.last_booking_date),
      c.lifetime_value - f.lifetime_value
    from contacts.contacts c join figures f using (id)
    where c.workspace_id = ${tx.workspaceId}
      and ${differ(comparable)}`.execute(tx.sql)
}

const comparable = counted.filter((name) => !name.endsWith('_tickets'))

/** Whether the record `c` says something else than its facts `f`. */
function differ(names: readonly string[]): RawBuilder<unknown> {
  const all = (row: string): RawBuilder<unknown> => sql.join(names.map((name) => sql.ref(`${row}.${name}`)))
  return sql`row(${all('c')}) is distinct from row(${all('f')})`
}

type Which = (id: RawBuilder<unknown>) => RawBuilder<unknown>

/** The CTE `figures`: a row for each of these contacts, with every figure as it should be. */
function factFigures(tx: Tx, currency: string, which: Which): RawBuilder<unknown> {
  const own = (id: string): RawBuilder<unknown> => sql`workspace_id = ${tx.workspaceId} and ${which(sql.ref(id))}`
  return sql`
    ordered as (
      select contact_id as id, count(*) as orders, count(*) filter (where returned_at is not null) as returned,
        min(completed_at) as first_at, max(completed_at) as last_at,
        coalesce(sum(amount - returned_amount) filter (where currency = ${currency}), 0) as value
      from contacts.orders where ${own('contact_id')} and completed_at is not null group by contact_id
    ), booked as (
      select contact_id as id, count(distinct booking_key) filter (where kind = 'booking') as bookings,
        count(distinct booking_key) filter (where kind = 'appointment') as appointments,
        count(distinct booking_key) filter (where kind = 'appointment' and status = 'cancelled') as cancelled,
        min(happened_at) filter (where kind = 'appointment') as first_at,
        max(happened_at) filter (where kind = 'appointment') as last_at,
        max(happened_at) filter (where kind = 'booking') as last_booking
      from contacts.bookings where ${own('contact_id')} group by contact_id
    ), asked as (
      select contact_id as id, count(*) as tickets, count(*) filter (where is_open) as open
      from contacts.ticket_facts where ${own('contact_id')} and not is_merged group by contact_id
    ), opening as (
      select contact_id as id, sum(total_orders) as orders, sum(returned_orders) as returned, sum(total_bookings) as bookings,
        sum(total_appointments) as appointments, sum(cancelled_appointments) as cancelled,
        min(first_order_date) as first_order, max(last_order_date) as last_order,
        min(first_appointment_date) as first_appointment, max(last_appointment_date) as last_appointment,
        max(last_booking_date) as last_booking, sum(lifetime_value) as value
      from contacts.opening_figures where ${own('contact_id')} group by contact_id
    ), figures as materialized (
      select i.id,
        coalesce(o.orders, 0) + coalesce(p.orders, 0) as total_orders,
        coalesce(o.returned, 0) + coalesce(p.returned, 0) as returned_orders,
        coalesce(b.bookings, 0) + coalesce(p.bookings, 0) as total_bookings,
        coalesce(b.appointments, 0) + coalesce(p.appointments, 0) as total_appointments,
        coalesce(b.cancelled, 0) + coalesce(p.cancelled, 0) as cancelled_appointments,
        coalesce(a.tickets, 0) as total_tickets, coalesce(a.open, 0) as open_tickets,
        least(o.first_at, p.first_order) as first_order_date, greatest(o.last_at, p.last_order) as last_order_date,
        least(b.first_at, p.first_appointment) as first_appointment_date,
        greatest(b.last_at, p.last_appointment) as last_appointment_date,
        greatest(b.last_booking, p.last_booking) as last_booking_date,
        round(coalesce(o.value, 0) + coalesce(p.value, 0), 2) as lifetime_value
      from (select id from contacts.contacts where ${own('id')}) i
      left join ordered o using (id) left join booked b using (id) left join asked a using (id) left join opening p using (id)
    )`
}
