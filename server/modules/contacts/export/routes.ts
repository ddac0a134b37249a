/** The doors of the export: a download at once, or a file made by a job, with the history of both. */
import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { downloadHeaders } from '#platform/files/links.ts'
import { begunExport, ExportJobView, exportDoors, shownExport, viewExport } from '#platform/exports/doors.ts'
import { Reply, route, streamRoute } from '#platform/http/route.ts'
import { Closed, Id, NullableId, NullableInteger, OneOf, Problem } from '#platform/http/shapes.ts'
import { contentTypes } from '#platform/tables-out/table.ts'
import { getList } from '../lists.ts'
import { openExport } from '../views/open.ts'
import { beginDownload, type Download } from './download.ts'
import { beginExport, exportsRoom, type ExportWithJob } from './exports.ts'
import { ContactDownload, downloadQuery, exportFormats, NewExport, requestOf, type ExportFormat } from './requests.ts'

const ExportView = Type.Object(
  {
    ...shownExport,
    delivery: OneOf(['download', 'file'], { description: 'Straight into the reply, or a file made by a job' }),
    format: OneOf(exportFormats),
    contacts_chosen: NullableInteger,
    list_id: NullableId,
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
    return begunExport(tx, await beginExport(tx, actor, await openExport(tx, actor, body)))
  },
})

const keeping = exportDoors({
  path: '/contacts/exports',
  may: 'contact.export',
  formats: exportFormats,
  room: exportsRoom,
  shape: ExportView,
  show,
})

export const exportRoutes = [exportRoute, listExportRoute, beginRoute, ...keeping]

function show(row: ExportWithJob, downloadUrl: string | null) {
  const { delivery, contacts_chosen, list_id } = row
  const shown = { ...viewExport(row, downloadUrl), delivery, format: row.format, contacts_chosen, list_id }
  return delivery === 'file' ? shown : { ...shown, status: row.status ?? ('running' as const) }
}
