/** Recurring work of reports: starts those that are due, and forgets those that have served their time. */
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { startRun } from './runs.ts'
import { nextTime } from './schedule-times.ts'
import { addressesOf } from './schedules.ts'
import type { Report, ReportSchedule } from './tables.ts'

export const reportTasks = [
  every('* * * * *', 'contacts.start_reports', startDueReports),
  every('40 * * * *', 'contacts.forget_reports', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) await forgetRuns(runtime, workspaceId)
  }),
]

export async function startDueReports(runtime: Runtime): Promise<void> {
  const workspaces = await runtime.db.lookup<{ workspace_id: string }>(
    'workspaces_with_due_reports',
    'select workspace_id from contacts.workspaces_with_due_reports()',
    [],
  )
  for (const { workspace_id: id } of workspaces) {
    while (await runtime.db.transaction(id, startNext));
  }
}

/** After a long night one run makes up for all times that were missed. The next time is written with the run, so no tick starts two. */
async function startNext(tx: Tx): Promise<boolean> {
  const { rows } = await sql<ReportSchedule & { report: Report | null }>`
    select s.*, case when r.deleted_at is null then to_jsonb(r) end as report
    from contacts.report_schedules s
    join contacts.reports r on r.workspace_id = s.workspace_id and r.id = s.report_id
    where s.workspace_id = ${tx.workspaceId} and not s.is_paused and s.next_run_at <= ${tx.now}
    order by s.next_run_at limit 1 for no key update of s skip locked`.execute(tx.sql)
  const [due] = rows
  if (!due) return false
  const { report, ...schedule } = due
  if (report) {
    const { format, language, timezone, created_by_name: name } = schedule
    const run = { format, language, timezone, scheduleId: schedule.id, dueAt: schedule.next_run_at }
    const addresses = await addressesOf(tx, schedule)
    await startRun(tx, { ...systemActor(tx.workspaceId), name }, report, { ...run, addresses })
  }
  await tx.sql
    .updateTable('contacts.report_schedules')
    .set({ next_run_at: nextTime(schedule, tx.now), ...(report ? { last_run_at: tx.now } : {}) })
    .where('id', '=', schedule.id)
    .execute()
  return true
}

/** The file first: a row without a file is harmless, a file that no row knows would stay for ever. */
export async function forgetRuns(runtime: Runtime, workspaceId: string): Promise<void> {
  const old = await runtime.db.transaction(workspaceId, (tx) =>
    tx.sql
      .selectFrom('contacts.report_runs')
      .select(['id', 'file_key'])
      .where('expires_at', '<=', tx.now)
      .limit(10_000)
      .execute(),
  )
  for (const { id, file_key: key } of old) {
    if (key) await runtime.files.delete(key)
    await runtime.db.transaction(workspaceId, (tx) =>
      tx.sql.deleteFrom('contacts.report_runs').where('id', '=', id).execute(),
    )
  }
}
