/** The doors of the export: a download at once, or a file made by a job, with the history of both. */
import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { downloadHeaders } from '#platform/files/links.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, record, Reply, route, streamRoute } from '#platform/http/route.ts'
import {
  AnyJson,
  Closed,
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
import { getJob } from '#platform/jobs/jobs.ts'
import { contentTypes } from '#platform/tables-out/table.ts'
import { linkToFile } from '../file-link.ts'
import { getList } from '../lists.ts'
import { openExport } from '../views/open.ts'
import { beginDownload, type Download } from './download.ts'
import { beginExport, deleteExport, getExport, listExports, type ExportWithJob } from './exports.ts'
import { ContactDownload, downloadQuery, exportFormats, NewExport, requestOf, type ExportFormat } from './requests.ts'

const ExportJobView = Type.Object({ ...JobView.properties, export_id: Id }, { $id: 'ExportJob' })

const ExportView = Type.Object(
  {
    id: Id,
    delivery: OneOf(['download', 'file'], { description: 'Straight into the reply, or a file made by a job' }),
    format: OneOf(exportFormats),
    status: OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired', 'deleted']),
    error: NullableText,
    request: AnyJson,
    contacts_chosen: NullableInteger,
    list_id: NullableId,
    rows: Type.Integer(),
    total: NullableInteger,
    size_bytes: Type.Integer(),
    file_name: Type.String(),
    download_url: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Of a single export whose file is there; good for an hour, and made anew by each GET',
    }),
    job_id: NullableId,
    created_by: NullableId,
    created_by_name: Type.String(),
    created_at: Timestamp,
    finished_at: NullableTimestamp,
    expires_at: NullableTimestamp,
  },
  { $id: 'Export' },
)

const params = Closed({ id: Id })
const File = Type.Unsafe<Readable>({ description: 'the file' })
const help =
  'Streams from one snapshot; stopping to read stops it. CSV and XLSX have the columns of document 5 unless `fields` says ' +
  'otherwise. `safe` (default) puts an apostrophe before text that a spreadsheet would compute; the import takes it away ' +
  'again. `reimport=true` writes every field that an import can read, exactly.'

const exportRoute = streamRoute({
  method: 'GET',
  path: '/contacts/export',
  may: 'contact.export',
  summary: 'Download contacts as CSV, XLSX, JSON or vCard',
  description: `${help} All parameters of the list of contacts choose who is in it; a \`view\` also which columns and which order.`,
  rate: '60/minute',
  query: ContactDownload,
  replies: { 200: File, 404: Problem, 422: Problem },
  stream: async ({ query, actor, inTx, runtime }) => {
    const request = await inTx((tx) => openExport(tx, actor, requestOf(query), '?view'))
    return sent(request.format, await beginDownload({ inTx, runtime, actor }, request))
  },
})

const listExportRoute = streamRoute({
  method: 'GET',
  path: '/lists/:id/export',
  may: 'contact.export',
  summary: 'Download the contacts of a list as CSV or XLSX',
  description: help,
  rate: '60/minute',
  params,
  query: Closed({ ...downloadQuery, format: Type.Optional(OneOf(['csv', 'xlsx'], { default: 'csv' })) }),
  replies: { 200: File, 404: Problem, 422: Problem },
  stream: async ({ params: { id }, query, actor, inTx, runtime }) => {
    const request = requestOf({ ...query, list: id })
    const download = await beginDownload({ inTx, runtime, actor }, request, {
      listId: id,
      check: (tx) => getList(tx, id),
    })
    return sent(request.format, download)
  },
})

function sent(format: ExportFormat, { name, content }: Download): Reply<Readable> {
  return new Reply(200, content, headersOf(format, name))
}

function headersOf(format: ExportFormat, downloadName: string): Record<string, string> {
  return { ...downloadHeaders({ downloadName, type: '' }), 'content-type': contentTypes[format] }
}

const beginRoute = route({
  method: 'POST',
  path: '/contacts/exports',
  may: 'contact.export',
  summary: 'Have an export made as a file, by a job',
  description:
    'Who is meant is told by `contact_ids` or by `filter`; without either, everybody. The file is kept a week.',
  body: NewExport,
  replies: { 202: ExportJobView, 422: Problem },
  run: async ({ tx, actor, body }) => {
    const row = await beginExport(tx, actor, await openExport(tx, actor, body))
    const job = { ...viewJob(await getJob(tx, row.job_id!)), export_id: row.id }
    return accepted(job, `/jobs/${job.id}`)
  },
})

const listRoute = route({
  method: 'GET',
  path: '/contacts/exports',
  may: 'contact.export',
  summary: 'Exports, newest first: who took what, and when',
  query: Closed({ ...pageQuery, format: Type.Optional(OneOf(exportFormats)) }),
  replies: { 200: Page(ExportView) },
  run: ({ tx, query }) => listExports(tx, query, (row) => viewExport(row, null)),
})

const showRoute = route({
  method: 'GET',
  path: '/contacts/exports/:id',
  may: 'contact.export',
  summary: 'One export, with a link to its file that is good for an hour',
  params,
  replies: { 200: ExportView, 404: Problem },
  run: async ({ tx, params: { id }, services }) => {
    const row = await getExport(tx, id)
    return record(viewExport(row, statusOf(row) === 'succeeded' ? await linkToFile(services, row) : null), 1)
  },
})

const deleteRoute = route({
  method: 'DELETE',
  path: '/contacts/exports/:id',
  may: 'contact.export',
  summary: 'Delete the file of an export, or stop it; that it was made stays in the history',
  params,
  replies: { 200: Message, 404: Problem },
  run: async ({ tx, params: { id }, services }) => {
    const key = await deleteExport(tx, id)
    if (key) tx.afterCommit(() => void services.files.delete(key).catch(() => {}))
    return { message: 'The file of the export was deleted.' }
  },
})

export const exportRoutes = [exportRoute, listExportRoute, beginRoute, listRoute, showRoute, deleteRoute]

function statusOf(row: ExportWithJob) {
  if (row.delivery === 'download') return row.status ?? ('running' as const)
  if (row.deleted_at) return 'deleted' as const
  if (row.expires_at && row.expires_at.getTime() <= Date.now()) return 'expired' as const
  return row.job_status ?? ('succeeded' as const)
}

function viewExport(row: ExportWithJob, downloadUrl: string | null) {
  return {
    id: row.id,
    delivery: row.delivery,
    format: row.format,
    status: statusOf(row),
    error: row.job_error,
    request: row.request,
    contacts_chosen: row.contacts_chosen,
    list_id: row.list_id,
    rows: row.finished_at ? row.rows : (row.progress_done ?? row.rows),
    total: row.progress_total,
    size_bytes: row.size_bytes,
    file_name: row.file_name,
    download_url: downloadUrl,
    job_id: row.job_id,
    created_by: row.created_by,
    created_by_name: row.created_by_name,
    created_at: row.created_at,
    finished_at: row.finished_at,
    expires_at: row.expires_at,
  }
}
