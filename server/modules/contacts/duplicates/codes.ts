/** Questions about stretches of codes, for the model. Pure. */
import type { Terms } from './terms.ts'

export function sameCodes(codes: Uint16Array, a: number, b: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (codes[a + at] !== codes[b + at]) return false
  return true
}

/** The shorter begins or ends the longer: "Anna" and "Anna Maria", "Berg" and "van den Berg". */
export function isPart(codes: Uint16Array, startA: number, endA: number, startB: number, endB: number): boolean {
  const length = Math.min(endA - startA, endB - startB)
  return sameCodes(codes, startA, startB, length) || sameCodes(codes, endA - length, endB - length, length)
}

/** "Guest 12" and "Guest 13" are as alike as can be, and two different things. */
export function onlyDigitsDiffer(
  codes: Uint16Array,
  startA: number,
  endA: number,
  startB: number,
  endB: number,
): boolean {
  let [a, b, digits] = [startA, startB, 0]
  for (;;) {
    for (; a < endA && isDigit(codes[a]!); a++) digits++
    for (; b < endB && isDigit(codes[b]!); b++) digits++
    if (a === endA || b === endB) return digits > 0 && a === endA && b === endB
    if (codes[a++] !== codes[b++]) return false
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Mailboxes of an office rather than of somebody. */
const offices = new Set(
  'info contact office admin sales hello support mail email webmaster noreply no-reply team booking reservations accueil bonjour service kontakt secretariat marketing billing jobs press'.split(
    ' ',
  ),
)

export function isShared(terms: Terms, start: number, length: number): boolean {
  return length <= 12 && offices.has(String.fromCharCode(...terms.codes.subarray(start, start + length)))
}

/** Whether what is before the @ holds one of these names. */
export function isNamed({ codes, starts }: Terms, start: number, length: number, names: number[]): boolean {
  for (const name of names) {
    if (!name) continue
    const from = starts[name]! + 1
    const size = starts[name + 1]! - from
    if (size < 3) continue
    for (let at = start; at + size <= start + length; at++) if (sameCodes(codes, at, from, size)) return true
  }
  return false
}
