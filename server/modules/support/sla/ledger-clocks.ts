/**
 * From the ledger of a ticket to its clocks. What the ledger and the stored state hold of a promise names its calendar by
 * version; it is looked up before anything is counted. Pure but for that.
 */
import type { TicketEvent } from '../tables.ts'
import type { Calendar } from './calendar.ts'
import { keyOf, type CalendarVersion } from './calendar-versions.ts'
import {
  clockNames,
  foldClocks,
  withWarnings,
  type ClockEvent,
  type ClockName,
  type ClocksState,
  type Terms,
  type Warning,
} from './clocks.ts'

/** Of the ledger's entries of type `sla`. */
export interface TermsReference {
  policy_id: string
  policy_version: number
  /** Milliseconds. */
  targets: Terms['targets']
  calendar: CalendarVersion | null
  pauses_while_waiting: boolean
  /** Not there in what was promised before there were warnings. */
  warn_at_percent?: number
}

/** Of those for whom nobody chose. */
const usualWarning = 80

/** As it is stored: the calendar by its version alone. */
export type StoredState = Omit<ClocksState, 'terms'> & { terms: TermsReference | null }

export interface Breach {
  clock: ClockName
  atMs: number
  policyId: string | null
}

export interface ClockWarning extends Warning {
  clock: ClockName
  policyId: string | null
}

type Entry = Pick<TicketEvent, 'type' | 'at' | 'actor_kind' | 'to_value' | 'data'>

export interface Told {
  state: ClocksState
  terms: TermsReference | null
  /** Found in these entries, oldest first. */
  breaches: Breach[]
  warnings: ClockWarning[]
}

/** `calendars` has every version that the entries and the stored state name, see `calendarsNamed`. */
export function tellClocks(
  entries: readonly Entry[],
  from: StoredState | null,
  calendars: ReadonlyMap<string, Calendar>,
): Told | null {
  let state: ClocksState | null = from && withWarnings({ ...from, terms: toTerms(from.terms, calendars) })
  let terms = from?.terms ?? null
  const breaches: Breach[] = []
  const warnings: ClockWarning[] = []
  for (const entry of entries) {
    const event = toClockEvent(entry, calendars)
    if (!event) continue
    const next = foldClocks([event], state)!
    breaches.push(...newBreaches(state, next, terms))
    warnings.push(...newWarnings(state, next, terms))
    if (event.type === 'terms') terms = referenceOf(entry)
    state = next
  }
  return state && { state, terms, breaches, warnings }
}

/** What was not breached before and is now. */
export function newBreaches(before: ClocksState | null, after: ClocksState, terms: TermsReference | null): Breach[] {
  return clockNames.flatMap((clock) => {
    const { breachedMs } = after.clocks[clock]
    const isNew = breachedMs !== null && breachedMs !== before?.clocks[clock].breachedMs
    return isNew ? [{ clock, atMs: breachedMs, policyId: terms?.policy_id ?? null }] : []
  })
}

/** What was not warned of before and is now. */
export function newWarnings(
  before: ClocksState | null,
  after: ClocksState,
  terms: TermsReference | null,
): ClockWarning[] {
  return clockNames.flatMap((clock) =>
    after.clocks[clock].warned
      .slice(before?.clocks[clock].warned.length ?? 0)
      .map((warning) => ({ clock, ...warning, policyId: terms?.policy_id ?? null })),
  )
}

export function toStored({ state, terms }: Pick<Told, 'state' | 'terms'>): StoredState {
  return { ...state, terms }
}

export function calendarsNamed(entries: readonly Entry[], from: StoredState | null): CalendarVersion[] {
  const named = [from?.terms?.calendar, ...entries.map((entry) => referenceOf(entry)?.calendar)]
  return named.filter((calendar) => calendar !== null && calendar !== undefined)
}

/** Whether two promises are the same to a clock; a policy's name may change meanwhile. */
export function sameTerms(one: TermsReference | null, other: TermsReference | null): boolean {
  if (!one || !other) return one === other
  return (
    one.policy_id === other.policy_id &&
    one.pauses_while_waiting === other.pauses_while_waiting &&
    (one.warn_at_percent ?? usualWarning) === (other.warn_at_percent ?? usualWarning) &&
    one.calendar?.id === other.calendar?.id &&
    one.calendar?.version === other.calendar?.version &&
    clockNames.every((name) => one.targets[name] === other.targets[name])
  )
}

function toClockEvent(entry: Entry, calendars: ReadonlyMap<string, Calendar>): ClockEvent | null {
  const atMs = entry.at.getTime()
  switch (entry.type) {
    case 'created':
      return { atMs, type: 'opened', status: toStatus(entry) }
    case 'status':
      return { atMs, type: 'status', status: toStatus(entry) }
    case 'message':
      return toWord(entry, atMs)
    case 'sla':
      return { atMs, type: 'terms', terms: toTerms(referenceOf(entry), calendars) }
    case 'deleted':
    case 'merged':
      return { atMs, type: 'gone' }
    case 'restored':
    case 'unmerged':
      return { atMs, type: 'back' }
    default:
      return null
  }
}

function toStatus({ to_value }: Entry): ClocksState['status'] {
  return (to_value ?? 'open') as ClocksState['status']
}

/** Notes among colleagues are no answer, and neither is what Rapport writes by itself. */
function toWord({ actor_kind, data }: Entry, atMs: number): ClockEvent | null {
  const author = data.author_kind ?? actor_kind
  if (author === 'requester') return { atMs, type: 'customer_wrote' }
  return author === 'house' && !data.is_internal ? { atMs, type: 'answered' } : null
}

function referenceOf({ type, data }: Entry): TermsReference | null {
  return type === 'sla' && data.policy_id ? (data as unknown as TermsReference) : null
}

function toTerms(reference: TermsReference | null, calendars: ReadonlyMap<string, Calendar>): Terms | null {
  if (!reference) return null
  const { targets, calendar, pauses_while_waiting, warn_at_percent = usualWarning } = reference
  const known = calendar && calendars.get(keyOf(calendar))
  if (calendar && !known) throw new Error(`the calendar ${keyOf(calendar)} is not there`)
  return {
    targets,
    calendar: known ?? null,
    pausesWhileWaiting: pauses_while_waiting,
    warnAtPercent: warn_at_percent,
  }
}
