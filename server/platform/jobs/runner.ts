/** Runs jobs: takes entries from the queue, keeps their row in `platform.jobs` true, and lets them stop in good order. */
import type { Job as QueueJob, PgBoss } from 'pg-boss'
import type { Runtime } from '../services.ts'
import type { Tx } from '../db/db.ts'
import type { Worker } from '../module.ts'
import type { QueueEntry } from './enqueue.ts'
import { JobStopped, type Job, type JobDefinition } from './job.ts'
import { RapportError } from '../errors.ts'

export function createRunner(runtime: Runtime, queue: PgBoss, definitions: JobDefinition[]): Worker {
  const stopping = new AbortController()
  const attempt = (definition: JobDefinition, entry: QueueJob<QueueEntry>): Promise<void> =>
    runAttempt(runtime, definition, entry, AbortSignal.any([stopping.signal, entry.signal]), stopping.signal)
  let started = false

  return {
    start() {
      started = true
      for (const definition of definitions) {
        const options = { batchSize: 1, localConcurrency: definition.concurrency, notifyPollingIntervalSeconds: 10 }
        void queue.work<QueueEntry>(definition.kind, options, async ([entry]) => {
          if (entry) await attempt(definition, entry)
        })
      }
    },
    async drain() {
      for (let worked = true; worked;) {
        worked = false
        for (const definition of definitions) {
          for (const entry of await queue.fetch<QueueEntry>(definition.kind, { batchSize: 10 })) {
            worked = true
            const signal = entry.signal ?? new AbortController().signal
            await attempt(definition, { ...entry, signal }).then(
              () => queue.complete(definition.kind, entry.id),
              (error: Error) => queue.fail(definition.kind, entry.id, { message: error.message }),
            )
          }
        }
      }
    },
    async stop() {
      stopping.abort()
      if (started) for (const definition of definitions) await queue.offWork(definition.kind, { wait: true })
    },
  }
}

async function runAttempt(
  runtime: Runtime,
  definition: JobDefinition,
  entry: QueueJob<QueueEntry>,
  signal: AbortSignal,
  stopping: AbortSignal,
): Promise<void> {
  const { jobId, workspaceId } = entry.data
  const inScope = <T>(run: (tx: Tx) => Promise<T>): Promise<T> => runtime.db.transaction(workspaceId, run)
  const row = await inScope((tx) => startJob(tx, jobId))
  if (!row) return // canceled or deleted while it waited
  const canceled = new AbortController()
  const job: Job = {
    id: jobId,
    workspaceId,
    data: row.data as Record<string, unknown>,
    cursor: row.cursor,
    attempt: row.attempts,
    createdBy: row.created_by,
    signal: AbortSignal.any([signal, canceled.signal]),
    runtime,
    log: runtime.log.child({ job_id: jobId, kind: definition.kind }),
    transaction: inScope,
    async checkpoint(tx, state) {
      if (stopping.aborted) throw new JobStopped('shutdown')
      const stillWanted = await saveProgress(tx, jobId, definition.kind, state)
      if (stillWanted) return
      canceled.abort()
      throw new JobStopped('canceled')
    },
  }
  try {
    const result = await definition.run(job)
    await inScope((tx) => finishJob(tx, job, definition.kind, { status: 'succeeded', result: result ?? null }))
  } catch (error) {
    await settleFailure(runtime, definition, entry, job, error as Error)
  }
}

async function settleFailure(
  runtime: Runtime,
  definition: JobDefinition,
  entry: QueueJob<QueueEntry>,
  job: Job,
  error: Error,
): Promise<void> {
  const inScope = job.transaction
  if (error instanceof JobStopped && error.why === 'canceled') {
    await inScope((tx) => finishJob(tx, job, definition.kind, { status: 'canceled' }))
    return
  }
  // What a person must mend (a broken file, a missing list) does not get better by trying again.
  const final = error instanceof RapportError || entry.retryCount >= definition.retryLimit
  if (final) {
    job.log.error({ err: error }, 'a job failed for good')
    const message = error instanceof RapportError ? error.message : 'An unexpected error; the log says more.'
    await inScope((tx) => finishJob(tx, job, definition.kind, { status: 'failed', error: message }))
    if (error instanceof RapportError) return
  } else {
    if (!(error instanceof JobStopped)) job.log.warn({ err: error }, 'a job failed and will be tried again')
    await inScope((tx) => requeueJob(tx, job.id))
  }
  throw error
}

async function startJob(tx: Tx, id: string) {
  return tx.sql
    .updateTable('platform.jobs')
    .set((eb) => ({
      status: 'running',
      attempts: eb('attempts', '+', 1),
      started_at: eb.fn.coalesce('started_at', eb.val(tx.now)),
      updated_at: tx.now,
    }))
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .where('cancel_requested_at', 'is', null)
    .returning(['data', 'cursor', 'attempts', 'created_by'])
    .executeTakeFirst()
}

async function requeueJob(tx: Tx, id: string): Promise<void> {
  await tx.sql.updateTable('platform.jobs').set({ status: 'queued', updated_at: tx.now }).where('id', '=', id).execute()
}

async function saveProgress(
  tx: Tx,
  id: string,
  kind: string,
  state: { cursor?: object; done?: number; total?: number },
): Promise<boolean> {
  const row = await tx.sql
    .updateTable('platform.jobs')
    .set({
      ...(state.cursor ? { cursor: JSON.stringify(state.cursor) } : {}),
      ...(state.done === undefined ? {} : { progress_done: state.done }),
      ...(state.total === undefined ? {} : { progress_total: state.total }),
      updated_at: new Date(),
    })
    .where('id', '=', id)
    .returning(['cancel_requested_at', 'progress_done', 'progress_total', 'status'])
    .executeTakeFirst()
  if (!row || row.cancel_requested_at) return false
  await tx.notify('job', { id, kind, status: row.status, done: row.progress_done, total: row.progress_total })
  return true
}

async function finishJob(
  tx: Tx,
  job: Job,
  kind: string,
  outcome: { status: 'succeeded' | 'failed' | 'canceled'; result?: object | null; error?: string },
): Promise<void> {
  await tx.sql
    .updateTable('platform.jobs')
    .set({
      status: outcome.status,
      result: outcome.result ? JSON.stringify(outcome.result) : null,
      error: outcome.error ?? null,
      finished_at: tx.now,
      updated_at: tx.now,
    })
    .where('id', '=', job.id)
    .execute()
  await tx.notify('job', { id: job.id, kind, status: outcome.status })
}
