// Every instant has one answer to "is somebody there?", and the arithmetic agrees with asking each of them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { add, elapsed, isOpen, weekdays, type Calendar, type OpenHours } from './calendar.ts'

const hourMs = 3_600_000
const office: Calendar = {
  timezone: 'Europe/Paris',
  hours: Object.fromEntries(
    weekdays.slice(0, 5).map((day) => [
      day,
      [
        { from: '09:00', to: '12:00' },
        { from: '13:00', to: '17:00' },
      ],
    ]),
  ),
  holidays: [
    { day: '12-25', name: 'Noël' },
    { day: '2026-05-14', name: 'Ascension' },
    { day: '2026-12-24', name: 'Réveillon', hours: [{ from: '09:00', to: '12:00' }] },
  ],
}
const everyDay = (from: string, to: string, timezone: string): Calendar => ({
  timezone,
  hours: Object.fromEntries(weekdays.map((day) => [day, [{ from, to }]])),
  holidays: [],
})
const at = (text: string): number => Date.parse(text)

test.each<[string, Calendar, string, string, number]>([
  ['a lunch break', office, '2026-11-20T10:30:00Z', '2026-11-20T12:30:00Z', 1],
  ['a weekend', office, '2026-11-20T15:00:00Z', '2026-11-23T09:00:00Z', 2],
  ['a holiday of one year', office, '2026-05-13T15:00:00Z', '2026-05-15T07:00:00Z', 0],
  ['that day of another year', office, '2025-05-14T07:00:00Z', '2025-05-14T10:00:00Z', 3],
  ['a holiday of every year, after half a day', office, '2026-12-24T08:00:00Z', '2026-12-28T09:00:00Z', 4],
  ['a week in which clocks go back', office, '2026-10-23T22:00:00Z', '2026-10-30T22:00:00Z', 35],
  [
    'the night that lacks an hour',
    everyDay('01:00', '04:00', 'Europe/Paris'),
    '2026-03-28T23:00:00Z',
    '2026-03-29T22:00:00Z',
    2,
  ],
  [
    'the night that has an hour twice',
    everyDay('01:00', '04:00', 'Europe/Paris'),
    '2026-10-24T22:00:00Z',
    '2026-10-25T23:00:00Z',
    4,
  ],
  [
    'half of the hour that comes twice',
    everyDay('02:30', '03:00', 'Europe/Paris'),
    '2026-10-24T22:00:00Z',
    '2026-10-25T23:00:00Z',
    1,
  ],
  [
    'an hour that never came',
    everyDay('02:00', '03:00', 'Europe/Paris'),
    '2026-03-28T23:00:00Z',
    '2026-03-29T22:00:00Z',
    0,
  ],
  ['over midnight', everyDay('22:00', '06:00', 'Europe/Bucharest'), '2026-11-20T10:00:00Z', '2026-11-21T10:00:00Z', 8],
  ['all day', everyDay('00:00', '24:00', 'Asia/Kathmandu'), '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z', 24],
  [
    'three days of an island that skipped the second',
    everyDay('09:00', '10:00', 'Pacific/Apia'),
    '2011-12-29T10:00:00Z',
    '2011-12-31T10:00:00Z',
    2,
  ],
  ['the wrong way round', office, '2026-11-20T12:30:00Z', '2026-11-20T10:30:00Z', 0],
])('%s', (_, calendar, from, to, hours) => {
  expect(elapsed(calendar, at(from), at(to)) / hourMs).toBe(hours)
})

test('over midnight the night belongs to the day it began on, a holiday to its own midnights', () => {
  const nights: Calendar = {
    timezone: 'UTC',
    hours: { friday: [{ from: '22:00', to: '06:00' }] },
    holidays: [{ day: '2026-11-28', name: 'Closed' }],
  }
  expect(elapsed(nights, at('2026-11-20T00:00:00Z'), at('2026-11-22T00:00:00Z')) / hourMs).toBe(8)
  expect(elapsed(nights, at('2026-11-27T00:00:00Z'), at('2026-11-29T00:00:00Z')) / hourMs).toBe(2)
})

test('what is due at the end of a day is due then, and not the next morning', () => {
  expect(add(office, at('2026-11-20T14:00:00Z'), 2 * hourMs)).toBe(at('2026-11-20T16:00:00Z'))
  expect(add(office, at('2026-11-20T14:00:00Z'), 2 * hourMs + 1)).toBe(at('2026-11-23T08:00:00.001Z'))
  expect(add(office, at('2026-11-22T14:00:00Z'), 0)).toBe(at('2026-11-22T14:00:00Z'))
})

test('a calendar that never opens makes nothing due', () => {
  expect(add({ timezone: 'UTC', hours: {}, holidays: [] }, 0, 1)).toBeNull()
  const closed = { day: '2026-11-20', name: 'Once', hours: [{ from: '09:00', to: '10:00' }] }
  const once: Calendar = { timezone: 'UTC', hours: {}, holidays: [closed] }
  expect(add(once, at('2026-11-20T09:30:00Z'), hourMs)).toBeNull()
  expect(isOpen(once, at('2026-11-20T09:30:00Z'))).toBe(true)
  expect(isOpen(once, at('2026-11-20T10:00:00Z'))).toBe(false)
})

const zones = [
  'UTC',
  'Europe/Paris',
  'Europe/Bucharest',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Asia/Kathmandu',
]
const time = (latest: number) =>
  fc.integer({ min: 0, max: latest }).map((minutes) => `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`)
const openHours: fc.Arbitrary<OpenHours> = fc.record({ from: time(1_439), to: time(1_440) })
const someCalendar: fc.Arbitrary<Calendar> = fc.record({
  timezone: fc.constantFrom(...zones),
  hours: fc
    .array(fc.array(openHours, { maxLength: 3 }), { minLength: 7, maxLength: 7 })
    .map((days) => Object.fromEntries(weekdays.map((day, index) => [day, days[index]]))),
  holidays: fc.array(
    fc.record({
      day: fc.constantFrom('2026-03-29', '03-08', '2026-10-25', '2026-03-30', '11-01'),
      name: fc.constant('A holiday'),
      hours: fc.array(openHours, { maxLength: 2 }),
    }),
    { maxLength: 3 },
  ),
})
/** Around the days on which clocks change, which is where it is difficult. */
const someInstant = fc
  .tuple(
    fc.constantFrom(
      '2026-03-29',
      '2026-10-25',
      '2026-03-08',
      '2026-11-01',
      '2026-04-05',
      '2026-10-04',
      '2026-02-15',
      '2026-07-01',
    ),
    fc.integer({ min: -36 * hourMs, max: 60 * hourMs }),
  )
  .map(([day, distance]) => Date.parse(`${day}T00:00:00Z`) + distance)
const someDuration = fc.integer({ min: 0, max: 200 * hourMs })

test('so much time later, so much time has passed; not a millisecond earlier', () => {
  fc.assert(
    fc.property(someCalendar, someInstant, someDuration, (calendar, from, duration) => {
      const due = add(calendar, from, duration)
      if (due === null) return
      expect(elapsed(calendar, from, due)).toBe(duration)
      if (duration > 0) expect(elapsed(calendar, from, due - 1)).toBe(duration - 1)
    }),
    { numRuns: 500 },
  )
})

test('time adds up, never runs backwards, and business time is never longer than time', () => {
  fc.assert(
    fc.property(someCalendar, someInstant, someDuration, someDuration, (calendar, from, one, other) => {
      const [middle, end] = [from + one, from + one + other]
      const whole = elapsed(calendar, from, end)
      expect(elapsed(calendar, from, middle) + elapsed(calendar, middle, end)).toBe(whole)
      expect(whole).toBeGreaterThanOrEqual(0)
      expect(whole).toBeLessThanOrEqual(one + other)
      const [sooner, later] = [add(calendar, from, one), add(calendar, from, one + other)]
      if (sooner !== null && later !== null) expect(sooner).toBeLessThanOrEqual(later)
    }),
    { numRuns: 300 },
  )
})

test('day and night is plain time, however it is written', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), someInstant, someDuration, (timezone, from, duration) => {
      for (const calendar of [null, everyDay('00:00', '24:00', timezone), everyDay('07:00', '07:00', timezone)]) {
        expect(elapsed(calendar, from, from + duration)).toBe(duration)
        expect(add(calendar, from, duration)).toBe(from + duration)
      }
    }),
    { numRuns: 200 },
  )
})

test('asking the clocks on the wall minute by minute gives the same', () => {
  fc.assert(
    fc.property(someCalendar, someInstant, fc.integer({ min: 0, max: 40 * hourMs }), (calendar, from, duration) => {
      expect(elapsed(calendar, from, from + duration)).toBe(naive(calendar, from, from + duration))
    }),
    { numRuns: 60 },
  )
})

/** Looks at the clock of every minute, and at nothing else. */
function naive(calendar: Calendar, from: number, to: number): number {
  const clock = new Intl.DateTimeFormat('sv-SE', {
    timeZone: calendar.timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  })
  let sum = 0
  for (let minute = Math.floor(from / 60_000) * 60_000; minute < to; minute += 60_000) {
    const [day = '', hour = ''] = clock.format(minute).split(' ')
    if (naivelyOpen(calendar, day, hour)) sum += Math.min(minute + 60_000, to) - Math.max(minute, from)
  }
  return sum
}

function naivelyOpen(calendar: Calendar, day: string, hour: string): boolean {
  const holiday =
    calendar.holidays.findLast((one) => one.day === day) ??
    calendar.holidays.findLast((one) => one.day === day.slice(5))
  if (holiday) {
    return (holiday.hours ?? []).some(({ from, to }) => (from < to ? hour >= from && hour < to : hour >= from))
  }
  const weekday = (new Date(`${day}T12:00:00Z`).getUTCDay() + 6) % 7
  const today = calendar.hours[weekdays[weekday]!] ?? []
  const yesterday = calendar.hours[weekdays[(weekday + 6) % 7]!] ?? []
  return (
    today.some(({ from, to }) => (from < to ? hour >= from && hour < to : hour >= from)) ||
    yesterday.some(({ from, to }) => from >= to && hour < to)
  )
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}
