/**
 * Makes the file of an export: read from one snapshot, streamed into the store, seen only when it is whole. An attempt
 * that was interrupted begins anew and replaces what the last one left.
 */
import { Readable } from 'node:stream'
import { NotFound, TooLarge } from '#platform/errors.ts'
import type { Tx } from '#platform/db/db.ts'
import { JobStopped, type Job, type JobDefinition } from '#platform/jobs/job.ts'
import { contentTypes, extensions } from '#platform/tables-out/table.ts'
import { planExport } from './columns.ts'
import { exportJobKind, getExport, keptDays, requestOfExport, type Export } from './exports.ts'
import type { ExportRow } from './fields.ts'
import { countMatching, matchingOf } from './matching.ts'
import { holdSnapshot, readContacts } from './reader.ts'
import { writeExport } from './writers.ts'

export const exportJob: JobDefinition = { kind: exportJobKind, retryLimit: 3, concurrency: 1, run: runExport }

const fileSizeBytesMax = 20 * 1024 ** 3

async function runExport(job: Job): Promise<object> {
  const row = await job.transaction((tx) => getExport(tx, String(job.data.export_id)))
  if (row.deleted_at) throw new NotFound('export')
  const key = `${job.workspaceId}/exports/${row.id}.${extensions[row.format]}`
  const { rows, sizeBytes } = await job.transaction((tx) => writeFile(tx, job, row, key))
  const isKept = await job.transaction((tx) => finish(tx, row, { key, rows, sizeBytes }))
  // Deleted while it was being made: then nobody will ever fetch it.
  if (!isKept) await job.runtime.files.delete(key)
  return { export_id: row.id, rows, size_bytes: sizeBytes }
}

async function writeFile(tx: Tx, job: Job, row: Export, key: string): Promise<{ rows: number; sizeBytes: number }> {
  await holdSnapshot(tx)
  const request = await requestOfExport(tx, row)
  const matching = await matchingOf(tx, request)
  const plan = await planExport(tx, request, matching)
  const total = await countMatching(tx, matching)
  let rows = 0
  let stopped: unknown
  async function* counted(): AsyncGenerator<ExportRow[]> {
    for await (const batch of readContacts(tx, plan, matching)) {
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
    const content = writeExport(request, plan, counted())
    const stored = await job.runtime.files.put(key, Readable.from(content, { objectMode: false }), {
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

/** Answers whether the export is still wanted. */
async function finish(tx: Tx, row: Export, file: { key: string; rows: number; sizeBytes: number }): Promise<boolean> {
  const updated = await tx.sql
    .updateTable('contacts.exports')
    .set({
      file_key: file.key,
      rows: file.rows,
      size_bytes: file.sizeBytes,
      finished_at: tx.now,
      expires_at: new Date(tx.now.getTime() + keptDays * 86_400_000),
    })
    .where('id', '=', row.id)
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!updated) return false
  await tx.publish('contact.exported', row.id, {
    export_id: row.id,
    format: row.format,
    rows: file.rows,
    size_bytes: file.sizeBytes,
    created_by: row.created_by,
  })
  tx.notify('export', { id: row.id, rows: file.rows })
  return true
}
