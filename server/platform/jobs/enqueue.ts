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
  await tx.sql
    .insertInto('platform.jobs')
    .values({
      workspace_id: tx.workspaceId,
      id,
      kind,
      data: JSON.stringify(data),
      progress_total: options.total ?? null,
      created_by: options.createdBy ?? null,
    })
    .execute()
  await sendToQueue(tx, queue, kind, { jobId: id, workspaceId: tx.workspaceId }, options.runAt)
  return id
}

/** The queue entry of a job row that exists already: a new one, or one that is tried again. */
export async function sendToQueue(tx: Tx, queue: PgBoss, kind: string, entry: QueueEntry, runAt?: Date): Promise<void> {
  await queue.send(kind, entry, { db: fromKysely(tx.sql), ...(runAt ? { startAfter: runAt } : {}) })
}
