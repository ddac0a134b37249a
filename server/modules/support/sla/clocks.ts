/**
 * The clocks of a ticket, as a fold over what happened to it: pure, so that the same events give the same clocks whether
 * they are read at once or one by one. What an agreement promises comes in as events too, with all that it needs, so that
 * a change of it counts from then on and keeps the time that has passed.
 *
 * A clock is due at an instant and breached at that instant, whenever somebody looks. A breach is a fact: no later change of
 * the agreement takes it back.
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

/** The clocks as somebody sees them who looks at this instant: what fell due meanwhile is breached. */
export function clocksAt(state: ClocksState, nowMs: number): ClocksState {
  if (nowMs <= state.atMs) return state
  const clocks = mapClocks((name) => breachUntil(state.clocks[name], nowMs))
  return { ...state, atMs: nowMs, clocks }
}

/** Business time that the clock shows at this instant, in milliseconds. */
export function shownBy(state: ClocksState, name: ClockName, nowMs: number): number {
  const { elapsedMs, sinceMs } = state.clocks[name]
  return elapsedMs + (sinceMs === null ? 0 : elapsed(state.terms?.calendar ?? null, sinceMs, nowMs))
}

/** The earliest instant at which something falls due that is not breached yet. */
export function nextDue({ clocks }: ClocksState): number | null {
  const due = clockNames.flatMap((name) => (clocks[name].breachedMs === null ? (clocks[name].dueMs ?? []) : []))
  return due.length ? Math.min(...due) : null
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

const fresh: Clock = { elapsedMs: 0, sinceMs: null, dueMs: null, metMs: null, breachedMs: null }

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
  const { metMs, breachedMs } = state.clocks.next_response
  state.earlierNext = {
    met: state.earlierNext.met + (metMs !== null && breachedMs === null ? 1 : 0),
    breached: state.earlierNext.breached + (breachedMs === null ? 0 : 1),
  }
  state.clocks.next_response = fresh
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
  return { ...state.clocks[name], elapsedMs: shownBy(state, name, now), sinceMs: null, dueMs: null }
}

/** Sets a clock going or lets it stand, as the state asks. */
function settle(state: ClocksState, name: ClockName, now: number): Clock {
  const clock = state.clocks[name]
  const runs = isRunning(state, name)
  if (!runs) return clock.sinceMs === null ? clock : halt(state, name, now)
  if (clock.sinceMs !== null) return clock
  const target = state.terms?.targets[name] ?? null
  const left = target === null ? null : target - clock.elapsedMs
  return { ...clock, sinceMs: now, dueMs: left === null ? null : add(state.terms?.calendar ?? null, now, left) }
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
