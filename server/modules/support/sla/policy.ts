/** What a policy promises, and of which tickets: pure. */
import type { Audience } from '#modules/contacts/index.ts'
import type { Priority, TicketSource } from '../tables.ts'
import type { ClockName } from './clocks.ts'

/** Minutes of the policy's calendar; what is absent or null is not promised. */
export type Targets = Partial<Record<Priority, Partial<Record<ClockName, number | null>>>>

/** All that are given must be met; each list by one of its members. Names and tags compare without regard to case. */
export interface Conditions {
  categories?: string[]
  tags?: string[]
  sources?: TicketSource[]
  /** Of the requester, in the language of lists, tags and rules. */
  contact?: Audience
}

export interface Asked {
  category: string | null
  tags: readonly string[]
  source: string
}

/** Whether the ticket's own part of the conditions is met; that of its requester the database answers. */
export function meetsConditions({ categories, tags, sources }: Conditions, ticket: Asked): boolean {
  return (
    meetsList(categories, ticket.category === null ? [] : [ticket.category]) &&
    meetsList(tags, ticket.tags) &&
    meetsList(sources, [ticket.source])
  )
}

function meetsList(wanted: readonly string[] | undefined, own: readonly string[]): boolean {
  if (!wanted?.length) return true
  const folded = new Set(own.map(fold))
  return wanted.some((one) => folded.has(fold(one)))
}

function fold(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase()
}

const minuteMs = 60_000

/** Targets of one priority in milliseconds. */
export function targetsOf(targets: Targets, priority: Priority): Record<ClockName, number | null> {
  const own = targets[priority] ?? {}
  const inMs = (minutes: number | null = null): number | null => (minutes === null ? null : minutes * minuteMs)
  return {
    first_response: inMs(own.first_response),
    next_response: inMs(own.next_response),
    resolution: inMs(own.resolution),
  }
}
