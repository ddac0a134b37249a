/** What a report asks: whom it counts, in which groups, and what of each. */
import { Type, type Static } from 'typebox'
import { Closed, OneOf } from '#platform/http/shapes.ts'
import { RuleShape, type Rule } from '../rules/rule.ts'

export const units = ['day', 'week', 'month', 'quarter', 'year'] as const
export type Unit = (typeof units)[number]
export const measureKinds = ['count', 'share', 'distinct', 'sum', 'avg', 'min', 'max'] as const
export type MeasureKind = (typeof measureKinds)[number]

/** More groups than this are nothing that a person reads; the report says that there are more. */
export const groupsMax = 1_000
export const groupsUnlessTold = 100

const FieldName = Type.String({ minLength: 1, maxLength: 120 })
const Day = Type.String({ format: 'date' })

export const Group = Closed({
  field: FieldName,
  by: Type.Optional(
    OneOf(units, { description: 'Of times and days; month unless told otherwise. Weeks begin on Monday' }),
  ),
  width: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000_000, description: 'Of numbers: how wide each band is' }),
  ),
})
export type Group = Static<typeof Group>

export const Measure = Closed({
  measure: OneOf(measureKinds, {
    description:
      'count: contacts. share: with `where` the part of the group that it finds, else the part that the group is of all, ' +
      'from 0 to 1. distinct: different values of a field. sum, avg, min, max: of a number or an amount; min and max also ' +
      'of a time.',
  }),
  field: Type.Optional(FieldName),
  where: Type.Optional(
    Type.Unsafe<Rule>({ ...(RuleShape as object), description: 'A rule: only contacts that it finds are measured' }),
  ),
  name: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9_]{0,59}$', description: 'What `sort` calls it' })),
  label: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'The header of its column' })),
})
export type Measure = Static<typeof Measure>

export const Period = Closed({
  field: Type.Optional(Type.String({ ...FieldName, description: 'A time or a day; created_at unless told otherwise' })),
  last_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_660, description: 'So many days, today among them' })),
  this: Type.Optional(OneOf(units, { description: 'From its first day until today' })),
  previous: Type.Optional(OneOf(units, { description: 'The whole one before' })),
  from: Type.Optional(Day),
  to: Type.Optional(Day),
})
export type Period = Static<typeof Period>

export const definitionFields = {
  filter: Type.Optional(Type.Unsafe<Rule | null>({ anyOf: [RuleShape, { type: 'null' }] })),
  group_by: Type.Optional(Type.Array(Group, { maxItems: 2 })),
  measures: Type.Optional(Type.Array(Measure, { minItems: 1, maxItems: 10 })),
  period: Type.Optional(Type.Unsafe<Period | null>({ anyOf: [Period, { type: 'null' }] })),
  compare: Type.Optional(
    Type.Boolean({ description: 'Also of the period before: as many days, or the same part of the unit before' }),
  ),
  sort: Type.Optional(
    Type.String({ maxLength: 61, description: '`group` or the name of a measure; a leading - turns the order round' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: groupsMax, default: groupsUnlessTold })),
}
export const Definition = Closed(definitionFields)
export type Definition = Static<typeof Definition>

export const definitionGuide =
  'Groups are contacts with the same value (two fields at most); whoever has several tags, lists or choices counts in each. ' +
  'GET /contacts/reports/fields lists what can be grouped by and measured. Days are those of the workspace’s time zone.'
