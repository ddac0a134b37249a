/** What is known of a booking or an appointment, and how more becomes known: pure, in whatever order it comes. */
import { earlier } from './order-state.ts'

export type BookingKind = 'booking' | 'appointment'
export type BookingStatus = 'booked' | 'completed' | 'cancelled'

export interface BookingDetails {
  title: string
  location: string
  link: string | null
  startsAt: string | null
  endsAt: string | null
}

export interface BookingState extends BookingDetails {
  kind: BookingKind
  key: string
  contactIds: string[]
  reason: string
  bookedAt: string | null
  completedAt: string | null
  cancelledAt: string | null
  /** Of the event that the details are from: one that made the booking comes before any other, then the last. */
  told: string
}

/** Each thing happens once, at the first time told. */
export function joinBookings(one: BookingState, other: BookingState): BookingState {
  const { title, location, link, startsAt, endsAt, told } = one.told >= other.told ? one : other
  return {
    kind: one.kind,
    key: one.key,
    contactIds: [...new Set([...one.contactIds, ...other.contactIds])].toSorted(),
    title,
    location,
    link,
    startsAt,
    endsAt,
    reason: reasonOf(one, other),
    bookedAt: earlier(one.bookedAt, other.bookedAt),
    completedAt: earlier(one.completedAt, other.completedAt),
    cancelledAt: earlier(one.cancelledAt, other.cancelledAt),
    told,
  }
}

/** That of the cancellation which counts. */
function reasonOf(one: BookingState, other: BookingState): string {
  if (one.cancelledAt === other.cancelledAt) return one.reason > other.reason ? one.reason : other.reason
  return earlier(one.cancelledAt, other.cancelledAt) === one.cancelledAt ? one.reason : other.reason
}

/** Of completed and cancelled the later counts; at the same time, that it was cancelled. */
export function bookingStatus({ completedAt, cancelledAt }: BookingState): BookingStatus {
  if (cancelledAt && !(completedAt && completedAt > cancelledAt)) return 'cancelled'
  return completedAt ? 'completed' : 'booked'
}

/** When it takes place, or was made: what "the last booking" is measured by. */
export function happenedAt({ startsAt, bookedAt, completedAt, cancelledAt }: BookingState): string {
  return startsAt ?? bookedAt ?? completedAt ?? cancelledAt ?? new Date(0).toISOString()
}
