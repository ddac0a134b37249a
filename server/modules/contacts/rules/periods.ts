/**
 * Times and days compared with what a rule says. A day is the whole day in the workspace's time zone; "the last N days" are
 * N times 24 hours until now for a time, and from N days ago until today for a day.
 */
import { sql, type RawBuilder } from 'kysely'
import { addDays, dayOf, isDay, startOfDay } from './days.ts'
import type { DayField, Sql, TimeField } from './field.ts'
import type { Op } from './ops.ts'
import type { Resolved } from './resolve.ts'
import type { Value } from './values.ts'

const dayMs = 86_400_000

interface Bound {
  at: Date
  /** Whether the bound itself is within. */
  closed: boolean
}

interface Period {
  from?: Bound
  to?: Bound
}

export function periodOf(op: Op, values: Value[], { now, timezone }: Resolved): Period {
  const [first, second] = values
  const shifted = (days: Value | undefined) => new Date(now.getTime() + Number(days) * dayMs)
  const starts = (value: Value | undefined): Bound => ({ at: instantOf(String(value), timezone), closed: true })
  const ends = (value: Value | undefined): Bound => endOf(String(value), timezone)
  switch (op) {
    case 'before':
    case 'lt':
      return { to: { ...starts(first), closed: false } }
    case 'gte':
      return { from: starts(first) }
    case 'lte':
      return { to: ends(first) }
    case 'after':
    case 'gt': {
      const end = ends(first)
      return { from: { at: end.at, closed: !end.closed } }
    }
    case 'between':
      return { from: starts(first), to: ends(second) }
    case 'within_last_days':
      return { from: { at: shifted(-Number(first)), closed: true }, to: { at: now, closed: true } }
    case 'within_next_days':
      return { from: { at: now, closed: false }, to: { at: shifted(first), closed: true } }
    case 'older_than_days':
      return { to: { at: shifted(-Number(first)), closed: false } }
    default:
      // "on" a day, or within the second that a time names
      return { from: starts(first), to: ends(first) }
  }
}

/** With the expression of the index where there is one: nothing sorts before everything there. */
export function timeIsIn(field: TimeField, { from, to }: Period): RawBuilder<boolean> {
  const within = (column: Sql): Sql =>
    sql.join(
      [
        ...(from ? [sql`${column} ${from.closed ? sql`>=` : sql`>`} ${from.at}::timestamptz`] : []),
        ...(to ? [sql`${column} ${to.closed ? sql`<=` : sql`<`} ${to.at}::timestamptz`] : []),
      ],
      sql` and `,
    )
  const tests = [
    ...(field.among ? [field.among(within)] : []),
    within(field.indexed ?? field.column),
    ...(field.indexed && !from ? [sql`${field.column} is not null`] : []),
  ]
  return sql<boolean>`(${sql.join(tests, sql` and `)})`
}

/** Days are texts that sort like days. */
export function dayIsIn({ column }: DayField, op: Op, values: Value[], rule: Resolved): RawBuilder<boolean> {
  const day = sql`${column} collate "C"`
  const { from, to } = daysOf(op, values.map(String), dayOf(rule.now, rule.timezone))
  const tests = [...(from ? [sql`${day} >= ${from}`] : []), ...(to ? [sql`${day} <= ${to}`] : [])]
  if (op === 'in') return sql<boolean>`${column} = any(${values.map(String)}::text[])`
  return sql<boolean>`(${sql.join(tests, sql` and `)})`
}

/** First and last day, both included. */
export function daysOf(op: Op, [first = '', second = '']: string[], today: string): { from?: string; to?: string } {
  switch (op) {
    case 'before':
    case 'lt':
      return { to: addDays(first, -1) }
    case 'after':
    case 'gt':
      return { from: addDays(first, 1) }
    case 'gte':
      return { from: first }
    case 'lte':
      return { to: first }
    case 'between':
      return { from: first, to: second }
    case 'within_last_days':
      return { from: addDays(today, -Number(first)), to: today }
    case 'within_next_days':
      return { from: addDays(today, 1), to: addDays(today, Number(first)) }
    case 'older_than_days':
      return { to: addDays(today, -Number(first) - 1) }
    default:
      return { from: first, to: first }
  }
}

function instantOf(value: string, timezone: string): Date {
  return isDay(value) ? startOfDay(value, timezone) : new Date(value)
}

function endOf(value: string, timezone: string): Bound {
  return isDay(value)
    ? { at: startOfDay(addDays(value, 1), timezone), closed: false }
    : { at: new Date(value), closed: true }
}
