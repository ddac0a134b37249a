/** Random rules: every type of field with every operator, and trees of them. Lists go by words until they have ids. */
import fc from 'fast-check'
import type { EventRule, FieldRule, Rule } from '../rule.ts'
import { campaigns, hours, ids } from './people.ts'

const dayMs = 86_400_000

const day = fc
  .integer({ min: -100, max: 60 })
  .map((days) => new Date(Date.now() + days * dayMs).toISOString().slice(0, 10))
const instant = hours.map((hour) => new Date(Math.round(Date.now() + (hour + 0.1) * 3_600_000)).toISOString())
const texts = fc.constantFrom(
  'zoe',
  'Zoé',
  'É',
  'a',
  'maria',
  '%',
  'a%b',
  'ete SA',
  'ducks',
  'import',
  'Gold',
  '5',
  'ana zoe',
)
const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 })
const presence = fc.record({ op: fc.constantFrom('is_empty', 'is_not_empty') })
const leafOf = (field: string[], asked: fc.Arbitrary<{ op: string; value?: unknown }>): fc.Arbitrary<FieldRule> =>
  fc.tuple(fc.constantFrom(...field), asked).map(([name, question]) => ({ field: name, ...question }))
const equality = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    fc.record({ op: fc.constantFrom('eq', 'neq'), value }),
    fc.record({ op: fc.constantFrom('in', 'not_in'), value: many(value) }),
  )
const pair = <T>(one: fc.Arbitrary<T>) => fc.record({ op: fc.constant('between'), value: fc.tuple(one, one) })
const order = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(fc.record({ op: fc.constantFrom('gt', 'gte', 'lt', 'lte'), value }), pair(value))
const relative = fc.record({
  op: fc.constantFrom('within_last_days', 'not_within_last_days', 'within_next_days', 'older_than_days'),
  value: fc.integer({ min: 1, max: 90 }),
})
const words = fc.record({ op: fc.constantFrom('contains', 'not_contains', 'starts_with', 'ends_with'), value: texts })
const numbers = fc.constantFrom(0, 10, 11, 12, 51)

const fieldRule: fc.Arbitrary<FieldRule> = fc.oneof(
  leafOf(
    ['first_name', 'last_name', 'full_name', 'company', 'notes', 'source'],
    fc.oneof(equality(texts), words, presence),
  ),
  leafOf(['email'], fc.oneof(equality(fc.constantFrom('zoe0@x.example', 'ZOÉ1@X.example')), words)),
  leafOf(['phone'], fc.oneof(equality(fc.constantFrom('+33612', '06123', '06 12')), presence)),
  leafOf(['gender'], fc.oneof(equality(fc.constantFrom('male', 'female', 'other')), presence)),
  leafOf(
    ['language'],
    fc.oneof(equality(fc.constantFrom('fr', 'fr-ca', 'en')), fc.constant({ op: 'starts_with', value: 'fr' })),
  ),
  leafOf(['status'], equality(fc.constantFrom('active', 'bounced', 'complained'))),
  leafOf(['engagement_level'], equality(fc.constantFrom('low', 'medium', 'high'))),
  leafOf(['is_active', 'newsletter_subscribed'], fc.record({ op: fc.constantFrom('eq', 'neq'), value: fc.boolean() })),
  leafOf(['engagement_score'], fc.oneof(equality(numbers), order(numbers))),
  leafOf(['lifetime_value'], order(fc.constantFrom('12.50', 12.5, 0, '99.99'))),
  leafOf(['user_id'], fc.oneof(equality(fc.constantFrom(...ids)), presence)),
  leafOf(
    ['created_at', 'subscribed_at', 'last_email_opened_at', 'last_booking_date', 'consent.newsletter.at'],
    fc.oneof(
      fc.record({ op: fc.constantFrom('before', 'after', 'gt', 'gte', 'lt', 'lte'), value: fc.oneof(day, instant) }),
      fc.record({ op: fc.constant('on'), value: day }),
      pair(fc.oneof(day, instant)),
      relative,
    ),
  ),
  leafOf(['subscribed_at', 'last_email_opened_at'], presence),
  leafOf(
    ['consent.newsletter', 'consent.marketing', 'consent.tracking'],
    equality(fc.constantFrom('granted', 'withdrawn', 'pending', 'none')),
  ),
  leafOf(
    ['tag', 'tags'],
    fc.oneof(
      fc.record({ op: fc.constant('has'), value: fc.constantFrom('VIP', 'gold', 'none') }),
      fc.record({
        op: fc.constantFrom('has_any', 'has_all', 'has_none'),
        value: many(fc.constantFrom('VIP', 'gold', 'Été', 'none')),
      }),
      presence,
    ),
  ),
  leafOf(
    ['list', 'lists'],
    fc.oneof(
      fc.record({ op: fc.constantFrom('in', 'not_in'), value: many(fc.constantFrom('one', 'two', 'gone')) }),
      presence,
    ),
  ),
  leafOf(
    ['custom_fields.tier', 'custom_fields.day'],
    fc.oneof(
      equality(texts),
      words,
      presence,
      equality(fc.constantFrom(5, 5.5)),
      order(fc.constantFrom(-3, 5, 5.1)),
      relative,
      order(day),
    ),
  ),
)

const eventRule: fc.Arbitrary<EventRule> = fc
  .record({
    event: fc.constantFrom('order.completed', 'purchase', 'email.opened', 'booking.created'),
    op: fc.constantFrom('at_least', 'at_most', 'exactly', 'never'),
    count: fc.integer({ min: 1, max: 3 }),
    time: fc.oneof(
      fc.constant({}),
      fc.record({ within_days: fc.integer({ min: 1, max: 90 }) }),
      fc.record({ before_days: fc.integer({ min: 1, max: 90 }) }),
      fc.record({ between: fc.tuple(day, day).map((days) => days.toSorted() as [string, string]) }),
    ),
    where: fc.oneof(
      fc.constant({}),
      fc.record({
        where: fc.oneof(
          fc.record({ campaign_id: fc.constantFrom(...campaigns) }),
          fc.record({ booking_id: fc.constant('B1') }),
        ),
      }),
    ),
  })
  .map(({ time, where, count, ...rest }) => ({ ...rest, ...(rest.op === 'never' ? {} : { count }), ...time, ...where }))

export const { tree } = fc.letrec<{ tree: Rule }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fieldRule,
    eventRule,
    fc.record({ not: tie('tree') }),
    fc.record({ all: fc.array(tie('tree'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('tree'), { maxLength: 3 }) }),
  ),
}))
