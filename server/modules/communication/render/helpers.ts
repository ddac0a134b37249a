/** The fixed set of helpers that templates have: pure functions of their arguments and of the mail's language. */
import type { Run } from './run.ts'
import { isTruthy, toText } from './values.ts'

export interface Helper {
  argumentsMin: number
  argumentsMax: number
  call(values: unknown[], named: Record<string, unknown>, run: Run): unknown
}

const compare = (test: (a: number | string, b: number | string) => boolean): Helper => ({
  argumentsMin: 2,
  argumentsMax: 2,
  call: ([a, b]) => {
    if (typeof a === 'string' && typeof b === 'string' && !(isNumeric(a) && isNumeric(b))) return test(a, b)
    return test(Number(a), Number(b))
  },
})

export const helpers = new Map<string, Helper>(
  Object.entries({
    eq: { argumentsMin: 2, argumentsMax: 2, call: ([a, b]) => same(a, b) },
    ne: { argumentsMin: 2, argumentsMax: 2, call: ([a, b]) => !same(a, b) },
    gt: compare((a, b) => a > b),
    lt: compare((a, b) => a < b),
    gte: compare((a, b) => a >= b),
    lte: compare((a, b) => a <= b),
    and: {
      argumentsMin: 1,
      argumentsMax: 10,
      call: (values) => values.find((value) => !isTruthy(value)) ?? values.at(-1),
    },
    or: {
      argumentsMin: 1,
      argumentsMax: 10,
      call: (values) => values.find((value) => isTruthy(value)) ?? values.at(-1),
    },
    not: { argumentsMin: 1, argumentsMax: 1, call: ([value]) => !isTruthy(value) },
    default: {
      argumentsMin: 2,
      argumentsMax: 2,
      call: ([value, instead]) => (value === 0 || isTruthy(value) ? value : instead),
    },
    upper: { argumentsMin: 1, argumentsMax: 1, call: ([value], _named, run) => shift(value, run, 'toLocaleUpperCase') },
    lower: { argumentsMin: 1, argumentsMax: 1, call: ([value], _named, run) => shift(value, run, 'toLocaleLowerCase') },
    date: {
      argumentsMin: 1,
      argumentsMax: 2,
      call: ([value, style], named, run) => formatDate(value, style ?? named.format, run),
    },
    number: {
      argumentsMin: 1,
      argumentsMax: 2,
      call: ([value, digits], _named, run) => formatNumber(value, digits, run),
    },
    currency: {
      argumentsMin: 1,
      argumentsMax: 2,
      call: ([value, code], _named, run) => formatCurrency(value, code, run),
    },
  } satisfies Record<string, Helper>),
)

/** `1` and `"1"` are the same here, because imported custom fields are texts more often than numbers. */
function same(a: unknown, b: unknown): boolean {
  return (
    a === b || (a != null && b != null && typeof a !== 'object' && typeof b !== 'object' && String(a) === String(b))
  )
}

function isNumeric(text: string): boolean {
  return text.length < 40 && text.trim() !== '' && Number.isFinite(Number(text))
}

function shift(value: unknown, run: Run, how: 'toLocaleUpperCase' | 'toLocaleLowerCase'): string {
  const text = toText(value)
  run.spend(text.length >> 4)
  return text[how](run.settings.language)
}

const dateStyles = new Set(['short', 'medium', 'long', 'full'])

/** A value that is no date, number or amount is shown as it came, rather than as "Invalid Date". */
function formatDate(value: unknown, style: unknown, run: Run): string {
  const text = toText(value)
  const date = new Date(typeof value === 'number' ? value : text)
  if (text === '' || text.length > 40 || Number.isNaN(date.getTime())) return text
  const dateStyle = dateStyles.has(toText(style)) ? (toText(style) as 'long') : 'long'
  // A plain date is that day everywhere; only a moment depends on the place.
  const timeZone = /^\d{4}-\d\d-\d\d$/.test(text) ? 'UTC' : run.settings.timezone
  const key = `date ${run.settings.language} ${dateStyle} ${timeZone}`
  return formatter(key, () => new Intl.DateTimeFormat(run.settings.language, { dateStyle, timeZone })).format(date)
}

function formatNumber(value: unknown, digits: unknown, run: Run): string {
  const number = toNumber(value)
  if (number === null) return toText(value)
  const places = Number.isInteger(digits) ? Math.min(10, Math.max(0, Number(digits))) : undefined
  const options = places === undefined ? {} : { minimumFractionDigits: places, maximumFractionDigits: places }
  const key = `number ${run.settings.language} ${places}`
  return formatter(key, () => new Intl.NumberFormat(run.settings.language, options)).format(number)
}

function formatCurrency(value: unknown, code: unknown, run: Run): string {
  const number = toNumber(value)
  if (number === null) return toText(value)
  const asked = toText(code ?? run.settings.currency).toUpperCase()
  const currency = /^[A-Z]{3}$/.test(asked) ? asked : 'EUR'
  const key = `currency ${run.settings.language} ${currency}`
  return formatter(key, () => new Intl.NumberFormat(run.settings.language, { style: 'currency', currency })).format(
    number,
  )
}

function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' && isNumeric(value) ? Number(value) : null
}

type Formatter = { format(value: never): string }
const formatters = new Map<string, Formatter>()
const formattersMax = 200

/** Making one costs a hundred times what using it does; the bound keeps odd languages and zones from piling up. */
function formatter<F extends { format(value: never): string }>(key: string, make: () => F): F {
  const known = formatters.get(key)
  if (known) return known as F
  if (formatters.size >= formattersMax) formatters.clear()
  const made = make()
  formatters.set(key, made)
  return made
}
