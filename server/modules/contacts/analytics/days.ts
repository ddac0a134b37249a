/** Days, weeks and months of a chart; pure. A day is `YYYY-MM-DD`, whatever the time zone that it is a day of. */
import { Invalid } from '#platform/errors.ts'

export const intervals = ['day', 'week', 'month'] as const
export type Interval = (typeof intervals)[number]

export interface Span {
  from: string
  /** The last day, which belongs to it. */
  to: string
}

export interface Period extends Span {
  interval: Interval
  timezone: string
  /** As many days, right before. */
  previous: Span
}

export interface Point {
  /** The first day of the interval. */
  date: string
  value: number
}

const dayMs = 86_400_000
const daysMax = 3_660
const pointsMax = 750

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10)
}

/** How many days the span has. */
export function lengthOf({ from, to }: Span): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / dayMs + 1
}

/** The day that it is in a time zone. */
export function dayIn(timezone: string, now: Date): string {
  // Swedish dates are ISO dates.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' }).format(now)
}

export interface PeriodQuery {
  from?: string
  to?: string
  interval?: Interval
}

/** Thirty days until today unless something else is asked for; the interval follows the length. */
export function toPeriod({ from: asked, to: end, interval }: PeriodQuery, timezone: string, now: Date): Period {
  const to = end ?? dayIn(timezone, now)
  const from = asked ?? addDays(to, -29)
  if (from > to) throw Invalid.at('?from', 'too_large', 'The first day lies after the last one.')
  const days = lengthOf({ from, to })
  if (days > daysMax || from < '1970-01-01' || to > '2999-12-31') {
    throw Invalid.at('?from', 'too_long', 'Ask for at most ten years at once, from 1970 on.')
  }
  const fitting = interval ?? (days <= 92 ? 'day' : days <= 730 ? 'week' : 'month')
  if (fitting === 'day' && days > pointsMax) {
    throw Invalid.at('?interval', 'too_many', `At most ${pointsMax} days fit into a chart; ask for weeks or months.`)
  }
  return { from, to, interval: fitting, timezone, previous: { from: addDays(from, -days), to: addDays(from, -1) } }
}

/** Weeks begin on Monday. The first interval of a period may have begun before it, and counts from the period on. */
export function startOf(day: string, interval: Interval): string {
  if (interval === 'month') return `${day.slice(0, 7)}-01`
  if (interval === 'day') return day
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7
  return addDays(day, -weekday)
}

/** Every interval of the span, the empty ones too, with the sum of its days. */
export function toPoints(byDay: ReadonlyMap<string, number>, span: Span, interval: Interval): Point[] {
  const points = new Map<string, number>()
  for (let day = span.from; day <= span.to; day = addDays(day, 1)) {
    const start = startOf(day, interval)
    points.set(start, (points.get(start) ?? 0) + (byDay.get(day) ?? 0))
  }
  return [...points].map(([date, value]) => ({ date, value }))
}

/** The value on the last day of each interval: for what is a level rather than a flow. */
export function toLevels(byDay: ReadonlyMap<string, number>, span: Span, interval: Interval): Point[] {
  const points = new Map<string, number>()
  for (let day = span.from; day <= span.to; day = addDays(day, 1)) {
    points.set(startOf(day, interval), byDay.get(day) ?? 0)
  }
  return [...points].map(([date, value]) => ({ date, value }))
}

/** Days as spans without larger gaps, none longer than `most` days: what is counted in one statement. */
export function toSpans(days: readonly string[], most = 400): Span[] {
  const spans: Span[] = []
  for (const day of [...new Set(days)].toSorted()) {
    const last = spans.at(-1)
    if (last && day <= addDays(last.to, 4) && lengthOf({ from: last.from, to: day }) <= most) last.to = day
    else spans.push({ from: day, to: day })
  }
  return spans
}

/** By how much it grew: 0.25 is a quarter more; null when there was nothing before. */
export function changeOf(now: number, before: number): number | null {
  return before === 0 ? null : Math.round(((now - before) / before) * 10_000) / 10_000
}

export function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000
}
