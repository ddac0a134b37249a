/** The result of a report as a file. */
import { buffer } from 'node:stream/consumers'
import { writeCsv } from '#platform/tables-out/csv.ts'
import { writeXlsx } from '#platform/tables-out/xlsx.ts'
import type { Cell } from '#platform/tables-out/table.ts'
import type { Language } from './labels.ts'
import type { ReportResult } from './run.ts'
import { toTable } from './table.ts'

export const reportFormats = ['csv', 'xlsx', 'pdf'] as const
export type ReportFormat = (typeof reportFormats)[number]

export interface Heading {
  name: string
  workspace: string
  language: Language
}

/** Small enough to be held whole: a report has a thousand rows at most. */
export async function renderReport(format: ReportFormat, result: ReportResult, heading: Heading): Promise<Buffer> {
  const table = toTable(result, heading.language)
  const notes = table.notes.map((note): Cell[] => [note, ...table.columns.slice(1).map(() => null)])
  const rows = [...table.rows, table.totals, ...notes]
  switch (format) {
    case 'csv': {
      const parts: string[] = []
      for await (const part of writeCsv(table.columns, [rows], { safe: true })) parts.push(part)
      return Buffer.from(parts.join(''))
    }
    case 'xlsx':
      return buffer(writeXlsx(table.columns, [rows], { sheetName: heading.name }))
    case 'pdf': {
      // Printing loads fonts and a layout engine, which most processes never need.
      const { printReport } = await import('./pdf.ts')
      return printReport(table, result, heading)
    }
    default:
      return format satisfies never
  }
}
