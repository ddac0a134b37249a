import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayOf } from '../rules/days.ts'
import { nextTime, type Times } from './schedule-times.ts'

const paris = { timezone: 'Europe/Paris', weekday: null, month_day: null }
const daily = (at_time: string): Times => ({ ...paris, frequency: 'daily', at_time })
const next = (times: Times, after: string) => nextTime(times, new Date(after)).toISOString()

test.each([
  ['in winter', daily('07:30'), '2026-01-10T06:29:59Z', '2026-01-10T06:30:00.000Z'],
  ['that very instant is over', daily('07:30'), '2026-01-10T06:30:00Z', '2026-01-11T06:30:00.000Z'],
  ['in summer', daily('07:30'), '2026-07-10T00:00:00Z', '2026-07-10T05:30:00.000Z'],
  ['the day before the clocks go forward', daily('07:30'), '2026-03-28T07:00:00Z', '2026-03-29T05:30:00.000Z'],
  ['an hour that spring leaves out', daily('02:30'), '2026-03-28T12:00:00Z', '2026-03-29T01:30:00.000Z'],
  ['the day after that', daily('02:30'), '2026-03-29T01:30:00Z', '2026-03-30T00:30:00.000Z'],
  ['an hour that autumn has twice: the first', daily('02:30'), '2026-10-24T12:00:00Z', '2026-10-25T00:30:00.000Z'],
  ['and not the second', daily('02:30'), '2026-10-25T00:30:00Z', '2026-10-26T01:30:00.000Z'],
  [
    'a Monday',
    { ...paris, frequency: 'weekly', at_time: '08:00', weekday: 1 },
    '2026-11-21T12:00:00Z',
    '2026-11-23T07:00:00.000Z',
  ],
  [
    'a 31st in a short month',
    { ...paris, frequency: 'monthly', at_time: '08:00', month_day: 31 },
    '2026-02-01T12:00:00Z',
    '2026-02-28T07:00:00.000Z',
  ],
  [
    'a day that is already tomorrow there',
    { ...daily('00:15'), timezone: 'Pacific/Auckland' },
    '2026-06-01T12:00:00Z',
    '2026-06-01T12:15:00.000Z',
  ],
] as [string, Times, string, string][])('%s', (_, times, after, expected) => {
  expect(next(times, after)).toBe(expected)
})

test('every day has its time once, whatever the clocks do', () => {
  const zone = fc.constantFrom(
    'Europe/Paris',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'America/Sao_Paulo',
  )
  const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  const start = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2035, 0, 1) })
  fc.assert(
    fc.property(zone, time, start, (timezone, [hour, minute], from) => {
      const at_time = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
      const times: Times = { frequency: 'daily', at_time, weekday: null, month_day: null, timezone }
      let at = nextTime(times, new Date(from))
      const days = Array.from({ length: 5 }, () => {
        const day = dayOf(at, timezone)
        at = nextTime(times, at)
        return day
      })
      const expected = days.map((_, index) =>
        new Date(Date.parse(days[0]!) + index * 86_400_000).toISOString().slice(0, 10),
      )
      expect(days).toEqual(expected)
    }),
  )
})
