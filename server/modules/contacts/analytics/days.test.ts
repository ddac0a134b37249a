import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'vitest'
import {
  addDays,
  changeOf,
  dayIn,
  intervals,
  lengthOf,
  startOf,
  toLevels,
  toPeriod,
  toPoints,
  toSpans,
} from './days.ts'

const anyDay = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays('1990-01-01', days))

test('a period is thirty days until today, compared with the thirty before', () => {
  const period = toPeriod({}, 'Europe/Paris', new Date('2026-03-10T23:30:00Z'))
  assert.deepEqual([period.from, period.to, period.interval], ['2026-02-10', '2026-03-11', 'day'])
  assert.deepEqual(period.previous, { from: '2026-01-11', to: '2026-02-09' })
  assert.equal(toPeriod({ from: '2020-01-01', to: '2026-01-01' }, 'UTC', new Date()).interval, 'month')
})

test('a period that makes no chart is refused', () => {
  const refused = [
    { from: '2026-02-02', to: '2026-02-01' },
    { from: '2000-01-01', to: '2026-01-01' },
    { from: '1969-12-01', to: '1970-01-05' },
    { from: '2020-01-01', to: '2026-01-01', interval: 'day' as const },
  ]
  for (const query of refused) assert.throws(() => toPeriod(query, 'UTC', new Date()), { status: 422 })
})

test('the day depends on where one is', () => {
  const now = new Date('2026-01-01T04:00:00Z')
  assert.deepEqual(
    ['America/New_York', 'UTC', 'Pacific/Kiritimati'].map((zone) => dayIn(zone, now)),
    ['2025-12-31', '2026-01-01', '2026-01-01'],
  )
})

test('weeks begin on Monday, months on the first', () => {
  assert.equal(startOf('2026-03-01', 'week'), '2026-02-23')
  assert.equal(startOf('2026-02-23', 'week'), '2026-02-23')
  assert.equal(startOf('2026-03-31', 'month'), '2026-03-01')
})

test('no count is lost or doubled, whatever the interval', () => {
  const counts = fc.dictionary(anyDay, fc.nat(1_000))
  fc.assert(
    fc.property(anyDay, fc.nat(900), counts, fc.constantFrom(...intervals), (from, length, given, interval) => {
      const span = { from, to: addDays(from, length) }
      const byDay = new Map(Object.entries(given))
      const points = toPoints(byDay, span, interval)
      const inside = [...byDay].filter(([day]) => day >= span.from && day <= span.to)
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
      assert.equal(sum(points.map(({ value }) => value)), sum(inside.map(([, value]) => value)))
      assert.deepEqual(
        points.map(({ date }) => date).toSorted(),
        points.map(({ date }) => date),
      )
      assert.equal(toLevels(byDay, span, interval).at(-1)!.value, byDay.get(span.to) ?? 0)
    }),
  )
})

test('spans hold every day that is asked for, apart from each other, and none too long', () => {
  fc.assert(
    fc.property(fc.array(anyDay), fc.integer({ min: 1, max: 50 }), (days, most) => {
      const spans = toSpans(days, most)
      for (const day of days) assert.equal(spans.filter(({ from, to }) => day >= from && day <= to).length, 1)
      for (const span of spans) assert.ok(lengthOf(span) <= most)
    }),
  )
})

test('a change against nothing is no number', () => {
  assert.deepEqual([changeOf(5, 4), changeOf(0, 4), changeOf(5, 0)], [0.25, -1, null])
})
