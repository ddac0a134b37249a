import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDays } from '../rules/days.ts'
import { units } from './definition.ts'
import { bucketsOf, daysOf, endOf, startOf } from './period.ts'

describe('the days of a report', () => {
  const today = '2024-03-31' // a Sunday, of a leap year
  test.each([
    [{ last_days: 1 }, '2024-03-31', '2024-03-31', '2024-03-30', '2024-03-30'],
    [{ last_days: 30 }, '2024-03-02', '2024-03-31', '2024-02-01', '2024-03-01'],
    [{ this: 'week' }, '2024-03-25', '2024-03-31', '2024-03-18', '2024-03-24'],
    // February has no 30th and no 31st: all of it.
    [{ this: 'month' }, '2024-03-01', '2024-03-31', '2024-02-01', '2024-02-29'],
    [{ this: 'quarter' }, '2024-01-01', '2024-03-31', '2023-10-01', '2023-12-30'],
    [{ this: 'year' }, '2024-01-01', '2024-03-31', '2023-01-01', '2023-04-01'],
    [{ previous: 'day' }, '2024-03-30', '2024-03-30', '2024-03-29', '2024-03-29'],
    [{ previous: 'month' }, '2024-02-01', '2024-02-29', '2024-01-01', '2024-01-31'],
    [{ previous: 'quarter' }, '2023-10-01', '2023-12-31', '2023-07-01', '2023-09-30'],
    [{ previous: 'year' }, '2023-01-01', '2023-12-31', '2022-01-01', '2022-12-31'],
    [{ from: '2024-01-01', to: '2024-01-10' }, '2024-01-01', '2024-01-10', '2023-12-22', '2023-12-31'],
  ] as const)('%j', (period, from, to, before, until) => {
    expect(daysOf(period, today)).toEqual({ from, to, previous: { from: before, to: until } })
  })

  test('without an end there is nothing before', () => {
    expect(daysOf({ from: '2024-01-01' }, today)).toEqual({ from: '2024-01-01', to: null, previous: null })
  })
})

test('units cover every day once, in order', () => {
  const day = fc.integer({ min: 0, max: 60_000 }).map((count) => addDays('1950-01-01', count))
  fc.assert(
    fc.property(day, fc.integer({ min: 0, max: 800 }), fc.constantFrom(...units), (from, length, unit) => {
      const to = addDays(from, length)
      const buckets = bucketsOf({ from, to }, unit, 1_000)
      expect(buckets[0]).toBe(startOf(from, unit))
      expect(endOf(buckets.at(-1)!, unit) >= to).toBe(true)
      buckets.slice(1).forEach((start, index) => expect(start).toBe(addDays(endOf(buckets[index]!, unit), 1)))
      for (const start of buckets) expect(startOf(endOf(start, unit), unit)).toBe(start)
    }),
  )
})
