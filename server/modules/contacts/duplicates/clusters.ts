/**
 * From pairs to groups of records that are one person. Plain connected components would let a chain of doubtful pairs
 * (a father, a son of the same name, the son's wife) become one person; so pairs are taken from the strongest down, and two
 * groups become one only when enough of the pairs between them are suggested themselves. Pure.
 */

export interface Link {
  a: number
  b: number
  strength: number
}

/** Of the pairs between two groups, this share has to be suggested. */
const shareLeast = 0.25

/** Answers a group's number for each of the `size` records; whoever is alone has a number of their own. */
export function groupsOf(size: number, links: Link[]): Int32Array {
  const group = Int32Array.from({ length: size }, (_, record) => record)
  const members = new Map<number, number[]>()
  const neighbours = new Map<number, number[]>()
  for (const { a, b } of links) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const known = neighbours.get(from)
      if (known) known.push(to)
      else neighbours.set(from, [to])
    }
  }
  const byStrength = links.toSorted((x, y) => y.strength - x.strength || x.a - y.a || x.b - y.b)
  for (const { a, b } of byStrength) {
    const [one, other] = [group[a]!, group[b]!]
    if (one === other) continue
    const left = members.get(one) ?? [one]
    const right = members.get(other) ?? [other]
    const [small, large] = left.length < right.length ? [left, right] : [right, left]
    const between = small.reduce(
      (sum, record) => sum + neighbours.get(record)!.filter((each) => group[each] === group[large[0]!]).length,
      0,
    )
    if (between < shareLeast * left.length * right.length) continue
    const target = group[large[0]!]!
    for (const record of small) group[record] = target
    members.set(target, [...large, ...small])
  }
  return group
}
