/**
 * Makes the file of an export: read from one snapshot, streamed into the store, seen only when it is whole. An attempt
 * that was interrupted begins anew and replaces what the last one left.
 */
import { Readable } from 'node:stream'
import { TooLarge } from '../errors.ts'
import type { Tx } from '../db/db.ts'
import { JobStopped, type Job, type JobDefinition } from '../jobs/job.ts'
import { contentTypes, extensions } from '../tables-out/table.ts'
import type { ExportsRoom } from './exports.ts'
import type { ExportRow } from './tables.ts'

/** What goes into a file; reads as fast as somebody takes the bytes. */
export interface ExportContent<Item> {
  total: number
  batches: AsyncIterable<Item[]>
  write(batches: AsyncIterable<Item[]>): Readable
}

export interface ExportWork<Row extends ExportRow, Item> {
  kind: string
  /** Told when a file is there. */
  event: string
  room: ExportsRoom<Row>
  /** `tx` sees one moment and is this reader's alone. */
  open(tx: Tx, row: Row, job: Job): Promise<ExportContent<Item>>
}

const fileSizeBytesMax = 20 * 1024 ** 3

export function exportJobOf<Row extends ExportRow, Item>(work: ExportWork<Row, Item>): JobDefinition {
  return { kind: work.kind, retryLimit: 3, concurrency: 1, run: (job) => runExport(work, job) }
}

/** The first statement of a transaction: everything after it sees the same moment. */
export async function holdSnapshot(tx: Tx): Promise<void> {
  await tx.rawQuery('set transaction isolation level repeatable read, read only')
}

async function runExport<Row extends ExportRow, Item>(work: ExportWork<Row, Item>, job: Job): Promise<object> {
  const row: Row = await job.transaction((tx) => work.room.beginFile(tx, String(job.data.export_id)))
  const key = `${job.workspaceId}/exports/${row.id}.${extensions[row.format]}`
  const { rows, sizeBytes } = await job.transaction((tx) => writeFile(tx, job, { work, row, key }))
  const isKept = await job.transaction(async (tx) => {
    if (!(await work.room.finishFile(tx, row.id, { file_key: key, rows, size_bytes: sizeBytes }))) return false
    const { format, created_by } = row
    await tx.publish(work.event, row.id, { export_id: row.id, format, rows, size_bytes: sizeBytes, created_by })
    tx.notify('export', { id: row.id, rows })
    return true
  })
  // Deleted or withdrawn while it was being made: then nobody will ever fetch it.
  if (!isKept) await job.runtime.files.delete(key)
  return { export_id: row.id, rows, size_bytes: sizeBytes }
}

async function writeFile<Row extends ExportRow, Item>(
  tx: Tx,
  job: Job,
  { work, row, key }: { work: ExportWork<Row, Item>; row: Row; key: string },
): Promise<{ rows: number; sizeBytes: number }> {
  await holdSnapshot(tx)
  const { total, batches, write } = await work.open(tx, row, job)
  let rows = 0
  let stopped: unknown
  async function* counted(): AsyncGenerator<Item[]> {
    for await (const batch of batches) {
      yield batch
      rows += batch.length
      try {
        // In a transaction of its own: the one that reads may not write, and is not to end.
        await job.transaction((other) => job.checkpoint(other, { done: rows, total }))
      } catch (error) {
        stopped = error
        throw error
      }
    }
  }
  try {
    const stored = await job.runtime.files.put(key, Readable.from(write(counted()), { objectMode: false }), {
      type: contentTypes[row.format],
      bytesMax: fileSizeBytesMax,
      signal: job.signal,
    })
    if (!stored.ok) throw new TooLarge('file_too_large', 'This export is larger than 20 GB. Narrow it by a filter.')
    return { rows, sizeBytes: stored.sizeBytes }
  } catch (error) {
    // On its way through the streams the reason may become a mere "aborted".
    throw stopped instanceof JobStopped ? stopped : error
  }
}
