/**
 * The events of other programs that this module hears, in the spellings that the documents show and that shops, schedulers
 * and help desks send. Objects are open: what is not named here is left alone, and null is the same as not being there.
 */
import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { createValidators } from '#platform/http/validation.ts'
import { NotUnderstood } from '#platform/errors.ts'
import type { Event } from '#platform/events/outbox.ts'

const open = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: true })

const Key = (description: string) =>
  Type.Optional(
    Type.Unsafe<string | number>({ type: ['string', 'integer'], minLength: 1, maxLength: 200, description }),
  )
const Words = (maxLength: number, description?: string) =>
  Type.Optional(Type.String({ maxLength, ...(description ? { description } : {}) }))
const Address = Type.Optional(Type.String({ format: 'email', maxLength: 254 }))
const Time = Type.Optional(
  Type.String({
    pattern: String.raw`^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?$`,
    description: 'RFC 3339; without a zone it is UTC. Where it is missing, the time of the envelope counts',
  }),
)
const Money = Type.Optional(
  Type.Unsafe<string | number>({
    type: ['string', 'number'],
    pattern: String.raw`^\d{1,12}(\.\d{1,8})?$`,
    minimum: 0,
    maximum: 999_999_999_999,
    description: 'A number, or better a decimal string such as "49.90"',
  }),
)
const Currency = Type.Optional(
  Type.String({ pattern: '^[A-Za-z]{3}$', description: 'ISO 4217; the workspace’s own where it is missing' }),
)
const Flag = Type.Optional(Type.Boolean())

const personFields = {
  contact_id: Key('The id of the contact here, where the sender knows it'),
  user_id: Key('The id of the user in the sender’s world: a UUID, or any other'),
  email: Address,
  first_name: Words(100),
  last_name: Words(100),
  full_name: Words(201, 'Instead of the two parts: it is split'),
  name: Words(201, 'The same'),
  phone: Words(40),
  company: Words(200),
  language: Words(35),
  locale: Words(35, 'The same'),
}
const PersonPart = open({ ...personFields, id: Key('As `user_id`') })
export type PersonPart = Static<typeof PersonPart>

/** The person as an object of its own, under any of these names, or flat beside the rest. */
const people = {
  ...personFields,
  customer: Type.Optional(PersonPart),
  user: Type.Optional(PersonPart),
  contact: Type.Optional(PersonPart),
  customer_id: Key('As `contact_id` where it is the id of a contact here, as `user_id` otherwise'),
  customer_email: Address,
  customer_name: Words(201),
  customer_phone: Words(40),
  user_email: Address,
}
export const People = open(people)
export type People = Static<typeof People>

export const UserRegistered = open({ ...people, id: Key('As `user_id`'), registered_at: Time, created_at: Time })

const orderFields = {
  order_id: Key('Names the order: told twice, it counts once'),
  order_number: Key('The same, where there is no `order_id`'),
  id: Key('The same'),
  currency: Currency,
  total: Money,
  amount: Money,
  total_amount: Money,
  total_price: Money,
  grand_total: Money,
}
const Order = { ...people, ...orderFields, order: Type.Optional(open(orderFields)) }
export const OrderCompleted = open({ ...Order, completed_at: Time, paid_at: Time, created_at: Time })
export const OrderReturned = open({
  ...Order,
  return_id: Key('Names the return: several of one order add up. Without it, the last that is told counts'),
  returned_amount: Type.Optional({ ...Money, description: 'How much goes back; all of it where it is missing' }),
  refund_amount: Money,
  refunded_amount: Money,
  returned_at: Time,
  refunded_at: Time,
  reason: Words(1_000),
})

const bookingFields = {
  booking_id: Key('Names the booking'),
  appointment_id: Key('Names the appointment'),
  id: Key('The same'),
  uid: Key('The same'),
  title: Words(500),
  event_name: Words(500, 'The same'),
  event_type: Type.Optional(
    Type.Union([Type.String({ maxLength: 500 }), open({ name: Words(500), title: Words(500) })]),
  ),
  service: Words(500, 'The same'),
  location: Words(1_000),
  url: Words(2_000),
  link: Words(2_000),
  meeting_url: Words(2_000),
  start_time: Time,
  starts_at: Time,
  start: Time,
  end_time: Time,
  ends_at: Time,
  end: Time,
  reason: Words(1_000),
  cancellation_reason: Words(1_000),
  created_at: Time,
  booked_at: Time,
  completed_at: Time,
  cancelled_at: Time,
  canceled_at: Time,
}
/** Each of the attendees is a contact, and so is the invitee. */
export const Booking = open({
  ...people,
  ...bookingFields,
  booking: Type.Optional(open(bookingFields)),
  appointment: Type.Optional(open(bookingFields)),
  invitee: Type.Optional(PersonPart),
  invitee_name: Words(201),
  invitee_email: Address,
  invitee_phone: Words(40),
  attendees: Type.Optional(
    Type.Array(Type.Union([PersonPart, Type.String({ format: 'email', maxLength: 254 })]), { maxItems: 500 }),
  ),
})

export const Ticket = open({
  ...people,
  ticket_id: Key('Names the ticket'),
  id: Key('The same'),
  ticket_number: Words(100, 'For people'),
  subject: Words(1_000),
  requester: Type.Optional(PersonPart),
  requester_email: Address,
  requester_name: Words(201),
  created_at: Time,
  resolved_at: Time,
  closed_at: Time,
  reopened_at: Time,
})

export const TicketMerge = open({
  merged_ids: Type.Array(Type.Unsafe<string | number>({ type: ['string', 'integer'], minLength: 1, maxLength: 200 }), {
    minItems: 1,
    maxItems: 1_000,
    description: 'The tickets that went into the other one, or are their own again',
  }),
  merged_at: Time,
  unmerged_at: Time,
})

export const NewsletterSubscribed = open({
  ...people,
  source: Words(100, 'The form, such as website_footer'),
  wording: Words(10_000, 'What the person agreed to, word for word'),
  consent_text: Words(10_000, 'The same'),
  double_optin: Type.Optional(
    Type.Boolean({ description: 'Whether the address confirmed. An explicit false subscribes nobody' }),
  ),
  double_opt_in: Flag,
  marketing: Type.Optional(Type.Boolean({ description: 'Promotions too' })),
  subscription_type: Type.Optional(Type.String({ enum: ['newsletter', 'marketing', 'all'] })),
  ip: Words(100),
  ip_address: Words(100),
  user_agent: Words(1_000),
  subscribed_at: Time,
  confirmed_at: Time,
})

export const EmailSent = open({
  ...people,
  to: Address,
  recipient: Address,
  subject: Words(1_000),
  message_id: Words(500, 'Told twice, it counts once'),
  template: Words(200),
  campaign_id: Key('Kept beside the entry'),
  sent_at: Time,
})

const compile = createValidators()
const validators = new Map<TObject, ReturnType<typeof compile>>()

/** The data of an event in its shape; what does not fit is set aside with the reason. */
export function understand<T extends TObject>(shape: T, event: Event): Static<T> {
  const data = withoutNulls(event.data)
  const validate = validators.get(shape) ?? compile(shape, 'body')
  validators.set(shape, validate)
  if (validate(data)) return data as Static<T>
  const faults = (validate.errors ?? []).map(({ instancePath, message }) => `data${instancePath} ${message}`)
  throw new NotUnderstood('not_understood', `${event.event}: ${[...new Set(faults)].slice(0, 5).join('; ')}.`)
}

export function notUnderstood(event: Pick<Event, 'event'>, what: string): NotUnderstood {
  return new NotUnderstood('not_understood', `${event.event}: ${what}`)
}

/** The first of the times that is told, or that of the envelope, as RFC 3339 in UTC. */
export function timeOf(event: Event, ...told: (string | undefined)[]): string {
  return optionalTime(event, ...told) ?? event.timestamp
}

export function optionalTime(event: Pick<Event, 'event'>, ...told: (string | undefined)[]): string | null {
  const text = told.find((time) => time !== undefined)
  if (text === undefined) return null
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/.test(text.slice(10)) ? text.replace(/ (?=Z|[+-]\d\d:?\d\d$)/, '') : `${text}Z`
  const time = new Date((text.length === 10 ? `${text}T00:00:00Z` : zoned).replace(' ', 'T'))
  if (Number.isNaN(time.getTime())) throw notUnderstood(event, `there is no time ${text}.`)
  return time.toISOString()
}

/** Which of two events of one thing counts, where they contradict each other: the later, and of one instant always the same. */
export function toldBy(event: Event): string {
  return `${event.timestamp} ${event.id}`
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, one]) => one !== null && one !== '')
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutNulls(one)]))
}
