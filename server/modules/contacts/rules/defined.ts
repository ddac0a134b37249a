/** A condition on a custom field that has a definition: asked as `fields/conditions.ts` is, which knows its index. */
import { sql, type RawBuilder } from 'kysely'
import { customFieldCondition, type AskedField } from '../fields/conditions.ts'
import { dayOf } from './days.ts'
import type { Op } from './ops.ts'
import { daysOf } from './periods.ts'
import type { Resolved } from './resolve.ts'
import type { Value } from './values.ts'

/** The same questions by their other names. */
const names: Partial<Record<Op, string>> = {
  neq: 'ne',
  is_empty: 'is_not_set',
  is_not_empty: 'is_set',
  has: 'eq',
  has_any: 'in',
  has_all: 'all_of',
  has_none: 'not_in',
}
const about = { many: new Set<Op>(['in', 'not_in', 'has_any', 'has_all', 'has_none']), each: 200 }

/** Never null. */
export function definedSql(rule: Resolved, asked: AskedField, op: Op, values: Value[]): RawBuilder<boolean> {
  const ask = (name: string, value?: unknown) => customFieldCondition(asked, { op: name, value }, '')
  const name = names[op] ?? op
  if (op === 'is_empty' || op === 'is_not_empty') return ask(name)
  if (asked.type === 'date' && !['eq', 'neq', 'in', 'not_in'].includes(op)) return daysSql(rule, asked, op, values)
  const plain: unknown[] = asked.type === 'number' ? values.map(Number) : values
  if (op === 'between') return ask('between', plain)
  if (!about.many.has(op)) return ask(name, plain[0])
  const positive = name === 'not_in' ? 'in' : name
  const parts = Array.from({ length: Math.ceil(plain.length / about.each) }, (_, index) =>
    ask(positive, plain.slice(index * about.each, (index + 1) * about.each)),
  )
  const holds = sql<boolean>`(${sql.join(parts, positive === 'all_of' ? sql` and ` : sql` or `)})`
  return name === 'not_in' ? sql<boolean>`not ${holds}` : holds
}

function daysSql(rule: Resolved, asked: AskedField, op: Op, values: Value[]): RawBuilder<boolean> {
  const isNot = op === 'not_within_last_days'
  const today = dayOf(rule.now, rule.timezone)
  const { from, to } = daysOf(isNot ? 'within_last_days' : op, values.map(String), today)
  const ask = (name: string, value: unknown) => customFieldCondition(asked, { op: name, value }, '')
  const holds = from && to ? ask('between', [from, to]) : from ? ask('gte', from) : ask('lte', to)
  return isNot ? sql<boolean>`not ${holds}` : holds
}
