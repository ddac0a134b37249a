/** The platform's own recurring work: jobs that nothing carries any more, and rows that have served their time. */
import { sql } from 'kysely'
import type { Tx } from './db/db.ts'
import { carryAgain } from './jobs/enqueue.ts'
import { every } from './module.ts'
import type { Runtime } from './services.ts'

export const platformTasks = [
  every('* * * * *', 'platform.carry-stranded-jobs', (runtime) => carryStrandedJobs(runtime)),
  every('17 3 * * *', 'platform.forget-old-rows', (runtime) => forgetOldRows(runtime)),
]

/** A job that was lost so often brings its workers down, and must not go round for ever. */
const attemptsMax = 20

/**
 * A job whose queue entry is gone goes on under a new one. One whose entry gave up, because the worker died at every
 * try, ends as failed, so that people see it.
 */
export async function carryStrandedJobs(runtime: Runtime): Promise<void> {
  const { rows } = await runtime.db.transaction('system', (tx) =>
    sql<{ workspace_id: string; id: string; kind: string }>`select * from platform.stranded_jobs()`.execute(tx.sql),
  )
  for (const { workspace_id: workspaceId, id, kind } of rows) {
    await runtime.db.transaction(workspaceId, (tx) => carryOrEnd(tx, runtime, kind, id))
  }
}

async function carryOrEnd(tx: Tx, { queue, log }: Runtime, kind: string, id: string): Promise<void> {
  const job = await tx.sql
    .selectFrom('platform.jobs')
    .select(['attempts', 'entry_id', 'cancel_requested_at'])
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .forUpdate()
    .executeTakeFirst()
  if (!job) return
  const entry = job.entry_id ? await readEntry(tx, kind, job.entry_id) : null
  if (entry && ['created', 'retry', 'active'].includes(entry.state)) return
  log.warn({ job_id: id, kind, entry: entry?.state ?? 'gone' }, 'a job was carried by nothing')
  const gaveUp = entry?.state === 'failed' || job.attempts >= attemptsMax
  if (!gaveUp && !job.cancel_requested_at) {
    await carryAgain(tx, queue, kind, id)
    return
  }
  const status = job.cancel_requested_at ? ('canceled' as const) : ('failed' as const)
  const error = status === 'failed' ? 'The worker that ran this job died, each time that it was tried.' : null
  await tx.sql
    .updateTable('platform.jobs')
    .set({ status, error, finished_at: tx.now, updated_at: tx.now })
    .where('id', '=', id)
    .execute()
  tx.notify('job', { id, kind, status })
}

async function readEntry(tx: Tx, kind: string, id: string): Promise<{ state: string } | null> {
  const { rows } = await tx.rawQuery<{ state: string }>('select state from pgboss.job where name = $1 and id = $2', [
    kind,
    id,
  ])
  return rows[0] ?? null
}

/** Relayed events after 30 days, answers kept for retries after 24 hours, ended jobs after 90 days. */
export async function forgetOldRows(runtime: Runtime): Promise<void> {
  for (let forgotten = 1; forgotten > 0;) {
    const { rows } = await runtime.db.transaction('system', (tx) =>
      sql<{ forgotten: number }>`select platform.forget_old_rows() as forgotten`.execute(tx.sql),
    )
    forgotten = rows[0]?.forgotten ?? 0
  }
}
