/**
 * Turns records into rows of the staging table: checks every mapped cell, brings it into its column's form, and writes
 * the line of `COPY` text. A record is either wholly good or a listed failure; nothing is dropped silently, and the
 * "no" of a record that fails is kept.
 */
import { newId } from '#platform/ids.ts'
import { unguardCell } from '#platform/tables-out/spreadsheet-safe.ts'
import { createColumns, type Draft, type RowPlan } from './columns.ts'
import type { FileRecord, RecordProblem } from './formats/record.ts'

export type { RowPlan } from './columns.ts'

export interface FailedRow {
  line: number
  cells: string[]
  column: string | null
  code: string
  detail: string
}

/** A row that failed, and what of it counts all the same: COPY text with the address and the "no" alone. */
export interface Failure {
  failed: FailedRow
  refusal: Pick<StagedRow, 'emailKey' | 'content'> | null
}

export interface StagedRow {
  id: string
  line: number
  emailKey: string
  /** COPY text of every staged column after line, wave and ids. */
  content: string
  /** Whether it says that somebody left, or does not want something: that counts in every mode. */
  saysNo: boolean
  /** The same for the same name and number; null where either is missing. */
  likeness: string | null
}

const customBytesMax = 64 * 1024

export function createRowReader(plan: RowPlan) {
  const columns = createColumns(plan)
  const { staged, mapped, commonRefs, slots } = columns
  const emailHeader = plan.header[mapped.find(({ field }) => field === 'email')!.index]!
  const [first, last, phoneKey] = (['first_name', 'last_name', 'phone_key'] as const).map((name) =>
    staged.indexOf(name),
  )

  function read(record: FileRecord): StagedRow | Failure {
    const { cells } = record
    if (record.problem) return failure(record, null, record.problem, problemTexts[record.problem])
    const draft: Draft = {
      values: Array.from<string | null>({ length: staged.length }).fill(null),
      refs: commonRefs.length ? new Set(commonRefs) : null,
      custom: null,
      status: null,
      never: false,
    }
    let failed: FailedRow | null = null
    const fail = (column: string | null, code: string, detail: string): void =>
      void (failed ??= { line: record.line, cells, column, code, detail })
    for (let extra = plan.targets.length; extra < cells.length; extra++) {
      if (cells[extra]!.trim()) fail(null, 'too_many_cells', tooManyCells(cells.length, plan.targets.length))
    }
    for (const { index, write, alwaysRead } of mapped) {
      if (failed && !alwaysRead) continue
      const cell = unguardCell((cells[index] ?? '').trim()).trim()
      if (cell === '') continue
      const problem = unstorable.test(cell) ? { code: 'undecodable', detail: undecodable } : write(cell, draft)
      if (problem) fail(plan.header[index]!, problem.code, problem.detail)
    }
    const saysNo = settleConsent(draft)
    if (!failed && draft.values[0] === null) fail(emailHeader, 'required', 'An e-mail address is needed.')
    if (draft.custom) {
      const text = JSON.stringify(draft.custom)
      if (text.length > customBytesMax) fail(null, 'too_long', 'The custom fields are larger than 64 KiB together.')
      draft.values[slots.custom] = text
    }
    if (failed) return { failed, refusal: saysNo && draft.values[0] ? refusalOf(draft) : null }
    if (draft.refs?.size) draft.values[slots.tags] = `{${[...draft.refs].join(',')}}`
    const { values } = draft
    return {
      id: newId(),
      line: record.line,
      emailKey: values[0]!.toLowerCase(),
      content: values.map(copyText).join('\t'),
      saysNo,
      likeness: likenessOf(values),
    }
  }

  /** Puts the strictest of what the columns say into the row; answers whether there is a "no" in it. */
  function settleConsent({ values, status, never }: Draft): boolean {
    if (slots.status >= 0) values[slots.status] = status
    if (never) values[slots.newsletter] = values[slots.marketing] = 'f'
    return (
      (status !== null && status !== 'active') || values[slots.newsletter] === 'f' || values[slots.marketing] === 'f'
    )
  }

  function refusalOf({ values }: Draft): Failure['refusal'] {
    const kept: number[] = [slots.email, slots.status, slots.newsletter, slots.marketing]
    const content = values.map((value, slot) => copyText(kept.includes(slot) ? value : null)).join('\t')
    return { emailKey: values[0]!.toLowerCase(), content }
  }

  function likenessOf(values: (string | null)[]): string | null {
    const phone = values[phoneKey!]
    const name = `${values[first!] ?? ''} ${values[last!] ?? ''}`.trim()
    return phone && name ? `${phone} ${name.toLowerCase()}` : null
  }

  return {
    columns: staged as readonly (typeof staged)[number][],
    tagNames: columns.tagNames as readonly string[],
    read,
  }
}

const problemTexts: Record<RecordProblem, string> = {
  bad_quote: 'A quotation mark is opened and not closed rightly on this line.',
  record_too_long: 'This entry is longer than a contact can be.',
  too_many_columns: 'This line has more than 500 columns.',
  unreadable: 'This entry cannot be read.',
}

// NUL cannot be stored, and U+FFFD stands where bytes did not fit the encoding.
const unstorable = /[\0\ufffd]/
const undecodable = 'This cell holds characters that the chosen encoding cannot read.'

function tooManyCells(found: number, expected: number): string {
  return `This line has ${found} cells where the header has ${expected}: is a text with a comma missing its quotes?`
}

function failure(record: FileRecord, column: string | null, code: string, detail: string): Failure {
  return { failed: { line: record.line, cells: record.cells, column, code, detail }, refusal: null }
}

const special = /[\\\t\n\r]/
const specialAll = /[\\\t\n\r]/g
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function copyText(value: string | null): string {
  if (value === null) return '\\N'
  return special.test(value) ? value.replace(specialAll, (character) => escapes[character]!) : value
}
