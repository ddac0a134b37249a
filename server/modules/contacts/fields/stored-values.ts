/** What contacts already hold under a field's key, and what a change of its definition would mean for that. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { hasChoices, type Definition } from './definition-rules.ts'
import type { CustomField } from './tables.ts'

/** By the value of a choice that goes: the value that takes its place, or null for none. */
export type Replacements = Record<string, string | null>

export interface Stored {
  /** Contacts with a value, the deleted ones among them: they may come back. */
  values: number
  /** Values that the new type could not hold. */
  misfits: number
  /** Choices that the new definition does not have any more, where contacts have them. */
  removed_choices: { value: string; count: number }[]
}

/** Reads through the contacts: a second for a million. Asked only when an admin changes a type or takes choices away. */
export async function checkStored(
  tx: Tx,
  field: CustomField,
  next: Definition,
  replacements: Replacements,
): Promise<Stored> {
  checkReplacements(field, next, replacements)
  const stored: Stored = { values: 0, misfits: 0, removed_choices: [] }
  if (next.type !== field.type) Object.assign(stored, await countMisfits(tx, field, next, replacements))
  else if (hasChoices(next.type)) stored.removed_choices = await countRemoved(tx, field, next)
  return stored
}

function checkReplacements(field: CustomField, next: Definition, replacements: Replacements): void {
  const offered = new Set(next.choices.map(({ value }) => value))
  const had = new Set(field.choices.map(({ value }) => value))
  for (const [old, value] of Object.entries(replacements)) {
    const pointer = `/replace_with/${old.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!had.has(old) || offered.has(old)) {
      throw Invalid.at(pointer, 'not_removed', `“${old}” is no choice that this change takes away.`)
    }
    if (value !== null && !offered.has(value)) {
      throw Invalid.at(pointer, 'not_a_choice', `“${value}” is none of the new choices.`)
    }
  }
}

async function countMisfits(tx: Tx, { key }: CustomField, { type, choices }: Definition, replacements: Replacements) {
  const { rows } = await sql<{ values: number; misfits: number }>`
    select count(*) as values,
      count(*) filter (where contacts.convert_custom(
        contacts.replace_choices(c.custom_fields -> ${key}::text, ${JSON.stringify(replacements)}::jsonb),
        ${type}, ${JSON.stringify(choices)}::jsonb) is null
        and contacts.replace_choices(c.custom_fields -> ${key}::text, ${JSON.stringify(replacements)}::jsonb) is not null)
        as misfits
    from contacts.contacts c where c.custom_fields ? ${key}::text`.execute(tx.sql)
  return rows[0]!
}

async function countRemoved(tx: Tx, field: CustomField, { choices }: Definition): Promise<Stored['removed_choices']> {
  const left = new Set(choices.map(({ value }) => value))
  const removed = field.choices.map(({ value }) => value).filter((value) => !left.has(value))
  if (!removed.length) return []
  const { rows } = await sql<{ value: string; count: number }>`
    select held.value, count(*) as count
    from contacts.contacts c
    cross join lateral jsonb_array_elements_text(
      case when jsonb_typeof(c.custom_fields -> ${field.key}::text) = 'array' then c.custom_fields -> ${field.key}::text
        else jsonb_build_array(c.custom_fields -> ${field.key}::text) end) as held (value)
    where c.custom_fields ? ${field.key}::text and held.value = any(${removed}::text[])
    group by held.value order by 2 desc, 1`.execute(tx.sql)
  return rows
}
