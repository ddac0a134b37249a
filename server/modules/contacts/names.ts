/** Names of people: one field split into two, and two shown as one. Pure. */

/** What belongs to the family name although it stands in the middle: "Vincent van Gogh", "Ana de la Cruz". */
const particles = new Set(
  'af al ap auf aus av bin ben bint da dal dalla das de degli dei del della den der di do dos du el ibn la le les lo mac o op san st ste te ten ter tho thoe van vande vanden vander vom von zu zum zur'.split(
    ' ',
  ),
)

export interface SplitName {
  first_name: string
  last_name: string
}

/**
 * "Anna Maria van den Berg" → Anna Maria · van den Berg; "Berg, Anna" → Anna · Berg. A name in one word, or in a
 * script that sets no spaces, stays whole as the first name: guessing where to cut it would be wrong half the time.
 */
export function splitFullName(fullName: string): SplitName {
  const text = fullName.trim().replaceAll(/\s+/g, ' ')
  const comma = text.indexOf(',')
  if (comma > 0 && comma < text.length - 1) {
    return { first_name: text.slice(comma + 1).trim(), last_name: text.slice(0, comma).trim() }
  }
  const words = text.split(' ')
  if (words.length < 2) return { first_name: text, last_name: '' }
  let start = words.length - 1
  while (start > 1 && particles.has(words[start - 1]!.toLowerCase().replace(/['’]$/, ''))) start--
  return { first_name: words.slice(0, start).join(' '), last_name: words.slice(start).join(' ') }
}

/** As it is shown; empty when neither part is known. */
export function joinFullName(name: SplitName): string {
  return `${name.first_name} ${name.last_name}`.trim()
}
