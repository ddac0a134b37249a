/**
 * Whether two names can be one person's: pure, and careful. A wrong "same" puts one person's orders under another's name,
 * a wrong "different" only makes a duplicate that somebody can merge. Given names must be equal (Alexandru is not Alexandra);
 * family names may differ by a slip of the pen.
 */
import type { SplitName } from './names.ts'

/** `unknown`: what is there fits, and too little is there to tell. */
export type Likeness = 'same' | 'unknown' | 'different'

const familyNamesAlikeFrom = 0.92

export function compareNames(one: SplitName, other: SplitName): Likeness {
  const [a, b] = [fold(one), fold(other)]
  if (!(a.first || a.last) || !(b.first || b.last)) return 'unknown'
  if (!a.last || !b.last) return wholeOf(a) === wholeOf(b) || a.first === b.first ? 'unknown' : 'different'
  const straight = a.first === b.first && jaroWinkler(a.last, b.last) >= familyNamesAlikeFrom
  const swapped = a.first === b.last && a.last === b.first
  return straight || swapped ? 'same' : 'different'
}

interface Folded {
  first: string
  last: string
}

function fold(name: SplitName): Folded {
  return { first: foldWord(name.first_name), last: foldWord(name.last_name) }
}

/** Without accents, case and punctuation: `Jean-Luc` is `jean luc`. */
function foldWord(text: string): string {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim()
}

function wholeOf({ first, last }: Folded): string {
  return `${first} ${last}`.trim()
}

/** 1 for equal words, 0 for words without a letter in common; a common beginning counts more. */
export function jaroWinkler(one: string, other: string): number {
  if (one === other) return 1
  const [a, b] = [Array.from(one), Array.from(other)]
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1)
  const taken = new Set<number>()
  const matchedInA: string[] = []
  a.forEach((letter, at) => {
    for (let index = Math.max(0, at - reach); index <= Math.min(b.length - 1, at + reach); index++) {
      if (taken.has(index) || b[index] !== letter) continue
      taken.add(index)
      matchedInA.push(letter)
      return
    }
  })
  const matches = matchedInA.length
  if (!matches) return 0
  const matchedInB = b.filter((_, index) => taken.has(index))
  const swaps = matchedInA.filter((letter, index) => letter !== matchedInB[index]).length / 2
  const jaro = (matches / a.length + matches / b.length + (matches - swaps) / matches) / 3
  const prefix = a.slice(0, 4).findIndex((letter, index) => letter !== b[index])
  const common = prefix < 0 ? Math.min(4, a.length, b.length) : prefix
  return jaro + common * 0.1 * (1 - jaro)
}
