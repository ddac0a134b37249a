/** The doors of the import: look at a file, import it, follow, mend, cancel, undo. */
import { Type } from 'typebox'
import { Invalid } from '#platform/errors.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, record, Reply, route, streamRoute } from '#platform/http/route.ts'
import { Closed, Id, JobView, Page, pageQuery, Problem } from '#platform/http/shapes.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import type { Tx } from '#platform/db/db.ts'
import { errorsFile } from './errors-file.ts'
import { cancelImport, getImport, listImports, undoImport } from './imports.ts'
import { planImport, previewOf } from './planning.ts'
import { readRequest, type ImportRequest } from './requests.ts'
import { getUpload, keepUpload, lookAt, type Upload } from './uploads.ts'
import { ImportJobView, ImportView, Preview, viewImport } from './views.ts'

const params = Closed({ id: Id })
const formHelp =
  'multipart/form-data with `file` and the options as fields (`mapping` and `consent` as JSON), or JSON with the `upload_id` of a preview.'

const previewRoute = streamRoute({
  method: 'POST',
  path: '/contacts/import/preview',
  may: 'contact.import',
  multipart: true,
  summary: 'Look at a file before importing it; with a mapping, count what an import would do',
  description: `${formHelp} Without \`mapping\`: what the file seems to be. With it: 202 and a job whose result has the counts and some of the differences, field by field; nothing is written.`,
  replies: { 200: Preview, 201: Preview, 202: ImportJobView, 404: Problem, 413: Problem, 422: Problem },
  stream: async ({ actor, inTx, runtime, request }) => {
    const { upload: stored, body } = await readRequest(request, runtime, actor.workspaceId)
    const upload = stored ? await keepUpload(runtime, actor, stored) : await inTx((tx) => uploadOf(tx, body))
    const look = await lookAt(runtime.files, upload, body)
    if (body.mapping)
      return inTx(async (tx) => tell(tx, await planImport(tx, actor, upload, look, { ...body, dry_run: true })))
    return new Reply(stored ? 201 : 200, await inTx((tx) => previewOf(tx, upload, look, body)))
  },
})

const importRoute = streamRoute({
  method: 'POST',
  path: '/contacts/import',
  may: 'contact.import',
  multipart: true,
  summary: 'Import contacts from CSV, TSV, a workbook (.xlsx), vCards or JSON',
  description: `${formHelp} Columns that \`mapping\` does not name are left out; without a mapping the suggested one is taken. The default for duplicates is skip. Everybody in the file goes on the list, also who was there before. A "no" in a column about consent is recorded in every mode; a "yes" counts only with \`consent\`, which declares how it came about.`,
  replies: { 202: ImportJobView, 404: Problem, 413: Problem, 422: Problem },
  stream: async ({ actor, inTx, runtime, request }) => {
    const { upload: stored, body } = await readRequest(request, runtime, actor.workspaceId)
    const upload = stored ? await keepUpload(runtime, actor, stored) : await inTx((tx) => uploadOf(tx, body))
    const look = await lookAt(runtime.files, upload, body)
    return inTx(async (tx) => tell(tx, await planImport(tx, actor, upload, look, body)))
  },
})

async function uploadOf(tx: Tx, body: ImportRequest): Promise<Upload> {
  if (!body.upload_id) throw Invalid.at('/file', 'required', 'Send a file, or the upload_id of one that was previewed.')
  return getUpload(tx, body.upload_id)
}

async function tell(tx: Tx, row: { id: string; job_id: string | null }) {
  const job = { ...viewJob(await getJob(tx, row.job_id!)), import_id: row.id }
  return accepted(job, `/jobs/${job.id}`)
}

const listRoute = route({
  method: 'GET',
  path: '/contacts/imports',
  may: 'contact.read',
  summary: 'Imports, newest first',
  query: Closed(pageQuery),
  replies: { 200: Page(ImportView) },
  run: ({ tx, query }) => listImports(tx, query, viewImport),
})

const showRoute = route({
  method: 'GET',
  path: '/contacts/imports/:id',
  may: 'contact.read',
  summary: 'One import with its counts and progress',
  params,
  replies: { 200: ImportView, 404: Problem },
  run: async ({ tx, params: { id } }) => record(viewImport(await getImport(tx, id)), 1),
})

const errorsRoute = streamRoute({
  method: 'GET',
  path: '/contacts/imports/:id/errors',
  may: 'contact.import',
  summary: 'The failed rows as CSV, with the line, the column and the reason of each',
  params,
  replies: { 200: Type.String(), 404: Problem },
  stream: async ({ params: { id }, inTx, raw }) => {
    const row = await inTx((tx) => getImport(tx, id))
    return raw
      .header('content-type', 'text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="import-errors-${row.id}.csv"`)
      .header('cache-control', 'no-store')
      .send(errorsFile(inTx, row))
  },
})

const cancelRoute = route({
  method: 'POST',
  path: '/contacts/imports/:id/cancel',
  may: 'contact.import',
  summary: 'Stop an import after the batch in hand; what it has done stays, and the counts say what',
  params,
  replies: { 200: ImportView, 404: Problem },
  run: async ({ tx, params: { id } }) => viewImport(await cancelImport(tx, id)),
})

const undoRoute = route({
  method: 'POST',
  path: '/contacts/imports/:id/undo',
  may: 'contact.import',
  summary: 'Take an import back',
  description:
    'Contacts that it made and nobody has touched since are deleted (and can be restored); what it changed of others becomes what it was. The result of the job says how many were removed, restored and kept.',
  params,
  replies: { 202: JobView, 404: Problem, 409: Problem },
  run: async ({ tx, actor, params: { id } }) => {
    const job = await undoImport(tx, actor, id)
    return accepted(viewJob(job), `/jobs/${job.id}`)
  },
})

export const importRoutes = [previewRoute, importRoute, listRoute, showRoute, errorsRoute, cancelRoute, undoRoute]
