/**
 * Strings kept once, as codes in one typed array: a million people fit in a few hundred megabytes outside of the heap,
 * and equal values are equal numbers. Each term has a class, so that London the city is not London the family name.
 */
import { isDense } from './fold.ts'
import { nicknameGroups } from './nicknames.ts'

export type TermClass = 'n' | 'e' | 'p' | 'o' | 'b' | 's' | 'u' | 'c' | 'z' | 'r' | 'i' | 'h'

export class Terms {
  codes = new Uint16Array(1 << 16)
  /** Term `t` is `codes[starts[t] … starts[t + 1])`; its first code is the class. Term 0 is nothing. */
  starts = new Int32Array(1 << 12)
  /** How many people have it. */
  counts = new Int32Array(1 << 12)
  dense = new Uint8Array(1 << 12)
  /** Which letters occur, as bits: most strings that differ are told apart by this alone. */
  masks = new Int32Array(1 << 12)
  readonly nicknames = new Map<number, readonly number[]>()
  size = 1
  #slots = new Int32Array(1 << 13)

  /** The number of a term; it is added when it is new. Empty is 0. */
  intern(kind: TermClass, text: string): number {
    if (!text) return 0
    const hash = hashOf(kind, text)
    let slot = hash & (this.#slots.length - 1)
    for (;;) {
      const term = this.#slots[slot]!
      if (!term) break
      if (this.#is(term, kind, text)) return term
      slot = (slot + 1) & (this.#slots.length - 1)
    }
    return this.#add(slot, kind, text)
  }

  text(term: number): string {
    return String.fromCharCode(...this.codes.subarray(this.starts[term]! + 1, this.starts[term + 1]))
  }

  kind(term: number): TermClass {
    return String.fromCharCode(this.codes[this.starts[term]!]!) as TermClass
  }

  #is(term: number, kind: TermClass, text: string): boolean {
    const start = this.starts[term]!
    if (this.starts[term + 1]! - start !== text.length + 1 || this.codes[start] !== kind.charCodeAt(0)) return false
    for (let at = 0; at < text.length; at++) if (this.codes[start + 1 + at] !== text.charCodeAt(at)) return false
    return true
  }

  #add(slot: number, kind: TermClass, text: string): number {
    const term = this.size++
    const start = this.starts[term]!
    const end = start + text.length + 1
    if (end > this.codes.length) this.codes = grown(this.codes, Math.max(end, this.codes.length * 2))
    if (this.size + 1 > this.starts.length) {
      this.starts = grown(this.starts, this.starts.length * 2)
      this.counts = grown(this.counts, this.starts.length)
      this.dense = grown(this.dense, this.starts.length)
      this.masks = grown(this.masks, this.starts.length)
    }
    this.codes[start] = kind.charCodeAt(0)
    let mask = 0
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      this.codes[start + 1 + at] = code
      if (at < 64) mask |= 1 << (code & 31)
    }
    this.masks[term] = mask
    this.starts[term + 1] = end
    if (kind === 'n') {
      if (isDense(text)) this.dense[term] = 1
      const groups = nicknameGroups(text)
      if (groups.length) this.nicknames.set(term, groups)
    }
    this.#slots[slot] = term
    if (this.size * 2 > this.#slots.length) this.#rehash()
    return term
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let term = 1; term < this.size; term++) {
      let hash = 0x811c9dc5
      for (let at = this.starts[term]!; at < this.starts[term + 1]!; at++) hash = step(hash, this.codes[at]!)
      let slot = finish(hash) & (this.#slots.length - 1)
      while (this.#slots[slot]) slot = (slot + 1) & (this.#slots.length - 1)
      this.#slots[slot] = term
    }
  }
}

/** FNV-1a over codes. */
function hashOf(kind: string, text: string): number {
  let hash = step(0x811c9dc5, kind.charCodeAt(0))
  for (let at = 0; at < text.length; at++) hash = step(hash, text.charCodeAt(at))
  return finish(hash)
}

function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193)
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) >>> 0
}

export function grown<T extends Uint8Array | Uint16Array | Int32Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length)
  larger.set(array)
  return larger
}
