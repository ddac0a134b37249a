/**
 * How the cells of one column are to be read: whether 03/04 is in April, whether 1.234 is more than a thousand, and in
 * which country a number without a prefix rings. Judged from the column's values; the workspace's country decides
 * where they leave it open, and a person may say otherwise.
 */
import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max'
import { localDate } from './dates.ts'

export const dateOrders = ['dmy', 'mdy', 'ymd'] as const
/** One order throughout a column. */
export type DateOrder = (typeof dateOrders)[number]
export const decimalMarks = ['comma', 'point'] as const
export type DecimalMark = (typeof decimalMarks)[number]

export interface Reading {
  date_order: DateOrder
  decimal: DecimalMark
  country: string | null
}

export interface Judged {
  reading: Reading
  /** What the values left open, so that somebody may be asked. */
  open: ('date_order' | 'decimal')[]
}

export function judgeColumn(samples: readonly string[], country: string | null, told: Partial<Reading> = {}): Judged {
  const order = told.date_order ?? dateOrderOf(samples)
  const decimal = told.decimal ?? decimalOf(samples)
  const open: Judged['open'] = []
  if (!order && samples.some((sample) => localDate.test(sample.trim()))) open.push('date_order')
  if (!decimal && samples.some((sample) => /\d[.,]\d/.test(sample))) open.push('decimal')
  return {
    reading: {
      date_order: order ?? dateOrderIn(country),
      decimal: decimal ?? decimalIn(country),
      country: told.country ?? country,
    },
    open,
  }
}

/** The order that a column's values allow: one value above twelve tells. */
export function dateOrderOf(samples: readonly string[]): DateOrder | null {
  for (const sample of samples) {
    const local = localDate.exec(sample.trim())
    if (!local || local[2] === '.') continue
    if (local[1]!.length === 4 || Number(local[1]) > 31) return 'ymd'
    if (Number(local[1]) > 12) return 'dmy'
    if (Number(local[3]) > 12) return 'mdy'
  }
  return null
}

/** Other than three digits behind a mark make it the decimal one; exactly three, a mark that groups. */
export function decimalOf(samples: readonly string[]): DecimalMark | null {
  let weak: DecimalMark | null = null
  for (const sample of samples) {
    const found = /^[^\d]*\d[\d\s.,\u00a0\u202f'’]*?([.,])(\d+)[^\d.,]*$/.exec(sample.trim())
    if (!found) continue
    const mark: DecimalMark = found[1] === ',' ? 'comma' : 'point'
    const marks = new Set(sample.match(/[.,]/g))
    if (found[2]!.length !== 3 || marks.size === 2) return mark
    weak = mark === 'comma' ? 'point' : 'comma'
  }
  return weak
}

const monthFirst = ['US', 'PH', 'PR', 'GU', 'VI', 'AS', 'MP', 'FM', 'MH', 'PW']
const yearFirst = ['CN', 'JP', 'KR', 'TW', 'HU', 'LT', 'MN', 'IR']

function dateOrderIn(country: string | null): DateOrder {
  if (country && monthFirst.includes(country)) return 'mdy'
  return country && yearFirst.includes(country) ? 'ymd' : 'dmy'
}

/** As the people of the country write it, which the platform knows; Switzerland and others differ by language. */
function decimalIn(country: string | null): DecimalMark {
  if (!country) return 'point'
  const locale = new Intl.Locale(`und-${country}`).maximize()
  return new Intl.NumberFormat(locale).format(1.5).includes(',') ? 'comma' : 'point'
}

const likelyCountries = [
  'FR',
  'RO',
  'DE',
  'GB',
  'US',
  'ES',
  'IT',
  'BE',
  'CH',
  'NL',
  'AT',
  'PT',
  'PL',
  'CA',
  'MD',
] as const

/**
 * The country in which the national numbers of a column are valid: the workspace's own where most of them are, else the
 * only other one that takes nearly all.
 */
export function phoneCountryOf(samples: readonly string[], own: string | null): string | null {
  const national = samples.map((sample) => sample.trim()).filter((sample) => /^[\d\s().\-/]{7,}$/.test(sample))
  if (national.length < 5) return own
  const share = (country: string): number =>
    national.filter((sample) => parsePhoneNumberFromString(sample, country as CountryCode)?.isValid()).length /
    national.length
  if (own && share(own) >= 0.5) return own
  const fitting = likelyCountries.filter((country) => share(country) >= 0.9)
  return fitting.length === 1 ? fitting[0]! : own
}
