/**
 * The clocks of a ticket, as a fold over what happened to it: pure, so that the same events give the same clocks whether
 * they are read at once or one by one. What an agreement promises comes in as events too, with all that it needs, so that
 * a change of it counts from then on and keeps the time that has passed.
 *
 * A clock is due at an instant and breached at that instant, whenever somebody looks. A breach is a fact: no later change of
 * the agreement takes it back. Before it comes a warning, once for each instant at which the clock was ever due.
 */
import { add, elapsed, type Calendar } from './calendar.ts'

export const clockNames = ['first_response', 'next_response', 'resolution'] as const
export type ClockName = (typeof clockNames)[number]

/** What is promised of a ticket: targets in milliseconds of its calendar, null for nothing; a null calendar is day and night. */
export interface Terms {
  targets: Record<ClockName, number | null>
  calendar: Calendar | null
  /** Whether the resolution waits while the customer does. */
  pausesWhileWaiting: boolean
  /** How much of a target is gone when a warning comes. */
  warnAtPercent: number
}

export type ClockStatus = 'open' | 'assigned' | 'in_progress' | 'waiting_customer' | 'resolved' | 'closed'

/** Instants in milliseconds since 1970, in the order of the ledger; one that is earlier than the one before counts as equal. */
export type ClockEvent =
  | { atMs: number; type: 'opened'; status: ClockStatus }
  | { atMs: number; type: 'status'; status: ClockStatus }
  /** A public message of a person of the house: no note, no automatic mail. */
  | { atMs: number; type: 'answered' }
  | { atMs: number; type: 'customer_wrote' }
  | { atMs: number; type: 'terms'; terms: Terms | null }
  /** Deleted, or merged into another: nothing runs any more; `back` undoes it. */
  | { atMs: number; type: 'gone' | 'back' }

export interface Clock {
  /** Business time until `sinceMs`, or all of it when the clock stands. */
  elapsedMs: number
  /** Since when it runs; null while it stands. */
  sinceMs: number | null
  /** When it falls due if nothing changes; null while it stands, is met, or nothing is promised. */
  dueMs: number | null
  metMs: number | null
  breachedMs: number | null
  /** When the warning comes, or came, of the instant at which it is due; null with that, and once it is breached. */
  warnMs: number | null
  warned: Warning[]
}

export interface Warning {
  /** What it warned of. */
  dueMs: number
  atMs: number
}

export interface ClocksState {
  atMs: number
  status: ClockStatus
  isGone: boolean
  /** Whether the customer waits for a word after the first answer. */
  customerWaits: boolean
  terms: Terms | null
  clocks: Record<ClockName, Clock>
  /** Each time the customer wrote again is a promise of its own; these are those of earlier times. */
  earlierNext: { met: number; breached: number }
}

export function foldClocks(events: readonly ClockEvent[], from: ClocksState | null = null): ClocksState | null {
  return events.reduce<ClocksState | null>((state, event) => step(state ?? newClocks(event.atMs), event), from)
}

/** A state that was stored before there were warnings has none yet, and running clocks that will come to theirs. */
export function withWarnings(state: ClocksState): ClocksState {
  if ((state.clocks.resolution as Partial<Clock>).warned) return state
  const clocks = mapClocks((name) => {
    const clock: Clock = { ...state.clocks[name], warnMs: null, warned: [] }
    return clock.sinceMs === null ? clock : { ...clock, warnMs: warnAt(state, name, clock, clock.sinceMs) }
  })
  return { ...state, clocks }
}

/** The clocks as somebody sees them who looks at this instant: what fell due meanwhile is breached, and was warned of. */
export function clocksAt(state: ClocksState, nowMs: number): ClocksState {
  if (nowMs <= state.atMs) return state
  const clocks = mapClocks((name) => breachUntil(warnUntil(state.clocks[name], nowMs), nowMs))
  return { ...state, atMs: nowMs, clocks }
}

/** Business time that the clock shows at this instant, in milliseconds. */
export function shownBy(state: ClocksState, name: ClockName, nowMs: number): number {
  const { elapsedMs, sinceMs } = state.clocks[name]
  return elapsedMs + (sinceMs === null ? 0 : elapsed(state.terms?.calendar ?? null, sinceMs, nowMs))
}

/** The earliest instant at which a clock comes to its warning, or falls due, of those at which it has not been yet. */
export function nextLook({ clocks }: ClocksState): number | null {
  return earliest(clocks, (clock) => (isWarned(clock) ? clock.dueMs : (clock.warnMs ?? clock.dueMs)))
}

/** The earliest instant from which a promise is at risk: of those that can still be kept. */
export function riskFrom({ clocks }: ClocksState): number | null {
  return earliest(clocks, ({ warnMs }) => warnMs)
}

function earliest(clocks: ClocksState['clocks'], of: (clock: Clock) => number | null): number | null {
  const found = clockNames.flatMap((name) => (clocks[name].breachedMs === null ? (of(clocks[name]) ?? []) : []))
  return found.length ? Math.min(...found) : null
}

function newClocks(atMs: number): ClocksState {
  return {
    atMs,
    status: 'open',
    isGone: false,
    customerWaits: false,
    terms: null,
    clocks: mapClocks(() => fresh),
    earlierNext: { met: 0, breached: 0 },
  }
}

const fresh: Clock = {
  elapsedMs: 0,
  sinceMs: null,
  dueMs: null,
  metMs: null,
  breachedMs: null,
  warnMs: null,
  warned: [],
}

function step(before: ClocksState, event: ClockEvent): ClocksState {
  const seen = clocksAt(before, Math.max(event.atMs, before.atMs))
  const now = seen.atMs
  const clocks = { ...seen.clocks }
  const state: ClocksState = { ...seen, clocks }
  switch (event.type) {
    case 'opened':
      state.status = event.status
      break
    case 'status':
      state.status = event.status
      if (isDone(event.status)) meet(state, 'resolution', now)
      else clocks.resolution = { ...clocks.resolution, metMs: null }
      break
    case 'answered':
      if (clocks.first_response.metMs === null) meet(state, 'first_response', now)
      if (state.customerWaits) meet(state, 'next_response', now)
      state.customerWaits = false
      break
    case 'customer_wrote':
      if (clocks.first_response.metMs !== null && !state.customerWaits) askAgain(state)
      break
    case 'terms':
      stop(state, now)
      state.terms = event.terms
      break
    case 'gone':
    case 'back':
      state.isGone = event.type === 'gone'
      break
    default:
      return event satisfies never
  }
  return { ...state, clocks: mapClocks((name) => settle(state, name, now)) }
}

/** The customer writes after an answer: the next one is promised anew. Asking twice does not begin anew. */
function askAgain(state: ClocksState): void {
  const { metMs, breachedMs, warned } = state.clocks.next_response
  state.earlierNext = {
    met: state.earlierNext.met + (metMs !== null && breachedMs === null ? 1 : 0),
    breached: state.earlierNext.breached + (breachedMs === null ? 0 : 1),
  }
  state.clocks.next_response = { ...fresh, warned }
  state.customerWaits = true
}

function meet(state: ClocksState, name: ClockName, now: number): void {
  const clock = halt(state, name, now)
  state.clocks[name] = { ...clock, metMs: now }
}

function stop(state: ClocksState, now: number): void {
  for (const name of clockNames) state.clocks[name] = halt(state, name, now)
}

function halt(state: ClocksState, name: ClockName, now: number): Clock {
  return { ...state.clocks[name], elapsedMs: shownBy(state, name, now), sinceMs: null, dueMs: null, warnMs: null }
}

/** Sets a clock going or lets it stand, as the state asks. */
function settle(state: ClocksState, name: ClockName, now: number): Clock {
  const clock = state.clocks[name]
  const runs = isRunning(state, name)
  if (!runs) return clock.sinceMs === null ? clock : halt(state, name, now)
  if (clock.sinceMs !== null) return clock
  const target = state.terms?.targets[name] ?? null
  const left = target === null ? null : target - clock.elapsedMs
  const dueMs = left === null ? null : add(state.terms?.calendar ?? null, now, left)
  return { ...clock, sinceMs: now, dueMs, warnMs: dueMs === null ? null : warnAt(state, name, clock, now) }
}

/** Null where the time is up already: of that there is no warning. One that should have come before comes at once. */
function warnAt({ terms }: ClocksState, name: ClockName, clock: Clock, now: number): number | null {
  const target = terms?.targets[name] ?? null
  if (!terms || target === null || clock.breachedMs !== null || clock.elapsedMs >= target) return null
  return add(terms.calendar, now, Math.floor((target * terms.warnAtPercent) / 100) - clock.elapsedMs)
}

/**
 * A promise counts from when it is made. First answers are owed even while the customer is waited for, as long as none was
 * given.
 */
function isRunning({ status, isGone, customerWaits, terms, clocks }: ClocksState, name: ClockName): boolean {
  if (!terms || isGone || isDone(status) || clocks[name].metMs !== null) return false
  switch (name) {
    case 'first_response':
      return true
    case 'next_response':
      return customerWaits && status !== 'waiting_customer'
    case 'resolution':
      return status !== 'waiting_customer' || !terms.pausesWhileWaiting
    default:
      return name satisfies never
  }
}

function isDone(status: ClockStatus): boolean {
  return status === 'resolved' || status === 'closed'
}

/** What is done at the very instant needs no warning any more. */
function warnUntil(clock: Clock, nowMs: number): Clock {
  const { dueMs, warnMs, warned } = clock
  if (dueMs === null || warnMs === null || nowMs <= warnMs || isWarned(clock)) return clock
  return { ...clock, warned: [...warned, { dueMs, atMs: warnMs }] }
}

function isWarned({ dueMs, warned }: Clock): boolean {
  return warned.some((one) => one.dueMs === dueMs)
}

/** What is done at the very instant it falls due is in time. */
function breachUntil(clock: Clock, nowMs: number): Clock {
  const isLate = clock.dueMs !== null && clock.breachedMs === null && nowMs > clock.dueMs
  return isLate ? { ...clock, breachedMs: clock.dueMs } : clock
}

function mapClocks(clockOf: (name: ClockName) => Clock): Record<ClockName, Clock> {
  return {
    first_response: clockOf('first_response'),
    next_response: clockOf('next_response'),
    resolution: clockOf('resolution'),
  }
}
