/**
 * Rows of a workbook's sheet as records. Dates become ISO dates, truth values TRUE and FALSE, formulas what they last
 * came to. The workbook itself is held in memory (see `zip.ts` for its limits); its rows stream.
 */
import type { Readable } from 'node:stream'
import { Invalid } from '#platform/errors.ts'
import { columnsMax, keptLength, type FileRecord, type Place } from './record.ts'
import { checkWorkbook, spreadsheetBytesMax } from './zip.ts'

export interface Workbook {
  bytes: Buffer
  sheets: string[]
  /** In all sheets together. */
  rows: number
}

export async function openWorkbook(source: Readable): Promise<Workbook> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > spreadsheetBytesMax)
      throw Invalid.at('/file', 'file_too_large', 'A spreadsheet has at most 50 MB here.')
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const rows = await checkWorkbook(bytes)
  return { bytes, rows, sheets: await sheetsOf(bytes) }
}

/** Visible sheets first, in their order; hidden ones can be chosen all the same. */
async function sheetsOf(bytes: Buffer): Promise<string[]> {
  const names: { name: string; hidden: boolean }[] = []
  await reading(async () => {
    const { readXlsx } = await import('hucre/xlsx')
    await readXlsx(bytes, {
      sheets: (info) => {
        names.push({ name: info.name, hidden: Boolean(info.hidden || info.veryHidden) })
        return false
      },
    })
  })
  if (!names.length) throw Invalid.at('/file', 'empty_file', 'The workbook has no sheet.')
  return [...names.filter(({ hidden }) => !hidden), ...names.filter(({ hidden }) => hidden)].map(({ name }) => name)
}

/** The rows from `from` on; the number of a row is the one that the spreadsheet shows. */
export async function* rowsOf(workbook: Workbook, sheet: string, from: Place): AsyncGenerator<FileRecord> {
  const { streamXlsxRows } = await import('hucre/xlsx')
  const rows = streamXlsxRows(workbook.bytes, { sheet })[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await reading(() => rows.next())
      if (done) return
      if (value.index < from.offset) continue
      const record = toRecord(value.index, value.values)
      if (record) yield record
    }
  } finally {
    await rows.return?.(undefined)
  }
}

function toRecord(index: number, values: unknown[]): FileRecord | null {
  const crowded = values.length > columnsMax && values.slice(columnsMax).some((value) => value !== null && value !== '')
  const cells = values.slice(0, columnsMax).map(toText)
  while (cells.length && cells.at(-1) === '') cells.pop()
  if (!crowded && !cells.some((cell) => cell.trim())) return null
  return {
    cells: crowded ? [cells.join(' ').slice(0, keptLength)] : cells,
    line: index + 1,
    next: { offset: index + 1, line: index + 2 },
    problem: crowded ? 'too_many_columns' : null,
  }
}

/** Errors of formulas (#N/A) are no values. */
function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return /^#(?:N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NUM!|NULL!)$/.test(value) ? '' : value
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'number') return plainNumber(value)
  if (value instanceof Date) return dateText(value)
  if (typeof value === 'object' && 'text' in value) return String(value.text)
  return typeof value === 'object' && 'error' in value ? '' : JSON.stringify(value)
}

/** A telephone number in a numeric cell must not come out as 3.3612345678e+10, nor 0.1 + 0.2 as it is held. */
function plainNumber(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString()
  return Number(value.toPrecision(15)).toString()
}

function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) return ''
  const iso = date.toISOString()
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.slice(0, 19)
}

/** Whatever the library says of a file that is none becomes a sentence; it is the file's fault, never ours. */
async function reading<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Invalid) throw error
    const detail = 'This workbook cannot be read. Open it in a spreadsheet program and save it as .xlsx or CSV again.'
    throw Invalid.at('/file', 'broken_workbook', detail)
  }
}
