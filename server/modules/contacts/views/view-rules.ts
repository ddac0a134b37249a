/** What a view may hold: its rule, columns, order and grouping are judged before they are kept, and again when it opens. */
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { contactFields } from '../contact-view.ts'
import { sortNames } from '../contact-query.ts'
import { customField, customKey, customPrefix, type Definitions } from '../rules/custom.ts'
import type { Field } from '../rules/field.ts'
import { findField } from '../rules/fields.ts'
import { resolveKept } from '../rules/resolve.ts'
import type { SavedView } from './tables.ts'

export type ViewContent = Pick<SavedView, 'filter' | 'sort' | 'columns' | 'group_by' | 'layout'>

/** Kinds of fields with few enough values to put contacts together by. */
const groupable = new Set<Field['type']>(['choice', 'choices', 'boolean', 'code', 'text', 'tags', 'lists'])

const columnNames = Object.keys(contactFields)

/** Throws `Invalid` with every fault, each at its pointer. */
export async function checkContent(tx: Tx, content: Partial<ViewContent>): Promise<void> {
  const definitions = await definitionsOf(tx)
  const errors = [
    ...columnErrors(content.columns ?? [], definitions),
    ...sortErrors(content.sort ?? null),
    ...groupErrors(content.group_by ?? null, definitions),
    ...(content.layout === 'board' && !content.group_by ? [boardNeedsGroups] : []),
  ]
  if (content.filter) {
    const resolved = await resolveKept(tx, content.filter, '/filter')
    // What is named and not there is told when the view opens, as for segments; what cannot be read is refused.
    if (!resolved.readable) errors.push(...resolved.problems)
  }
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
}

/** What of a view that is kept is not there any more. */
export async function problemsOf(tx: Tx, view: ViewContent): Promise<InputError[]> {
  const definitions = await definitionsOf(tx)
  return [
    ...(view.filter ? (await resolveKept(tx, view.filter, '/filter')).problems : []),
    ...columnErrors(view.columns, definitions),
    ...sortErrors(view.sort),
    ...groupErrors(view.group_by, definitions),
  ]
}

const boardNeedsGroups: InputError = {
  pointer: '/group_by',
  code: 'required',
  detail: 'A board needs a field that makes its columns. Name one in group_by.',
}

/** Deleted ones too: they tell a field that has gone from one that never was. */
async function definitionsOf(tx: Tx): Promise<Definitions> {
  const rows = await tx.sql
    .selectFrom('contacts.custom_fields')
    .selectAll()
    .orderBy('deleted_at', (order) => order.desc().nullsLast())
    .execute()
  return new Map(rows.map((row) => [row.key, row]))
}

function columnErrors(columns: ViewContent['columns'], definitions: Definitions): InputError[] {
  const seen = new Set<string>()
  return columns.flatMap(({ field }, index) => {
    const pointer = `/columns/${index}/field`
    if (seen.has(field)) return [{ pointer, code: 'repeated', detail: `The column “${field}” stands there twice.` }]
    seen.add(field)
    if (columnNames.includes(field)) return []
    return customErrors(field, pointer, definitions) ?? [unknownField(field, pointer)]
  })
}

function sortErrors(sort: string | null): InputError[] {
  if (sort === null || sortNames.includes(sort.replace(/^-/, ''))) return []
  const detail = `Sort by one of ${sortNames.join(', ')}; a leading - turns the order round.`
  return [{ pointer: '/sort', code: 'unknown_sort', detail }]
}

function groupErrors(name: string | null, definitions: Definitions): InputError[] {
  if (name === null) return []
  const pointer = '/group_by'
  const custom = customErrors(name, pointer, definitions)
  if (custom?.length) return custom
  const field = findField(name) ?? customField(name, definitions)
  if (!field) return [unknownField(name, pointer)]
  if (groupable.has(field.type)) return []
  const detail = `${name} has too many values to group by. Use a choice, a text, yes or no, tags or lists.`
  return [{ pointer, code: 'not_groupable', detail }]
}

/** Null: the name is not that of a custom field. */
function customErrors(name: string, pointer: string, definitions: Definitions): InputError[] | null {
  if (!name.startsWith(customPrefix)) return null
  const definition = definitions.get(customKey(name) ?? '')
  if (!definition) return [unknownField(name, pointer)]
  if (!definition.deleted_at) return []
  const detail = `The custom field of ${name} was deleted. Take it out, or restore the field.`
  return [{ pointer, code: 'field_gone', detail }]
}

function unknownField(name: string, pointer: string): InputError {
  const detail = `There is no field “${name.slice(0, 80)}”. A contact has ${columnNames.join(', ')}, and custom_fields.<key>.`
  return { pointer, code: 'unknown_field', detail }
}
