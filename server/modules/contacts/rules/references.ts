/** What a rule depends on: which change may make it true or false of a contact. Pure. */
import { customPrefix } from './custom.ts'
import { leavesOf, type Node } from './read.ts'

export interface References {
  /** Columns of the contact by the names of its fields; custom fields as `custom_fields`. */
  fields: Set<string>
  /** Ids, each with the pointer of the condition that names it. */
  lists: Map<string, string>
  /** Types of timeline entries. */
  entries: Set<string>
}

export function referencesOf(root: Node): References {
  const references: References = { fields: new Set(), lists: new Map(), entries: new Set() }
  for (const leaf of leavesOf(root)) {
    if (leaf.kind === 'event') {
      references.entries.add(leaf.type)
      continue
    }
    const { field, values, pointer } = leaf
    references.fields.add(field.name.startsWith(customPrefix) ? 'custom_fields' : field.name)
    if (field.type !== 'lists') continue
    for (const value of values) references.lists.set(String(value), `${pointer}/value`)
  }
  return references
}
