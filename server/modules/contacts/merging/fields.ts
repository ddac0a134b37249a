/**
 * Which value each field of the merged contact gets. Pure. A choice is the id of one of the contacts, whose value then wins,
 * or anything else: the new value itself. Without a choice the primary's value stays, and what it leaves empty is taken from
 * the first duplicate that knows it.
 */
import { isDeepStrictEqual } from 'node:util'
import { Compile } from 'typebox/compile'
import { Invalid } from '#platform/errors.ts'
import { ContactChange, toColumns, type ContactColumns } from '../contact-fields.ts'
import type { CustomFieldDefinition } from '../fields/values.ts'
import type { Contact } from '../tables.ts'

/** Fields that can be chosen, as the contact has them; custom fields by their keys. */
export const mergeFields = [
  'email',
  'first_name',
  'last_name',
  'company',
  'job_title',
  'phone',
  'gender',
  'avatar_url',
  'language',
  'timezone',
  'source',
  'is_active',
  'notes',
  'user_id',
] as const
type MergeField = (typeof mergeFields)[number]

export type Choices = Partial<Record<MergeField | 'custom_fields', unknown>>

export interface Conflict {
  /** `company`, or `custom_fields.colour`. */
  field: string
  values: { contact_id: string; value: unknown }[]
  chosen: unknown
}

export interface FieldPlan {
  /** Every field that can be chosen, as the survivor is to have it. */
  columns: ContactColumns
  /** Where the contacts say different things. */
  conflicts: Conflict[]
}

interface Surroundings {
  country: string | null
  definitions: readonly CustomFieldDefinition[]
}

/** The primary first. Throws `Invalid` with pointers into `/fields`. */
export function planFields(
  records: readonly Contact[],
  choices: Choices,
  { country, definitions }: Surroundings,
): FieldPlan {
  const byId = new Map(records.map((record) => [record.id, record]))
  const literals: Record<string, unknown> = {}
  const columns: Record<string, unknown> = {}
  for (const field of mergeFields) {
    const chosen = choices[field]
    const from = chosenFrom(byId, chosen)
    if (chosen !== undefined && !from) literals[field] = chosen
    const value = from ? from[field] : usual(records, field)
    columns[field] = value
    if (field === 'phone') columns.phone_key = (from ?? records.find(({ phone }) => phone === value))?.phone_key ?? null
  }
  const custom = planCustom(records, byId, choices.custom_fields)
  if (Object.keys(custom.literals).length) literals.custom_fields = custom.literals
  const written = toWritten(literals, { country, definitions, before: custom.values })
  Object.assign(columns, { custom_fields: JSON.stringify(custom.values) }, written)
  const plan = columns as ContactColumns
  return { columns: plan, conflicts: conflictsOf(records, plan) }
}

function chosenFrom(byId: Map<string, Contact>, choice: unknown): Contact | undefined {
  return typeof choice === 'string' ? byId.get(choice.toLowerCase()) : undefined
}

const notesLengthMax = 20_000

function usual(records: readonly Contact[], field: MergeField): unknown {
  // Half a name would not fit the other half of another spelling.
  if (field === 'first_name' || field === 'last_name') {
    return (records.find((record) => record.first_name || record.last_name) ?? records[0]!)[field]
  }
  if (field === 'notes') return joinNotes(records)
  return (records.find((record) => !isEmpty(record[field])) ?? records[0]!)[field]
}

/** All of them, each once, as long as they fit. */
function joinNotes(records: readonly Contact[]): string {
  const texts = [...new Set(records.map(({ notes }) => notes.trim()).filter(Boolean))]
  if (texts.length < 2) return records.find(({ notes }) => notes.trim())?.notes ?? records[0]!.notes
  return texts.reduce((joined, text) => {
    const longer = joined ? `${joined}\n\n${text}` : text
    return longer.length <= notesLengthMax ? longer : joined
  })
}

function planCustom(records: readonly Contact[], byId: Map<string, Contact>, choice: unknown) {
  const whole = chosenFrom(byId, choice)
  if (whole) return { values: whole.custom_fields, literals: {} }
  if (choice !== undefined && (typeof choice !== 'object' || choice === null || Array.isArray(choice))) {
    throw Invalid.at(
      '/fields/custom_fields',
      'type',
      'Give the id of one of the contacts, or an object with a choice for each key.',
    )
  }
  const values: Record<string, unknown> = Object.assign(Object.create(null), {})
  for (const { custom_fields } of records) {
    for (const [key, value] of Object.entries(custom_fields)) {
      if (isEmpty(values[key]) && (!isEmpty(value) || !(key in values))) values[key] = value
    }
  }
  const literals: [string, unknown][] = []
  for (const [key, chosen] of Object.entries((choice ?? {}) as object)) {
    const from = chosenFrom(byId, chosen)
    if (!from) literals.push([key, chosen])
    else if (Object.hasOwn(from.custom_fields, key)) values[key] = from.custom_fields[key]
    else delete values[key]
  }
  return { values: { ...values }, literals: Object.fromEntries(literals) }
}

const validator = Compile(ContactChange)

/** New values obey the rules of any change of a contact. */
function toWritten(literals: Record<string, unknown>, surroundings: Parameters<typeof toColumns>[1]): ContactColumns {
  if (!Object.keys(literals).length) return {}
  if (!validator.Check(literals)) {
    const [first] = validator.Errors(literals)
    throw Invalid.at(
      `/fields${first?.instancePath ?? ''}`,
      first?.keyword ?? 'invalid',
      `This is neither one of the contacts nor a value for this field: it ${first?.message ?? 'does not fit'}.`,
    )
  }
  try {
    return toColumns(literals, surroundings)
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    const errors = (error.errors ?? []).map((each) => ({ ...each, pointer: `/fields${each.pointer}` }))
    throw new Invalid(error.code, error.message, { errors })
  }
}

function conflictsOf(records: readonly Contact[], columns: ContactColumns): Conflict[] {
  const result = columns as Record<string, unknown>
  const custom = JSON.parse(columns.custom_fields ?? '{}') as Record<string, unknown>
  const keys = [...new Set(records.flatMap((record) => Object.keys(record.custom_fields)))].toSorted()
  const all = [
    ...mergeFields.map((field) => ({
      field: field as string,
      of: (record: Contact): unknown => record[field],
      chosen: result[field],
    })),
    ...keys.map((key) => ({
      field: `custom_fields.${key}`,
      of: (record: Contact) => (Object.hasOwn(record.custom_fields, key) ? record.custom_fields[key] : null),
      chosen: Object.hasOwn(custom, key) ? custom[key] : null,
    })),
  ]
  return all.flatMap(({ field, of, chosen }) => {
    const values = records
      .map((record) => ({ contact_id: record.id, value: of(record) }))
      .filter(({ value }) => !isEmpty(value))
    const isOne = values.every(({ value }) => isDeepStrictEqual(value, values[0]!.value))
    return isOne ? [] : [{ field, values, chosen }]
  })
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
