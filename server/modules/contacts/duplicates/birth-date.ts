/** Dates of birth, as far as they can be read: eight digits, year first. Pure. */

const yearFirst = /^(\d{4})[-/. ]?(\d{1,2})[-/. ]?(\d{1,2})(?:[T ].*)?$/
const yearLast = /^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})$/

/** `1990-03-07`, `19900307`, `7/3/1990` (day first) → 19900307. A month above 12 stays as it was typed: it still compares. */
export function birthDigits(text: string): string {
  const first = yearFirst.exec(text)
  if (first) return digits(first[1]!, first[2]!, first[3]!)
  const last = yearLast.exec(text)
  if (!last) return ''
  const [, day, month, year] = last as unknown as [string, string, string, string]
  return Number(month) > 12 && Number(day) <= 12 ? digits(year, day, month) : digits(year, month, day)
}

function digits(year: string, month: string, day: string): string {
  return `${year}${month.padStart(2, '0')}${day.padStart(2, '0')}`
}

/** Days since some day; wrong by a day or two, which is near enough for what it is asked. */
export function roughDay(codes: Uint16Array, start: number): number {
  return yearOf(codes, start) * 365.25 + (two(codes, start + 4) - 1) * 30.44 + two(codes, start + 6)
}

export function yearOf(codes: Uint16Array, start: number): number {
  return two(codes, start) * 100 + two(codes, start + 2)
}

/** 1990-03-07 and 1990-07-03. */
export function isTurned(codes: Uint16Array, a: number, b: number): boolean {
  for (let at = 0; at < 4; at++) if (codes[a + at] !== codes[b + at]) return false
  return two(codes, a + 4) === two(codes, b + 6) && two(codes, a + 6) === two(codes, b + 4)
}

function two(codes: Uint16Array, at: number): number {
  return (codes[at]! - 48) * 10 + codes[at + 1]! - 48
}
