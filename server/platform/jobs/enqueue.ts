/**
 * A job is one row that people see (`platform.jobs`: status, progress, result) and one entry of the queue that carries
 * it (pg-boss: pick-up, heartbeat, retry). Both are written in the caller's transaction.
 */
import { fromKysely, type PgBoss } from 'pg-boss'
import { newId } from '../ids.ts'
import type { Tx } from '../db/db.ts'

export interface JobOptions {
  /** Not before this time. */
  runAt?: Date
  createdBy?: string | null
  /** Known in advance: shown as progress from the start. */
  total?: number
}

/** What the queue carries: names, no content. */
export interface QueueEntry {
  jobId: string
  workspaceId: string
}

export async function enqueueJob(
  tx: Tx,
  queue: PgBoss,
  kind: string,
  data: object,
  options: JobOptions = {},
): Promise<string> {
  const id = newId()
  const entryId = newId()
  await tx.sql
    .insertInto('platform.jobs')
    .values({
      workspace_id: tx.workspaceId,
      id,
      kind,
      data: JSON.stringify(data),
      progress_total: options.total ?? null,
      created_by: options.createdBy ?? null,
      entry_id: entryId,
    })
    .execute()
  await send(tx, queue, kind, entryId, { jobId: id, workspaceId: tx.workspaceId }, options.runAt)
  return id
}

/** Hands a job row to a new entry of the queue; an entry that carried it before finds nothing to do when it comes up. */
export async function carryAgain(tx: Tx, queue: PgBoss, kind: string, jobId: string): Promise<void> {
  const entryId = newId()
  await tx.sql
    .updateTable('platform.jobs')
    .set({ entry_id: entryId, status: 'queued', updated_at: tx.now })
    .where('id', '=', jobId)
    .execute()
  await send(tx, queue, kind, entryId, { jobId, workspaceId: tx.workspaceId })
}

async function send(tx: Tx, queue: PgBoss, kind: string, id: string, entry: QueueEntry, runAt?: Date): Promise<void> {
  await queue.send(kind, entry, { id, db: fromKysely(tx.sql), ...(runAt ? { startAfter: runAt } : {}) })
}
