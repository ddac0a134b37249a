/**
 * What a file's bytes mean: a byte order mark decides; without one it is UTF-8 if every byte fits, else Windows-1252,
 * which is what spreadsheets of the west write. A person may say otherwise.
 */
import type { Readable } from 'node:stream'
import { Invalid } from '#platform/errors.ts'
import { recordLengthMax } from './records.ts'

export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const
export type Encoding = (typeof encodings)[number]

export interface Inspection {
  encoding: Encoding
  /** Line ends, which is about the number of records. */
  lines: number
}

/**
 * Watches the bytes of an upload go by. Refuses at once what can be no table: binary content, and a line that never
 * ends, so that a hostile file is neither stored nor read to its end.
 */
export function createInspector() {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let marked: Encoding | null = null
  let validUtf8 = true
  let lines = 0
  let sinceLineEnd = 0
  let first = true

  return {
    inspect(chunk: Buffer): void {
      if (first && chunk.length) {
        marked = markOf(chunk)
        first = false
      }
      const wide = marked === 'utf-16le' || marked === 'utf-16be'
      if (!wide && chunk.includes(0)) {
        throw Invalid.at('/file', 'not_text', 'This is not a text file. Save the table as CSV and send that.')
      }
      if (validUtf8 && !wide) validUtf8 = fits(utf8, chunk)
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      const lastEnd = Math.max(chunk.lastIndexOf(10), chunk.lastIndexOf(13))
      sinceLineEnd = lastEnd < 0 ? sinceLineEnd + chunk.length : chunk.length - 1 - lastEnd
      if (sinceLineEnd > recordLengthMax * 4) {
        const detail = `A line is longer than ${recordLengthMax / 1024} KiB. Is this a CSV file?`
        throw Invalid.at('/file', 'line_too_long', detail)
      }
    },
    finish(): Inspection {
      if (validUtf8 && !marked) validUtf8 = fits(utf8, undefined)
      return { encoding: marked ?? (validUtf8 ? 'utf-8' : 'windows-1252'), lines: lines + (sinceLineEnd > 0 ? 1 : 0) }
    },
  }
}

function markOf(chunk: Buffer): Encoding | null {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf-16le'
  if (chunk[0] === 0xfe && chunk[1] === 0xff) return 'utf-16be'
  return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 'utf-8' : null
}

function fits(decoder: InstanceType<typeof TextDecoder>, chunk: Buffer | undefined): boolean {
  try {
    decoder.decode(chunk, { stream: chunk !== undefined })
    return true
  } catch {
    return false
  }
}

/** Decoded text with the number of bytes read so far; ends with one empty last piece. Bad bytes become U+FFFD. */
export async function* decode(
  source: Readable,
  encoding: Encoding,
): AsyncGenerator<{ text: string; bytes: number; isLast: boolean }> {
  const decoder = new TextDecoder(encoding)
  let bytes = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    bytes += chunk.length
    yield { text: decoder.decode(chunk, { stream: true }), bytes, isLast: false }
  }
  yield { text: decoder.decode(), bytes, isLast: true }
}
