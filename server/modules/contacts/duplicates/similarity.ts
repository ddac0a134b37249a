/**
 * How alike two strings are, over codes in typed arrays so that a scan of a million people allocates nothing. Pure, and
 * symmetric: which of the two comes first never matters.
 */

/** Longer strings are compared by their beginning. */
const lengthMax = 64
const takenA = new Uint8Array(lengthMax)
const takenB = new Uint8Array(lengthMax)

/**
 * Jaro's similarity with Winkler's bonus for a common beginning of up to four characters (Jaro 1989; Winkler 1990,
 * "String Comparator Metrics and Enhanced Decision Rules in the Fellegi–Sunter Model of Record Linkage"): 0 to 1.
 */
export function jaroWinkler(pool: Uint16Array, startA: number, endA: number, startB: number, endB: number): number {
  const lengthA = Math.min(endA - startA, lengthMax)
  const lengthB = Math.min(endB - startB, lengthMax)
  // The assignment below is greedy, and could differ the other way round: the shorter one always goes first.
  if (lengthA > lengthB || (lengthA === lengthB && isAfter(pool, startA, startB, lengthA))) {
    return jaroWinkler(pool, startB, endB, startA, endA)
  }
  if (!lengthA || !lengthB) return lengthA === lengthB ? 1 : 0
  const reach = Math.max(0, (Math.max(lengthA, lengthB) >> 1) - 1)
  takenA.fill(0, 0, lengthA)
  takenB.fill(0, 0, lengthB)
  let common = 0
  for (let a = 0; a < lengthA; a++) {
    const code = pool[startA + a]
    const to = Math.min(lengthB, a + reach + 1)
    for (let b = Math.max(0, a - reach); b < to; b++) {
      if (takenB[b] || pool[startB + b] !== code) continue
      takenA[a] = takenB[b] = 1
      common++
      break
    }
  }
  if (!common) return 0
  let swapped = 0
  for (let a = 0, b = 0; a < lengthA; a++) {
    if (!takenA[a]) continue
    while (!takenB[b]) b++
    if (pool[startA + a] !== pool[startB + b]) swapped++
    b++
  }
  const jaro = (common / lengthA + common / lengthB + (common - swapped / 2) / common) / 3
  let prefix = 0
  while (prefix < 4 && prefix < lengthA && prefix < lengthB && pool[startA + prefix] === pool[startB + prefix]) prefix++
  return jaro + prefix * 0.1 * (1 - jaro)
}

/**
 * Whether Jaro–Winkler could reach `least` at all, told from lengths, the common beginning and which letters occur: no
 * more characters can be common than those whose letter the other string has.
 */
export function couldReach(
  terms: { codes: Uint16Array; starts: Int32Array; masks: Int32Array },
  a: number,
  b: number,
  least: number,
): boolean {
  const { codes, starts, masks } = terms
  const startA = starts[a]! + 1
  const startB = starts[b]! + 1
  const lengthA = Math.min(starts[a + 1]! - startA, lengthMax)
  const lengthB = Math.min(starts[b + 1]! - startB, lengthMax)
  const common = Math.min(lengthA - bits(masks[a]! & ~masks[b]!), lengthB - bits(masks[b]! & ~masks[a]!))
  if (common <= 0) return false
  let prefix = 0
  while (prefix < 4 && prefix < lengthA && prefix < lengthB && codes[startA + prefix] === codes[startB + prefix])
    prefix++
  const jaro = (common / lengthA + common / lengthB + 1) / 3
  return jaro + prefix * 0.1 * (1 - jaro) >= least
}

function bits(mask: number): number {
  let left = mask - ((mask >>> 1) & 0x55555555)
  left = (left & 0x33333333) + ((left >>> 2) & 0x33333333)
  return Math.imul((left + (left >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function isAfter(pool: Uint16Array, startA: number, startB: number, length: number): boolean {
  for (let at = 0; at < length; at++) {
    const difference = pool[startA + at]! - pool[startB + at]!
    if (difference) return difference > 0
  }
  return false
}

const rows = [new Uint8Array(lengthMax + 1), new Uint8Array(lengthMax + 1), new Uint8Array(lengthMax + 1)] as const

/**
 * Edits between two strings (insert, delete, replace, swap of neighbours: the restricted Damerau–Levenshtein distance),
 * counted up to `most`; anything beyond is `most + 1`.
 */
export function edits(
  pool: Uint16Array,
  startA: number,
  endA: number,
  startB: number,
  endB: number,
  most: number,
): number {
  const lengthA = Math.min(endA - startA, lengthMax)
  const lengthB = Math.min(endB - startB, lengthMax)
  if (Math.abs(lengthA - lengthB) > most) return most + 1
  let [before, previous, current] = rows as unknown as [Uint8Array, Uint8Array, Uint8Array]
  for (let b = 0; b <= lengthB; b++) previous[b] = b
  for (let a = 1; a <= lengthA; a++) {
    current[0] = a
    let least = a
    const codeA = pool[startA + a - 1]
    for (let b = 1; b <= lengthB; b++) {
      const codeB = pool[startB + b - 1]
      let cost = Math.min(previous[b]! + 1, current[b - 1]! + 1, previous[b - 1]! + (codeA === codeB ? 0 : 1))
      if (a > 1 && b > 1 && codeA === pool[startB + b - 2] && pool[startA + a - 2] === codeB) {
        cost = Math.min(cost, before[b - 2]! + 1)
      }
      current[b] = cost
      if (cost < least) least = cost
    }
    if (least > most) return most + 1
    ;[before, previous, current] = [previous, current, before]
  }
  return Math.min(previous[lengthB]!, most + 1)
}

/**
 * Dice's coefficient over pairs of neighbouring characters and the characters themselves, for scripts in which a name
 * is two to four characters and Jaro's window is too narrow to see anything.
 */
export function gramDice(pool: Uint16Array, startA: number, endA: number, startB: number, endB: number): number {
  const lengthA = endA - startA
  const lengthB = endB - startB
  if (!lengthA || !lengthB) return lengthA === lengthB ? 1 : 0
  const shared =
    countShared(pool, [startA, endA], [startB, endB], 1) + countShared(pool, [startA, endA], [startB, endB], 2)
  return (2 * shared) / (2 * lengthA - 1 + 2 * lengthB - 1)
}

function countShared(pool: Uint16Array, a: [number, number], b: [number, number], size: 1 | 2): number {
  takenB.fill(0)
  let shared = 0
  const endB = Math.min(b[1] - size + 1, b[0] + lengthMax)
  for (let at = a[0]; at < a[1] - size + 1; at++) {
    for (let to = b[0]; to < endB; to++) {
      if (takenB[to - b[0]] || pool[at] !== pool[to]) continue
      if (size === 2 && pool[at + 1] !== pool[to + 1]) continue
      takenB[to - b[0]] = 1
      shared++
      break
    }
  }
  return shared
}
