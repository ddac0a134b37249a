/**
 * Reads the cell of a file as the value of a field, in the forms that people write in five languages. A reader answers
 * the value as PostgreSQL's text, or a problem that says what was expected.
 */
import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max'
import { isEmail } from '#platform/http/validation.ts'
import { foldHeader, type Kind } from './fields.ts'

export class ValueProblem {
  readonly code: string
  readonly detail: string
  constructor(code: string, detail: string) {
    this.code = code
    this.detail = detail
  }
}

export type Reader = (cell: string) => string | ValueProblem

/** Whether 03/04 is the third of April or the fourth of March: a column has one order throughout. */
export type DateOrder = 'dmy' | 'mdy'

const lengthMax = { text: 200, long_text: 10_000, url: 2_000 }

/** The reader of a kind; it never gets an empty cell. Phones, names and tags make several values: see `rows.ts`. */
export function readerOf(kind: Kind, dateOrder: DateOrder): Reader {
  switch (kind) {
    case 'email':
      return readEmail
    case 'text':
    case 'full_name':
    case 'tags':
    case 'phone':
      return (cell) => readText(cell, lengthMax.text)
    case 'long_text':
      return (cell) => readText(cell, lengthMax.long_text)
    case 'url':
      return readUrl
    case 'gender':
      return remembered((cell) => oneOf(cell, genders, 'gender', 'male, female or other'))
    case 'status':
      return remembered((cell) => oneOf(cell, statuses, 'status', 'active, unsubscribed, bounced or complained'))
    case 'yes_no':
      return remembered((cell) => oneOf(cell, answers, 'yes_no', 'yes or no'))
    case 'language':
      return remembered(readLanguage)
    case 'timezone':
      return remembered(readTimezone)
    case 'time':
      return (cell) => readTime(cell, dateOrder)
    case 'money':
      return readMoney
    case 'count':
      return readCount
    default:
      return kind satisfies never
  }
}

/** Columns like these hold few different values; each is worked out once. */
function remembered(read: Reader): Reader {
  const known = new Map<string, string | ValueProblem>()
  return (cell) => {
    const earlier = known.get(cell)
    if (earlier !== undefined) return earlier
    const value = read(cell)
    if (known.size < 1_000 && cell.length < 100) known.set(cell, value)
    return value
  }
}

function readEmail(cell: string): string | ValueProblem {
  const bare = cell.startsWith('mailto:') ? cell.slice(7) : cell
  return isEmail(bare) ? bare : new ValueProblem('email', 'This is not an e-mail address.')
}

export function readText(cell: string, length: number): string | ValueProblem {
  return cell.length <= length ? cell : new ValueProblem('too_long', `At most ${length} characters are kept here.`)
}

function readUrl(cell: string): string | ValueProblem {
  const url = cell.length <= lengthMax.url ? URL.parse(cell) : null
  const web = url?.protocol === 'https:' || url?.protocol === 'http:'
  return web ? cell : new ValueProblem('url', 'An address that begins with https:// was expected.')
}

const genders = spelled({
  male: 'male m man mr monsieur homme masculin masculine barbat domnul mannlich herr mann hombre masculino sr h',
  female:
    'female f woman mrs ms miss madame mme mlle femme feminin feminine femeie doamna weiblich frau mujer femenino sra',
  other: 'other o x divers diverse autre alt altul otro nonbinary enby',
})

const statuses = spelled({
  active: 'active actif activ aktiv activo subscribed confirmed abonne enabled',
  unsubscribed: 'unsubscribed desabonne desinscrit dezabonat abgemeldet dado baja optout cleaned removed',
  bounced: 'bounced bounce invalid hard_bounce',
  complained: 'complained complaint spam abuse',
})

const answers = spelled({
  t: 'yes y true t 1 on x oui o vrai da adevarat ja j wahr si s verdadero subscribed active checked granted',
  f: 'no n false f 0 off non faux nu fals nein falsch falso unsubscribed none never denied',
})

function spelled(groups: Record<string, string>): Map<string, string> {
  return new Map(
    Object.entries(groups).flatMap(([value, words]) => words.split(' ').map((word) => [word, value] as const)),
  )
}

function oneOf(cell: string, values: Map<string, string>, code: string, expected: string): string | ValueProblem {
  const folded = foldHeader(cell)
  const value = values.get(folded) ?? values.get(folded.replaceAll(' ', ''))
  return value ?? new ValueProblem(code, `Expected ${expected}.`)
}

const languageNames = spelled({
  en: 'english anglais engleza englisch ingles',
  fr: 'french francais franceza franzosisch frances',
  ro: 'romanian roumain romana rumanisch rumano',
  de: 'german allemand germana deutsch aleman',
  es: 'spanish espagnol spaniola spanisch espanol castellano',
  it: 'italian italien italiana italienisch italiano',
})

function readLanguage(cell: string): string | ValueProblem {
  const named = languageNames.get(foldHeader(cell))
  if (named) return named
  try {
    const tag = cell.length <= 35 ? Intl.getCanonicalLocales(cell.replaceAll('_', '-'))[0] : undefined
    if (tag) return tag
  } catch {
    // not a language tag
  }
  return new ValueProblem('language', 'Expected a language such as en, fr or pt-BR.')
}

function readTimezone(cell: string): string | ValueProblem {
  try {
    if (cell.length <= 60) return new Intl.DateTimeFormat('en', { timeZone: cell }).resolvedOptions().timeZone
  } catch {
    // not a time zone
  }
  return new ValueProblem('timezone', 'Expected a time zone such as Europe/Paris.')
}

const isoTime =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s?(Z|UTC|[+-]\d\d:?\d\d)?)?$/i
const localTime = /^(\d\d?)([./-])(\d\d?)\2(\d{4})(?:[ ,T]+(\d\d?):(\d\d)(?::(\d\d))?)?$/

/** Times without a zone are taken as UTC. */
function readTime(cell: string, order: DateOrder): string | ValueProblem {
  const iso = isoTime.exec(cell)
  if (iso) {
    const [, year, month, day, hour, minute, second, zone] = iso
    return timeOf({ year, month, day, hour, minute, second }, zone && /^[+-]/.test(zone) ? zone : '+00')
  }
  const local = localTime.exec(cell)
  if (local) {
    const [, first, separator, second, year, hour, minute, seconds] = local
    const monthFirst = separator !== '.' && order === 'mdy'
    const [day, month] = monthFirst ? [second, first] : [first, second]
    return timeOf({ year, month, day, hour, minute, second: seconds }, '+00')
  }
  return new ValueProblem('date', 'Expected a date such as 2026-03-31 or 31/03/2026.')
}

type TimeParts = Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', string | undefined>

function timeOf(parts: TimeParts, zone: string): string | ValueProblem {
  const { year, month, day } = { year: Number(parts.year), month: Number(parts.month), day: Number(parts.day) }
  const { hour, minute, second } = {
    hour: Number(parts.hour ?? 0),
    minute: Number(parts.minute ?? 0),
    second: Number(parts.second ?? 0),
  }
  const date = new Date(Date.UTC(year, month - 1, day))
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1000
  if (!exists || hour > 23 || minute > 59 || second > 59 || Number(zone.slice(1, 3)) > 14) {
    return new ValueProblem('date', 'There is no such day or time.')
  }
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}${zone}`
}

/** The order that a column's values allow: one value above twelve tells. */
export function dateOrderOf(samples: readonly string[], fallback: DateOrder): DateOrder {
  for (const sample of samples) {
    const local = localTime.exec(sample.trim())
    if (!local || local[2] === '.') continue
    if (Number(local[1]) > 12) return 'dmy'
    if (Number(local[3]) > 12) return 'mdy'
  }
  return fallback
}

/** `1,234.50`, `1 234,50 €`, `$12`: the last separator with one or two digits behind it is the decimal one. */
function readMoney(cell: string): string | ValueProblem {
  const digits = cell.replace(/[\s\u00a0\u202f'’]|[€$£]|\b(?:eur|usd|gbp|ron|lei|chf)\b/gi, '')
  const form = /^(-?)(\d{1,3}(?:[.,]\d{3})*|\d+)(?:[.,](\d{1,2}))?$/.exec(digits)
  if (!form) return new ValueProblem('number', 'Expected an amount such as 1234.50.')
  const whole = form[2]!.replace(/[.,]/g, '')
  if (whole.length > 14) return new ValueProblem('number', 'This amount is too large.')
  return `${form[1]}${whole}${form[3] ? `.${form[3]}` : ''}`
}

function readCount(cell: string): string | ValueProblem {
  const digits = cell.replace(/[\s\u00a0\u202f]|[.,](?=\d{3}\b)/g, '')
  return /^\d{1,9}$/.test(digits) ? digits : new ValueProblem('number', 'Expected a whole number.')
}

/**
 * Kept as it was typed, with its international form where the number can be read. What holds no number at all is a
 * problem; a number that is merely unusual is not.
 */
export function readPhone(
  cell: string,
  country: CountryCode | undefined,
): { typed: string; key: string | null } | ValueProblem {
  const digits = cell.replace(/\D/g, '').length
  if (digits < 3 || cell.length > 50)
    return new ValueProblem('phone', 'Expected a phone number such as +33 1 23 45 67 89.')
  const parsed = parsePhoneNumberFromString(cell, country)
  return { typed: cell, key: parsed?.isValid() ? parsed.number : null }
}

export const tagsPerRowMax = 200
export const tagLengthMax = 100

export function readTags(cell: string): string[] | ValueProblem {
  const names = [
    ...new Set(
      cell
        .split(/[,;|]/)
        .map((name) => name.trim())
        .filter(Boolean),
    ),
  ]
  if (names.length > tagsPerRowMax)
    return new ValueProblem('tags', `At most ${tagsPerRowMax} tags fit on one contact here.`)
  if (names.some((name) => name.length > tagLengthMax)) {
    return new ValueProblem('tags', `A tag has at most ${tagLengthMax} characters.`)
  }
  return names
}
