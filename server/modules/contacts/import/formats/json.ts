/**
 * JSON as records: an array of objects, or a line for each (NDJSON). Objects are cut out of the stream by their braces
 * and read one by one, so that the size of the file does not matter.
 */
import { recordLengthMax } from './csv.ts'
import { columnsMax, keptLength, type FileRecord, type Place, type Splitter } from './record.ts'

const otherDetails = 'Other details'

export function jsonHeader(text: string): string[] {
  const keys = new Set<string>()
  const splitter = createObjectSplitter({ offset: 0, line: 1 }, (content, at) => {
    const flat = read(content)
    for (const key of flat?.keys() ?? []) if (keys.size < columnsMax - 1) keys.add(key)
    return { ...at, cells: ['object'], problem: null }
  })
  splitter.read(text, true)
  return [...keys, otherDetails]
}

/** Keys that the header does not have are kept together in its last column. */
export function createJsonSplitter(header: readonly string[], start: Place = { offset: 0, line: 1 }): Splitter {
  const known = new Set(header)
  return createObjectSplitter(start, (content, at) => {
    const flat = read(content)
    if (!flat) return { ...at, cells: [content.slice(0, keptLength)], problem: 'unreadable' }
    const others = [...flat].filter(([key, value]) => !known.has(key) && value)
    const rest = others.map(([key, value]) => `${key}: ${value}`).join('\n')
    const cells = header.map((key) => (key === otherDetails ? (flat.get(key) ?? rest) : (flat.get(key) ?? '')))
    return { ...at, cells, problem: null }
  })
}

/** `{"name": {"first": "A"}, "tags": ["x", "y"]}` is `name.first` = A and `tags` = x, y. */
function read(content: string): Map<string, string> | null {
  try {
    const flat = new Map<string, string>()
    flatten(JSON.parse(content) as object, '', flat, 0)
    return flat
  } catch {
    return null
  }
}

function flatten(value: object, prefix: string, into: Map<string, string>, depth: number): void {
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const name = `${prefix}${key}`.slice(0, 200)
    if (inner === null || inner === undefined) into.set(name, '')
    else if (Array.isArray(inner))
      into.set(name, inner.map((each) => (typeof each === 'object' ? JSON.stringify(each) : String(each))).join(', '))
    else if (typeof inner === 'object' && depth < 4) flatten(inner, `${name}.`, into, depth + 1)
    else into.set(name, typeof inner === 'object' ? JSON.stringify(inner) : String(inner as string | number | boolean))
  }
}

function createObjectSplitter(
  start: Place,
  make: (content: string, at: Pick<FileRecord, 'line' | 'next'>) => FileRecord,
): Splitter {
  const scan = createScanner()
  let text = ''
  let base = start.offset
  let line = start.line
  let began = -1
  let beganLine = line
  let dropped = false // inside an object that was too long; its beginning is reported

  function read(chunk: string, isLast: boolean): FileRecord[] {
    const records: FileRecord[] = []
    const before = text.length
    text += chunk
    for (let at = before; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === 10) line++
      const event = scan(code)
      if (event === 'begins') [began, beganLine] = [at, line]
      else if (event === 'ends' && began >= 0) {
        const next = { offset: base + at + 1, line }
        const content = text.slice(began, at + 1)
        records.push(
          content.length > recordLengthMax
            ? { cells: [content.slice(0, keptLength)], line: beganLine, next, problem: 'record_too_long' }
            : make(content, { line: beganLine, next }),
        )
        began = -1
      } else if (event === 'ends' && dropped) dropped = false
    }
    const next = { offset: base + text.length, line }
    if (began >= 0 && (isLast || text.length - began > recordLengthMax)) {
      const problem = isLast ? 'unreadable' : 'record_too_long'
      records.push({ cells: [text.slice(began, began + keptLength)], line: beganLine, next, problem })
      began = -1
      dropped = true
    }
    const kept = began >= 0 ? began : text.length
    text = text.slice(kept)
    base += kept
    if (began >= 0) began = 0
    return records
  }

  return { read }
}

/** Tells where the outermost objects begin and end. */
function createScanner(): (code: number) => 'begins' | 'ends' | null {
  let depth = 0
  let inText = false
  let escaped = false
  return (code) => {
    if (inText) {
      if (escaped) escaped = false
      else if (code === 92) escaped = true
      else if (code === 34) inText = false
      return null
    }
    if (code === 34) inText = depth > 0
    else if (code === 123) return depth++ === 0 ? 'begins' : null
    else if (code === 125 && depth > 0) return --depth === 0 ? 'ends' : null
    return null
  }
}
