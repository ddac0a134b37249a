/** The records of a stored file from any place on, whatever its format. */
import type { Readable } from 'node:stream'
import { createCardSplitter } from './vcard.ts'
import { createSplitter } from './csv.ts'
import { decode, type Encoding } from './encoding.ts'
import type { Format } from './inspect.ts'
import { createJsonSplitter } from './json.ts'
import { isSeparatorLine } from './layout.ts'
import type { FileRecord, Place, Splitter } from './record.ts'
import { openWorkbook, rowsOf } from './xlsx.ts'

export interface FileLayout {
  format: Format
  encoding: Encoding
  delimiter: string
  newline: '\n' | '\r'
  has_header: boolean
  header: string[]
  sheet: string | null
}

export interface Read {
  record: FileRecord
  /** Of the file, read so far. */
  bytes: number
}

/** Without the header and what is no record. */
export async function* readRecords(
  source: Readable,
  layout: FileLayout,
  from: Place,
  sizeBytes: number,
): AsyncGenerator<Read> {
  let headerPending = layout.has_header && from.offset === 0
  const all = layout.format === 'xlsx' ? ofWorkbook(source, layout, from, sizeBytes) : ofText(source, layout, from)
  for await (const read of all) {
    if (layout.format === 'csv' && isSeparatorLine(read.record)) continue
    if (headerPending) headerPending = false
    else yield read
  }
}

async function* ofText(source: Readable, layout: FileLayout, from: Place): AsyncGenerator<Read> {
  const splitter = splitterOf(layout, from)
  let toSkip = from.offset
  for await (const { text, bytes, isLast } of decode(source, layout.encoding)) {
    const fresh = toSkip >= text.length ? '' : toSkip > 0 ? text.slice(toSkip) : text
    toSkip = Math.max(0, toSkip - text.length)
    for (const record of splitter.read(fresh, isLast)) yield { record, bytes }
  }
}

function splitterOf(layout: FileLayout, from: Place): Splitter {
  switch (layout.format) {
    case 'csv':
    case 'xlsx':
      return createSplitter(layout, from)
    case 'vcard':
      return createCardSplitter(layout.header, from)
    case 'json':
      return createJsonSplitter(layout.header, from)
    default:
      return layout.format satisfies never
  }
}

async function* ofWorkbook(source: Readable, layout: FileLayout, from: Place, sizeBytes: number): AsyncGenerator<Read> {
  const workbook = await openWorkbook(source)
  let rows = 0
  for await (const record of rowsOf(workbook, layout.sheet ?? workbook.sheets[0]!, from)) {
    rows = record.next.offset
    yield { record, bytes: Math.floor((sizeBytes * Math.min(rows, workbook.rows)) / Math.max(1, workbook.rows)) }
  }
}
