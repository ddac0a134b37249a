/**
 * Runs jobs: takes entries from the queue, keeps their row in `platform.jobs` true, and lets them stop in good order.
 * Every write names the attempt, so that one which fell silent and was overtaken changes nothing any more.
 */
import type { Job as QueueJob, PgBoss } from 'pg-boss'
import type { Runtime } from '../services.ts'
import type { Tx } from '../db/db.ts'
import type { Worker } from '../module.ts'
import { carryAgain, type QueueEntry } from './enqueue.ts'
import { JobStopped, type Job, type JobDefinition } from './job.ts'
import { RapportError } from '../errors.ts'

export function createRunner(runtime: Runtime, queue: PgBoss, definitions: JobDefinition[]): Worker {
  const stopping = new AbortController()
  const attempt = (definition: JobDefinition, entry: QueueJob<QueueEntry>): Promise<void> =>
    runAttempt({ runtime, queue, definition, entry }, AbortSignal.any([stopping.signal, entry.signal]), stopping.signal)
  let started = false

  return {
    start() {
      started = true
      for (const definition of definitions) {
        const options = { batchSize: 1, localConcurrency: definition.concurrency, notifyPollingIntervalSeconds: 10 }
        queue
          .work<QueueEntry>(definition.kind, options, async ([entry]) => {
            if (entry) await attempt(definition, entry)
          })
          .catch((error: Error) =>
            runtime.log.error({ err: error, kind: definition.kind }, 'a job queue does not start'),
          )
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

interface Attempt {
  runtime: Runtime
  queue: PgBoss
  definition: JobDefinition
  entry: QueueJob<QueueEntry>
}

async function runAttempt(attempt: Attempt, signal: AbortSignal, stopping: AbortSignal): Promise<void> {
  const { runtime, definition, entry } = attempt
  const { jobId, workspaceId } = entry.data
  const inScope = <T>(run: (tx: Tx) => Promise<T>): Promise<T> => runtime.db.transaction(workspaceId, run)
  const row = await inScope((tx) => startJob(tx, jobId, entry.id))
  if (!row) return // canceled, deleted, or carried by another entry by now
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
      const why = await saveProgress(tx, job, definition.kind, state)
      if (!why) return
      canceled.abort()
      throw new JobStopped(why)
    },
  }
  const stopClock = runtime.metrics.jobDuration.startTimer({ kind: definition.kind })
  const count = (outcome: string): void => runtime.metrics.jobs.inc({ kind: definition.kind, outcome })
  try {
    const result = await definition.run(job)
    await inScope((tx) => finishJob(tx, job, definition.kind, { status: 'succeeded', result: result ?? null }))
    count('succeeded')
    job.log.info({ workspace_id: workspaceId, result: countsOf(result) }, 'a job is done')
  } catch (error) {
    const why = error instanceof JobStopped ? error.why : null
    // What the stopping itself broke off (a request, a file) is no failure of the job.
    const interrupted = stopping.aborted && !(error instanceof RapportError) ? 'shutdown' : null
    const stop = why ?? interrupted
    count(stop ?? 'failed')
    if (stop) await settleStop(attempt, job, stop)
    else await settleFailure(attempt, job, error as Error)
  } finally {
    stopClock()
  }
}

/** The numbers of a result: how many were imported, changed, exported. Its texts may name people. */
function countsOf(result: unknown): Record<string, number> {
  const numbers = Object.entries(result ?? {}).filter(([, value]) => typeof value === 'number')
  return Object.fromEntries(numbers)
}

async function settleStop({ queue, definition: { kind } }: Attempt, job: Job, why: JobStopped['why']): Promise<void> {
  if (why === 'canceled') await job.transaction((tx) => finishJob(tx, job, kind, { status: 'canceled' }))
  if (why !== 'shutdown') return
  // A new entry, so that stopping a worker uses up no try, and the next worker begins at once.
  await job.transaction(async (tx) => {
    if (await releaseJob(tx, job)) await carryAgain(tx, queue, kind, job.id)
  })
}

/** Throws the error on where the queue is to try again, or to remember it. */
async function settleFailure({ definition, entry }: Attempt, job: Job, error: Error): Promise<void> {
  // What a person must mend (a broken file, a missing list) does not get better by trying again.
  const isFinal = error instanceof RapportError || entry.retryCount >= definition.retryLimit
  if (isFinal) {
    job.log.error({ err: error }, 'a job failed for good')
    const message = error instanceof RapportError ? error.message : 'An unexpected error; the log says more.'
    await job.transaction((tx) => finishJob(tx, job, definition.kind, { status: 'failed', error: message }))
    if (error instanceof RapportError) return
  } else {
    job.log.warn({ err: error }, 'a job failed and will be tried again')
    await job.transaction((tx) => releaseJob(tx, job))
  }
  throw error
}

/** A job whose worker died after somebody had canceled it ends here. */
async function startJob(tx: Tx, id: string, entryId: string) {
  await tx.sql
    .updateTable('platform.jobs')
    .set({ status: 'canceled', finished_at: tx.now, updated_at: tx.now })
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .where('cancel_requested_at', 'is not', null)
    .execute()
  return tx.sql
    .updateTable('platform.jobs')
    .set((eb) => ({
      status: 'running',
      attempts: eb('attempts', '+', 1),
      started_at: eb.fn.coalesce('started_at', eb.val(tx.now)),
      updated_at: tx.now,
    }))
    .where('id', '=', id)
    .where('entry_id', '=', entryId)
    .where('status', 'in', ['queued', 'running'])
    .returning(['data', 'cursor', 'attempts', 'created_by'])
    .executeTakeFirst()
}

/** Back to waiting; answers whether the job was still this attempt's. */
async function releaseJob(tx: Tx, job: Job): Promise<boolean> {
  const { numUpdatedRows } = await tx.sql
    .updateTable('platform.jobs')
    .set({ status: 'queued', updated_at: tx.now })
    .where('id', '=', job.id)
    .where('attempts', '=', job.attempt)
    .where('status', '=', 'running')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Answers why the job must not go on, or null. */
async function saveProgress(
  tx: Tx,
  { id, attempt }: Job,
  kind: string,
  state: { cursor?: object; done?: number; total?: number },
): Promise<'canceled' | 'overtaken' | null> {
  const row = await tx.sql
    .updateTable('platform.jobs')
    .set({
      ...(state.cursor ? { cursor: JSON.stringify(state.cursor) } : {}),
      ...(state.done === undefined ? {} : { progress_done: state.done }),
      ...(state.total === undefined ? {} : { progress_total: state.total }),
      updated_at: new Date(),
    })
    .where('id', '=', id)
    .where('attempts', '=', attempt)
    .where('status', '=', 'running')
    .returning(['cancel_requested_at', 'progress_done', 'progress_total', 'status'])
    .executeTakeFirst()
  if (!row) return 'overtaken'
  if (row.cancel_requested_at) return 'canceled'
  tx.notify('job', { id, kind, status: row.status, done: row.progress_done, total: row.progress_total })
  return null
}

async function finishJob(
  tx: Tx,
  job: Job,
  kind: string,
  outcome: { status: 'succeeded' | 'failed' | 'canceled'; result?: object | null; error?: string },
): Promise<void> {
  const { numUpdatedRows } = await tx.sql
    .updateTable('platform.jobs')
    .set({
      status: outcome.status,
      result: outcome.result ? JSON.stringify(outcome.result) : null,
      error: outcome.error ?? null,
      finished_at: tx.now,
      updated_at: tx.now,
    })
    .where('id', '=', job.id)
    .where('attempts', '=', job.attempt)
    .where('status', '=', 'running')
    .executeTakeFirst()
  if (numUpdatedRows > 0n) tx.notify('job', { id: job.id, kind, status: outcome.status })
}
