/** How a CSV file is laid out, judged from its beginning: line ends, delimiter, a `sep=` line, a header. */
import { isEmail } from '#platform/http/validation.ts'
import { fieldOfHeader } from '../mapping.ts'
import { createSplitter, type CsvFormat } from './csv.ts'
import type { FileRecord } from './record.ts'

export const delimiters = [',', ';', '\t', '|'] as const

export interface Layout extends CsvFormat {
  hasHeader: boolean
}

/** What a person says goes before what is found. */
export function detectLayout(
  sample: string,
  told: { delimiter?: string | undefined; hasHeader?: boolean | undefined },
): Layout {
  const newline = sample.includes('\n') || !sample.includes('\r') ? '\n' : '\r'
  const named = /^sep=(.)\r?\n/i.exec(sample)?.[1]
  const delimiter = told.delimiter ?? named ?? bestDelimiter(sample, newline)
  const first = readSample(sample, { delimiter, newline }, 1)[0]
  return { delimiter, newline, hasHeader: told.hasHeader ?? (first ? looksLikeHeader(first.cells) : true) }
}

/** The records at the beginning, without a `sep=` line; the last is left out where the sample may have cut it. */
export function readSample(sample: string, format: CsvFormat, count: number, isWhole = false): FileRecord[] {
  const splitter = createSplitter(format)
  const complete = isWhole ? sample : sample.slice(0, sample.lastIndexOf(format.newline) + 1) || sample
  return splitter
    .read(complete, true)
    .filter((record) => !isSeparatorLine(record))
    .slice(0, count)
}

/** Spreadsheets write `sep=;` above the header to say what separates; it is no record. */
export function isSeparatorLine(record: FileRecord): boolean {
  return (
    record.line === 1 && /^sep=.?$/i.test(record.cells[0] ?? '') && record.cells.slice(1).every((cell) => cell === '')
  )
}

/** The delimiter that cuts the first records into the most columns of the same number. */
function bestDelimiter(sample: string, newline: '\n' | '\r'): string {
  let best: string = ','
  let bestScore = 0
  for (const delimiter of delimiters) {
    const widths = readSample(sample, { delimiter, newline }, 50)
      .filter(({ problem }) => !problem)
      .map(({ cells }) => cells.length)
    const width = widths[0] ?? 1
    if (width < 2) continue
    const agreeing = widths.filter((each) => each === width).length / widths.length
    const score = agreeing * agreeing * Math.min(width, 20)
    if (score > bestScore) [best, bestScore] = [delimiter, score]
  }
  return best
}

export function looksLikeHeader(cells: string[]): boolean {
  const texts = cells.map((cell) => cell.trim())
  if (texts.some((text) => isEmail(text))) return false
  if (texts.some((text) => fieldOfHeader(text))) return true
  return !texts.some((text) => /^[\d\s.,:/+-]+$/.test(text) && text !== '')
}
