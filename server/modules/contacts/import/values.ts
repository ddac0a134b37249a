/**
 * Reads the cell of a file as the value of a field, in the forms that people write in five languages. A reader answers
 * the value as PostgreSQL's text, or a problem that says what was expected.
 */
import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max'
import { isEmail } from '#platform/http/validation.ts'
import { localDate, readTime } from './dates.ts'
import { foldHeader, type Kind } from './fields.ts'
import type { DecimalMark, Reading } from './readings.ts'
import { ValueProblem } from './value-problem.ts'

export type Reader = (cell: string) => string | ValueProblem

const lengthMax = { text: 200, long_text: 20_000, url: 2_000 }

/** The reader of a kind; it never gets an empty cell. Phones, names and tags make several values: see `rows.ts`. */
export function readerOf(kind: Kind, reading: Pick<Reading, 'date_order' | 'decimal'>): Reader {
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
    case 'opt_out':
      return remembered(readOptOut)
    case 'yes_no':
      return remembered((cell) => oneOf(cell, answers, 'yes_no', 'yes or no'))
    case 'language':
      return remembered(readLanguage)
    case 'timezone':
      return remembered(readTimezone)
    case 'time':
      return (cell) => readTime(cell, reading.date_order)
    case 'money':
      return (cell) => readMoney(cell, reading.decimal)
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

/** `never`: known, and never asked or never confirmed, so that nothing may make a subscriber of them. */
const statuses = spelled({
  active:
    'active actif activ aktiv activo subscribed confirmed abonne enabled marketingcontact subscriber aktiviert abonat',
  unsubscribed:
    'unsubscribed desabonne desinscrit dezabonat abgemeldet dadodebaja baja optout optedout removed blocklisted ' +
    'blacklisted blocked unsubscribe blockiert bloque liste_noire archived',
  bounced: 'bounced bounce invalid hardbounce hardbounced cleaned nettoye bereinigt softbounce',
  complained: 'complained complaint spam abuse spamcomplaint',
  never:
    'nonsubscribed never notsubscribed transactional unconfirmed pending noconsent nonmarketingcontact nonabonne ' +
    'nichtabonniert neabonat none unknown',
})

const answers = spelled({
  t: 'yes y true t 1 on x oui o vrai da adevarat ja j wahr si s verdadero subscribed active checked granted',
  f: 'no n false f 0 off non faux nu fals nein falsch falso unsubscribed none never denied',
})

const answersToOptOut: ReadonlyMap<string, string> = new Map([
  ...[...answers].map(([word, answer]) => [word, answer === 't' ? 'unsubscribed' : ''] as const),
  // These name a state, not an answer: under "blocklisted", "subscribed" means no.
  ...[...statuses].map(([word, status]) => [word, status === 'active' || status === 'never' ? '' : status] as const),
  ['none', ''],
])

/** Whether somebody is out: yes and no in any language, a state, or the day on which they left. Empty: they are not. */
function readOptOut(cell: string): string | ValueProblem {
  const folded = foldHeader(cell).replaceAll(' ', '')
  const known = answersToOptOut.get(folded)
  if (known !== undefined) return known
  if (!(readTime(cell, 'dmy') instanceof ValueProblem) || localDate.test(cell)) return 'unsubscribed'
  return new ValueProblem('opt_out', 'Expected yes or no, or the day on which the person left.')
}

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
    const known = cell.length <= 60 ? new Intl.DateTimeFormat('en', { timeZone: cell }).resolvedOptions().timeZone : ''
    // Its case is put right, its name is kept: Asia/Kolkata must not become the older Asia/Calcutta.
    if (known) return known.toLowerCase() === cell.toLowerCase() ? known : cell
  } catch {
    // not a time zone
  }
  return new ValueProblem('timezone', 'Expected a time zone such as Europe/Paris.')
}

/** `1,234.50`, `1 234,50 €`, `$12`. A mark with one or two digits behind it is decimal whatever the column says. */
function readMoney(cell: string, decimal: DecimalMark): string | ValueProblem {
  const digits = cell.replace(/[\s\u00a0\u202f'’]|[€$£]|\b(?:eur|usd|gbp|ron|lei|chf)\b/gi, '')
  const form = /^(-?)(\d{1,3}(?:[.,]\d{3})*|\d+)(?:([.,])(\d{1,2}))?$/.exec(digits)
  if (!form) return new ValueProblem('number', 'Expected an amount such as 1234.50.')
  const groups = new Set(form[2]!.match(/[.,]/g))
  // What separates thousands cannot be the decimal mark as well: 1.234 is no amount where a point is decimal.
  const own = decimal === 'comma' ? ',' : '.'
  if (groups.size > 1 || (groups.size && groups.has(form[3] ?? own)))
    return new ValueProblem('number', 'It is not clear what the marks in this amount mean. Write it like 1234.50.')
  const whole = form[2]!.replace(/[.,]/g, '')
  if (whole.length > 14) return new ValueProblem('number', 'This amount is too large.')
  return `${form[1]}${whole}${form[4] ? `.${form[4]}` : ''}`
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

/** Separated by commas, semicolons or bars; as a JSON list where names hold these themselves. */
export function readTags(cell: string): string[] | ValueProblem {
  // Google marks its own groups with a star.
  const found = jsonNames(cell) ?? cell.split(/[,;|]|\s:::\s/).map((name) => name.trim().replace(/^\* /, ''))
  const names = [...new Set(found.map((name) => name.trim()).filter(Boolean))]
  if (names.length > tagsPerRowMax)
    return new ValueProblem('tags', `At most ${tagsPerRowMax} tags fit on one contact here.`)
  if (names.some((name) => name.length > tagLengthMax)) {
    return new ValueProblem('tags', `A tag has at most ${tagLengthMax} characters.`)
  }
  return names
}

function jsonNames(cell: string): string[] | null {
  if (!cell.startsWith('["')) return null
  try {
    const names: unknown = JSON.parse(cell)
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : null
  } catch {
    return null
  }
}
