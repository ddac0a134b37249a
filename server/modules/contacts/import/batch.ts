/** Gathers rows until there are enough for one transaction. Pure but for the ids of the rows. */
import { newId } from '#platform/ids.ts'
import type { FileRecord, Place } from './formats/record.ts'
import type { Duplicates } from './merge/plan.ts'
import type { Failure, FailedRow, StagedRow } from './rows.ts'
import { createSeen } from './seen.ts'

export interface Batch {
  /** COPY text: line, wave, id, the ids of two events, and the plan's columns. */
  text: string
  /** By address, what the last row of each person says. */
  people: ReadonlyMap<string, { content: string }>
  waves: number
  /** Waves below zero: the "no" of rows that failed, each once for each person. */
  refusals: number
  failed: FailedRow[]
  /** Rows that repeat one before them and so change nothing. */
  repeated: number
  rows: number
  /** In the file until here: the name and number of an earlier row, with another address. */
  possibleDuplicates: number
  /** Tags known to the plan when the batch was closed. */
  tagCount: number
  end: Place
  bytesDone: number
}

/** Of one person in one batch; more begin the next batch, so that a file full of one address stays bearable. */
const wavesMax = 8
const textLengthMax = 4 * 1024 * 1024

export function createBatcher(options: {
  read: (record: FileRecord) => StagedRow | Failure
  tagNames: readonly string[]
  duplicates: Duplicates
  rowsMax: number
  possibleDuplicates: number
}) {
  let { possibleDuplicates } = options
  const likenesses = createSeen()
  const addresses = createSeen()
  let lines: string[] = []
  let length = 0
  let refusals = new Map<string, Set<string>>()
  let staged = 0
  let failed: FailedRow[] = []
  let repeated = 0
  let waves = 0
  let seen = new Map<string, { wave: number; content: string }>()
  let end: Place | null = null
  let tagCount = 0

  /** Answers the batch that this record closed, if any; the record itself then begins the next one. */
  function add(record: FileRecord, bytesDone: number): Batch | null {
    const row = options.read(record)
    let closed: Batch | null = null
    const earlier = 'emailKey' in row ? seen.get(row.emailKey) : undefined
    const crowded =
      earlier !== undefined && earlier.wave + 1 >= wavesMax && (options.duplicates !== 'skip' || isNo(row))
    if (crowded || staged + failed.length + repeated >= options.rowsMax || length > textLengthMax)
      closed = close(bytesDone)
    end = record.next
    if ('emailKey' in row) place(row)
    else keepFailed(row, record.line)
    tagCount = options.tagNames.length
    return closed
  }

  function place(row: StagedRow): void {
    const before = seen.get(row.emailKey)
    // Where only the first of a person counts, a later one matters for its "no" alone.
    const isRepeat = before && (before.content === row.content || (options.duplicates === 'skip' && !row.saysNo))
    if (isRepeat) {
      repeated++
      return
    }
    noteLikeness(row)
    const wave = before ? before.wave + 1 : 0
    seen.set(row.emailKey, { wave, content: row.content })
    waves = Math.max(waves, wave + 1)
    staged++
    stage(row.line, wave, row.id, row.content)
  }

  function keepFailed({ failed: row, refusal }: Failure, line: number): void {
    failed.push(row)
    for (const cell of row.cells) length += cell.length
    if (refusal === null) return
    const said = refusals.get(refusal.emailKey) ?? new Set()
    if (said.has(refusal.content)) return
    refusals.set(refusal.emailKey, said.add(refusal.content))
    stage(line, -said.size, newId(), refusal.content)
  }

  function stage(line: number, wave: number, id: string, content: string): void {
    length += content.length
    lines.push(`${line}\t${wave}\t${id}\t${newId()}\t${newId()}\t${content}\n`)
  }

  function noteLikeness({ likeness, emailKey }: StagedRow): void {
    if (likeness === null) return
    const isKnown = likenesses.add(likeness)
    const isSamePerson = addresses.add(`${likeness} ${emailKey}`)
    if (isKnown && !isSamePerson) possibleDuplicates++
  }

  function close(bytesDone: number): Batch | null {
    if (!end) return null
    const rows = staged + failed.length + repeated
    const text = lines.join('')
    const deepest = Math.max(0, ...[...refusals.values()].map((said) => said.size))
    const batch: Batch = {
      text,
      people: seen,
      waves,
      refusals: deepest,
      failed,
      repeated,
      rows,
      possibleDuplicates,
      tagCount,
      end,
      bytesDone,
    }
    lines = []
    length = 0
    refusals = new Map()
    staged = 0
    failed = []
    repeated = 0
    waves = 0
    seen = new Map()
    end = null
    return batch
  }

  return { add, close }
}

function isNo(row: StagedRow | Failure): boolean {
  return 'saysNo' in row && row.saysNo
}
