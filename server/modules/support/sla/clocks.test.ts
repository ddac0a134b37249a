// The clocks of a ticket: a table of stories, and the promises that hold for every story.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { elapsed, weekdays, type Calendar } from './calendar.ts'
import {
  clockNames,
  clocksAt,
  foldClocks,
  nextLook,
  shownBy,
  withWarnings,
  type ClockEvent,
  type ClocksState,
  type Terms,
  type ClockName,
} from './clocks.ts'

const minute = 60_000
const hour = 60 * minute
const office: Calendar = {
  timezone: 'Europe/Paris',
  hours: Object.fromEntries(weekdays.slice(0, 5).map((day) => [day, [{ from: '09:00', to: '17:00' }]])),
  holidays: [],
}
const promise = (more: Partial<Terms> = {}): Terms => ({
  targets: { first_response: hour, next_response: 2 * hour, resolution: 8 * hour },
  calendar: null,
  pausesWhileWaiting: true,
  warnAtPercent: 80,
  ...more,
})

/** A story in hours since its beginning. */
function story(...told: [number, string | Terms][]): ClockEvent[] {
  return told.map(([hours, what]): ClockEvent => {
    const atMs = hours * hour
    if (typeof what === 'object') return { atMs, type: 'terms', terms: what }
    if (what === 'opened') return { atMs, type: 'opened', status: 'open' }
    if (what === 'answered' || what === 'customer_wrote' || what === 'gone' || what === 'back')
      return { atMs, type: what }
    return { atMs, type: 'status', status: what as ClocksState['status'] }
  })
}

/** Hours at which each clock is due, met and breached, for whoever looks at this hour. */
function look(events: ClockEvent[], atHour: number) {
  const state = clocksAt(foldClocks(events)!, atHour * hour)
  const hours = (ms: number | null): number | null => (ms === null ? null : ms / hour)
  return Object.fromEntries(
    clockNames.map((name) => {
      const { dueMs, metMs, breachedMs } = state.clocks[name]
      return [name, [hours(dueMs), hours(metMs), hours(breachedMs)]]
    }),
  )
}

const begun = story([0, 'opened'], [0, promise()])

test('a ticket that nobody touches is breached when it was due, however late somebody looks', () => {
  expect(look(begun, 0.5)).toEqual({
    first_response: [1, null, null],
    next_response: [null, null, null],
    resolution: [8, null, null],
  })
  expect(look(begun, 1)).toMatchObject({ first_response: [1, null, null] })
  expect(look(begun, 1_000)).toMatchObject({ first_response: [1, null, 1], resolution: [8, null, 8] })
})

test('only the first answer meets the first promise; thanks after the solution do not open it again', () => {
  const events = [...begun, ...story([0.5, 'answered'], [3, 'resolved'], [4, 'in_progress'], [4, 'customer_wrote'])]
  expect(look(events, 5)).toMatchObject({ first_response: [null, 0.5, null], next_response: [6, null, null] })
})

test('a late answer is met and stays breached', () => {
  expect(look([...begun, ...story([2, 'answered'])], 3)).toMatchObject({ first_response: [null, 2, 1] })
})

test('an answer at the very instant is in time', () => {
  expect(look([...begun, ...story([1, 'answered'])], 3)).toMatchObject({ first_response: [null, 1, null] })
})

test('the resolution waits while the customer is waited for, and goes on with what was left', () => {
  const waiting = [...begun, ...story([0.5, 'answered'], [2, 'waiting_customer'])]
  expect(look(waiting, 500)).toMatchObject({ resolution: [null, null, null] })
  const back = [...waiting, ...story([50, 'customer_wrote'], [50, 'in_progress'])]
  expect(look(back, 51)).toMatchObject({ resolution: [56, null, null], next_response: [52, null, null] })
  const without = story(
    [0, 'opened'],
    [0, promise({ pausesWhileWaiting: false })],
    [0.5, 'answered'],
    [2, 'waiting_customer'],
  )
  expect(look(without, 3)).toMatchObject({ resolution: [8, null, null] })
})

test('the first answer is owed while the customer is waited for', () => {
  expect(look([...begun, ...story([0.5, 'waiting_customer'])], 2)).toMatchObject({ first_response: [1, null, 1] })
})

test('asking twice is one promise; asking after an answer is another', () => {
  const events = [...begun, ...story([0.5, 'answered'], [1, 'customer_wrote'], [2, 'customer_wrote'])]
  expect(look(events, 2.5)).toMatchObject({ next_response: [3, null, null] })
  const late = [...events, ...story([4, 'answered'], [5, 'customer_wrote'], [6, 'answered'])]
  expect(look(late, 6)).toMatchObject({ next_response: [null, 6, null] })
  expect(foldClocks(late)).toMatchObject({ earlierNext: { met: 0, breached: 1 } })
})

test('a solution ends the clock for now; opening the ticket again goes on with it', () => {
  const resolved = [...begun, ...story([0.5, 'answered'], [6, 'resolved'])]
  expect(look(resolved, 100)).toMatchObject({ resolution: [null, 6, null] })
  expect(look([...resolved, ...story([100, 'in_progress'])], 101)).toMatchObject({ resolution: [102, null, null] })
  expect(look([...resolved, ...story([100, 'in_progress'])], 103)).toMatchObject({ resolution: [102, null, 102] })
})

test('solved without a word, the first answer is owed no more, until the ticket is opened again', () => {
  const events = [...begun, ...story([0.5, 'closed'])]
  expect(look(events, 50)).toMatchObject({ first_response: [null, null, null] })
  expect(look([...events, ...story([50, 'open'])], 50)).toMatchObject({ first_response: [50.5, null, null] })
})

test('a new promise keeps the time that has passed, and a breach stays a breach', () => {
  const stricter = promise({ targets: { first_response: hour, next_response: null, resolution: 4 * hour } })
  expect(look([...begun, ...story([0.5, 'answered'], [3, stricter])], 3)).toMatchObject({ resolution: [4, null, null] })
  // Promised too late to be kept: due, and breached, when it was promised.
  expect(look([...begun, ...story([0.5, 'answered'], [6, stricter])], 6.1)).toMatchObject({ resolution: [6, null, 6] })
  const softer = promise({ targets: { first_response: 10 * hour, next_response: null, resolution: null } })
  expect(look([...begun, ...story([2, softer])], 3)).toMatchObject({
    first_response: [10, null, 1],
    resolution: [null, null, null],
  })
})

test('business hours before a change of calendar count as they were', () => {
  const monday = Date.parse('2026-11-23T08:00:00Z') // nine o'clock in Paris
  const events: ClockEvent[] = [
    { atMs: monday, type: 'opened', status: 'open' },
    { atMs: monday, type: 'terms', terms: promise({ calendar: office }) },
    { atMs: monday + 10 * hour, type: 'terms', terms: promise({ calendar: null }) },
  ]
  const state = foldClocks(events)!
  expect(shownBy(state, 'resolution', monday + 11 * hour)).toBe(9 * hour)
  expect(state.clocks.first_response.breachedMs).toBe(monday + hour)
  expect(foldClocks(events.slice(0, 2))!.clocks.resolution.dueMs).toBe(monday + 8 * hour)
})

test('time before anything was promised counts for nothing', () => {
  expect(look(story([0, 'opened'], [5, promise()]), 5)).toMatchObject({
    first_response: [6, null, null],
    resolution: [13, null, null],
  })
  expect(look(story([0, 'opened'], [0.5, 'answered'], [5, promise()]), 5)).toMatchObject({
    first_response: [null, 0.5, null],
  })
})

test('a merged or deleted ticket owes nothing; one that is brought back goes on', () => {
  const gone = [...begun, ...story([0.5, 'gone'])]
  expect(look(gone, 100)).toMatchObject({ first_response: [null, null, null], resolution: [null, null, null] })
  expect(look([...gone, ...story([100, 'back'])], 100)).toMatchObject({ first_response: [100.5, null, null] })
})

/** Of one clock, hours of each warning, and of what it warned of. */
function warnings(events: ClockEvent[], atHour: number, name: ClockName = 'first_response') {
  const { warned } = clocksAt(foldClocks(events)!, atHour * hour).clocks[name]
  return warned.map(({ atMs, dueMs }) => [atMs / hour, dueMs / hour])
}

test('a warning comes when so much of the time is gone, and not of what is done until then', () => {
  expect(warnings(begun, 0.8)).toEqual([])
  expect(warnings(begun, 0.81)).toEqual([[0.8, 1]])
  expect(warnings(begun, 100)).toEqual([[0.8, 1]])
  expect(warnings([...begun, ...story([0.8, 'answered'])], 100)).toEqual([])
  const early = story([0, 'opened'], [0, promise({ warnAtPercent: 50 })])
  expect(warnings(early, 100, 'resolution')).toEqual([[4, 8]])
})

test('a pause moves the warning; after it, what is due anew is warned of anew, and at once where it is late for that', () => {
  const paused = [...begun, ...story([6, 'waiting_customer'], [20, 'assigned'])]
  expect(warnings(paused, 100, 'resolution')).toEqual([[20.4, 22]])
  const late = [...begun, ...story([7, 'waiting_customer'], [20, 'assigned'])]
  expect(warnings(late, 20, 'resolution')).toEqual([[6.4, 8]])
  expect(warnings(late, 20.1, 'resolution')).toEqual([
    [6.4, 8],
    [20, 21],
  ])
})

test('each word of the customer is warned of by itself', () => {
  const asked = story([0.5, 'answered'], [1, 'customer_wrote'], [2.8, 'answered'], [3, 'customer_wrote'])
  expect(warnings([...begun, ...asked], 100, 'next_response')).toEqual([
    [2.6, 3],
    [4.6, 5],
  ])
})

test('a change of what is promised moves the warning, and the same due time is warned of once', () => {
  const half = (warnAtPercent: number) => promise({ warnAtPercent })
  expect(warnings([...begun, ...story([0.1, half(50)])], 100)).toEqual([[0.5, 1]])
  expect(warnings([...begun, ...story([0.7, half(50)])], 100)).toEqual([[0.7, 1]])
  expect(warnings([...begun, ...story([0.9, half(95)], [0.95, half(50)])], 100)).toEqual([[0.8, 1]])
  const longer = promise({ targets: { first_response: 3 * hour, next_response: null, resolution: null } })
  expect(warnings([...begun, ...story([0.9, longer], [1, promise()])], 100)).toEqual([[0.8, 1]])
  expect(warnings([...begun, ...story([0.9, longer])], 100)).toEqual([
    [0.8, 1],
    [2.4, 3],
  ])
})

const someTerms: fc.Arbitrary<Terms | null> = fc.option(
  fc.record({
    targets: fc.record({
      first_response: fc.option(fc.integer({ min: 1, max: 50 * hour })),
      next_response: fc.option(fc.integer({ min: 1, max: 50 * hour })),
      resolution: fc.option(fc.integer({ min: 1, max: 200 * hour })),
    }),
    calendar: fc.constantFrom(null, office),
    pausesWhileWaiting: fc.boolean(),
    warnAtPercent: fc.integer({ min: 50, max: 95 }),
  }),
  { freq: 8 },
)
const statuses = ['open', 'assigned', 'in_progress', 'waiting_customer', 'resolved', 'closed'] as const
const someEvent: fc.Arbitrary<ClockEvent> = fc.oneof(
  fc.record({ atMs: fc.constant(0), type: fc.constant('status' as const), status: fc.constantFrom(...statuses) }),
  fc.record({ atMs: fc.constant(0), type: fc.constantFrom('answered' as const, 'customer_wrote' as const) }),
  fc.record({ atMs: fc.constant(0), type: fc.constant('terms' as const), terms: someTerms }),
  fc.record({ atMs: fc.constant(0), type: fc.constantFrom('gone' as const, 'back' as const) }),
)
/** Any story, sometimes with clocks of servers that do not quite agree. */
const someStory: fc.Arbitrary<ClockEvent[]> = fc
  .array(fc.tuple(fc.integer({ min: -minute, max: 30 * hour }), someEvent), { maxLength: 25 })
  .map((steps) => {
    let atMs = Date.parse('2026-10-20T08:00:00Z')
    const events: ClockEvent[] = [{ atMs, type: 'opened', status: 'open' }]
    for (const [pause, event] of steps) {
      atMs += pause
      events.push({ ...event, atMs })
    }
    return events
  })

test('read at once or in any two parts, kept in between as text: the same clocks', () => {
  fc.assert(
    fc.property(someStory, fc.nat(), (events, cut) => {
      const at = cut % (events.length + 1)
      const kept = JSON.parse(JSON.stringify(foldClocks(events.slice(0, at)))) as ClocksState | null
      expect(foldClocks(events.slice(at), kept)).toEqual(foldClocks(events))
    }),
    { numRuns: 500 },
  )
})

test('looking at the clocks on the way changes nothing', () => {
  fc.assert(
    fc.property(someStory, fc.integer({ min: 0, max: 30 * hour }), (events, pause) => {
      let looked: ClocksState | null = null
      for (const event of events) {
        looked = foldClocks([event], looked)
        looked = clocksAt(looked!, Math.min(looked!.atMs + pause, event.atMs))
      }
      const last = looked!.atMs + pause
      expect(clocksAt(looked!, last)).toEqual(clocksAt(foldClocks(events)!, last))
    }),
    { numRuns: 300 },
  )
})

test('no breach is ever taken back, none is dated after it was seen, and none is before something was promised', () => {
  fc.assert(
    fc.property(someStory, (events) => {
      let state: ClocksState | null = null
      const breached = { first_response: new Set<number>(), resolution: new Set<number>() }
      for (const event of events) {
        state = foldClocks([event], state)
        for (const name of ['first_response', 'resolution'] as const) {
          const { breachedMs } = state!.clocks[name]
          if (breachedMs !== null) {
            breached[name].add(breachedMs)
            expect(breachedMs).toBeLessThan(state!.atMs)
            expect(breachedMs).toBeGreaterThanOrEqual(events[0]!.atMs)
          } else expect(breached[name].size).toBe(0)
          expect(breached[name].size).toBeLessThanOrEqual(1)
        }
        const next = nextLook(state!)
        if (next !== null) expect(next).toBeGreaterThanOrEqual(state!.atMs)
      }
    }),
    { numRuns: 500 },
  )
})

test('no warning comes with or after its breach, none twice of one due time, and no breach that had time left comes without', () => {
  let [warned, broken] = [0, 0]
  fc.assert(
    fc.property(someStory, fc.nat({ max: 300 * hour }), (events, wait) => {
      let state: ClocksState | null = null
      const instants = new Set<number>()
      const seen = new Map<string, number>()
      const breaches: [ClockName, number][] = []
      const look = (next: ClocksState): void => {
        for (const name of clockNames) {
          const [before, after] = [state?.clocks[name], next.clocks[name]]
          for (const { dueMs, atMs } of after.warned.slice(before?.warned.length ?? 0)) {
            expect(seen.has(`${name} ${dueMs}`)).toBe(false)
            seen.set(`${name} ${dueMs}`, atMs)
            expect(atMs).toBeLessThan(dueMs)
            expect(atMs).toBeLessThan(next.atMs)
            expect(before?.breachedMs ?? null).toBeNull()
          }
          const { breachedMs } = after
          if (breachedMs !== null && breachedMs !== before?.breachedMs) breaches.push([name, breachedMs])
        }
        state = next
        instants.add(next.atMs)
      }
      for (const event of events) look(foldClocks([event], state)!)
      look(clocksAt(state!, state!.atMs + wait))
      // Late from the moment it was promised: there was nothing left to warn of.
      for (const [name, dueMs] of breaches) {
        if (!instants.has(dueMs)) expect(seen.has(`${name} ${dueMs}`), `${name} at ${dueMs}`).toBe(true)
      }
      warned += seen.size
      broken += breaches.length
    }),
    { numRuns: 1_000 },
  )
  expect(Math.min(warned, broken)).toBeGreaterThan(100)
})

test('clocks that were stored before there were warnings come to theirs', () => {
  const state = clocksAt(
    foldClocks(story([0, 'opened'], [0, promise()], [2, 'waiting_customer'], [5, 'assigned']))!,
    6 * hour,
  )
  const old = JSON.parse(
    JSON.stringify(state, (key, value: unknown) => (key === 'warned' || key === 'warnMs' ? undefined : value)),
  ) as ClocksState
  const known = clocksAt(withWarnings(old), 100 * hour)
  expect(known.clocks.resolution).toEqual(clocksAt(state, 100 * hour).clocks.resolution)
  expect(known.clocks.resolution.warned).toEqual([{ atMs: 9.4 * hour, dueMs: 11 * hour }])
  expect(withWarnings(state)).toBe(state)
})

test('a clock that ran all the time shows the business time that passed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400 * hour }), fc.constantFrom(null, office), (passed, calendar) => {
      const start = Date.parse('2026-10-20T08:00:00Z')
      const state = foldClocks([
        { atMs: start, type: 'opened', status: 'open' },
        { atMs: start, type: 'terms', terms: promise({ calendar }) },
        { atMs: start + passed, type: 'status', status: 'resolved' },
      ])!
      expect(state.clocks.resolution.elapsedMs).toBe(elapsed(calendar, start, start + passed))
      expect(state.clocks.resolution.breachedMs !== null).toBe(elapsed(calendar, start, start + passed) > 8 * hour)
    }),
  )
})
