/**
 * The language of rules: one tree for table views, segments, exports, bulk actions and audiences. `fields.ts` and
 * `events.ts` say what a leaf may name, `read.ts` what is well-formed, `compile.ts` what it means.
 */
import { Type } from 'typebox'

export type Rule = { all: Rule[] } | { any: Rule[] } | { not: Rule } | FieldRule | EventRule

export interface FieldRule {
  field: string
  op: string
  value?: unknown
}

export interface EventRule {
  event: string
  op: string
  count?: number
  within_days?: number
  before_days?: number
  between?: [string, string]
  where?: { campaign_id?: string; booking_id?: string }
}

/** A tree deeper or larger than this was not made by a person. */
export const limits = { depth: 8, leaves: 100, values: 1_000, textLength: 1_000, days: 36_500, count: 10_000 } as const

/** Each kind of node is known by one key. */
const kinds = ['all', 'any', 'not', 'field', 'event'] as const

/** Said once, at the door that counts; elsewhere a pointer to it is enough. */
export const ruleGuide =
  'A rule is a tree. `{"all": […]}`, `{"any": […]}` and `{"not": {…}}` hold others; a leaf is ' +
  '`{"field": "engagement_score", "op": "gte", "value": 11}`, or tells of the timeline: ' +
  '`{"event": "order.completed", "op": "at_least", "count": 2, "within_days": 90}`, with `at_least`, `at_most`, ' +
  '`exactly` or `never`, and if wanted `within_days`, `before_days` (longer ago than), `between` (two days) and `where` ' +
  '(`campaign_id`, `booking_id`). GET /contacts/filter-fields lists fields, operators and events. What is empty equals ' +
  'nothing: `neq` and every `not_…` match it. Case and accents do not matter. Days are days of the workspace’s time zone. ' +
  `At most ${limits.depth} levels, ${limits.leaves} leaves, and ${limits.values} values in a leaf.`

/** What it says is checked by `readRule`, which points at every fault at once. */
export const RuleShape = Type.Unsafe<Rule>({
  type: 'object',
  additionalProperties: true,
  description: 'A rule, as POST /contacts/filter/count describes it',
})

export function isRule(value: unknown): value is Rule {
  return typeof value === 'object' && value !== null && kinds.some((kind) => Object.hasOwn(value, kind))
}

/** For JSON Schema: an object that is a rule by its keys. */
export const looksLikeRule = { anyOf: kinds.map((kind) => ({ required: [kind] })) }
