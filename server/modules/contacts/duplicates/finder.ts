/**
 * The scan's engine, without a database: people come in batches, then pairs go out, slice by slice of the keys. It holds
 * everybody in columns of numbers (about 300 bytes a person), because a pair is compared in a microsecond and fetching
 * it would take a hundred.
 */
import { forPairs, fullBlock, nameOrder, sortEntries, type Entries } from './blocks.ts'
import { judge } from './judge.ts'
import { Keys } from './keys.ts'
import { Model } from './model.ts'
import { People } from './people.ts'
import { toPerson, type Identifying } from './person.ts'
import type { Reason } from './tables.ts'
import { grown } from './terms.ts'

/** `[id, email, first_name, last_name, phone, phone_key, company, custom_fields]`: as the scan reads them, in order of ids. */
export type Loaded = [
  string,
  string,
  string,
  string,
  string | null,
  string | null,
  string | null,
  Record<string, unknown>,
]

export interface Keyed {
  ids: string[]
  /** Arrays in PostgreSQL's own writing. */
  keys: string[]
}

export interface FoundPair {
  a: string
  b: string
  weight: number
  probability: number
  reasons: Reason[]
}

/** Addresses, numbers and identifiers are somebody's, even where a family shares them; and names in one are counted apart. */
const ownKinds = ['e', 'p', 'i', 'h']

/** Of a large block, everybody is compared with so many neighbours. */
const neighbours = 10

export class Finder {
  readonly #people = new People()
  readonly #keys: Keys
  readonly #ids: string[] = []
  #entryKeys = new Int32Array(1 << 14)
  #entryRows = new Int32Array(1 << 14)
  #entryCount = 0
  #ready: { model: Model; entries: Entries; order: Float64Array; found: Set<number> } | null = null

  constructor(seed: number) {
    this.#keys = new Keys(this.#people, seed)
  }

  get size(): number {
    return this.#people.size
  }

  load(contacts: Loaded[]): Keyed {
    const keyed: Keyed = { ids: [], keys: [] }
    for (const contact of contacts) {
      const row = this.#people.add(toPerson(identifying(contact)))
      this.#ids.push(contact[0])
      this.#keys.collect(row)
      const own = this.#keys.found.subarray(0, this.#keys.count)
      if (this.#entryCount + own.length > this.#entryKeys.length) {
        this.#entryKeys = grown(this.#entryKeys, this.#entryKeys.length * 2)
        this.#entryRows = grown(this.#entryRows, this.#entryRows.length * 2)
      }
      this.#entryKeys.set(own, this.#entryCount)
      this.#entryRows.fill(row, this.#entryCount, this.#entryCount + own.length)
      this.#entryCount += own.length
      keyed.ids.push(contact[0])
      keyed.keys.push(`{${own.join(',')}}`)
    }
    return keyed
  }

  /** The frequent values with how many people have them, for comparisons outside of a scan; none that leads to a person. */
  terms(): { term: string; people: number }[] {
    const { terms, size } = this.#people
    const least = Math.max(3, size / 50_000)
    const frequent: { term: string; people: number }[] = []
    for (let term = 1; term < terms.size; term++) {
      const people = terms.counts[term]!
      if (people >= least && !ownKinds.includes(terms.kind(term)))
        frequent.push({ term: terms.kind(term) + terms.text(term), people })
    }
    return frequent
  }

  /** Suggestions of one slice of the keys; each pair in one slice only, unless a scan begins again. */
  find(slice: number, slices: number): FoundPair[] {
    const { model, entries, order, found } = (this.#ready ??= this.#prepare())
    const range = { start: this.#boundary(entries, slice, slices), end: this.#boundary(entries, slice + 1, slices) }
    const pairs: FoundPair[] = []
    forPairs(entries, range, { fullMost: fullBlock(this.size), neighbours, order }, (one, other) => {
      const verdict = judge(model, one, other)
      if (!verdict) return
      // Rows are in the order of ids.
      const [a, b] = one < other ? [one, other] : [other, one]
      const pair = a * this.size + b
      if (found.has(pair)) return
      found.add(pair)
      pairs.push({ a: this.#ids[a]!, b: this.#ids[b]!, ...verdict })
    })
    return pairs
  }

  #prepare() {
    const keys = this.#entryKeys.slice(0, this.#entryCount)
    const rows = this.#entryRows.slice(0, this.#entryCount)
    this.#entryKeys = this.#entryRows = new Int32Array(0)
    return {
      entries: sortEntries(keys, rows),
      order: nameOrder(this.#people),
      model: new Model(this.#people, this.size),
      found: new Set<number>(),
    }
  }

  /** The first entry of a slice: keys are cut by value, so that a slice is the same after an interruption. */
  #boundary({ keys }: Entries, slice: number, slices: number): number {
    const least = (slice / slices) * 2 ** 32
    let [low, high] = [0, keys.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (keys[middle]! >>> 0 < least) low = middle + 1
      else high = middle
    }
    return low
  }
}

function identifying([, email, first_name, last_name, phone, phone_key, company, custom_fields]: Loaded): Identifying {
  return { email, first_name, last_name, phone, phone_key, company, custom_fields }
}
