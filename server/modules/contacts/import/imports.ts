/** What people do with imports: begin, look, cancel, undo. The work itself is in `job.ts` and `undo.ts`. */
import { sql } from 'kysely'
import { getWorkspace } from '#modules/accounts/index.ts'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { JobStatus } from '#platform/db/tables.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { cancelJob, getJob, type JobRow } from '#platform/jobs/jobs.ts'
import { getList, requireStatic } from '../lists.ts'
import { recordOperation } from '../operations/record.ts'
import { makeFields, type NewFieldOfFile } from './custom.ts'
import type { Target } from './fields.ts'
import { importJob, type Import } from './job.ts'
import type { DeclaredConsent, Duplicates } from './merge/plan.ts'
import type { Policy } from './policy.ts'
import type { Reading } from './readings.ts'
import { undoJob } from './undo.ts'
import type { Look, Upload } from './uploads.ts'

/** An import with the state of the job that does it. */
export interface ImportRow extends Import {
  job_status: JobStatus | null
  job_error: string | null
  undo_status: JobStatus | null
}

export interface ImportRequest {
  targets: Target[]
  newFields: NewFieldOfFile[]
  readings: Record<number, Reading>
  duplicates: Duplicates
  policy: Policy
  listId: string | null
  tags: string[]
  consent: DeclaredConsent | null
  dryRun: boolean
}

/** Everything the job needs is written down here, so that what it does never depends on when it runs. */
export async function beginImport(
  tx: Tx,
  actor: Actor,
  upload: Upload,
  look: Look,
  request: ImportRequest,
): Promise<ImportRow> {
  if (request.listId) requireStatic(await getList(tx, request.listId))
  const workspace = await getWorkspace(tx, tx.workspaceId)
  // A dry run makes nothing; it reads as if the fields were there.
  if (!request.dryRun) await makeFields(tx, actor, request.newFields)
  const id = newId()
  const jobId = await tx.enqueue(
    importJob.kind,
    { import_id: id, lines: upload.lines },
    { createdBy: userIdOf(actor), total: upload.lines },
  )
  await tx.sql
    .insertInto('contacts.imports')
    .values({
      workspace_id: tx.workspaceId,
      id,
      upload_id: upload.id,
      job_id: jobId,
      file_key: upload.file_key,
      file_name: upload.file_name,
      ...look.layout,
      preset: look.preset,
      targets: request.targets,
      readings: JSON.stringify(request.readings),
      country: workspace.country,
      duplicates: request.duplicates,
      policy: JSON.stringify(request.policy),
      new_fields: JSON.stringify(request.newFields),
      list_id: request.listId,
      tags: request.tags,
      consent: request.consent ? JSON.stringify(request.consent) : null,
      dry_run: request.dryRun,
      bytes_total: upload.size_bytes,
      created_by: userIdOf(actor),
      created_by_name: actor.name,
    })
    .execute()
  if (!request.dryRun) {
    const facts = { file: upload.file_name }
    await recordOperation(tx, actor, { kind: 'import', action: 'import', facts, subjectId: id, jobId })
  }
  return getImport(tx, id)
}

function userIdOf(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.id : null
}

/** As long as the file and what was there before are kept. */
export const undoDays = 30

const withJobs = sql`
  select i.*, j.status as job_status, j.error as job_error, u.status as undo_status
  from contacts.imports i
  left join platform.job_states j on j.workspace_id = i.workspace_id and j.id = i.job_id
  left join platform.job_states u on u.workspace_id = i.workspace_id and u.id = i.undo_job_id`

export async function getImport(tx: Tx, id: string): Promise<ImportRow> {
  const { rows } = await sql<ImportRow>`${withJobs} where i.workspace_id = ${tx.workspaceId} and i.id = ${id}`.execute(
    tx.sql,
  )
  if (!rows[0]) throw new NotFound('import')
  return rows[0]
}

/** Newest first. */
export async function listImports<View>(
  tx: Tx,
  query: { limit?: number; cursor?: string; count?: 'exact' },
  view: (row: ImportRow) => View,
) {
  const limit = query.limit ?? 50
  const sort = parseSort(
    undefined,
    { created_at: { expression: sql`i.created_at`, type: 'timestamptz' } },
    '-created_at',
  )
  const after = afterCursor(query.cursor, sort, sql`i.id`)
  const { rows } = await sql<ImportRow & { sort_key: string }>`
    select *, created_at::text as sort_key from (
      ${withJobs} where i.workspace_id = ${tx.workspaceId} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`i.id`)} limit ${limit + 1}) as shown
    order by created_at desc, id desc`.execute(tx.sql)
  const total = await countRows(tx, sql`from contacts.imports`, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

/** What the batches before have done stays; an undo takes it back. */
export async function cancelImport(tx: Tx, id: string): Promise<ImportRow> {
  const row = await getImport(tx, id)
  if (row.job_id) await cancelJob(tx, row.job_id)
  return getImport(tx, id)
}

export async function undoImport(tx: Tx, actor: Actor, id: string): Promise<JobRow> {
  const row = await getImport(tx, id)
  if (row.undo_job_id && row.undo_status !== 'failed' && row.undo_status !== 'canceled')
    return getJob(tx, row.undo_job_id)
  if (tx.now.getTime() - row.created_at.getTime() > undoDays * 86_400_000)
    throw new Conflict('undo_expired', `An import can be undone for ${undoDays} days.`)
  if (row.dry_run) throw new Conflict('dry_run', 'A dry run changed nothing, so there is nothing to undo.')
  if (row.job_status === 'queued' || row.job_status === 'running') {
    throw new Conflict('import_running', 'The import is still running. Cancel it first, then undo it.')
  }
  const jobId = await tx.enqueue(
    undoJob.kind,
    { import_id: id },
    { createdBy: userIdOf(actor), total: row.created + row.updated + row.merged },
  )
  await tx.sql.updateTable('contacts.imports').set({ undo_job_id: jobId }).where('id', '=', id).execute()
  return getJob(tx, jobId)
}
