/** Gathers rows until there are enough for one transaction. Pure but for the ids of the rows. */
import { newId } from '#platform/ids.ts'
import type { Duplicates } from './merge.ts'
import type { CsvRecord, Place } from './records.ts'
import type { FailedRow, StagedRow } from './rows.ts'

export interface Batch {
  /** COPY text: line, wave, id, the ids of two events, and the plan's columns. */
  text: string
  emailKeys: string[]
  waves: number
  failed: FailedRow[]
  /** Rows that repeat one before them and so change nothing. */
  repeated: number
  rows: number
  /** Tags known to the plan when the batch was closed. */
  tagCount: number
  end: Place
  bytesDone: number
}

/** Of one person in one batch; more begin the next batch, so that a file full of one address stays bearable. */
const wavesMax = 8
const textLengthMax = 8 * 1024 * 1024

export function createBatcher(options: {
  read: (record: CsvRecord) => StagedRow | FailedRow
  tagNames: readonly string[]
  duplicates: Duplicates
  rowsMax: number
}) {
  let lines: string[] = []
  let length = 0
  let failed: FailedRow[] = []
  let repeated = 0
  let waves = 0
  let seen = new Map<string, { wave: number; content: string }>()
  let end: Place | null = null
  let tagCount = 0

  /** Answers the batch that this record closed, if any; the record itself then begins the next one. */
  function add(record: CsvRecord, bytesDone: number): Batch | null {
    const row = options.read(record)
    let closed: Batch | null = null
    const earlier = 'emailKey' in row ? seen.get(row.emailKey) : undefined
    const crowded = earlier !== undefined && earlier.wave + 1 >= wavesMax && options.duplicates !== 'skip'
    if (crowded || lines.length + failed.length + repeated >= options.rowsMax || length > textLengthMax)
      closed = close(bytesDone)
    end = record.next
    if ('emailKey' in row) place(row)
    else {
      failed.push(row)
      for (const cell of row.cells) length += cell.length
    }
    tagCount = options.tagNames.length
    return closed
  }

  function place(row: StagedRow): void {
    const before = seen.get(row.emailKey)
    if (before && (options.duplicates === 'skip' || before.content === row.content)) {
      repeated++
      return
    }
    const wave = before ? before.wave + 1 : 0
    // Where only the first of a person counts, there is nothing to compare the next with.
    seen.set(row.emailKey, { wave, content: options.duplicates === 'skip' ? '' : row.content })
    waves = Math.max(waves, wave + 1)
    length += row.content.length
    lines.push(`${row.line}\t${wave}\t${row.id}\t${newId()}\t${newId()}\t${row.content}\n`)
  }

  function close(bytesDone: number): Batch | null {
    if (!end) return null
    const rows = lines.length + failed.length + repeated
    const batch = {
      text: lines.join(''),
      emailKeys: [...seen.keys()],
      waves,
      failed,
      repeated,
      rows,
      tagCount,
      end,
      bytesDone,
    }
    lines = []
    length = 0
    failed = []
    repeated = 0
    waves = 0
    seen = new Map()
    end = null
    return batch
  }

  return { add, close }
}
