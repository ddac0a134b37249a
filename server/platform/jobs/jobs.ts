/** What people do with jobs: look, cancel, try again. */
import type { PgBoss } from 'pg-boss'
import { sql, type Selectable } from 'kysely'
import type { JobStatus, JobTable } from '../db/tables.ts'
import type { Tx } from '../db/db.ts'
import { Conflict, NotFound } from '../errors.ts'
import { carryAgain } from './enqueue.ts'

export type JobRow = Selectable<JobTable>

export async function getJob(tx: Tx, id: string): Promise<JobRow> {
  const row = await tx.sql.selectFrom('platform.jobs').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new NotFound('job')
  return row
}

/** A waiting job ends at once, a running one at its next checkpoint; canceling twice changes nothing. */
export async function cancelJob(tx: Tx, id: string): Promise<JobRow> {
  const row = await tx.sql
    .updateTable('platform.jobs')
    .set({
      cancel_requested_at: sql<Date>`coalesce(cancel_requested_at, ${tx.now})`,
      status: sql<JobStatus>`case status when 'queued' then 'canceled' else status end`,
      finished_at: sql<Date>`case status when 'queued' then ${tx.now} else finished_at end`,
      updated_at: tx.now,
    })
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .returningAll()
    .executeTakeFirst()
  if (!row) return getJob(tx, id)
  tx.notify('job', { id, kind: row.kind, status: row.status })
  return row
}

/** A failed or canceled job goes on from its cursor. */
export async function retryJob(tx: Tx, queue: PgBoss, id: string): Promise<JobRow> {
  const row = await tx.sql
    .updateTable('platform.jobs')
    .set({ status: 'queued', error: null, cancel_requested_at: null, finished_at: null, updated_at: tx.now })
    .where('id', '=', id)
    .where('status', 'in', ['failed', 'canceled'])
    .returningAll()
    .executeTakeFirst()
  if (!row) {
    const present = await getJob(tx, id)
    throw new Conflict(
      'job_not_ended',
      `Only a failed or canceled job can be tried again; this one is ${present.status}.`,
    )
  }
  await carryAgain(tx, queue, row.kind, id)
  tx.notify('job', { id, kind: row.kind, status: row.status })
  return row
}
