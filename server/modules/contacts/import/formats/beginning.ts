/** The beginning of a stored file: what it seems to be, its header, and some of its rows. */
import type { Readable } from 'node:stream'
import { Invalid } from '#platform/errors.ts'
import { decode, type Encoding } from './encoding.ts'
import type { Format } from './inspect.ts'
import { createJsonSplitter, jsonHeader } from './json.ts'
import { detectLayout, looksLikeHeader, readSample } from './layout.ts'
import type { FileRecord } from './record.ts'
import type { FileLayout } from './stream.ts'
import { cardHeader, createCardSplitter, readCards } from './vcard.ts'
import { openWorkbook, rowsOf } from './xlsx.ts'

export interface Told {
  encoding?: Encoding | undefined
  delimiter?: string | undefined
  has_header?: boolean | undefined
  sheet?: string | undefined
}

export interface Beginning {
  layout: FileLayout
  /** Of a workbook. */
  sheets: string[]
  /** Without the header, and without what cannot be read. */
  rows: string[][]
}

const sampleLength = 100_000
const sampleRecordsMax = 1_000

/** What a person says goes before what is found. */
export async function readBeginning(
  source: Readable,
  file: { format: Format; encoding: Encoding },
  told: Told,
): Promise<Beginning> {
  if (file.format === 'xlsx') return ofWorkbook(source, told)
  const encoding = told.encoding ?? file.encoding
  const { text, isWhole } = await readStart(source, encoding, file.format === 'csv' ? 1 : 10)
  if (file.format === 'csv') return ofCsv(text, isWhole, encoding, told)
  const header = file.format === 'vcard' ? cardHeader(readCards(text)) : jsonHeader(text)
  const splitter = file.format === 'vcard' ? createCardSplitter(header) : createJsonSplitter(header)
  const records = splitter.read(text, isWhole).slice(0, sampleRecordsMax)
  if (!records.length) throw Invalid.at('/file', 'empty_file', 'The file has no entries that can be read.')
  const layout = { ...plain, format: file.format, encoding, has_header: false, header, sheet: null }
  return { layout, sheets: [], rows: readable(records) }
}

/** Formats without delimiters of their own. */
const plain = { delimiter: ',', newline: '\n' } as const

function ofCsv(text: string, isWhole: boolean, encoding: Encoding, told: Told): Beginning {
  const found = detectLayout(text, { delimiter: told.delimiter, hasHeader: told.has_header })
  const records = readSample(text, found, sampleRecordsMax, isWhole)
  const head = requireHead(records)
  const header = found.hasHeader ? nameColumns(head.cells) : numberColumns(head.cells)
  const { delimiter, newline, hasHeader: has_header } = found
  const layout: FileLayout = { format: 'csv', encoding, delimiter, newline, has_header, header, sheet: null }
  return { layout, sheets: [], rows: readable(has_header ? records.slice(1) : records) }
}

async function ofWorkbook(source: Readable, told: Told): Promise<Beginning> {
  const workbook = await openWorkbook(source)
  const { sheets } = workbook
  if (told.sheet !== undefined && !sheets.includes(told.sheet))
    throw Invalid.at(
      '/sheet',
      'unknown_sheet',
      `The workbook has no such sheet; it has ${sheets.slice(0, 20).join(', ')}.`,
    )
  // The first sheet that has rows, unless somebody chose one.
  let sheet = told.sheet ?? sheets[0]!
  let records: FileRecord[] = []
  for (const name of told.sheet === undefined ? sheets.slice(0, 10) : [told.sheet]) {
    records = []
    for await (const record of rowsOf(workbook, name, { offset: 0, line: 1 })) {
      if (records.push(record) >= sampleRecordsMax) break
    }
    if (!records.length) continue
    sheet = name
    break
  }
  const head = requireHead(records)
  const has_header = told.has_header ?? looksLikeHeader(head.cells)
  const header = has_header ? nameColumns(head.cells) : numberColumns(head.cells)
  const layout: FileLayout = { ...plain, format: 'xlsx', encoding: 'utf-8', has_header, header, sheet }
  return { layout, sheets, rows: readable(has_header ? records.slice(1) : records) }
}

function requireHead(records: FileRecord[]): FileRecord {
  const head = records[0]
  if (!head) throw Invalid.at('/file', 'empty_file', 'The file has no rows.')
  if (head.problem)
    throw Invalid.at('/file', head.problem, 'The first line cannot be read as columns. Is this a CSV file?')
  return head
}

function readable(records: FileRecord[]): string[][] {
  return records.filter(({ problem }) => !problem).map(({ cells }) => cells)
}

/** Cards and objects are long, so more of them is read. */
async function readStart(
  source: Readable,
  encoding: Encoding,
  times: number,
): Promise<{ text: string; isWhole: boolean }> {
  let text = ''
  try {
    for await (const piece of decode(source, encoding)) {
      text += piece.text
      if (piece.isLast) return { text, isWhole: true }
      if (text.length > sampleLength * times) return { text, isWhole: false }
    }
    return { text, isWhole: true }
  } finally {
    source.destroy()
  }
}

/** A header may name two columns alike, or not at all; each still needs a name of its own. */
function nameColumns(cells: string[]): string[] {
  const seen = new Map<string, number>()
  return cells.map((cell, index) => {
    const name = cell.trim().slice(0, 200) || `Column ${index + 1}`
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name} (${count})`
  })
}

function numberColumns(cells: string[]): string[] {
  return cells.map((_, index) => `Column ${index + 1}`)
}
