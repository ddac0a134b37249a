/** The doors of what is made of reports: files, when they go out, and who got them. */
import { Type } from 'typebox'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, created, record, route } from '#platform/http/route.ts'
import {
  Closed,
  Email,
  Id,
  JobView,
  Message,
  NullableId,
  NullableInteger,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import type { Tx } from '#platform/db/db.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { linkToFile } from '#platform/exports/file-link.ts'
import { languages } from '../texts.ts'
import { reportFormats } from './files.ts'
import { getReport } from './reports.ts'
import { languageOf } from './routes.ts'
import { cancelRun, getRun, listRuns, startRun, type ShownRun } from './runs.ts'
import { frequencies } from './schedule-times.ts'
import { createSchedule, deleteSchedule, getSchedule, listSchedules, runSchedule, updateSchedule } from './schedules.ts'
import { mailStates, type ReportSchedule } from './tables.ts'

const ofReport = Closed({ id: Id })
const ofSchedule = Closed({ id: Id, schedule_id: Id })
const ofRun = Closed({ id: Id, run_id: Id })

const RunJobView = Type.Object({ ...JobView.properties, run_id: Id }, { $id: 'ReportRunJob' })

const RunView = Type.Object(
  {
    id: Id,
    report_id: Id,
    schedule_id: NullableId,
    due_at: NullableTimestamp,
    report_name: Type.String(),
    format: OneOf(reportFormats),
    language: OneOf(languages),
    status: OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled']),
    error: NullableText,
    rows: NullableInteger,
    groups_total: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'How many groups there were, shown or not',
    }),
    size_bytes: NullableInteger,
    file_name: Type.String(),
    download_url: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Of a single run whose file is there; good for an hour, and made anew by each GET',
    }),
    sent_to: Type.Array(
      Type.Object({
        address: Type.String(),
        state: OneOf(mailStates),
        detail: NullableText,
        sent_at: NullableTimestamp,
      }),
    ),
    job_id: Id,
    started_by: NullableId,
    started_by_name: Type.String(),
    created_at: Timestamp,
    finished_at: NullableTimestamp,
    expires_at: Timestamp,
  },
  { $id: 'ReportRun' },
)

const ScheduleView = Type.Object(
  {
    id: Id,
    report_id: Id,
    frequency: OneOf(frequencies),
    time: Type.String(),
    weekday: NullableInteger,
    month_day: NullableInteger,
    timezone: Type.String(),
    format: OneOf(reportFormats),
    language: OneOf(languages),
    member_ids: Type.Array(Id),
    addresses: Type.Array(Type.String()),
    is_paused: Type.Boolean(),
    next_run_at: Type.Unsafe<Date | string | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'Null while it is paused',
    }),
    last_run_at: NullableTimestamp,
    created_by: NullableId,
    created_by_name: Type.String(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'ReportSchedule' },
)

const frequency = OneOf(frequencies)
const time = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: 'As clocks there show it: 07:30' })
const scheduleInput = {
  weekday: Type.Optional(Type.Integer({ minimum: 1, maximum: 7, description: 'Of weekly ones; 1 is Monday' })),
  month_day: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 31, description: 'Of monthly ones; the last day of a month that is shorter' }),
  ),
  timezone: Type.Optional(
    Type.String({ maxLength: 64, description: 'IANA name; the workspace’s unless told otherwise' }),
  ),
  format: Type.Optional(OneOf(reportFormats, { default: 'pdf' })),
  language: Type.Optional(OneOf(languages, { description: 'Of the mail and of the labels in the file' })),
  member_ids: Type.Optional(Type.Array(Id, { maxItems: 50, uniqueItems: true })),
  addresses: Type.Optional(
    Type.Array(Email, { maxItems: 50, description: 'Of people who are no members, for admins to name' }),
  ),
  is_paused: Type.Optional(Type.Boolean()),
}

const startRoute = route({
  method: 'POST',
  path: '/contacts/reports/:id/runs',
  may: 'report.write',
  summary: 'Make a file of a report, by a job',
  description: 'The file is kept for 90 days.',
  params: ofReport,
  body: Closed({ format: OneOf(reportFormats), language: Type.Optional(OneOf(languages)) }),
  replies: { 202: RunJobView, 404: Problem },
  run: async ({ tx, actor, params: { id }, body }) => {
    const report = await getReport(tx, id)
    const { timezone } = await getWorkspace(tx, tx.workspaceId)
    const language = await languageOf(tx, body.language)
    return begun(tx, await startRun(tx, actor, report, { format: body.format, language, timezone }))
  },
})

const listRunsRoute = route({
  method: 'GET',
  path: '/contacts/reports/:id/runs',
  may: 'contact.read',
  summary: 'Files that were made of a report, newest first',
  params: ofReport,
  query: Closed({ ...pageQuery, schedule_id: Type.Optional(Id) }),
  replies: { 200: Page(RunView), 404: Problem },
  run: async ({ tx, params: { id }, query }) => {
    await getReport(tx, id)
    return listRuns(tx, id, query, (run) => viewRun(run, null))
  },
})

const showRunRoute = route({
  method: 'GET',
  path: '/contacts/reports/:id/runs/:run_id',
  may: 'contact.read',
  summary: 'One run, with a link to its file that is good for an hour',
  params: ofRun,
  replies: { 200: RunView, 404: Problem },
  run: async ({ tx, params: { id, run_id }, services }) => {
    const run = await getRun(tx, id, run_id)
    return record(viewRun(run, await linkToFile(services, run)), 1)
  },
})

const cancelRunRoute = route({
  method: 'POST',
  path: '/contacts/reports/:id/runs/:run_id/cancel',
  may: 'report.write',
  summary: 'Stop a run; what was sent stays sent',
  params: ofRun,
  replies: { 200: RunView, 404: Problem },
  run: async ({ tx, params: { id, run_id } }) => viewRun(await cancelRun(tx, id, run_id), null),
})

const listSchedulesRoute = route({
  method: 'GET',
  path: '/contacts/reports/:id/schedules',
  may: 'contact.read',
  summary: 'When a report goes out by mail, and to whom',
  params: ofReport,
  query: Closed(pageQuery),
  replies: { 200: Page(ScheduleView), 404: Problem },
  run: ({ tx, params: { id }, query }) => listSchedules(tx, id, query, viewSchedule),
})

const createScheduleRoute = route({
  method: 'POST',
  path: '/contacts/reports/:id/schedules',
  may: 'report.write',
  summary: 'Send a report by mail every day, week or month',
  description:
    'Each person gets each report once, whatever is tried again. Where clocks skip the time, it goes out when they have, ' +
    'and where they show it twice, the first time. After a standstill one report makes up for all that were missed. ' +
    'Addresses of people who are no members of the workspace are for admins to name.',
  params: ofReport,
  body: Closed({ frequency, time, ...scheduleInput }),
  replies: { 201: ScheduleView, 403: Problem, 404: Problem },
  run: async ({ tx, actor, params: { id }, body, services: { permissions } }) => {
    const schedule = await createSchedule(tx, actor, id, body, permissions)
    return created(viewSchedule(schedule), `/contacts/reports/${id}/schedules/${schedule.id}`, schedule.version)
  },
})

const showScheduleRoute = route({
  method: 'GET',
  path: '/contacts/reports/:id/schedules/:schedule_id',
  may: 'contact.read',
  summary: 'One schedule of a report',
  params: ofSchedule,
  replies: { 200: ScheduleView, 404: Problem },
  run: async ({ tx, params: { id, schedule_id } }) => {
    const schedule = await getSchedule(tx, id, schedule_id)
    return record(viewSchedule(schedule), schedule.version)
  },
})

const [replaceScheduleRoute, changeScheduleRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/contacts/reports/:id/schedules/:schedule_id',
    may: 'report.write',
    summary: 'Change a schedule, pause it, or let it go on: what is named is replaced, the rest stays',
    params: ofSchedule,
    body: Closed({ frequency: Type.Optional(frequency), time: Type.Optional(time), ...scheduleInput }),
    replies: { 200: ScheduleView, 403: Problem, 404: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id, schedule_id }, body, ifVersion, services: { permissions } }) => {
      const schedule = await updateSchedule(tx, actor, id, schedule_id, body, { permissions, ifVersion })
      return record(viewSchedule(schedule), schedule.version)
    },
  }),
)

const deleteScheduleRoute = route({
  method: 'DELETE',
  path: '/contacts/reports/:id/schedules/:schedule_id',
  may: 'report.write',
  summary: 'Send a report no more; what was sent stays in its history',
  params: ofSchedule,
  replies: { 200: Message, 404: Problem, 412: Problem },
  run: async ({ tx, params: { id, schedule_id }, ifVersion }) => {
    await deleteSchedule(tx, id, schedule_id, ifVersion)
    return { message: 'The schedule was deleted.' }
  },
})

const runScheduleRoute = route({
  method: 'POST',
  path: '/contacts/reports/:id/schedules/:schedule_id/run',
  may: 'report.write',
  summary: 'Send it now as well, to everybody whom the schedule names',
  params: ofSchedule,
  replies: { 202: RunJobView, 404: Problem },
  run: async ({ tx, actor, params: { id, schedule_id } }) => begun(tx, await runSchedule(tx, actor, id, schedule_id)),
})

export const reportRunRoutes = [
  startRoute,
  listRunsRoute,
  showRunRoute,
  cancelRunRoute,
  listSchedulesRoute,
  createScheduleRoute,
  showScheduleRoute,
  replaceScheduleRoute!,
  changeScheduleRoute!,
  deleteScheduleRoute,
  runScheduleRoute,
]

async function begun(tx: Tx, run: ShownRun) {
  const job = { ...viewJob(await getJob(tx, run.job_id)), run_id: run.id }
  return accepted(job, `/jobs/${run.job_id}`)
}

/** Jobs are forgotten before their runs: what has a file went well. */
function viewRun(run: ShownRun, downloadUrl: string | null) {
  return {
    id: run.id,
    report_id: run.report_id,
    schedule_id: run.schedule_id,
    due_at: run.due_at,
    report_name: run.report_name,
    format: run.format,
    language: run.language,
    status: run.job_status ?? (run.file_key ? ('succeeded' as const) : ('failed' as const)),
    error: run.job_error,
    rows: run.rows,
    groups_total: run.groups_total,
    size_bytes: run.size_bytes,
    file_name: run.file_name,
    download_url: downloadUrl,
    sent_to: run.mails,
    job_id: run.job_id,
    started_by: run.started_by,
    started_by_name: run.started_by_name,
    created_at: run.created_at,
    finished_at: run.finished_at,
    expires_at: run.expires_at,
  }
}

function viewSchedule({ workspace_id: _workspace, version: _version, at_time, ...shown }: ReportSchedule) {
  return { ...shown, time: at_time, next_run_at: shown.is_paused ? null : shown.next_run_at }
}
