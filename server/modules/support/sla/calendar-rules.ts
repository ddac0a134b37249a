/** What makes a calendar one that can be counted with: pure, and every fault has its place. */
import { Invalid, type InputError } from '#platform/errors.ts'
import { weekdays, type Calendar, type OpenHours } from './calendar.ts'

/** Throws `Invalid` with all that is wrong at once. */
export function checkCalendar({ timezone, hours, holidays }: Calendar): void {
  const errors: InputError[] = []
  const wrong = (pointer: string, code: string, detail: string): void => void errors.push({ pointer, code, detail })
  if (!isTimezone(timezone)) {
    wrong('/timezone', 'unknown_timezone', 'Use a name of the IANA time zone database, such as Europe/Paris.')
  }
  weekdays.forEach((day, index) => {
    const own = hours[day] ?? []
    const next = hours[weekdays[(index + 1) % 7]!] ?? []
    checkOverlaps(own, `/hours/${day}`, wrong)
    for (const { from, to } of own.filter(goesOn)) {
      if (!next.some((other) => other.from < to)) continue
      wrong(
        `/hours/${day}`,
        'overlap',
        `${from} to ${to} goes on into hours of the next day that begin before its end.`,
      )
    }
  })
  if (!weekdays.some((day) => hours[day]?.length)) {
    wrong('/hours', 'never_open', 'Give at least one weekday hours: time would never pass otherwise.')
  }
  const seen = new Set<string>()
  holidays.forEach(({ day, hours: own = [] }, index) => {
    const pointer = `/holidays/${index}`
    if (!isDay(day)) wrong(`${pointer}/day`, 'format', 'A day is written 2026-12-25, or 12-25 for every year.')
    if (seen.has(day)) wrong(`${pointer}/day`, 'duplicate', 'This day is in the list already.')
    seen.add(day)
    checkOverlaps(own, `${pointer}/hours`, wrong)
    if (own.some(goesOn)) {
      wrong(`${pointer}/hours`, 'over_midnight', 'The hours of a holiday end at 24:00 at the latest.')
    }
  })
  if (!errors.length) return
  throw new Invalid('invalid', errors[0]!.detail, { errors })
}

type Wrong = (pointer: string, code: string, detail: string) => void

function checkOverlaps(hours: OpenHours[], pointer: string, wrong: Wrong): void {
  const inOrder = hours.toSorted((one, other) => (one.from < other.from ? -1 : 1))
  inOrder.slice(1).forEach((one, index) => {
    const before = inOrder[index]!
    if (goesOn(before) || before.to > one.from) {
      wrong(
        pointer,
        'overlap',
        `${before.from} to ${before.to} and ${one.from} to ${one.to} are partly the same hours.`,
      )
    }
  })
}

/** Over midnight. `24:00` as an end is the end of the day itself. */
function goesOn({ from, to }: OpenHours): boolean {
  return to <= from
}

/** Offsets such as +01:00 are no zones: they never change their clocks. */
export function isTimezone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

/** 02-29 is a day, of the years that have it. */
function isDay(text: string): boolean {
  const whole = text.length === 5 ? `2024-${text}` : text
  const parsed = new Date(`${whole}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(whole)
}
