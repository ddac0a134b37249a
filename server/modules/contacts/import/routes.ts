/** The doors of the import: look at a file, import it, follow, mend, cancel, undo. */
import { Type } from 'typebox'
import { Invalid } from '#platform/errors.ts'
import { viewJob } from '#platform/http/platform-routes.ts'
import { accepted, record, Reply, route, streamRoute } from '#platform/http/route.ts'
import {
  AnyJson,
  Closed,
  Id,
  JobView,
  NullableId,
  NullableText,
  NullableTimestamp,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '#platform/http/shapes.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Actor } from '#platform/actor.ts'
import { errorsFile } from './errors-file.ts'
import { encodings } from './encoding.ts'
import { beginImport, cancelImport, getImport, listImports, undoImport, type ImportRow } from './imports.ts'
import { countsOf } from './job.ts'
import { requireEmail, resolveMapping } from './mapping.ts'
import { readRequest, type ImportRequest } from './requests.ts'
import { getUpload, lookAt, recordUpload, type Look, type Upload } from './uploads.ts'

const Preview = Type.Object(
  {
    upload_id: Id,
    file_name: Type.String(),
    size_bytes: Type.Integer(),
    encoding: OneOf(encodings),
    delimiter: Type.String(),
    has_header: Type.Boolean(),
    columns: Type.Array(
      Type.Object({
        index: Type.Integer(),
        header: Type.String(),
        samples: Type.Array(Type.String()),
        suggested_field: NullableText,
        confidence: Type.Number({ description: '0 to 1' }),
      }),
    ),
    rows_previewed: Type.Integer(),
    sample_rows: Type.Array(Type.Array(Type.String())),
  },
  { $id: 'ImportPreview' },
)

const ImportJobView = Type.Object({ ...JobView.properties, import_id: Id }, { $id: 'ImportJob' })

const ImportView = Type.Object(
  {
    id: Id,
    status: OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled', 'undone']),
    error: NullableText,
    file_name: Type.String(),
    rows: Type.Integer({ description: 'rows = created + updated + merged + skipped + failed, at any time' }),
    created: Type.Integer(),
    updated: Type.Integer(),
    merged: Type.Integer(),
    skipped: Type.Integer({ description: 'Known already, with nothing to change' }),
    failed: Type.Integer(),
    bytes_done: Type.Integer(),
    bytes_total: Type.Integer(),
    rate: Type.Unsafe<number | null>({ type: ['number', 'null'], description: 'rows per second' }),
    created_at: Timestamp,
    started_at: NullableTimestamp,
    finished_at: NullableTimestamp,
    undone_at: NullableTimestamp,
    job_id: NullableId,
    undo_job_id: NullableId,
    upload_id: Id,
    dry_run: Type.Boolean(),
    duplicates: OneOf(['skip', 'update', 'merge']),
    encoding: OneOf(encodings),
    delimiter: Type.String(),
    has_header: Type.Boolean(),
    mapping: Type.Unsafe<Record<string, string | null>>({
      type: 'object',
      additionalProperties: { type: ['string', 'null'] },
    }),
    list_id: NullableId,
    tags: Type.Array(Type.String()),
    consent: AnyJson,
    created_by_name: Type.String(),
  },
  { $id: 'Import' },
)

const params = Closed({ id: Id })
const formHelp =
  'multipart/form-data with `file` and the options as fields (`mapping` and `consent` as JSON), or JSON with the `upload_id` of a preview.'

const previewRoute = streamRoute({
  method: 'POST',
  path: '/contacts/import/preview',
  may: 'contact.import',
  multipart: true,
  summary: 'Look at a CSV file before importing it; with a mapping, count what an import would do',
  description: `${formHelp} Without \`mapping\`: what the file seems to be. With it: 202 and a job whose result has the counts; nothing is written.`,
  replies: { 200: Preview, 201: Preview, 202: ImportJobView, 404: Problem, 413: Problem, 422: Problem },
  stream: async ({ actor, inTx, runtime, request }) => {
    const { upload: stored, body } = await readRequest(request, runtime, actor.workspaceId)
    const upload = await inTx((tx) => (stored ? recordUpload(tx, actor, stored) : uploadOf(tx, body)))
    const look = await lookAt(runtime.files, upload, body)
    if (body.mapping) return beginAndTell(inTx, actor, upload, look, { ...body, dry_run: true })
    return new Reply(stored ? 201 : 200, viewPreview(upload, look))
  },
})

const importRoute = streamRoute({
  method: 'POST',
  path: '/contacts/import',
  may: 'contact.import',
  multipart: true,
  summary: 'Import contacts from a CSV file of any size',
  description: `${formHelp} Columns that \`mapping\` does not name are left out; without a mapping the suggested one is taken. The default for duplicates is skip. Everybody in the file goes on the list, also who was there before.`,
  replies: { 202: ImportJobView, 404: Problem, 413: Problem, 422: Problem },
  stream: async ({ actor, inTx, runtime, request }) => {
    const { upload: stored, body } = await readRequest(request, runtime, actor.workspaceId)
    const upload = await inTx((tx) => (stored ? recordUpload(tx, actor, stored) : uploadOf(tx, body)))
    const look = await lookAt(runtime.files, upload, body)
    return beginAndTell(inTx, actor, upload, look, body)
  },
})

async function uploadOf(tx: Tx, body: ImportRequest): Promise<Upload> {
  if (!body.upload_id) throw Invalid.at('/file', 'required', 'Send a file, or the upload_id of one that was previewed.')
  return getUpload(tx, body.upload_id)
}

async function beginAndTell(
  inTx: <T>(run: (tx: Tx) => Promise<T>) => Promise<T>,
  actor: Actor,
  upload: Upload,
  look: Look,
  body: ImportRequest,
) {
  const targets = body.mapping
    ? resolveMapping(body.mapping, look.header)
    : look.suggestions.map(({ target }) => target)
  requireEmail(targets)
  const job = await inTx(async (tx) => {
    const row = await beginImport(tx, actor, upload, look, {
      targets,
      duplicates: body.duplicates ?? 'skip',
      listId: body.list_id ?? null,
      tags: [...new Set((body.tags ?? []).map((tag) => tag.trim()).filter(Boolean))],
      consent: body.consent ?? null,
      dryRun: body.dry_run ?? false,
    })
    return { ...viewJob(await getJob(tx, row.job_id!)), import_id: row.id }
  })
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

function viewPreview(upload: Upload, look: Look) {
  return {
    upload_id: upload.id,
    file_name: upload.file_name,
    size_bytes: upload.size_bytes,
    encoding: look.encoding,
    delimiter: look.layout.delimiter,
    has_header: look.layout.hasHeader,
    columns: look.header.map((header, index) => ({
      index,
      header,
      samples: look.samples[index] ?? [],
      suggested_field: look.suggestions[index]?.target ?? null,
      confidence: look.suggestions[index]?.confidence ?? 0,
    })),
    rows_previewed: look.rows.length,
    sample_rows: look.rows,
  }
}

function viewImport(row: ImportRow) {
  const status = row.undone_at ? ('undone' as const) : (row.job_status ?? ('succeeded' as const))
  const seconds = row.started_at ? ((row.finished_at ?? new Date()).getTime() - row.started_at.getTime()) / 1_000 : 0
  return {
    id: row.id,
    status,
    error: row.job_error,
    file_name: row.file_name,
    ...countsOf(row),
    bytes_done: row.bytes_done,
    bytes_total: row.bytes_total,
    rate: seconds > 0 && (status === 'running' || row.finished_at) ? Math.round(row.rows / seconds) : null,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
    undone_at: row.undone_at,
    job_id: row.job_id,
    undo_job_id: row.undo_job_id,
    upload_id: row.upload_id,
    dry_run: row.dry_run,
    duplicates: row.duplicates,
    encoding: row.encoding,
    delimiter: row.delimiter,
    has_header: row.has_header,
    mapping: Object.fromEntries(row.header.map((header, index) => [header, row.targets[index] ?? null])),
    list_id: row.list_id,
    tags: row.tags,
    consent: row.consent,
    created_by_name: row.created_by_name,
  }
}
