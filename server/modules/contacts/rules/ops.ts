/** Which questions each type of field takes, and how many values each question has. */
import type { Field } from './field.ts'

export const arities = {
  eq: 'one',
  neq: 'one',
  in: 'many',
  not_in: 'many',
  contains: 'one',
  not_contains: 'one',
  starts_with: 'one',
  ends_with: 'one',
  gt: 'one',
  gte: 'one',
  lt: 'one',
  lte: 'one',
  between: 'pair',
  before: 'one',
  after: 'one',
  on: 'one',
  within_last_days: 'days',
  not_within_last_days: 'days',
  within_next_days: 'days',
  older_than_days: 'days',
  has: 'one',
  has_any: 'many',
  has_all: 'many',
  has_none: 'many',
  is_empty: 'none',
  is_not_empty: 'none',
} as const
export type Op = keyof typeof arities

const presence = ['is_empty', 'is_not_empty'] as const
const equality = ['eq', 'neq', 'in', 'not_in'] as const
const order = ['gt', 'gte', 'lt', 'lte', 'between'] as const
const words = ['contains', 'not_contains', 'starts_with', 'ends_with'] as const
const time = [
  'before',
  'after',
  'on',
  ...order,
  'within_last_days',
  'not_within_last_days',
  'within_next_days',
  'older_than_days',
] as const

const byType: Record<Field['type'], readonly Op[]> = {
  text: [...equality, ...words],
  code: [...equality, 'starts_with'],
  choice: equality,
  choices: [...equality, 'has', 'has_any', 'has_all', 'has_none'],
  number: [...equality, ...order],
  boolean: ['eq', 'neq'],
  datetime: time,
  date: ['eq', 'neq', ...time],
  id: equality,
  presence: [],
  tags: ['has', 'has_any', 'has_all', 'has_none', 'in', 'not_in'],
  lists: ['in', 'not_in', 'has', 'has_any', 'has_all', 'has_none'],
  untyped: [...equality, ...words, ...time, 'has', 'has_any', 'has_all', 'has_none'],
}

/** What may be asked of this field; where it can be empty, also that. */
export function opsOf(field: Pick<Field, 'type' | 'empty'>): readonly Op[] {
  return field.empty ? [...byType[field.type], ...presence] : byType[field.type]
}

export function isOp(name: unknown): name is Op {
  return typeof name === 'string' && Object.hasOwn(arities, name)
}
