/** The days of a report, and those that it is compared with. Pure: a day is `YYYY-MM-DD`, whatever its time zone. */
import type { InputError } from '#platform/errors.ts'
import { addDays, isDay } from '../rules/days.ts'
import type { Period, Unit } from './definition.ts'

/** Both days belong to it. */
export interface Span {
  from: string
  to: string
}

export interface Days {
  from: string | null
  to: string | null
  /** Null where there is no period as long. */
  previous: Span | null
}

const dayMs = 86_400_000

export function periodErrors(period: Period): InputError[] {
  const { last_days, this: present, previous, from, to } = period
  const said = [last_days, present, previous, from ?? to].filter((one) => one !== undefined)
  if (said.length !== 1) {
    const detail = 'Say the period in one way: last_days, this, previous, or from and to.'
    return [{ pointer: '/period', code: said.length ? 'ambiguous' : 'required', detail }]
  }
  for (const [name, day] of Object.entries({ from, to })) {
    if (day === undefined || isDay(day)) continue
    return [{ pointer: `/period/${name}`, code: 'format', detail: 'Use a day such as 2026-01-31.' }]
  }
  if (from && to && from > to) {
    return [{ pointer: '/period/from', code: 'too_large', detail: 'The first day lies after the last one.' }]
  }
  return []
}

export function daysOf(period: Period, today: string): Days {
  const { last_days, this: present, previous, from = null, to = null } = period
  if (last_days) return withBefore({ from: addDays(today, 1 - last_days), to: today })
  if (present) return soFar(present, today)
  if (previous) {
    const start = stepBack(startOf(today, previous), previous)
    return { from: start, to: endOf(start, previous), previous: wholeBefore(start, previous) }
  }
  return from && to ? withBefore({ from, to }) : { from, to, previous: null }
}

/** Starts of the units that the days lie in, oldest first; at most `max`, and one more where there are more. */
export function bucketsOf({ from, to }: Span, unit: Unit, max: number): string[] {
  const buckets: string[] = []
  for (let start = startOf(from, unit); start <= to && buckets.length <= max; start = addDays(endOf(start, unit), 1)) {
    buckets.push(start)
  }
  return buckets
}

export function startOf(day: string, unit: Unit): string {
  const [year = '', month = ''] = day.split('-')
  switch (unit) {
    case 'day':
      return day
    case 'week': {
      const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7
      return addDays(day, -weekday)
    }
    case 'month':
      return `${year}-${month}-01`
    case 'quarter':
      return `${year}-${String(Math.floor((Number(month) - 1) / 3) * 3 + 1).padStart(2, '0')}-01`
    case 'year':
      return `${year}-01-01`
    default:
      return unit satisfies never
  }
}

export function endOf(start: string, unit: Unit): string {
  if (unit === 'day') return start
  if (unit === 'week') return addDays(start, 6)
  const months = { month: 1, quarter: 3, year: 12 }[unit]
  const date = new Date(`${start}T00:00:00Z`)
  return addDays(
    new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)).toISOString().slice(0, 10),
    -1,
  )
}

/** As many days of the unit before, or all of it where it is shorter. */
function soFar(unit: Unit, today: string): Days {
  const from = startOf(today, unit)
  const before = wholeBefore(from, unit)
  const last = addDays(before.from, lengthOf({ from, to: today }) - 1)
  return { from, to: today, previous: { from: before.from, to: last < before.to ? last : before.to } }
}

function wholeBefore(start: string, unit: Unit): Span {
  const from = stepBack(start, unit)
  return { from, to: addDays(start, -1) }
}

function stepBack(start: string, unit: Unit): string {
  return startOf(addDays(start, -1), unit)
}

function withBefore(span: Span): Days {
  return { ...span, previous: { from: addDays(span.from, -lengthOf(span)), to: addDays(span.from, -1) } }
}

function lengthOf({ from, to }: Span): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / dayMs + 1
}
