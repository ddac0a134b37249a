/** The platform's own doors: jobs, the live stream, signed file links. */
import { Type } from 'typebox'
import { sql } from 'kysely'
import type { Readable } from 'node:stream'
import { NotFound } from '../errors.ts'
import { createFileLinks, downloadHeaders } from '../files/links.ts'
import { cancelJob, getJob, retryJob, type JobRow } from '../jobs/jobs.ts'
import { liveStream } from '../live/live-route.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from './paging.ts'
import { Reply, route, streamRoute } from './route.ts'
import { Closed, Id, JobView, OneOf, Page, pageQuery, Problem } from './shapes.ts'

const jobParams = Closed({ id: Id })

const listJobs = route({
  method: 'GET',
  path: '/jobs',
  may: 'job.read',
  summary: 'Jobs of the workspace, newest first',
  query: Closed({
    ...pageQuery,
    kind: Type.Optional(Type.String({ maxLength: 100 })),
    status: Type.Optional(OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled'])),
  }),
  replies: { 200: Page(JobView) },
  run: async ({ tx, query }) => {
    const sort = parseSort(
      undefined,
      { created_at: { expression: sql`created_at`, type: 'timestamptz' } },
      '-created_at',
    )
    const limit = query.limit ?? 50
    const from = sql`from platform.jobs where true
      ${query.kind ? sql`and kind = ${query.kind}` : sql``} ${query.status ? sql`and status = ${query.status}` : sql``}`
    const after = afterCursor(query.cursor, sort, sql`id`)
    const { rows } = await sql<JobRow & { sort_key: string }>`
      select *, created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
    const total = await countRows(tx, from, query.count === 'exact')
    return { ...page(rows, limit, sort, viewJob), total }
  },
})

const showJob = route({
  method: 'GET',
  path: '/jobs/:id',
  may: 'job.read',
  summary: 'One job with its progress',
  params: jobParams,
  replies: { 200: JobView, 404: Problem },
  run: async ({ tx, params }) => viewJob(await getJob(tx, params.id)),
})

const cancel = route({
  method: 'POST',
  path: '/jobs/:id/cancel',
  may: 'job.control',
  summary: 'Cancel a job: at once while it waits, at its next checkpoint while it runs',
  params: jobParams,
  replies: { 200: JobView, 404: Problem },
  run: async ({ tx, params }) => viewJob(await cancelJob(tx, params.id)),
})

const retry = route({
  method: 'POST',
  path: '/jobs/:id/retry',
  may: 'job.control',
  summary: 'Try a failed or canceled job again, from where it stopped',
  params: jobParams,
  replies: { 200: JobView, 404: Problem, 409: Problem },
  run: async ({ tx, queue, params }) => viewJob(await retryJob(tx, queue, params.id)),
})

const downloadFile = streamRoute({
  method: 'GET',
  path: '/files/:token',
  root: true,
  may: 'public',
  summary: 'Download a file by a signed link, until the link expires',
  params: Closed({ token: Type.String({ maxLength: 4_096 }) }),
  replies: { 200: Type.Unsafe<Readable>({ description: 'the file' }), 404: Problem },
  stream: async ({ params, runtime }) => {
    const link = createFileLinks(runtime.tokens, '').verify(params.token)
    const content = link ? await runtime.files.get(link.key) : null
    if (!link || !content) throw new NotFound('file')
    return new Reply(200, content, downloadHeaders(link))
  },
})

export const platformRoutes = [listJobs, showJob, cancel, retry, downloadFile, liveStream]

/** The rate is over the whole run so far; items per second. */
export function viewJob(row: JobRow): JobView {
  const endedAt = row.finished_at ?? row.updated_at
  const seconds = row.started_at ? (endedAt.getTime() - row.started_at.getTime()) / 1_000 : 0
  return {
    id: row.id,
    kind: row.kind,
    status: row.status,
    progress: {
      done: row.progress_done,
      total: row.progress_total,
      rate: seconds > 0 ? Math.round((row.progress_done / seconds) * 10) / 10 : null,
    },
    result: row.result,
    error: row.error,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
  }
}
