/**
 * XLSX as a stream of constant memory. Text is a typed string and never a formula; times are dates (UTC); the header is
 * bold and stays in view; what does not fit one sheet goes on in the next.
 */
import { Readable } from 'node:stream'
import { writeXlsxStream, XLSX_MAX_ROWS_PER_SHEET } from 'hucre/xlsx'
import type { Batches, Cell, CellKind, Column } from './table.ts'

export interface XlsxOptions {
  sheetName: string
  /** Excel's limit unless a test wants less. */
  rowsPerSheet?: number
}

const cellLengthMax = 32_767

export function writeXlsx(columns: Column[], batches: Batches, options: XlsxOptions): Readable {
  const rowsPerSheet = options.rowsPerSheet ?? XLSX_MAX_ROWS_PER_SHEET
  const stream = writeXlsxStream(rowsOf(columns, batches), {
    name: sheetName(options.sheetName),
    columns: columns.map((column) => styled(column, rowsPerSheet)),
    freezePane: { rows: 1 },
    maxRowsPerSheet: rowsPerSheet,
  })
  return Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0])
}

const formats: Partial<Record<CellKind, string>> = { time: 'yyyy-mm-dd hh:mm', date: 'yyyy-mm-dd', money: '#,##0.00' }
const widths: Record<CellKind, number> = { text: 24, number: 12, money: 14, time: 18, date: 12, yes_no: 10 }

/**
 * The library gives a header the style of its column, and asks for that style once for each row: so the first answer of
 * each sheet is the header's. A test looks at the files that come of it.
 */
function styled({ header, kind }: Column, rowsPerSheet: number) {
  let row = 0
  const own = formats[kind] ? { numFmt: formats[kind] } : undefined
  return {
    header: xlsxText(header),
    width: Math.min(60, Math.max(widths[kind], header.length + 3)),
    get style() {
      return row++ % rowsPerSheet === 0 ? { font: { bold: true } } : own
    },
  }
}

async function* rowsOf(columns: Column[], batches: Batches): AsyncGenerator<Cell[]> {
  for await (const rows of batches) {
    for (const row of rows) yield row.map((cell, index) => toXlsx(cell, columns[index]?.kind ?? 'text'))
  }
}

function toXlsx(cell: Cell, kind: CellKind): Cell {
  if (typeof cell !== 'string') return cell
  if (kind !== 'number' && kind !== 'money') return xlsxText(cell)
  // A number that binary fractions would alter is shown as it is, as text.
  const number = Number(cell)
  return cell !== '' && Number.isFinite(number) && cell.replace('-', '').replace('.', '').length <= 15 ? number : cell
}

/** `_x0041_` would be read as "A": its underscore is escaped. Control characters the library escapes itself. */
function xlsxText(text: string): string {
  const wellFormed = text
    .toWellFormed()
    .replace(/_(?=x[0-9a-f]{4}_)/gi, '_x005F_')
    .replace(/[\ufffe\uffff]/g, '\ufffd')
  return wellFormed.length > cellLengthMax ? `${wellFormed.slice(0, cellLengthMax - 1).toWellFormed()}…` : wellFormed
}

function sheetName(name: string): string {
  const clean = name
    .replace(/[\\/?*[\]:\p{Cc}]/gu, ' ')
    .replace(/^'+|'+$/g, '')
    .trim()
  return clean.slice(0, 31).toWellFormed() || 'Sheet'
}
