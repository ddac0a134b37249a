/**
 * Business time: which instants count, how many of them passed between two, and when so many will have. Pure, and exact to
 * the millisecond: an instant counts when the clocks of the calendar's zone then show an open hour. So a night shift is an
 * hour shorter where clocks go forward, and the hour that comes twice counts twice.
 */
import { stretchesFrom } from './zone.ts'

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
export type Weekday = (typeof weekdays)[number]

/** `09:00` to `17:30`, up to `24:00`. One that ends before it begins (or when) goes on over midnight. */
export interface OpenHours {
  from: string
  to: string
}

/** A day that is not as its weekday: closed from midnight to midnight, or open at hours of its own. */
export interface Holiday {
  /** `2026-12-25`, or `12-25` for every year. */
  day: string
  name: string
  hours?: OpenHours[]
}

export interface Calendar {
  /** IANA name. */
  timezone: string
  hours: Partial<Record<Weekday, OpenHours[]>>
  holidays: Holiday[]
}

/** Milliseconds since 1970 in UTC, from (included) to (not included). */
export interface Span {
  fromMs: number
  toMs: number
}

const minuteMs = 60_000
const dayMs = 86_400_000
/** Nothing is due later than this: a calendar that is closed for so long is closed for ever. */
const horizonMs = 5 * 366 * dayMs

/** Business time between two instants, in milliseconds; 0 when they are the wrong way round. Null counts day and night. */
export function elapsed(calendar: Calendar | null, fromMs: number, toMs: number): number {
  if (toMs <= fromMs) return 0
  if (!calendar) return toMs - fromMs
  let sum = 0
  for (const span of openSpans(calendar, fromMs)) {
    if (span.fromMs >= toMs) break
    sum += Math.min(span.toMs, toMs) - span.fromMs
  }
  return sum
}

/**
 * The first instant at which so much business time has passed since `fromMs`; `fromMs` itself for nothing or less. Null
 * when the calendar does not open so often in five years.
 */
export function add(calendar: Calendar | null, fromMs: number, durationMs: number): number | null {
  if (durationMs <= 0) return fromMs
  if (!calendar) return fromMs + durationMs
  let left = durationMs
  for (const span of openSpans(calendar, fromMs)) {
    const size = span.toMs - span.fromMs
    if (size >= left) return span.fromMs + left
    left -= size
  }
  return null
}

/** Whether somebody is there at this instant. */
export function isOpen(calendar: Calendar | null, instantMs: number): boolean {
  return elapsed(calendar, instantMs, instantMs + 1) === 1
}

/** The open spans from this instant on, oldest first, none of them empty, for as long as the horizon. */
export function* openSpans(calendar: Calendar, fromMs: number): Generator<Span> {
  const plan = planOf(calendar)
  if (plan.neverOpen) return
  for (const stretch of stretchesFrom(calendar.timezone, fromMs)) {
    if (stretch.fromMs >= fromMs + horizonMs) return
    const wallEnd = stretch.toMs + stretch.offsetMs
    for (let day = Math.floor((stretch.fromMs + stretch.offsetMs) / dayMs); day * dayMs < wallEnd; day++) {
      for (const hours of plan.onDay(day)) {
        const from = Math.max(day * dayMs + hours.fromMs - stretch.offsetMs, stretch.fromMs)
        const to = Math.min(day * dayMs + hours.toMs - stretch.offsetMs, stretch.toMs)
        if (from < to) yield { fromMs: from, toMs: to }
      }
    }
  }
}

/** A calendar as days of milliseconds since midnight: cut at midnight, in order, without overlaps. */
interface Plan {
  neverOpen: boolean
  /** Days are counted from 1970-01-01. */
  onDay(day: number): Span[]
}

const plans = new WeakMap<Calendar, Plan>()

function planOf(calendar: Calendar): Plan {
  const known = plans.get(calendar)
  if (known) return known
  const week = weekdays.map((_, index) => usualHours(calendar, index))
  const special = new Map(calendar.holidays.map((holiday) => [holiday.day, hoursOfHoliday(holiday)]))
  const plan: Plan = {
    neverOpen: [...week, ...special.values()].every((spans) => spans.length === 0),
    onDay(day) {
      if (special.size) {
        const date = new Date(day * dayMs).toISOString().slice(0, 10)
        const holiday = special.get(date) ?? special.get(date.slice(5))
        if (holiday) return holiday
      }
      return week[(day + 3) % 7] ?? [] // 1970-01-01 was a Thursday
    },
  }
  plans.set(calendar, plan)
  return plan
}

/** What is open on a weekday: its own hours until midnight, and those of the night before that reach into it. */
function usualHours({ hours }: Calendar, index: number): Span[] {
  const own = (hours[weekdays[index]!] ?? []).map(readHours)
  const before = (hours[weekdays[(index + 6) % 7]!] ?? []).map(readHours)
  return merge([
    ...own.map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.min(toMs, dayMs) })),
    ...before.filter(({ toMs }) => toMs > dayMs).map(({ toMs }) => ({ fromMs: 0, toMs: toMs - dayMs })),
  ])
}

/** A holiday is a day of the calendar, from midnight to midnight: nothing reaches into it, or from it into the next. */
function hoursOfHoliday({ hours = [] }: Holiday): Span[] {
  return merge(hours.map(readHours).map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.min(toMs, dayMs) })))
}

function readHours({ from, to }: OpenHours): Span {
  const [fromMs, toMs] = [readTime(from), readTime(to)]
  return { fromMs, toMs: toMs > fromMs ? toMs : toMs + dayMs }
}

function readTime(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return (hours * 60 + minutes) * minuteMs
}

function merge(spans: Span[]): Span[] {
  const merged: Span[] = []
  for (const span of spans
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .sort((one, other) => one.fromMs - other.fromMs)) {
    const last = merged.at(-1)
    if (last && span.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, span.toMs)
    else merged.push({ ...span })
  }
  return merged
}
