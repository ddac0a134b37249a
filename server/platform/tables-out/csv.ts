/** CSV as every spreadsheet reads it (RFC 4180): UTF-8 with its mark, commas, quotes where they are needed. */
import { guardCell } from './spreadsheet-safe.ts'
import { cellText, type Batches, type Cell, type Column } from './table.ts'

export interface CsvOptions {
  /** Puts an apostrophe before what a spreadsheet would compute; see `spreadsheet-safe.ts`. */
  safe: boolean
}

export const byteOrderMark = '\ufeff'

export function csvLine(cells: readonly Cell[], { safe }: CsvOptions = { safe: true }): string {
  const texts = cells.map((cell) => csvCell(safe && typeof cell === 'string' ? guardCell(cell) : cellText(cell)))
  return `${texts.join(',')}\r\n`
}

function csvCell(text: string): string {
  // Quoted too: what a reader that trims would change.
  return /[",\r\n;]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export async function* writeCsv(columns: Column[], batches: Batches, options: CsvOptions): AsyncGenerator<string> {
  yield (
    byteOrderMark +
      csvLine(
        columns.map(({ header }) => header),
        options,
      )
  )
  for await (const rows of batches) {
    let text = ''
    for (const row of rows) text += csvLine(row, options)
    if (text) yield text
  }
}
