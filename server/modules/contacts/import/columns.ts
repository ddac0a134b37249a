/** The columns that a plan stages, and how each mapped cell gets into them. */
import type { CountryCode } from 'libphonenumber-js/max'
import { splitFullName } from '../names.ts'
import { fields, isFieldName, type FieldName, type Target } from './fields.ts'
import type { Reading } from './readings.ts'
import { ValueProblem } from './value-problem.ts'
import { readerOf, readPhone, readTags, readText } from './values.ts'

/** Staged after `line, wave` and the ids, in the order of `StagedRow.content`. */
export type StagedColumn =
  | Exclude<FieldName, 'full_name' | 'tags' | 'unsubscribed'>
  | 'phone_key'
  | 'tag_refs'
  | 'custom_fields'

export interface RowPlan {
  header: string[]
  targets: Target[]
  /** By column. */
  readings: Record<number, Reading>
  /** Given to every row, besides its own. */
  tags: string[]
  /** Reads the value of a custom field that has a definition; the others are text. */
  customReader?: (key: string, reading: Reading) => ((cell: string) => unknown) | null
}

/** A row that is being read. */
export interface Draft {
  values: (string | null)[]
  refs: Set<number> | null
  custom: Record<string, unknown> | null
  status: Status | null
  /** Never asked, or never confirmed: as good as a "no" to everything. */
  never: boolean
}

type Status = 'active' | 'unsubscribed' | 'bounced' | 'complained'
/** The strictest last: several columns may speak of it. */
const byStrictness: Status[] = ['active', 'unsubscribed', 'bounced', 'complained']

export interface MappedColumn {
  index: number
  field: FieldName | null
  /** Read even from a row that fails otherwise: who it is, and whether they said no. */
  alwaysRead: boolean
  write(cell: string, draft: Draft): ValueProblem | null
}

const always: readonly string[] = ['email', 'status', 'unsubscribed', 'newsletter_subscribed', 'marketing_subscribed']

export interface Columns {
  staged: StagedColumn[]
  mapped: MappedColumn[]
  tagNames: string[]
  commonRefs: number[]
  slots: Record<'email' | 'status' | 'newsletter' | 'marketing' | 'tags' | 'custom', number>
}

export function createColumns(plan: RowPlan): Columns {
  const staged: StagedColumn[] = ['email']
  const slotOf = (name: StagedColumn): number => {
    const found = staged.indexOf(name)
    return found >= 0 ? found : staged.push(name) - 1
  }
  const { tagNames, refOf } = createTagNumbers()
  const mapped = plan.targets.flatMap((target, index): MappedColumn[] => {
    if (target === null) return []
    const reading = plan.readings[index] ?? { date_order: 'dmy', decimal: 'point', country: null }
    const field = isFieldName(target) ? target : null
    const write = field
      ? writerOf(field, reading, slotOf, refOf)
      : customWriter(target.slice('custom:'.length), reading, plan, slotOf)
    return [{ index, field, write, alwaysRead: always.includes(target) }]
  })
  const commonRefs = plan.tags.map(refOf)
  if (commonRefs.length) slotOf('tag_refs')
  const at = (name: StagedColumn): number => staged.indexOf(name)
  const slots = {
    email: 0,
    status: at('status'),
    newsletter: at('newsletter_subscribed'),
    marketing: at('marketing_subscribed'),
    tags: at('tag_refs'),
    custom: at('custom_fields'),
  }
  return { staged, mapped, tagNames, commonRefs, slots }
}

type Write = MappedColumn['write']
type SlotOf = (name: StagedColumn) => number

/** Tags are staged as numbers, because most rows repeat the same few. */
function createTagNumbers() {
  const tagNames: string[] = []
  const refs = new Map<string, number>()
  const refOf = (name: string): number => {
    const key = name.toLowerCase()
    const known = refs.get(key)
    if (known !== undefined) return known
    const ref = tagNames.push(detached(name))
    refs.set(detached(key), ref)
    return ref
  }
  return { tagNames, refOf }
}

/** A cell is a slice that keeps its whole chunk of the file in memory; what outlives the row must not. */
function detached(text: string): string {
  return Buffer.from(text).toString()
}

function writerOf(field: FieldName, reading: Reading, slotOf: SlotOf, refOf: (name: string) => number): Write {
  if (field === 'tags') return tagsWriter(slotOf, refOf)
  if (field === 'phone') return phoneWriter(reading, slotOf)
  if (field === 'full_name') return fullNameWriter(slotOf)
  if (field === 'status' || field === 'unsubscribed') return statusWriter(field, reading, slotOf)
  const read = readerOf(fields[field].kind, reading)
  const slot = slotOf(field)
  return (cell, { values }) => {
    const value = read(cell)
    if (value instanceof ValueProblem) return value
    values[slot] = field === 'notes' && values[slot] !== null ? `${values[slot]}\n${value}` : value
    return null
  }
}

function tagsWriter(slotOf: SlotOf, refOf: (name: string) => number): Write {
  slotOf('tag_refs')
  return (cell, draft) => {
    const names = readTags(cell)
    if (names instanceof ValueProblem) return names
    for (const name of names) (draft.refs ??= new Set()).add(refOf(name))
    return null
  }
}

function phoneWriter(reading: Reading, slotOf: SlotOf): Write {
  const [slot, keySlot] = [slotOf('phone'), slotOf('phone_key')]
  return (cell, { values }) => {
    const phone = readPhone(cell, (reading.country ?? undefined) as CountryCode | undefined)
    if (phone instanceof ValueProblem) return phone
    values[slot] = phone.typed
    values[keySlot] = phone.key
    return null
  }
}

function fullNameWriter(slotOf: SlotOf): Write {
  const [first, last] = [slotOf('first_name'), slotOf('last_name')]
  return (cell, { values }) => {
    const text = readText(cell, 200)
    if (text instanceof ValueProblem) return text
    const name = splitFullName(text)
    values[first] ??= name.first_name
    values[last] ??= name.last_name
    return null
  }
}

/** Written into the row when it is whole, because the strictest of several columns counts. */
function statusWriter(field: 'status' | 'unsubscribed', reading: Reading, slotOf: SlotOf): Write {
  const read = readerOf(fields[field].kind, reading)
  for (const name of ['status', 'newsletter_subscribed', 'marketing_subscribed'] as const) slotOf(name)
  return (cell, draft) => {
    const value = read(cell)
    if (value instanceof ValueProblem) return value
    if (value === 'never') draft.never = true
    else if (value && byStrictness.indexOf(value as Status) > byStrictness.indexOf(draft.status!))
      draft.status = value as Status
    return null
  }
}

const customLengthMax = 10_000

function customWriter(key: string, reading: Reading, plan: RowPlan, slotOf: SlotOf): Write {
  slotOf('custom_fields')
  const read = plan.customReader?.(key, reading) ?? ((cell: string) => readText(cell, customLengthMax))
  return (cell, draft) => {
    const value = read(cell)
    if (value instanceof ValueProblem) return value
    ;(draft.custom ??= {})[key] = value
    return null
  }
}
