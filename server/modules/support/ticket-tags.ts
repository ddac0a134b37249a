/** The tags of a ticket, and of what is filed like one. */

/** A tag is one whatever its case; the first spelling stays. */
export function cleanTags(tags: string[]): string[] {
  const byKey = new Map<string, string>()
  for (const tag of tags.map((each) => each.trim().normalize('NFC')).filter(Boolean)) {
    const key = tag.toLowerCase()
    if (!byKey.has(key)) byKey.set(key, tag)
  }
  return [...byKey.values()]
}

export const tagsMax = 50
