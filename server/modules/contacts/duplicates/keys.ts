/**
 * Who is compared with whom: every person has a handful of keys, and only people with a key in common are looked at (one
 * for "the same mailbox", one for "born on this day, with this initial", one for "sounds like this, in this year" …).
 * Two records have to agree in something to meet, but never in everything: each kind of error leaves other keys whole.
 *
 * A key is a hash of 32 bits, the same on every machine and in every process, because keys are stored. Names stand in
 * them without order, so that a name written the other way round has the same ones. Pure.
 */
import { isShared } from './codes.ts'
import type { People } from './people.ts'
import type { Terms } from './terms.ts'

/** No person has more. */
export const keysMax = 32

/** Collects the keys of one person at a time; `seed` keeps workspaces apart. */
export class Keys {
  readonly found = new Int32Array(keysMax)
  count = 0
  readonly #people: People
  readonly #seed: number

  constructor(people: People, seed: number) {
    this.#people = people
    this.#seed = seed
  }

  /** Fills `found` up to `count`, each key once. */
  collect(row: number): void {
    this.count = 0
    this.#contact(row)
    this.#names(row)
    const { birth, postcode, street, number, id, idKind } = this.#people.columns
    if (id[row]) this.#add(this.#and(this.#and(this.#kind(1), idKind[row]!), id[row]))
    if (birth[row] && postcode[row]) this.#add(this.#and(this.#and(this.#kind(2), birth[row]), postcode[row]))
    const door = number[row] || postcode[row]
    if (street[row] && door) this.#add(this.#and(this.#and(this.#kind(3), street[row]), door))
  }

  /** Mailboxes, what stands before the @ and how that begins, telephone numbers. */
  #contact(row: number): void {
    const { terms, columns } = this.#people
    for (const email of [columns.email[row]!, columns.email2[row]!]) {
      if (!email) continue
      this.#add(this.#and(this.#kind(4), email))
      const start = terms.starts[email]! + 1
      const local = terms.codes.indexOf(64, start) - start
      if (local < 4 || isShared(terms, start, local)) continue
      this.#add(this.#and(this.#kind(5), email, 0, local))
      if (local > 5) this.#add(this.#and(this.#kind(6), email, 0, 6))
    }
    for (const phone of [columns.phone[row]!, columns.phone2[row]!]) {
      if (phone) this.#add(this.#and(this.#kind(7), phone, -8))
    }
  }

  /** Each name with something else, and both together. */
  #names(row: number): void {
    const { terms, columns } = this.#people
    const given = columns.given[row]!
    const family = columns.family[row]!
    const birth = columns.birth[row]!
    const postcode = columns.postcode[row]!
    const city = columns.city[row]!
    const company = columns.company[row]!
    for (const name of [given, family]) {
      if (!name) continue
      const sound = soundOf(terms, name)
      if (birth) {
        this.#add(step(this.#and(this.#kind(8), birth), terms.codes[terms.starts[name]! + 1]!))
        this.#add(this.#and(step(this.#kind(9), sound), birth, 0, 4))
      }
      if (postcode) this.#add(this.#and(this.#and(this.#kind(11), postcode), name, 0, 3))
      if (city) this.#add(this.#and(step(this.#kind(12), sound), city, 0, 5))
      if (company) this.#add(this.#and(this.#and(this.#kind(13), company), name, 0, 2))
    }
    if (given && family) this.#add(this.#kind(14) + mixed(soundOf(terms, given)) + mixed(soundOf(terms, family)))
    // The letters of both names in any order: turned round, written into one field, letters that changed places.
    if (given || family) this.#add(this.#kind(15) + lettersOf(terms, columns.whole[row]!))
  }

  #add(key: number): void {
    const final = mixed(key)
    for (let at = 0; at < this.count; at++) if (this.found[at] === final) return
    if (this.count < keysMax) this.found[this.count++] = final
  }

  #kind(kind: number): number {
    return step(step(0x811c9dc5, this.#seed), kind)
  }

  /** `hash` with a term, or a stretch of it; a negative `from` counts from its end. */
  #and(hash: number, term: number, from = 0, to = 255): number {
    const { codes, starts } = this.#people.terms
    const start = starts[term]! + 1
    const end = Math.min(starts[term + 1]!, start + to)
    const first = from < 0 ? Math.max(start, end + from) : Math.min(end, start + from)
    for (let at = first; at < end; at++) hash = step(hash, codes[at]!)
    return step(hash, 1)
  }
}

/** Letters that are heard alike, after Soundex; vowels and h, w, y are not heard. By letter from a. */
const heard = Int8Array.from('01230120022455012623010202', (digit) => Number(digit))

/**
 * How a name sounds: its first letter and up to three consonants, in the manner of Soundex. In other scripts than Latin,
 * its first two characters.
 */
export function soundOf({ codes, starts }: Terms, term: number): number {
  const start = starts[term]! + 1
  const end = starts[term + 1]!
  const first = codes[start]!
  if (first < 97 || first > 122) return step(step(7, first), end > start + 1 ? codes[start + 1]! : 0)
  let hash = step(7, first)
  let last = heard[first - 97]!
  for (let at = start + 1, kept = 0; at < end && kept < 3; at++) {
    const digit = heard[codes[at]! - 97] ?? 0
    if (digit && digit !== last) {
      hash = step(hash, digit)
      kept++
    }
    if (codes[at] !== 104 && codes[at] !== 119) last = digit // h and w do not part what sounds alike
  }
  return hash
}

function lettersOf({ codes, starts }: Terms, term: number): number {
  let sum = 0
  for (let at = starts[term]! + 1; at < starts[term + 1]!; at++) sum += mixed(codes[at]!)
  return sum | 0
}

function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193)
}

function mixed(hash: number): number {
  let left = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  left = Math.imul(left ^ (left >>> 15), 0x846ca68b)
  return (left ^ (left >>> 16)) | 0
}
