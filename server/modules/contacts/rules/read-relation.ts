/** The leaf that asks the timeline: did, or did not, so many times in such a period. Pure. */
import { isDay } from './days.ts'
import { eventOps, machineTypes, typeOfEvent, type EventOp } from './events.ts'
import { fault, refuseOthers, type Reading } from './reading.ts'
import { limits } from './rule.ts'
import { readId } from './values.ts'

export interface Relation {
  kind: 'event'
  pointer: string
  type: string
  /** Whether machines leave such entries too. */
  machines: boolean
  op: EventOp
  count: number
  withinDays: number | null
  beforeDays: number | null
  between: [string, string] | null
  campaignId: string | null
  bookingId: string | null
}

const relationKeys = ['event', 'op', 'count', 'within_days', 'before_days', 'between', 'where']

export function readRelation(reading: Reading, node: Record<string, unknown>, pointer: string): Relation | null {
  reading.leaves++
  const before = reading.errors.length
  refuseOthers(reading, node, pointer, relationKeys)
  const type = typeof node.event === 'string' ? typeOfEvent(node.event) : null
  if (!type) {
    fault(
      reading,
      `${pointer}/event`,
      'unknown_event',
      'There is no such event. GET /contacts/filter-fields lists them.',
    )
  }
  const op = eventOps.find((name) => name === node.op)
  if (!op) fault(reading, `${pointer}/op`, 'unknown_op', `An event takes ${eventOps.join(', ')}.`)
  if (op === 'never' && node.count !== undefined) {
    fault(reading, `${pointer}/count`, 'unknown_field', '“never” has no count. Leave it out.')
  }
  const least = op === 'at_least' ? 1 : 0
  const count = readNumber(reading, node.count, `${pointer}/count`, least, limits.count) ?? 1
  const withinDays = readNumber(reading, node.within_days, `${pointer}/within_days`, 1, limits.days)
  const beforeDays = readNumber(reading, node.before_days, `${pointer}/before_days`, 1, limits.days)
  if (withinDays !== null && beforeDays !== null && beforeDays >= withinDays) {
    fault(
      reading,
      `${pointer}/before_days`,
      'too_large',
      'before_days must be less than within_days, or nothing is left.',
    )
  }
  const between = readBetween(reading, node, pointer)
  const where = readWhere(reading, node.where, `${pointer}/where`)
  if (!type || !op || reading.errors.length > before) return null
  const machines = (machineTypes as readonly string[]).includes(type)
  return { kind: 'event', pointer, type, machines, op, count, withinDays, beforeDays, between, ...where }
}

function readBetween(reading: Reading, node: Record<string, unknown>, pointer: string): [string, string] | null {
  const { between } = node
  if (between === undefined) return null
  if (node.within_days !== undefined || node.before_days !== undefined) {
    return fault(
      reading,
      `${pointer}/between`,
      'rule',
      'Say the time either by between or by within_days and before_days.',
    )
  }
  const [from, to] = Array.isArray(between) ? (between as unknown[]) : []
  if (!Array.isArray(between) || between.length !== 2 || !isDayValue(from) || !isDayValue(to) || from > to) {
    return fault(
      reading,
      `${pointer}/between`,
      'format',
      'Name two days, the earlier first, such as 2026-01-01 and 2026-03-31.',
    )
  }
  return [from, to]
}

function isDayValue(value: unknown): value is string {
  return typeof value === 'string' && isDay(value)
}

function readWhere(reading: Reading, value: unknown, pointer: string) {
  const nothing = { campaignId: null, bookingId: null }
  if (value === undefined) return nothing
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault(reading, pointer, 'type', 'This must be an object with campaign_id or booking_id.') ?? nothing
  }
  const where = value as Record<string, unknown>
  refuseOthers(reading, where, pointer, ['campaign_id', 'booking_id'])
  const campaignId = where.campaign_id === undefined ? null : readId(where.campaign_id)
  if (campaignId === undefined) fault(reading, `${pointer}/campaign_id`, 'format', 'This is not an id.')
  const bookingId = where.booking_id ?? null
  const isText = typeof bookingId === 'string' && bookingId.length <= 200 && isStorable(bookingId)
  if (bookingId !== null && !isText) fault(reading, `${pointer}/booking_id`, 'type', 'This must be a text.')
  return { campaignId: campaignId ?? null, bookingId: isText ? bookingId : null }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function readNumber(reading: Reading, value: unknown, pointer: string, least: number, most: number): number | null {
  if (value === undefined) return null
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  return fault(reading, pointer, 'type', `This must be a whole number from ${least} to ${most}.`)
}
