/**
 * Turns records into rows of the staging table: checks every mapped cell, brings it into its column's form, and writes
 * the line of `COPY` text. A record is either wholly good or a listed failure; nothing is dropped silently.
 */
import type { CountryCode } from 'libphonenumber-js/max'
import { newId } from '#platform/ids.ts'
import { fields, isFieldName, type FieldName, type Target } from './fields.ts'
import { splitFullName } from '../names.ts'
import type { CsvRecord, RecordProblem } from './records.ts'
import { readerOf, readPhone, readTags, readText, ValueProblem, type DateOrder, type Reader } from './values.ts'

export interface RowPlan {
  header: string[]
  targets: Target[]
  dateOrders: Record<number, DateOrder>
  country: CountryCode | undefined
  /** Given to every row, besides its own. */
  tags: string[]
}

export interface FailedRow {
  line: number
  cells: string[]
  column: string | null
  code: string
  detail: string
}

export interface StagedRow {
  id: string
  line: number
  emailKey: string
  /** COPY text of every staged column after line, wave and ids. */
  content: string
}

/** The columns that a plan stages after `line, wave` and the ids, in the order of `StagedRow.content`. */
export type StagedColumn = Exclude<FieldName, 'full_name' | 'tags'> | 'phone_key' | 'tag_refs' | 'custom_fields'

const customBytesMax = 64 * 1024

interface Column {
  index: number
  read: Reader
  field: FieldName | null
  customKey: string | null
  slot: number
}

export function createRowReader(plan: RowPlan) {
  const columns: StagedColumn[] = ['email']
  const slotOf = (name: StagedColumn): number => {
    const found = columns.indexOf(name)
    return found >= 0 ? found : columns.push(name) - 1
  }
  const tagNames: string[] = []
  const tagRefs = new Map<string, number>()
  const refOf = (name: string): number => {
    const key = name.toLowerCase()
    const known = tagRefs.get(key)
    if (known !== undefined) return known
    const ref = tagNames.push(name)
    tagRefs.set(key, ref)
    return ref
  }

  const mapped: Column[] = plan.targets.flatMap((target, index): Column[] => {
    if (target === null) return []
    if (!isFieldName(target)) {
      const read: Reader = (cell) => readText(cell, 10_000)
      return [{ index, read, field: null, customKey: target.slice('custom:'.length), slot: slotOf('custom_fields') }]
    }
    const read = readerOf(fields[target].kind, plan.dateOrders[index] ?? 'dmy')
    const slot = target === 'full_name' ? slotOf('first_name') : target === 'tags' ? slotOf('tag_refs') : slotOf(target)
    if (target === 'full_name') slotOf('last_name')
    if (target === 'phone') slotOf('phone_key')
    return [{ index, read, field: target, customKey: null, slot }]
  })
  const emailColumn = mapped.find(({ field }) => field === 'email')
  const commonRefs = plan.tags.map(refOf)
  if (commonRefs.length) slotOf('tag_refs')
  const slots = { last: columns.indexOf('last_name'), phoneKey: columns.indexOf('phone_key') }
  const slotsOfTags = columns.indexOf('tag_refs')
  const slotOfCustom = columns.indexOf('custom_fields')

  function read(record: CsvRecord): StagedRow | FailedRow {
    const { cells } = record
    if (record.problem) return failure(record, null, record.problem, problemTexts[record.problem])
    for (let extra = plan.targets.length; extra < cells.length; extra++) {
      if (cells[extra]!.trim())
        return failure(record, null, 'too_many_cells', tooManyCells(cells.length, plan.targets.length))
    }
    const values = Array.from<string | null>({ length: columns.length }).fill(null)
    const refs = commonRefs.length ? new Set(commonRefs) : null
    let rowRefs = refs
    let custom: Record<string, string> | null = null

    for (const column of mapped) {
      const cell = (cells[column.index] ?? '').trim()
      if (cell === '') continue
      if (unstorable.test(cell)) return failure(record, plan.header[column.index]!, 'undecodable', undecodable)
      const { field } = column
      let problem: ValueProblem | null = null
      if (field === 'tags') {
        const names = readTags(cell)
        if (names instanceof ValueProblem) problem = names
        else for (const name of names) (rowRefs ??= new Set()).add(refOf(name))
      } else if (field === 'phone') {
        const phone = readPhone(cell, plan.country)
        if (phone instanceof ValueProblem) problem = phone
        else {
          values[column.slot] = phone.typed
          values[slots.phoneKey] = phone.key
        }
      } else {
        const value = column.read(cell)
        if (value instanceof ValueProblem) problem = value
        else if (field === 'full_name') {
          const { first_name, last_name } = splitFullName(value)
          values[column.slot] ??= first_name
          values[slots.last] ??= last_name
        } else if (column.customKey !== null) (custom ??= {})[column.customKey] = value
        else if (field === 'notes' && values[column.slot] !== null) values[column.slot] += `\n${value}`
        else values[column.slot] = value
      }
      if (problem) return failure(record, plan.header[column.index]!, problem.code, problem.detail)
    }

    const email = values[0]
    if (email === null || email === undefined) {
      return failure(record, plan.header[emailColumn!.index]!, 'required', 'An e-mail address is needed.')
    }
    if (rowRefs?.size) values[slotsOfTags] = `{${[...rowRefs].join(',')}}`
    if (custom) {
      const text = JSON.stringify(custom)
      if (text.length > customBytesMax)
        return failure(record, null, 'too_long', 'The custom fields are larger than 64 KiB together.')
      values[slotOfCustom] = text
    }
    return { id: newId(), line: record.line, emailKey: email.toLowerCase(), content: values.map(copyText).join('\t') }
  }

  return { columns: columns as readonly StagedColumn[], tagNames: tagNames as readonly string[], read }
}

const problemTexts: Record<RecordProblem, string> = {
  bad_quote: 'A quotation mark is opened and not closed rightly on this line.',
  record_too_long: 'This line is longer than 256 KiB.',
  too_many_columns: 'This line has more than 500 columns.',
}

// NUL cannot be stored, and U+FFFD stands where bytes did not fit the encoding.
const unstorable = /[\0\ufffd]/
const undecodable = 'This cell holds characters that the chosen encoding cannot read.'

function tooManyCells(found: number, expected: number): string {
  return `This line has ${found} cells where the header has ${expected}: is a text with a comma missing its quotes?`
}

function failure(record: CsvRecord, column: string | null, code: string, detail: string): FailedRow {
  return { line: record.line, cells: record.cells, column, code, detail }
}

const special = /[\\\t\n\r]/
const specialAll = /[\\\t\n\r]/g
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function copyText(value: string | null): string {
  if (value === null) return '\\N'
  return special.test(value) ? value.replace(specialAll, (character) => escapes[character]!) : value
}
