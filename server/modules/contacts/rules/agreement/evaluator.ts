/** What rules mean, said a second time and as plainly as possible: of one person, in memory. */
import type { EventRule, FieldRule, Rule } from '../rule.ts'
import { tagNames, type Timed } from './people.ts'

const dayMs = 86_400_000

export interface Facts {
  now: Date
  timezone: string
}

const fold = (text: string) => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
const localDay = (time: Date, timezone: string) => time.toLocaleDateString('sv', { timeZone: timezone })
const after = (facts: Facts, hour: number) => new Date(Math.round(facts.now.getTime() + hour * 3_600_000))

export function evaluate(rule: Rule, who: Timed, facts: Facts): boolean {
  if ('all' in rule) return rule.all.every((one) => evaluate(one, who, facts))
  if ('any' in rule) return rule.any.some((one) => evaluate(one, who, facts))
  if ('not' in rule) return !evaluate(rule.not, who, facts)
  return 'event' in rule ? evaluateEvent(rule, who, facts) : evaluateField(rule, who, facts)
}

function evaluateEvent(rule: EventRule, who: Timed, facts: Facts): boolean {
  const type = { 'order.completed': 'purchase', 'email.opened': 'email_opened', 'booking.created': 'booking_created' }[
    rule.event
  ]
  const found = who.entries.filter((entry) => {
    const daysAgo = -entry.at / 24
    const on = localDay(after(facts, entry.at), facts.timezone)
    return (
      entry.type === (type ?? rule.event) &&
      !(entry.type === 'email_opened' && entry.machine) &&
      (rule.within_days === undefined || (daysAgo <= rule.within_days && daysAgo >= 0)) &&
      (rule.before_days === undefined || daysAgo > rule.before_days) &&
      (rule.between === undefined || (on >= rule.between[0] && on <= rule.between[1])) &&
      (rule.where?.campaign_id === undefined || entry.campaign === rule.where.campaign_id) &&
      (rule.where?.booking_id === undefined || entry.booking === rule.where.booking_id)
    )
  }).length
  if (rule.op === 'never') return found === 0
  if (rule.op === 'at_least') return found >= rule.count!
  return rule.op === 'at_most' ? found <= rule.count! : found === rule.count!
}

const no: Record<string, string> = {
  neq: 'eq',
  not_in: 'in',
  not_contains: 'contains',
  not_within_last_days: 'within_last_days',
  is_not_empty: 'is_empty',
}

function evaluateField({ field, op, value }: FieldRule, who: Timed, facts: Facts): boolean {
  if (/^(tag|list)s?$/.test(field))
    return evaluateMembership(
      field.startsWith('tag') ? who.tags : who.lists.filter((list) => list !== 'gone'),
      op,
      value,
      field.startsWith('tag') ? tagNames : ['one', 'two'],
    )
  if (Object.hasOwn(no, op)) return !evaluateField({ field, op: no[op]!, value }, who, facts)
  const values = [value].flat()
  if (field.startsWith('custom_fields.'))
    return evaluateCustom(who.custom_fields[field.slice(14)] ?? null, op, value, facts)
  if (field === 'created_at' || field.endsWith('_at') || field.endsWith('_date') || field.endsWith('.at')) {
    const hour = field.endsWith('.at')
      ? (stateOf(who, 'newsletter')?.at ?? null)
      : (who[field as 'created_at'] as number | null)
    return evaluateTime(hour === null ? null : after(facts, hour), op, values.map(String), facts)
  }
  if (field.startsWith('consent.')) return values.includes(stateOf(who, field.slice(8))?.decision ?? 'none')
  if (field === 'engagement_level')
    return values.includes(who.engagement_score > 50 ? 'high' : who.engagement_score > 10 ? 'medium' : 'low')
  if (field === 'engagement_score' || field === 'lifetime_value')
    return compare(Number(who[field]), op, values.map(Number))
  if (field === 'language')
    return op === 'starts_with'
      ? who.language.startsWith(String(value))
      : values.map((one) => String(one).toLowerCase()).includes(who.language.toLowerCase())
  if (['status', 'gender', 'user_id', 'is_active', 'newsletter_subscribed'].includes(field)) {
    const own = who[field as 'status' | 'is_active']
    return op === 'is_empty' ? own === null : values.includes(own)
  }
  if (field === 'phone') {
    const plain = (text: string) => text.replaceAll(/[\s().-]/g, '')
    return op === 'is_empty'
      ? !who.phone
      : who.phone !== null && values.some((one) => plain(String(one)) === plain(who.phone!))
  }
  if (field === 'email' && ['eq', 'in'].includes(op))
    return values.some((one) => String(one).toLowerCase() === who.email.toLowerCase())
  const own =
    field === 'full_name' ? `${who.first_name} ${who.last_name}`.trim() : String(who[field as 'first_name'] ?? '')
  return evaluateText(own, op, values.map(String))
}

function stateOf(who: Timed, purpose: string): { decision: string; at: number | null } | undefined {
  const flag = {
    newsletter: who.newsletter_subscribed,
    marketing: who.marketing_subscribed,
    tracking: who.tracking_allowed,
  }[purpose]!
  const [latest] = who.consents
    .map((entry, index) => ({ ...entry, index }))
    .filter((entry) => entry.purpose === purpose && (entry.decision === 'granted') === flag)
    .toSorted((one, other) => other.at - one.at || other.index - one.index)
  return latest ?? (flag ? { decision: 'granted', at: null } : undefined)
}

function evaluateMembership(own: string[], op: string, value: unknown, all: string[]): boolean {
  const has = (name: unknown) => own.some((one) => one.toLowerCase() === String(name).toLowerCase())
  const there = (name: unknown) => all.some((one) => one.toLowerCase() === String(name).toLowerCase())
  const asked = [value].flat()
  if (op === 'is_empty' || op === 'is_not_empty') return (own.length === 0) === (op === 'is_empty')
  if (op === 'has_all') return asked.every(has)
  if (op === 'has_none' || op === 'not_in') return asked.every((name) => there(name) && !has(name))
  return asked.some(has)
}

function evaluateText(own: string, op: string, values: string[]): boolean {
  const text = fold(own)
  const [value = ''] = values.map(fold)
  if (op === 'is_empty') return text === ''
  if (op === 'contains') return text.includes(value)
  if (op === 'starts_with') return text.startsWith(value)
  return op === 'ends_with' ? text.endsWith(value) : values.map(fold).includes(text)
}

function compare(own: number, op: string, values: number[]): boolean {
  const [first = 0, second = 0] = values
  if (op === 'gt') return own > first
  if (op === 'gte') return own >= first
  if (op === 'lt') return own < first
  if (op === 'lte') return own <= first
  return op === 'between' ? own >= first && own <= second : values.includes(own)
}

function evaluateTime(
  own: Date | null,
  op: string,
  [first = '', second = '']: string[],
  { now, timezone }: Facts,
): boolean {
  if (op === 'is_empty') return own === null
  if (!own) return false
  /** -1, 0, 1: before, on and after the day or the instant. */
  const against = (text: string) =>
    text.length === 10
      ? Math.sign(localDay(own, timezone).localeCompare(text))
      : Math.sign(own.getTime() - Date.parse(text))
  const ahead = (own.getTime() - now.getTime()) / dayMs
  switch (op) {
    case 'before':
    case 'lt':
      return against(first) < 0
    case 'after':
    case 'gt':
      return against(first) > 0
    case 'lte':
      return against(first) <= 0
    case 'gte':
      return against(first) >= 0
    case 'on':
      return against(first) === 0
    case 'between':
      return against(first) >= 0 && against(second) <= 0
    case 'within_last_days':
      return ahead <= 0 && ahead >= -Number(first)
    case 'within_next_days':
      return ahead > 0 && ahead <= Number(first)
    default:
      return ahead < -Number(first)
  }
}

function evaluateCustom(own: unknown, op: string, value: unknown, { now, timezone }: Facts): boolean {
  const text = own === null ? '' : typeof own === 'string' ? own : JSON.stringify(own)
  if (op === 'is_empty') return text === '' || text === '[]'
  const values = [value].flat()
  if (
    op.endsWith('_days') ||
    (['gt', 'gte', 'lt', 'lte', 'between'].includes(op) && values.every((one) => typeof one === 'string'))
  ) {
    if (!/^\d{4}-\d\d-\d\d/.test(text)) return false
    const at = (one: string) => new Date(`${one.slice(0, 10)}T00:00:00Z`)
    const today = at(localDay(now, timezone))
    const own_ = at(text)
    const [first = '', second = ''] = values.map(String)
    const ahead = (own_.getTime() - today.getTime()) / dayMs
    if (op === 'within_last_days') return ahead <= 0 && ahead >= -Number(first)
    if (op === 'within_next_days') return ahead > 0 && ahead <= Number(first)
    if (op === 'older_than_days') return ahead < -Number(first)
    return evaluateTime(own_, op, [first, second], { now, timezone: 'UTC' })
  }
  if (values.some((one) => typeof one === 'number'))
    return /^-?\d+(\.\d+)?$/.test(text) && compare(Number(text), op, values.map(Number))
  return evaluateText(text, op, values.map(String))
}
