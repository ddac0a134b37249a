import { expect, test } from 'vitest'
import { instant, wallTime } from './draft.ts'

test.each([
  ['2026-11-24 09:00:00', 'Europe/Paris', '2026-11-24T08:00:00.000Z'],
  ['2026-07-14 09:00:00', 'Europe/Paris', '2026-07-14T07:00:00.000Z'],
  ['2026-11-24 09:00:00', 'America/New_York', '2026-11-24T14:00:00.000Z'],
  ['2026-11-24 09:00:00', 'Asia/Kolkata', '2026-11-24T03:30:00.000Z'],
  ['2026-11-24 09:00:00', 'UTC', '2026-11-24T09:00:00.000Z'],
  // The last hours before and the first after Paris changes its clocks (29 March and 25 October 2026).
  ['2026-03-29 01:59:00', 'Europe/Paris', '2026-03-29T00:59:00.000Z'],
  ['2026-03-29 03:00:00', 'Europe/Paris', '2026-03-29T01:00:00.000Z'],
  ['2026-10-25 01:59:00', 'Europe/Paris', '2026-10-24T23:59:00.000Z'],
  ['2026-10-25 03:00:00', 'Europe/Paris', '2026-10-25T02:00:00.000Z'],
])('%s in %s is %s, and back', (wall, timezone, expected) => {
  expect(instant(wall, timezone)).toBe(expected)
  expect(wallTime(expected, timezone)).toBe(wall)
})

test('a wall time that a zone skips moves forward', () => {
  expect(wallTime(instant('2026-03-29 02:30:00', 'Europe/Paris'), 'Europe/Paris')).toBe('2026-03-29 03:30:00')
})
