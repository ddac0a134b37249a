/**
 * From keys to pairs, with bounded work: the entries (key, person) are sorted, and people with one key are a block. In a block that is too large (a frequent name, a placeholder)
 * everybody is compared only with their neighbours in the order of their names, as in the sorted-neighbourhood method
 * (Hernández and Stolfo 1995).
 */
import type { People } from './people.ts'

export interface Entries {
  /** Sorted; `rows[i]` has `keys[i]`. */
  keys: Int32Array
  rows: Int32Array
}

/** Sorts entries by key; stable, in three passes of eleven bits, without comparisons. */
export function sortEntries(keys: Int32Array, rows: Int32Array): Entries {
  let from: Entries = { keys, rows }
  let to: Entries = { keys: new Int32Array(keys.length), rows: new Int32Array(rows.length) }
  for (const shift of [0, 11, 22]) {
    const starts = new Int32Array(2049)
    for (let at = 0; at < keys.length; at++) starts[((from.keys[at]! >>> shift) & 2047) + 1]!++
    for (let digit = 0; digit < 2048; digit++) starts[digit + 1]! += starts[digit]!
    for (let at = 0; at < keys.length; at++) {
      const target = starts[(from.keys[at]! >>> shift) & 2047]!++
      to.keys[target] = from.keys[at]!
      to.rows[target] = from.rows[at]!
    }
    ;[from, to] = [to, from]
  }
  return from
}

/** Compared in full up to this size; a small workspace can afford larger blocks. */
export function fullBlock(people: number): number {
  return Math.max(16, Math.min(500, Math.floor(4_000_000 / Math.max(1, people))))
}

/** The pairs of the entries from `start` to `end`, which must lie between two blocks; a pair comes once for each key. */
export function forPairs(
  entries: Entries,
  range: { start: number; end: number },
  options: { fullMost: number; neighbours: number; order: Float64Array },
  visit: (a: number, b: number) => void,
): void {
  const { keys, rows } = entries
  for (let start = range.start; start < range.end;) {
    let end = start + 1
    while (end < range.end && keys[end] === keys[start]) end++
    const size = end - start
    if (size > 1) {
      if (size > options.fullMost) {
        const block = rows.slice(start, end).sort((a, b) => options.order[a]! - options.order[b]!)
        for (let a = 0; a < size; a++) {
          const to = Math.min(size, a + 1 + options.neighbours)
          for (let b = a + 1; b < to; b++) visit(block[a]!, block[b]!)
        }
      } else {
        for (let a = start; a < end; a++) for (let b = a + 1; b < end; b++) visit(rows[a]!, rows[b]!)
      }
    }
    start = end
  }
}

/** A number by which similar names are neighbours, whichever of the two comes first: letters of both, then the year. */
export function nameOrder(people: People): Float64Array {
  const { terms, columns } = people
  const order = new Float64Array(people.size)
  for (let row = 0; row < people.size; row++) {
    const one = letters(terms, columns.given[row]!)
    const other = letters(terms, columns.family[row]!)
    const birth = columns.birth[row]!
    const year = birth ? Number(terms.text(birth).slice(0, 4)) & 2047 : 0
    order[row] = (Math.min(one, other) * 0x100000 + Math.max(one, other)) * 2048 + year
  }
  return order
}

/** The first four, in five bits each. */
function letters(terms: People['terms'], term: number): number {
  const start = terms.starts[term]! + 1
  let packed = 0
  for (let at = 0; at < 4; at++)
    packed = packed * 32 + (start + at < terms.starts[term + 1]! ? terms.codes[start + at]! & 31 : 0)
  return packed
}
