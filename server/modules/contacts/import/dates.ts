/** Days and times as people and programs write them, brought into PostgreSQL's form. */
import { foldHeader } from './fields.ts'
import type { DateOrder } from './readings.ts'
import { ValueProblem } from './value-problem.ts'

const clock = String.raw`(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s?([ap]\.?m\.?)?`
const isoTime = new RegExp(String.raw`^(\d{4})-(\d\d?)-(\d\d?)(?:[T ]${clock}\s?(Z|UTC|[+-]\d\d:?\d\d)?)?$`, 'i')
/** Parts: first, mark, second, third, then the clock. */
export const localDate = new RegExp(String.raw`^(\d{1,4})([./-])(\d\d?)\2(\d{2}|\d{4})(?:[ ,T]+${clock})?$`, 'i')
const named = new RegExp(
  String.raw`^(?:(\d\d?)\.?\s+(?:de\s+)?([\p{L}]{3,12})\.?,?\s+(?:de\s+)?(\d{4})|([\p{L}]{3,12})\.?\s+(\d\d?),?\s+(\d{4}))(?:[ ,T]+(?:at\s+)?${clock})?$`,
  'iu',
)

/** Times without a zone are taken as UTC. */
export function readTime(cell: string, order: DateOrder): string | ValueProblem {
  const iso = isoTime.exec(cell)
  if (iso) {
    const [, year, month, day, hour, minute, second, half, zone] = iso
    const fraction = /:\d\d[.,](\d{1,6})/.exec(cell)?.[1]
    return timeOf({ year, month, day, hour, minute, second, half, fraction }, zone && /^[+-]/.test(zone) ? zone : '+00')
  }
  const local = localDate.exec(cell)
  if (local) {
    const [, first = '', mark, second, third = '', hour, minute, seconds, half] = local
    const [year, month, day] = inOrder([first, second!, third], mark === '.' && first.length < 3 ? 'dmy' : order)
    return timeOf({ year: fullYear(year), month, day, hour, minute, second: seconds, half }, '+00')
  }
  const spelledOut = named.exec(cell)
  if (spelledOut) {
    const [, day, name, year, usName, usDay, usYear, hour, minute, second, half] = spelledOut
    const month = monthOf(name ?? usName!)
    if (month) return timeOf({ year: year ?? usYear, month, day: day ?? usDay, hour, minute, second, half }, '+00')
  }
  return new ValueProblem('date', 'Expected a date such as 2026-03-31 or 31/03/2026.')
}

function inOrder([first, second, third]: [string, string, string], order: DateOrder): [string, string, string] {
  if (first.length > 2 || order === 'ymd') return [first, second, third]
  return order === 'mdy' ? [third, first, second] : [third, second, first]
}

/** Two digits are of this century up to 69, as everywhere. */
function fullYear(year: string): string {
  if (year.length !== 2) return year
  return Number(year) < 70 ? `20${year}` : `19${year}`
}

const months = [
  'jan janv ianuarie januar enero ian',
  'feb fevr fev februarie februar febrero',
  'mar mars martie marz marzo mrz',
  'apr avr avril aprilie abril abr',
  'may mai mayo',
  'jun juin iunie juni junio iun',
  'jul juil juillet iulie juli julio iul',
  'aug aout agosto ago',
  'sep sept septembrie septiembre',
  'oct oktober octombrie octubre okt',
  'nov noiembrie noviembre noi',
  'dec dez decembrie dezember diciembre dic',
].map((words) => words.split(' '))
const fullNames = 'january february march april may june july august september october november december'.split(' ')
const frenchNames = 'janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre'.split(' ')

function monthOf(name: string): string | null {
  const folded = foldHeader(name)
  const at = months.findIndex(
    (words, index) => words.includes(folded) || fullNames[index] === folded || frenchNames[index] === folded,
  )
  return at < 0 ? null : String(at + 1)
}

type TimeParts = Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'half', string | undefined> & {
  fraction?: string | undefined
}

function timeOf(parts: TimeParts, zone: string): string | ValueProblem {
  const { year, month, day } = { year: Number(parts.year), month: Number(parts.month), day: Number(parts.day) }
  const typed = Number(parts.hour ?? 0)
  const half = parts.half?.[0]?.toLowerCase()
  const hour = half === 'p' && typed < 12 ? typed + 12 : half === 'a' && typed === 12 ? 0 : typed
  const minute = Number(parts.minute ?? 0)
  const second = Number(parts.second ?? 0)
  const date = new Date(Date.UTC(year, month - 1, day))
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1000
  if (!exists || hour > 23 || minute > 59 || second > 59 || Number(zone.slice(1, 3)) > 14) {
    return new ValueProblem('date', 'There is no such day or time.')
  }
  const two = (value: number): string => String(value).padStart(2, '0')
  const fraction = Number(parts.fraction ?? 0) ? `.${parts.fraction}` : ''
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}${fraction}${zone}`
}
