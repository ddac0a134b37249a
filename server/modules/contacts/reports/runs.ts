/** The history of a report: each time that it was made as a file, and who got it. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { JobStatus } from '#platform/db/tables.ts'
import { NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { cancelJob } from '#platform/jobs/jobs.ts'
import { extensions } from '#platform/tables-out/table.ts'
import { dayOf } from '../rules/days.ts'
import type { Language } from '../texts.ts'
import type { ReportFormat } from './files.ts'
import type { mailStates, Report, ReportRun } from './tables.ts'

export const reportJobKind = 'contacts.report'

/** How long a run and its file are kept. */
export const keptDays = 90

export interface RunMail {
  address: string
  state: (typeof mailStates)[number]
  detail: string | null
  sent_at: string | null
}

export interface ShownRun extends ReportRun {
  job_status: JobStatus | null
  job_error: string | null
  mails: RunMail[]
}

export interface NewRun {
  format: ReportFormat
  language: Language
  timezone: string
  scheduleId?: string
  dueAt?: Date
  addresses?: string[]
}

/** The definition goes with it: what somebody changes meanwhile is for the next time. */
export async function startRun(tx: Tx, actor: Actor, report: Report, run: NewRun): Promise<ShownRun> {
  const id = newId()
  const mails = [...new Map((run.addresses ?? []).map((address) => [address.toLowerCase(), address])).values()]
  const jobId = await tx.enqueue(reportJobKind, { run_id: id }, { createdBy: actor.id, total: 1 + mails.length })
  await tx.sql
    .insertInto('contacts.report_runs')
    .values({
      workspace_id: tx.workspaceId,
      id,
      report_id: report.id,
      schedule_id: run.scheduleId ?? null,
      due_at: run.dueAt ?? null,
      report_name: report.name,
      definition: JSON.stringify(report.definition),
      format: run.format,
      language: run.language,
      job_id: jobId,
      file_name: `${report.name}-${dayOf(tx.now, run.timezone)}.${extensions[run.format]}`,
      started_by: actor.id,
      started_by_name: actor.name,
      created_at: tx.now,
      expires_at: new Date(tx.now.getTime() + keptDays * 86_400_000),
    })
    .execute()
  if (mails.length) {
    await tx.sql
      .insertInto('contacts.report_mails')
      .values(mails.map((address) => ({ workspace_id: tx.workspaceId, run_id: id, address })))
      .execute()
  }
  return getRun(tx, report.id, id)
}

export interface RunsQuery {
  schedule_id?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Newest first. */
export async function listRuns<View>(tx: Tx, reportId: string, query: RunsQuery, view: (run: ShownRun) => View) {
  const limit = query.limit ?? 50
  const created = { created_at: { expression: sql`r.created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, created, '-created_at')
  const after = afterCursor(query.cursor, sort, sql`r.id`)
  const where = sql`r.workspace_id = ${tx.workspaceId} and r.report_id = ${reportId}
    ${query.schedule_id ? sql`and r.schedule_id = ${query.schedule_id}` : sql``}`
  const { rows } = await sql<ShownRun & { sort_key: string }>`
    select *, created_at::text as sort_key from (
      ${withJobs} where ${where} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`r.id`)} limit ${limit + 1}) as shown
    order by created_at desc, id desc`.execute(tx.sql)
  const total = await countRows(tx, sql`from contacts.report_runs r where ${where}`, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

export async function getRun(tx: Tx, reportId: string, id: string): Promise<ShownRun> {
  const { rows } = await sql<ShownRun>`
    ${withJobs} where r.workspace_id = ${tx.workspaceId} and r.report_id = ${reportId} and r.id = ${id}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('run')
  return rows[0]
}

/** One that waits ends at once, one that runs before its next mail; what was sent stays sent. */
export async function cancelRun(tx: Tx, reportId: string, id: string): Promise<ShownRun> {
  const run = await getRun(tx, reportId, id)
  await cancelJob(tx, run.job_id)
  return getRun(tx, reportId, id)
}

const withJobs = sql`
  select r.*, j.status as job_status, j.error as job_error, coalesce((
    select jsonb_agg(jsonb_build_object('address', m.address, 'state', m.state, 'detail', m.detail, 'sent_at', m.sent_at)
      order by m.address)
    from contacts.report_mails m where m.workspace_id = r.workspace_id and m.run_id = r.id), '[]') as mails
  from contacts.report_runs r
  left join platform.job_states j on j.workspace_id = r.workspace_id and j.id = r.job_id`
