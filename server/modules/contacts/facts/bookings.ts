/**
 * Bookings and appointments of other programs, one row for each person who attends. As with orders: what is known is read,
 * joined with what the events tell, and written, by one writer at a time.
 */
import { sql } from 'kysely'
import type { Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { newId } from '#platform/ids.ts'
import { recordInteractions, type NewInteraction } from '../interactions.ts'
import { bookingStatus, happenedAt, joinBookings, type BookingKind, type BookingState } from './booking-state.ts'
import { refreshFigures, takeTurn } from './figures.ts'
import { Booking, notUnderstood, optionalTime, timeOf, toldBy, understand } from './shapes.ts'
import { fromPart, isSomebody, nobodyKnown, resolveWho, whoOf, type Who } from './who.ts'

export type BookingVerb = 'created' | 'completed' | 'cancelled'

interface Told {
  event: Event
  verb: BookingVerb
  attendees: Who[]
  state: BookingState
}

export async function tellBookings(tx: Tx, events: Event[], kind: BookingKind, verb: BookingVerb): Promise<void> {
  const told = events.map((event) => read(event, kind, verb))
  await takeTurn(tx)
  const keys = [...new Set(told.map(({ state }) => state.key))]
  const known = await readBookings(tx, kind, keys)
  await nameAttendees(tx, told, known)
  const joined = new Map<string, BookingState>()
  for (const { state } of told) {
    const before = joined.get(state.key) ?? known.get(state.key)?.state
    joined.set(state.key, before ? joinBookings(before, state) : state)
  }
  const bookings = [...joined.values()]
  await writeBookings(tx, bookings, known)
  await refreshFigures(
    tx,
    bookings.flatMap((booking) => booking.contactIds),
  )
  await recordInteractions(tx, bookings.flatMap(toInteractions))
}

function read(event: Event, kind: BookingKind, verb: BookingVerb): Told {
  const data = understand(Booking, event)
  const part = { ...data.booking, ...data.appointment, ...data }
  const key = part[`${kind}_id`] ?? part.booking_id ?? part.appointment_id ?? part.id ?? part.uid ?? data[kind]?.id
  if (key === undefined) throw notUnderstood(event, `it names no ${kind}: send a ${kind}_id.`)
  const name = typeof part.event_type === 'object' ? (part.event_type.name ?? part.event_type.title) : part.event_type
  const at = (when: BookingVerb, ...times: (string | undefined)[]): string | null =>
    verb === when ? timeOf(event, ...times) : null
  return {
    event,
    verb,
    attendees: attendeesOf(data),
    state: {
      kind,
      key: String(key),
      contactIds: [],
      title: part.title ?? part.event_name ?? name ?? part.service ?? '',
      location: part.location ?? '',
      link: webAddress(part.url ?? part.link ?? part.meeting_url),
      startsAt: optionalTime(event, part.start_time, part.starts_at, part.start),
      endsAt: optionalTime(event, part.end_time, part.ends_at, part.end),
      reason: verb === 'cancelled' ? (part.reason ?? part.cancellation_reason ?? '') : '',
      bookedAt: at('created', part.booked_at, part.created_at),
      completedAt: at('completed', part.completed_at),
      cancelledAt: at('cancelled', part.cancelled_at, part.canceled_at),
      told: `${verb === 'created' ? 1 : 0} ${toldBy(event)}`,
    },
  }
}

/** The invitee and everybody else; who is told of twice is found twice. */
function attendeesOf(data: Static<typeof Booking>): Who[] {
  const invitee = { email: data.invitee_email, fullName: data.invitee_name, phone: data.invitee_phone }
  const others = (data.attendees ?? []).map((one) => (typeof one === 'string' ? { email: one } : fromPart(one)))
  const all = [invitee, ...(data.invitee ? [fromPart(data.invitee)] : []), whoOf(data), ...others]
  return all.filter(isSomebody)
}

/** One who cannot be found does not keep the others out; nobody at all does. */
async function nameAttendees(tx: Tx, told: Told[], known: Map<string, KnownBooking>): Promise<void> {
  const people = told.flatMap(({ attendees, state }) => attendees.map((who) => ({ who, state })))
  const ids = await resolveWho(
    tx,
    people.map(({ who }) => who),
    { source: told[0]?.state.kind ?? 'booking', byPhone: true },
  )
  people.forEach(({ state }, index) => {
    const id = ids[index]
    if (id && !state.contactIds.includes(id)) state.contactIds.push(id)
  })
  for (const { event, verb, attendees, state } of told) {
    if (verb !== 'created' || state.contactIds.length || known.get(state.key)?.state.contactIds.length) continue
    if (!attendees.length) throw notUnderstood(event, 'it names nobody: send an invitee_email, or attendees.')
    throw nobodyKnown(event)
  }
}

interface KnownBooking {
  state: BookingState
  rows: { id: string; contactId: string | null }[]
}

async function readBookings(tx: Tx, kind: BookingKind, keys: string[]): Promise<Map<string, KnownBooking>> {
  const rows = await tx.sql
    .selectFrom('contacts.bookings')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('kind', '=', kind)
    .where('booking_key', '=', sql<string>`any(${keys}::text[])`)
    .orderBy('id')
    .execute()
  const known = new Map<string, KnownBooking>()
  for (const [key, own] of Map.groupBy(rows, (row) => row.booking_key)) {
    const [row] = own as [(typeof own)[number]]
    const state: BookingState = {
      kind,
      key,
      contactIds: [...new Set(own.map((one) => one.contact_id).filter((id) => id !== null))],
      title: row.title,
      location: row.location,
      link: row.link,
      reason: row.reason,
      startsAt: row.starts_at?.toISOString() ?? null,
      endsAt: row.ends_at?.toISOString() ?? null,
      bookedAt: row.booked_at?.toISOString() ?? null,
      completedAt: row.completed_at?.toISOString() ?? null,
      cancelledAt: row.cancelled_at?.toISOString() ?? null,
      told: row.told,
    }
    known.set(key, { state, rows: own.map(({ id, contact_id }) => ({ id, contactId: contact_id })) })
  }
  return known
}

async function writeBookings(tx: Tx, bookings: BookingState[], known: Map<string, KnownBooking>): Promise<void> {
  const rows = bookings.flatMap((booking) => rowsOf(booking, known.get(booking.key)?.rows ?? []))
  await sql`
    insert into contacts.bookings (workspace_id, id, kind, booking_key, contact_id, status, title, location, link, reason,
      starts_at, ends_at, booked_at, completed_at, cancelled_at, told, happened_at)
    select ${tx.workspaceId}::uuid, id, kind, booking_key, contact_id, status, title, location, link, reason,
      starts_at, ends_at, booked_at, completed_at, cancelled_at, told, happened_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(id uuid, kind text, booking_key text, contact_id uuid,
      status text, title text, location text, link text, reason text, starts_at timestamptz, ends_at timestamptz,
      booked_at timestamptz, completed_at timestamptz, cancelled_at timestamptz, told text, happened_at timestamptz)
    on conflict (workspace_id, id) do update set contact_id = excluded.contact_id, status = excluded.status,
      title = excluded.title, location = excluded.location, link = excluded.link, reason = excluded.reason,
      starts_at = excluded.starts_at, ends_at = excluded.ends_at, booked_at = excluded.booked_at,
      completed_at = excluded.completed_at, cancelled_at = excluded.cancelled_at, told = excluded.told,
      happened_at = excluded.happened_at`.execute(tx.sql)
}

/** A row for each who attends; the one that waited for a name becomes the first's. Without anybody it says nothing of the details. */
function rowsOf(booking: BookingState, known: KnownBooking['rows']) {
  const waiting = known.find((row) => row.contactId === null)
  const missing = booking.contactIds.filter((id) => !known.some((row) => row.contactId === id))
  const kept = known.filter((row) => row.contactId !== null)
  const added = missing.map((contactId, index) => ({
    id: index === 0 && waiting ? waiting.id : newId(),
    contactId: contactId as string | null,
  }))
  const all = kept.length || added.length ? [...kept, ...added] : [waiting ?? { id: newId(), contactId: null }]
  return all.map(({ id, contactId }) => ({
    id,
    kind: booking.kind,
    booking_key: booking.key,
    contact_id: contactId,
    status: bookingStatus(booking),
    title: booking.title,
    location: booking.location,
    link: booking.link,
    reason: booking.reason,
    starts_at: booking.startsAt,
    ends_at: booking.endsAt,
    booked_at: booking.bookedAt,
    completed_at: booking.completedAt,
    cancelled_at: booking.cancelledAt,
    told: booking.told,
    happened_at: happenedAt(booking),
  }))
}

/** Everything that happened, for everybody; what stands on the timeline already is left out there. */
function toInteractions(booking: BookingState): NewInteraction[] {
  const { kind, key, title, bookedAt, completedAt, cancelledAt, startsAt, endsAt, location, link, reason } = booking
  const times = { created: bookedAt, completed: completedAt, cancelled: cancelledAt } as const
  const about = { starts_at: startsAt, ends_at: endsAt, location: location || null, link }
  const told = Object.fromEntries(Object.entries(about).filter(([, value]) => value !== null))
  return booking.contactIds.flatMap((contactId) =>
    (['created', 'completed', 'cancelled'] as const).flatMap((verb): NewInteraction[] => {
      const at = times[verb]
      if (!at) return []
      return [
        {
          contactId,
          type: `${kind}_${verb}`,
          description: verb === 'cancelled' && reason ? `${title || key}: ${reason}`.slice(0, 5_000) : title || key,
          metadata: { [`${kind}_id`]: key, ...told },
          occurredAt: at,
          bookingId: key,
          sourceKey: `${kind}:${key}:${verb}:${contactId}`,
        },
      ]
    }),
  )
}

function webAddress(text: string | undefined): string | null {
  const url = text === undefined ? null : URL.parse(text)
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url.href : null
}
