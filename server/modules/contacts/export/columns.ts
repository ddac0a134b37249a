/** From the names that were asked for to the columns of the file. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { keepCell } from '#platform/tables-out/spreadsheet-safe.ts'
import { listText, toCell, type Cell, type Column } from '#platform/tables-out/table.ts'
import { fields as importFields, isTarget } from '../import/fields.ts'
import type { Contact } from '../tables.ts'
import {
  customField,
  customPrefix,
  defaultNames,
  exportableNames,
  exportFields,
  type ExportField,
  type ExportRow,
  type Gathered,
} from './fields.ts'
import type { Matching } from './matching.ts'
import type { ExportRequest } from './requests.ts'

export interface NamedField extends ExportField {
  name: string
}

/** Everything that decides what is read and written. */
export interface ExportPlan {
  fields: NamedField[]
  columns: Column[]
  /** Columns of the contact to read. */
  reads: (keyof Contact)[]
  gathers: Set<Gathered>
  /** Values as an import reads them back; custom fields as the database's own text. */
  exact: boolean
  /** Times as text to the microsecond, which the language's own dates do not hold. */
  exactTimes: boolean
  toCells(row: ExportRow): Cell[]
}

const columnsMax = 500

/** Throws `Invalid` for a name that is none, before a byte is sent. */
export async function planExport(tx: Tx, request: ExportRequest, matching: Matching): Promise<ExportPlan> {
  const isTable = request.format === 'csv' || request.format === 'xlsx'
  const exact = Boolean(request.reimport) && isTable
  const names = exact ? reimportNames() : namesOf(request, isTable)
  const spread = exact || names.some(({ name }) => name === '*' || name === `${customPrefix}*`)
  const keys = spread ? await customKeys(tx, matching) : []
  const fields = names.flatMap(({ name, pointer }) => expand(name, pointer, exact ? keys.filter(isMappable) : keys))
  const unique = [...new Map(fields.map((field) => [field.name, field])).values()]
  if (unique.length > columnsMax) {
    throw Invalid.at('/fields', 'too_many', `A file has at most ${columnsMax} columns here. Name those that you need.`)
  }
  const kind = (field: NamedField) => (exact ? 'text' : field.kind)
  return {
    fields: unique,
    columns: unique.map((field) => ({ header: headerOf(field, request, exact), kind: kind(field) })),
    reads: [...new Set<keyof Contact>(['id', 'email', ...unique.flatMap((field) => field.columns)])],
    gathers: new Set([...unique.flatMap((field) => field.gathers ?? []), ...(exact ? (['consents'] as const) : [])]),
    exact,
    exactTimes: exact || request.format === 'csv',
    toCells: (row) => unique.map((field) => (exact ? exactText(valueToImport(field, row)) : toCell(field.value(row)))),
  }
}

interface Asked {
  name: string
  pointer: string
}

function namesOf({ fields }: ExportRequest, isTable: boolean): Asked[] {
  if (fields?.length) return fields.map((name, index) => ({ name, pointer: `/fields/${index}` }))
  return (isTable ? defaultNames : exportableNames).map((name) => ({ name, pointer: '/fields' }))
}

/** What an import can write; it knows the address first. */
function reimportNames(): Asked[] {
  const known = Object.keys(importFields).filter((name) => Object.hasOwn(exportFields, name) && name !== 'full_name')
  return [...known, `${customPrefix}*`].map((name) => ({ name, pointer: '/fields' }))
}

function isMappable(key: string): boolean {
  return isTarget(`custom:${key}`)
}

function expand(name: string, pointer: string, keys: string[]): NamedField[] {
  const custom = (key: string) => ({ ...customField(key), name: `${customPrefix}${key}` })
  if (name === '*')
    return [...exportableNames.filter((each) => each !== 'custom_fields').map(named), ...keys.map(custom)]
  if (name === `${customPrefix}*`) return keys.map(custom)
  if (name.startsWith(customPrefix) && name.length > customPrefix.length)
    return [custom(name.slice(customPrefix.length))]
  if (Object.hasOwn(exportFields, name)) return [named(name)]
  const detail = `There is no field “${name.slice(0, 80)}” to export. Known are ${exportableNames.join(', ')} and custom_fields.<key>.`
  const errors: InputError[] = [{ pointer, code: 'unknown_field', detail }]
  throw new Invalid('invalid', detail, { errors })
}

function named(name: string): NamedField {
  return { ...exportFields[name]!, name }
}

function headerOf(field: NamedField, { headers }: ExportRequest, exact: boolean): string {
  if (!exact) return headers === 'names' ? field.name : field.label
  return field.name.startsWith(customPrefix) ? `custom:${field.name.slice(customPrefix.length)}` : field.name
}

/** An import takes a "no" for the person's own: whoever was merely never asked has none. */
function valueToImport(field: NamedField, row: ExportRow): unknown {
  const value = field.value(row)
  const purpose = /^(newsletter|marketing)_subscribed$/.exec(field.name)?.[1]
  return purpose && value === false && row.consents[purpose]?.decision !== 'withdrawn' ? null : value
}

/** As the import reads it back: lists of names without a doubt, everything else as its own text. */
function exactText(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return keepCell(listText(value.map(String)))
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return value instanceof Date ? value.toISOString() : keepCell(String(value))
}

/** The custom fields that the exported contacts have; only a whole export needs to look for them. */
async function customKeys(tx: Tx, { from }: Matching): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select distinct key from (select c.custom_fields ${from} and c.custom_fields <> '{}') as found,
      jsonb_object_keys(custom_fields) as key
    order by key limit ${columnsMax + 1}`.execute(tx.sql)
  return rows.map(({ key }) => key)
}
