/** A report on pages: a title, the table with its header on every page, the totals, and page numbers. */
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Cell, CellKind } from '#platform/tables-out/table.ts'
import type { Heading } from './files.ts'
import { word } from './labels.ts'
import type { ReportResult } from './run.ts'
import type { ReportTable } from './table.ts'

interface Printer {
  setFonts(fonts: Record<string, Record<string, string>>): void
  setUrlAccessPolicy(allows: (url: string) => boolean): void
  setLocalAccessPolicy(allows: (path: string) => boolean): void
  createPdf(document: object): { getBuffer(): Promise<Buffer> }
}

const locales = { en: 'en-GB', fr: 'fr-FR', ro: 'ro-RO' }
const landscapeFrom = 6
const cellLengthMax = 300

export async function printReport(table: ReportTable, result: ReportResult, heading: Heading): Promise<Buffer> {
  return (await loadPrinter()).createPdf(documentOf(table, result, heading)).getBuffer()
}

let printer: Promise<Printer> | undefined

/** Knows its own fonts alone: nothing in a document can make it read another file, or an address. */
function loadPrinter(): Promise<Printer> {
  printer ??= (async () => {
    const { default: made } = (await import('pdfmake')) as { default: Printer }
    const folder = path.join(
      path.dirname(createRequire(import.meta.url).resolve('pdfmake/package.json')),
      'fonts/Roboto',
    )
    const font = (name: string) => path.join(folder, `Roboto-${name}.ttf`)
    made.setFonts({
      Roboto: {
        normal: font('Regular'),
        bold: font('Medium'),
        italics: font('Italic'),
        bolditalics: font('MediumItalic'),
      },
    })
    made.setUrlAccessPolicy(() => false)
    made.setLocalAccessPolicy((asked) => path.resolve(asked).startsWith(folder + path.sep))
    return made
  })()
  return printer
}

function documentOf(table: ReportTable, result: ReportResult, { name, workspace, language }: Heading): object {
  const { columns } = table
  const header = columns.map(({ header: text, kind }) => ({ text: clean(text), bold: true, alignment: sideOf(kind) }))
  const line = (cells: Cell[], more: object = {}) =>
    cells.map((cell, index) => ({
      text: clean(show(cell, index, table, result, language)),
      alignment: sideOf(columns[index]!.kind),
      ...more,
    }))
  const isWide = columns.length >= landscapeFrom
  return {
    info: { title: clean(name), author: clean(workspace), creator: 'Rapport', producer: 'Rapport' },
    pageSize: 'A4',
    pageOrientation: isWide ? 'landscape' : 'portrait',
    pageMargins: [40, 50, 40, 50],
    defaultStyle: { font: 'Roboto', fontSize: columns.length > 10 ? 7 : 9 },
    footer: (page: number, pages: number) => ({
      text: `${word('page', language)} ${page} / ${pages}`,
      alignment: 'right',
      fontSize: 8,
      margin: [40, 15],
    }),
    content: [
      { text: clean(name), fontSize: 16, bold: true },
      { text: clean(subtitle(result, workspace, language)), color: '#555555', margin: [0, 2, 0, 12] },
      ...(table.rows.length || !result.groups.length
        ? [
            {
              layout: 'lightHorizontalLines',
              table: {
                headerRows: 1,
                widths: columns.map(({ kind }) => (kind === 'text' ? '*' : 'auto')),
                body: [header, ...table.rows.map((row) => line(row)), line(table.totals, { bold: true })],
              },
            },
          ]
        : []),
      ...table.notes.map((text) => ({ text: clean(text), italics: true, margin: [0, 8, 0, 0] })),
    ],
  }
}

function subtitle(result: ReportResult, workspace: string, language: Heading['language']): string {
  const day = (text: string) =>
    new Intl.DateTimeFormat(locales[language], { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(text))
  const { period } = result
  const days = period && [period.from && day(period.from), period.to && day(period.to)]
  const made = new Intl.DateTimeFormat(locales[language], {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: result.timezone,
  }).format(new Date(result.computed_at))
  return [workspace, ...(days ? [days.map((one) => one ?? '…').join(` ${word('until', language)} `)] : []), made].join(
    ' · ',
  )
}

function show(
  cell: Cell,
  index: number,
  { columns }: ReportTable,
  result: ReportResult,
  language: Heading['language'],
): string {
  if (cell === null) return ''
  const locale = locales[language]
  if (cell instanceof Date) {
    return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: result.timezone }).format(cell)
  }
  const { kind } = columns[index]!
  if (kind === 'money') {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency: result.currency })
    return format.format(cell as unknown as number)
  }
  if (typeof cell !== 'number') return String(cell)
  const options = isShare(index, columns.length, result)
    ? { style: 'percent' as const, maximumFractionDigits: 1 }
    : { maximumFractionDigits: 6 }
  return new Intl.NumberFormat(locale, options).format(cell)
}

/** Which measure a column is of: two columns each where periods are compared. */
function isShare(index: number, length: number, { measures, totals }: ReportResult): boolean {
  const each = totals.previous ? 2 : 1
  const place = index - (length - measures.length * each)
  return place >= 0 && measures[Math.floor(place / each)]!.kind === 'share'
}

function sideOf(kind: CellKind): 'left' | 'right' {
  return kind === 'text' ? 'left' : 'right'
}

/** One line of characters that the font has: French numbers are set with a space that it lacks. */
function clean(text: string): string {
  const plain = text
    .toWellFormed()
    .replace(/[\u202f\u2009]/g, '\u00a0')
    .replace(/\p{Cc}/gu, ' ')
  return plain.length > cellLengthMax ? `${plain.slice(0, cellLengthMax - 1).toWellFormed()}…` : plain
}
