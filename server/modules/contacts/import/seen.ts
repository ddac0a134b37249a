/** Remembers millions of texts in some bytes each, by a hash of 52 bits: mistaken for another once in thousands of files. */
export interface Seen {
  /** Adds it, and answers whether it was there. */
  add(text: string): boolean
}

export function createSeen(): Seen {
  let slots = new Float64Array(1 << 12)
  let count = 0

  /** Answers whether it was there; 0 marks an empty slot, and no hash is 0. */
  function put(table: Float64Array, hash: number): boolean {
    for (let at = hash % table.length; ; at = (at + 1) % table.length) {
      if (table[at] === hash) return true
      if (table[at] !== 0) continue
      table[at] = hash
      return false
    }
  }

  return {
    add(text) {
      if (count * 2 >= slots.length) {
        const larger = new Float64Array(slots.length * 2)
        for (const hash of slots) if (hash !== 0) put(larger, hash)
        slots = larger
      }
      const known = put(slots, hashOf(text) + 1)
      if (!known) count++
      return known
    },
  }
}

/** FNV-1a over two halves. */
function hashOf(text: string): number {
  let low = 0x811c9dc5
  let high = 0x9dc5
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code ^ (low >>> 24), 0x0100019d)
  }
  return (low >>> 0) + (high & 0xfffff) * 0x100000000
}
