/** Random people for the agreement of compiler and evaluator: accents, nulls, and values that nearly fit. */
import fc from 'fast-check'
import { newId } from '#platform/ids.ts'

export const timezones = ['UTC', 'Europe/Paris', 'America/Sao_Paulo', 'Asia/Kolkata', 'Pacific/Auckland'] as const
export const ids = Array.from({ length: 3 }, newId)
export const campaigns = [newId(), newId()]
export const tagNames = ['vip', 'Gold', 'été']
export const purposes = ['newsletter', 'marketing', 'tracking'] as const

/** From now, and never a whole number of days, so that the clock's ticking decides nothing. */
export const hours = fc.integer({ min: -100 * 24, max: 60 * 24 }).map((hour) => hour + 0.37)
export const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const names = fc.constantFrom('', 'Zoé', 'zoe', 'ZOÉ', 'Ana Maria', 'a%b_c', 'É', 'Müller', 'de la Cruz')
const customValue = fc.constantFrom<unknown>(
  'Gold',
  'góld',
  '',
  5,
  5.5,
  '5',
  -3,
  true,
  false,
  null,
  ['a'],
  [],
  '2024-03-31',
  'x',
)

export const person = fc.record({
  email: fc.constantFrom('zoe', 'ZOÉ', 'max.m', 'ana'),
  first_name: names,
  last_name: names,
  company: orNull(fc.constantFrom('', 'Été SA', 'ete sa', 'ACME')),
  phone: orNull(fc.constantFrom('+33 6 12', '06-12 (3)', '0612')),
  gender: orNull(fc.constantFrom('male', 'female', 'other')),
  language: fc.constantFrom('fr', 'fr-CA', 'en'),
  source: orNull(fc.constantFrom('Import', 'import', 'web')),
  status: fc.constantFrom('active', 'unsubscribed', 'bounced'),
  is_active: fc.boolean(),
  newsletter_subscribed: fc.boolean(),
  marketing_subscribed: fc.boolean(),
  tracking_allowed: fc.boolean(),
  engagement_score: fc.constantFrom(0, 10, 11, 50, 51, 200),
  lifetime_value: fc.constantFrom('0.00', '12.50', '99.99'),
  notes: fc.constantFrom('', 'Likes ducks'),
  user_id: orNull(fc.constantFrom(...ids)),
  created_at: hours,
  subscribed_at: orNull(hours),
  last_email_opened_at: orNull(hours),
  last_booking_date: orNull(hours),
  custom_fields: fc.dictionary(fc.constantFrom('tier', 'day'), customValue),
  tags: fc.subarray(tagNames),
  lists: fc.subarray(['one', 'two', 'gone']),
  consents: fc.array(
    fc.record({
      purpose: fc.constantFrom(...purposes),
      decision: fc.constantFrom('granted', 'withdrawn', 'pending'),
      at: hours,
    }),
    { maxLength: 4 },
  ),
  entries: fc.array(
    fc.record({
      type: fc.constantFrom('purchase', 'email_opened', 'booking_created'),
      at: hours,
      machine: fc.boolean(),
      campaign: orNull(fc.constantFrom(...campaigns)),
      booking: orNull(fc.constantFrom('B1', 'B2')),
    }),
    { maxLength: 6 },
  ),
})
export type Person = typeof person extends fc.Arbitrary<infer T> ? T : never
export type Timed = Omit<Person, 'email'> & { id: string; email: string }
