/**
 * Cuts CSV text into records, chunk by chunk. A record that cannot be read costs itself alone: after a broken quote
 * reading goes on at the very next line, so a stray quote never swallows its neighbours. (That is why this is not a
 * library: those that were tried go on at the next quote, wherever it is.)
 */
import { columnsMax, keptLength, type FileRecord, type Place, type RecordProblem, type Splitter } from './record.ts'

export interface CsvFormat {
  delimiter: string
  /** `\r` alone is what old Macs wrote; `\n` reads `\r\n` too. */
  newline: '\n' | '\r'
}

export const recordLengthMax = 256 * 1024
export function createSplitter({ delimiter, newline }: CsvFormat, start: Place = { offset: 0, line: 1 }): Splitter {
  let text = ''
  let base = start.offset
  let line = start.line
  let skipping = false // inside a line that was too long and has been reported

  function read(chunk: string, isLast: boolean): FileRecord[] {
    text = text ? text + chunk : chunk
    const records: FileRecord[] = []
    let at = 0
    let quote = text.indexOf('"')
    while (at < text.length) {
      const lineEnd = text.indexOf(newline, at)
      if (skipping) {
        if (lineEnd < 0) {
          at = text.length
          break
        }
        skipping = false
        at = lineEnd + 1
        line++
        continue
      }
      if (lineEnd < 0 && !isLast && text.length - at <= recordLengthMax) break
      const end = lineEnd < 0 ? text.length : lineEnd
      if (quote >= 0 && quote < at) quote = text.indexOf('"', at)
      const hasQuote = quote >= 0 && quote < end
      const tooLong = end - at > recordLengthMax
      const found = hasQuote && !tooLong ? readQuoted(text, at, { delimiter, newline, isLast }) : null
      if (found === 'more') break
      if (found && found !== 'bad') {
        add(records, found.cells, found.end, found.lines, null)
        at = found.end
        continue
      }
      const next = Math.min(end + 1, text.length)
      if (found === 'bad') add(records, [text.slice(at, Math.min(end, at + keptLength))], next, 1, 'bad_quote')
      else if (tooLong) add(records, [text.slice(at, at + keptLength)], next, lineEnd < 0 ? 0 : 1, 'record_too_long')
      else add(records, text.slice(at, withoutReturn(text, at, end)).split(delimiter), next, 1, null)
      if (tooLong && lineEnd < 0) skipping = true
      at = next
    }
    text = text.slice(at)
    base += at
    return records
  }

  function add(
    records: FileRecord[],
    cells: string[],
    end: number,
    lines: number,
    problem: RecordProblem | null,
  ): void {
    const began = line
    line += lines
    if (cells.length === 1 ? cells[0]!.trim() === '' : cells.every((cell) => cell.trim() === '')) return
    const crowded = cells.length > columnsMax
    records.push({
      cells: crowded ? [cells.join(delimiter).slice(0, keptLength)] : cells,
      line: began,
      next: { offset: base + end, line },
      problem: problem ?? (crowded ? 'too_many_columns' : null),
    })
  }

  return { read }
}

type Quoted = { cells: string[]; end: number; lines: number } | 'more' | 'bad'

/** A record with a quote in it: `"a ""b"" c"` is one field, and may run over lines; a quote inside a bare field is itself. */
function readQuoted(text: string, from: number, format: CsvFormat & { isLast: boolean }): Quoted {
  const { delimiter, newline, isLast } = format
  const limit = Math.min(text.length, from + recordLengthMax)
  const unfinished = (): Quoted => (isLast || text.length - from > recordLengthMax ? 'bad' : 'more')
  const cells: string[] = []
  let lines = 1
  let at = from
  for (;;) {
    let opening = at
    while (text[opening] === ' ') opening++
    if (text[opening] !== '"') {
      const comma = text.indexOf(delimiter, at)
      const lineEnd = text.indexOf(newline, at)
      if (comma >= 0 && (lineEnd < 0 || comma < lineEnd)) {
        cells.push(text.slice(at, comma))
        at = comma + 1
        continue
      }
      if (lineEnd < 0 && !isLast) return unfinished()
      const end = lineEnd < 0 ? text.length : lineEnd
      cells.push(text.slice(at, withoutReturn(text, at, end)))
      return { cells, end: lineEnd < 0 ? end : end + 1, lines }
    }
    let closing = opening + 1
    let escaped = false
    for (;;) {
      closing = text.indexOf('"', closing)
      if (closing < 0 || closing >= limit) return unfinished()
      if (text[closing + 1] !== '"') break
      escaped = true
      closing += 2
    }
    if (closing + 1 >= text.length && !isLast) return unfinished()
    const value = text.slice(opening + 1, closing)
    for (let at = value.indexOf(newline); at >= 0; at = value.indexOf(newline, at + 1)) lines++
    cells.push(escaped ? value.replaceAll('""', '"') : value)
    at = closing + 1
    while (text[at] === ' ') at++
    if (text[at] === '\r' && newline === '\n' && (text[at + 1] === '\n' || at + 1 >= text.length)) {
      if (at + 1 >= text.length && !isLast) return unfinished()
      at++
    }
    if (at >= text.length) return isLast ? { cells, end: text.length, lines } : unfinished()
    if (text[at] === newline) return { cells, end: at + 1, lines }
    if (text[at] !== delimiter) return 'bad'
    at++
  }
}

function withoutReturn(text: string, from: number, end: number): number {
  return end > from && text.charCodeAt(end - 1) === 13 ? end - 1 : end
}
