/**
 * An export straight into the reply. It holds a transaction (and so a connection and a snapshot) for as long as the
 * client reads, so only a few run at once in a process; a file by a job is for the others.
 */
import { PassThrough, Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { TooMany } from '#platform/errors.ts'
import { holdSnapshot } from '#platform/exports/job.ts'
import { newId } from '#platform/ids.ts'
import type { Runtime } from '#platform/services.ts'
import { planExport, type ExportPlan } from './columns.ts'
import { fileName, insertExport } from './exports.ts'
import type { ExportRow } from './fields.ts'
import { matchingOf, type Matching } from './matching.ts'
import { readContacts } from './reader.ts'
import type { ExportRequest } from './requests.ts'
import type { DownloadStatus } from './tables.ts'
import { writeExport } from './writers.ts'

type InTx = <T>(run: (tx: Tx) => Promise<T>) => Promise<T>

export interface Download {
  name: string
  content: Readable
}

const atOnceMax = 4
const running = new WeakMap<Runtime, number>()

/** Rejects before the first byte for whatever is wrong with the request; every download is written down with its rows. */
export async function beginDownload(
  { inTx, runtime, actor }: { inTx: InTx; runtime: Runtime; actor: Actor },
  request: ExportRequest,
  { listId, check }: { listId: string | null; check?: (tx: Tx) => Promise<unknown> } = { listId: null },
): Promise<Download> {
  const id = newId()
  enter(runtime)
  try {
    await inTx(async (tx) => {
      await check?.(tx)
      await planExport(tx, { ...request, reimport: false }, await matchingOf(tx, request))
      await insertExport(tx, actor, { id, delivery: 'download', request, listId, jobId: null })
    })
  } catch (error) {
    leave(runtime)
    throw error
  }
  const content = new PassThrough({ highWaterMark: 256 * 1024 })
  const tally = { rows: 0, sizeBytes: 0 }
  void serve()
  return { name: fileName(request.format, new Date()), content }

  /** The last byte follows the entry in the history: whoever has the whole file finds it written down. */
  async function serve(): Promise<void> {
    let broken: unknown = null
    try {
      await inTx((tx) => stream(tx, request, content, tally))
    } catch (error) {
      broken = error
    }
    const status = broken === null ? 'succeeded' : isAbandoned(broken) ? 'canceled' : 'failed'
    if (status === 'failed') runtime.log.error({ err: broken, export_id: id }, 'a download of contacts broke off')
    try {
      await inTx((tx) => settle(tx, id, status, tally))
    } catch (error) {
      runtime.log.error({ err: error, export_id: id }, 'a download could not be written down')
    }
    leave(runtime)
    // A broken reply must not look like a whole file.
    if (broken === null) content.end()
    else content.destroy(broken as Error)
  }
}

function enter(runtime: Runtime): void {
  const now = running.get(runtime) ?? 0
  if (now >= atOnceMax) {
    const detail =
      'Too many downloads are running. Try again in a minute, or have a file made (POST /contacts/exports).'
    throw new TooMany('too_many_downloads', detail, { retryAfterSeconds: 60 })
  }
  running.set(runtime, now + 1)
}

function leave(runtime: Runtime): void {
  running.set(runtime, (running.get(runtime) ?? 1) - 1)
}

interface Tally {
  rows: number
  sizeBytes: number
}

async function stream(tx: Tx, request: ExportRequest, target: PassThrough, tally: Tally): Promise<void> {
  await holdSnapshot(tx)
  const matching = await matchingOf(tx, request)
  const plan = await planExport(tx, request, matching)
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      tally.sizeBytes += chunk.length
      done(null, chunk)
    },
  })
  await pipeline(writeExport(request, plan, counted(tx, plan, matching, tally)), measured, target, { end: false })
}

async function* counted(tx: Tx, plan: ExportPlan, matching: Matching, tally: Tally): AsyncGenerator<ExportRow[]> {
  for await (const batch of readContacts(tx, plan, matching)) {
    yield batch
    tally.rows += batch.length
  }
}

/** The client went away before the end. */
function isAbandoned(error: unknown): boolean {
  const { code, name } = error as { code?: string; name?: string }
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || name === 'AbortError'
}

async function settle(tx: Tx, id: string, status: DownloadStatus, { rows, sizeBytes }: Tally): Promise<void> {
  await tx.sql
    .updateTable('contacts.exports')
    .set({ status, rows, size_bytes: sizeBytes, finished_at: tx.now })
    .where('id', '=', id)
    .execute()
}
