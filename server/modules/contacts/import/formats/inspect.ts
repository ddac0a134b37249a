/**
 * Watches an upload go by: what it is, by its first bytes and not by its name, and whether it can be read at all. What
 * cannot is refused at once, so that a hostile file is neither stored nor read to its end.
 */
import { Invalid, TooLarge } from '#platform/errors.ts'
import { recordLengthMax } from './csv.ts'
import { createEncodingJudge, type Encoding } from './encoding.ts'
import { spreadsheetBytesMax } from './zip.ts'

export const formats = ['csv', 'xlsx', 'vcard', 'json'] as const
export type Format = (typeof formats)[number]

export interface Inspection {
  format: Format
  encoding: Encoding
  /** About the number of records; 0 where only reading would tell. */
  lines: number
}

/** Photos in vCards and JSON without line ends run long; in a table such a line is no table. */
const lineLengthMax: Record<Format, number> = {
  csv: recordLengthMax * 4,
  vcard: 16 * 1024 * 1024,
  json: Number.POSITIVE_INFINITY,
  xlsx: Number.POSITIVE_INFINITY,
}

export function createInspector() {
  const encoding = createEncodingJudge()
  let format: Format | null = null
  let lines = 0
  let cards = 0
  let bytes = 0
  let sinceLineEnd = 0

  return {
    inspect(chunk: Buffer): void {
      if (!chunk.length) return
      format ??= formatOf(chunk)
      bytes += chunk.length
      if (format === 'xlsx') {
        if (bytes > spreadsheetBytesMax)
          throw new TooLarge('file_too_large', 'A spreadsheet has at most 50 MB here. Save larger ones as CSV.')
        return
      }
      encoding.watch(chunk)
      if (!encoding.isWide && chunk.includes(0)) throw notText()
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      if (format === 'vcard') cards += countCards(chunk)
      const lastEnd = Math.max(chunk.lastIndexOf(10), chunk.lastIndexOf(13))
      sinceLineEnd = lastEnd < 0 ? sinceLineEnd + chunk.length : chunk.length - 1 - lastEnd
      if (sinceLineEnd > lineLengthMax[format]) {
        const detail = `A line is longer than ${recordLengthMax / 1024} KiB. Is this a CSV file?`
        throw Invalid.at('/file', 'line_too_long', detail)
      }
    },
    finish(): Inspection {
      const found = format ?? 'csv'
      if (found === 'xlsx') return { format: found, encoding: 'utf-8', lines: 0 }
      const counted = { csv: lines + (sinceLineEnd > 0 ? 1 : 0), vcard: cards, json: lines }
      return { format: found, encoding: encoding.finish(), lines: counted[found] }
    },
  }
}

function countCards(chunk: Buffer): number {
  let count = 0
  for (let at = chunk.indexOf('END:VCARD'); at >= 0; at = chunk.indexOf('END:VCARD', at + 9)) count++
  return count
}

function notText(): Invalid {
  return Invalid.at(
    '/file',
    'not_text',
    'This is neither a text file nor an .xlsx workbook. Save the table as CSV and send that.',
  )
}

/** Beginnings of what people send by mistake, and the sentence that helps them. */
const refused: [signature: string, detail: string][] = [
  [
    '\xd0\xcf\x11\xe0',
    'This is an old Excel file (.xls), or one with a password. Open it and save it as .xlsx or CSV, without a password.',
  ],
  ['%PDF', 'This is a PDF. Export the table itself as CSV or .xlsx.'],
  ['\x1f\x8b', 'This file is compressed. Unpack it and send what is inside.'],
  ['Rar!', 'This file is compressed. Unpack it and send what is inside.'],
  ['7z\xbc\xaf', 'This file is compressed. Unpack it and send what is inside.'],
  ['<!DOCTYPE', 'This is a web page. Export the table as CSV or .xlsx.'],
  ['<html', 'This is a web page. Export the table as CSV or .xlsx.'],
  ['<?xml', 'This is an XML file. Export the table as CSV or .xlsx.'],
]

function formatOf(chunk: Buffer): Format {
  if (chunk.subarray(0, 4).toString('latin1') === 'PK\x03\x04') return 'xlsx'
  const start = chunk.subarray(0, 200).toString('latin1')
  const found = refused.find(([signature]) => start.trimStart().startsWith(signature))
  if (found) throw Invalid.at('/file', 'wrong_format', found[1])
  // Zeros go, so that UTF-16 reads like the rest; so do byte order marks.
  const text = start.replace(/\0|^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)/g, '').trimStart()
  if (/^BEGIN:VCARD/i.test(text)) return 'vcard'
  return /^\[\s*\{|^\{\s*"|^\[\s*\]/.test(text) ? 'json' : 'csv'
}
