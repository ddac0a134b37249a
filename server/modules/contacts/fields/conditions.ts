/**
 * Custom fields in SQL, for whoever asks questions about contacts: segments, filters, sort orders, exports, figures. The
 * query reads `contacts.contact_rows c`.
 *
 *   const fields = await customFieldDefinitions(tx)        // in fields.ts: all that are not deleted, by position
 *   const field = fields.find(({ key }) => key === 'tier')
 *   customFieldOps[field.type]                             // what may be asked of it
 *   customFieldCondition(field, { op: 'in', value: ['gold'] }, '/filter/all/0')   // RawBuilder<boolean>, never null
 *   customFieldExpression(field)                           // its value: text, numeric, date, boolean or jsonb; null without one
 *
 * A filterable field is looked up in its copies by an index; any other, and one whose copies are still being made, is
 * read from the contacts themselves, with the same answer.
 */
import { sql, type RawBuilder } from 'kysely'
import { Invalid } from '#platform/errors.ts'
import { isIsoDate } from './values.ts'
import type { CustomField, FieldType } from './tables.ts'

const presence = ['is_set', 'is_not_set'] as const
const equality = ['eq', 'ne', 'in', 'not_in', ...presence] as const
const order = [...equality, 'lt', 'lte', 'gt', 'gte', 'between'] as const
const words = [...equality, 'contains', 'not_contains', 'starts_with', 'ends_with'] as const

/**
 * What may be asked of each type. Texts are compared without regard to case and accents. A negative question (`ne`,
 * `not_in`, `not_contains`) is also true of contacts without a value. Of a multiple choice, `eq` and `contains` ask for one
 * of its values, `in` for any of several, `all_of` for each of them.
 */
export const customFieldOps = {
  text: words,
  url: words,
  number: order,
  date: order,
  boolean: ['eq', 'ne', ...presence],
  choice: equality,
  multi_choice: [...equality, 'contains', 'not_contains', 'all_of'],
} as const satisfies Record<FieldType, readonly string[]>
export type CustomFieldOp = (typeof customFieldOps)[FieldType][number]

/** What a question needs to know of a field; a row of `contacts.custom_fields` is one. */
export type AskedField = Pick<CustomField, 'id' | 'key' | 'label' | 'type' | 'filterable' | 'indexed_at'>

export interface CustomQuestion {
  op: string
  /** A text, number, boolean or `YYYY-MM-DD` as the field holds it; a list for `in`, `not_in`, `all_of`; two for `between`. */
  value?: unknown
}

const negated: Record<string, string> = { ne: 'eq', not_in: 'in', not_contains: 'contains', is_not_set: 'is_set' }

/** Throws `Invalid` at `pointer` for an operator that the type does not have, or a value that it cannot be compared with. */
export function customFieldCondition(
  field: AskedField,
  { op, value }: CustomQuestion,
  pointer: string,
): RawBuilder<boolean> {
  const ops: readonly string[] = customFieldOps[field.type]
  if (!ops.includes(op)) {
    throw Invalid.at(`${pointer}/op`, 'unknown_op', `“${field.label}” can be asked ${ops.join(', ')}.`)
  }
  const asked = negated[op] ?? op
  const holds = asked === 'all_of' ? allOf(field, value, pointer) : someItem(field, asked, value, pointer)
  return negated[op] ? sql<boolean>`not ${holds}` : holds
}

/** The value as SQL of the field's own type; a stored value of another type reads as null. */
export function customFieldExpression({ key, type }: Pick<CustomField, 'key' | 'type'>): RawBuilder<unknown> {
  const value = sql`(c.custom_fields -> ${key}::text)`
  switch (type) {
    case 'number':
      return sql`contacts.custom_number(${value})`
    case 'date':
      return sql`contacts.custom_date(${value})`
    case 'boolean':
      return sql`contacts.custom_boolean(${value})`
    case 'multi_choice':
      return sql`case when jsonb_typeof(${value}) = 'array' then ${value} end`
    case 'text':
    case 'choice':
    case 'url':
      return sql`contacts.custom_text(${value})`
    default:
      return type satisfies never
  }
}

function someItem(field: AskedField, op: string, value: unknown, pointer: string): RawBuilder<boolean> {
  const matches = (item: Item) => (op === 'is_set' ? null : itemMatches(field, op, value, pointer, item))
  if (field.filterable && field.indexed_at) {
    return sql<boolean>`exists (select from contacts.custom_value_rows v
      where v.workspace_id = c.workspace_id and v.field_id = ${field.id} and v.contact_id = c.id
        and ${matches(copied) ?? sql`true`})`
  }
  if (field.type === 'multi_choice') {
    return sql<boolean>`exists (select from contacts.custom_items(
      ${field.type}, c.custom_fields -> ${field.key}::text) v where ${matches(copied) ?? sql`true`})`
  }
  // One value at most, read in place: a function that answers rows would be called for each contact.
  const stored = customFieldExpression(field)
  const holds = matches({ text: textKeyOf(field, stored), number: stored, date: stored })
  return holds ? sql<boolean>`coalesce(${holds}, false)` : sql<boolean>`(${stored} is not null)`
}

/** What a value is compared as: columns of the copies, or expressions over the contact. */
interface Item {
  text: RawBuilder<unknown>
  number: RawBuilder<unknown>
  date: RawBuilder<unknown>
}
const copied: Item = { text: sql`v.text_key`, number: sql`v.number_value`, date: sql`v.date_value` }

/** As `contacts.custom_items` has it. */
function textKeyOf({ type }: AskedField, stored: RawBuilder<unknown>): RawBuilder<unknown> {
  return type === 'boolean' ? sql`${stored}::text` : sql`contacts.custom_key(${stored})`
}

function allOf(field: AskedField, value: unknown, pointer: string): RawBuilder<boolean> {
  const each = listed(value, pointer).map((one) => someItem(field, 'eq', one, pointer))
  return sql<boolean>`(${sql.join(each, sql` and `)})`
}

/** The question about one item `v`; the column's type follows the field's. */
function itemMatches(field: AskedField, op: string, value: unknown, pointer: string, item: Item): RawBuilder<unknown> {
  if (field.type === 'number') return compare(item.number, 'numeric', op, value, pointer, asNumber)
  if (field.type === 'date') return compare(item.date, 'date', op, value, pointer, asDate)
  if (field.type === 'boolean') {
    if (typeof value !== 'boolean') throw refused(pointer, 'Compare with true or false.')
    return sql`${item.text} = ${String(value)}`
  }
  const isMany = field.type === 'multi_choice'
  switch (op) {
    case 'in': {
      const texts = listed(value, pointer).map((one) => asText(one, pointer))
      return sql`(${sql.join(
        texts.map((text) => equals(field, text, item)),
        sql` or `,
      )})`
    }
    case 'contains':
      return isMany ? equals(field, asText(value, pointer), item) : like(field, asText(value, pointer), item, '%', '%')
    case 'starts_with':
      return like(field, asText(value, pointer), item, '', '%')
    case 'ends_with':
      return like(field, asText(value, pointer), item, '%', '')
    default:
      return equals(field, asText(value, pointer), item)
  }
}

/** Folded; where the copy may have been cut off, with the whole value. Choices are shorter than that. */
function equals(field: AskedField, text: string, item: Item): RawBuilder<unknown> {
  const same = sql`${item.text} = contacts.custom_key(${text})`
  const isShort = text.length < keyLength / 2 || !['text', 'url'].includes(field.type)
  return isShort ? same : sql`(${same} and ${wholeText(field)} = platform.fold(${text}))`
}

/** The length at which `contacts.custom_key` cuts off. */
const keyLength = 200

function like(field: AskedField, text: string, item: Item, before: '' | '%', after: '' | '%'): RawBuilder<unknown> {
  const literal = sql`regexp_replace(platform.fold(${text}), '([\\\\%_])', '\\\\\\1', 'g')`
  const pattern = sql`${before}::text || ${literal} || ${after}::text`
  return sql`case when length(${item.text}) < ${keyLength}::int then ${item.text} like ${pattern}
    else ${wholeText(field)} like ${pattern} end`
}

function wholeText({ key }: AskedField): RawBuilder<unknown> {
  return sql`platform.fold(contacts.custom_text(c.custom_fields -> ${key}::text))`
}

const comparisons: Record<string, RawBuilder<unknown>> = {
  eq: sql`=`,
  lt: sql`<`,
  lte: sql`<=`,
  gt: sql`>`,
  gte: sql`>=`,
}

function compare(
  column: RawBuilder<unknown>,
  type: 'numeric' | 'date',
  op: string,
  value: unknown,
  pointer: string,
  read: (value: unknown, pointer: string) => string,
): RawBuilder<unknown> {
  const cast = sql.raw(type)
  if (op === 'in') {
    return sql`${column} = any(${listed(value, pointer).map((one) => read(one, pointer))}::${cast}[])`
  }
  if (op === 'between') {
    const [from, to, ...more] = Array.isArray(value) ? (value as unknown[]) : []
    if (from === undefined || to === undefined || more.length) throw refused(pointer, 'Name two values: from and to.')
    return sql`${column} between ${read(from, pointer)}::${cast} and ${read(to, pointer)}::${cast}`
  }
  return sql`${column} ${comparisons[op]!} ${read(value, pointer)}::${cast}`
}

function asNumber(value: unknown, pointer: string): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw refused(pointer, 'Compare with a number.')
  return String(value)
}

function asDate(value: unknown, pointer: string): string {
  if (typeof value !== 'string' || !isIsoDate(value)) throw refused(pointer, 'Compare with a date such as 2026-03-31.')
  return value
}

function asText(value: unknown, pointer: string): string {
  if (typeof value !== 'string' || value.length > 1_000) {
    throw refused(pointer, 'Compare with a text of at most 1,000 characters.')
  }
  return value
}

function listed(value: unknown, pointer: string): unknown[] {
  if (!Array.isArray(value) || !value.length || value.length > 200)
    throw refused(pointer, 'Name a list of 1 to 200 values.')
  return value as unknown[]
}

function refused(pointer: string, detail: string): Invalid {
  return Invalid.at(`${pointer}/value`, 'misfit', detail)
}
