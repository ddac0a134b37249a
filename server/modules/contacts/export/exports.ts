/** What people do with exports: begin one, look at what there was, fetch a file, delete it. The work itself is in `job.ts`. */
import { sql, type Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { JobStatus } from '#platform/db/tables.ts'
import { Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { cancelJob } from '#platform/jobs/jobs.ts'
import { extensions } from '#platform/tables-out/table.ts'
import { checkFilter } from '../given-filter.ts'
import { planExport } from './columns.ts'
import { countMatching, matchingOf } from './matching.ts'
import type { ExportFormat, ExportRequest } from './requests.ts'
import type { ExportTable } from './tables.ts'

/** As it is shown: without the ids of those who were chosen, which can be fifty thousand. */
export type Export = Omit<Selectable<ExportTable>, 'contact_ids'>

/** An export with the state of the job that makes its file. */
export interface ExportWithJob extends Export {
  job_status: JobStatus | null
  job_error: string | null
  progress_done: number | null
  progress_total: number | null
}

export const exportJobKind = 'contacts.export'

/** How long a file is kept; the row that says who took what stays. */
export const keptDays = 7

/** Checks what can be known in advance, so that a wrong field is told now and not by a failed job. */
export async function beginExport(
  tx: Tx,
  actor: Actor,
  request: ExportRequest,
  listId: string | null = null,
): Promise<ExportWithJob> {
  if (request.contact_ids && request.filter && Object.keys(request.filter).length) {
    throw Invalid.at('/contact_ids', 'ambiguous', 'Say who is meant by contact_ids or by filter, not by both.')
  }
  await checkFilter(tx, request.filter, '/filter')
  const matching = await matchingOf(tx, request)
  await planExport(tx, { ...request, reimport: false }, matching)
  const total = await countMatching(tx, matching)
  const id = newId()
  const jobId = await tx.enqueue(exportJobKind, { export_id: id }, { createdBy: actor.id, total })
  await insertExport(tx, actor, { id, delivery: 'file', request, listId, jobId })
  return getExport(tx, id)
}

export async function insertExport(
  tx: Tx,
  actor: Actor,
  entry: Pick<Export, 'id' | 'delivery'> & { request: ExportRequest; listId: string | null; jobId: string | null },
): Promise<void> {
  const { id, delivery, listId, jobId } = entry
  const { contact_ids: chosen, ...request } = entry.request
  await tx.sql
    .insertInto('contacts.exports')
    .values({
      workspace_id: tx.workspaceId,
      id,
      delivery,
      format: request.format,
      request: JSON.stringify(request),
      contact_ids: chosen ?? null,
      contacts_chosen: chosen?.length ?? null,
      list_id: listId,
      job_id: jobId,
      status: delivery === 'download' ? 'running' : null,
      file_name: fileName(request.format, tx.now),
      created_by: actor.kind === 'user' || actor.kind === 'key' ? actor.id : null,
      created_by_name: actor.name,
      created_at: tx.now,
    })
    .execute()
}

export function fileName(format: ExportFormat, now: Date): string {
  return `contacts-${now.toISOString().slice(0, 10)}.${extensions[format]}`
}

const withJobs = sql`
  select e.workspace_id, e.id, e.delivery, e.format, e.request, e.contacts_chosen, e.list_id, e.job_id, e.status, e.file_key,
    e.file_name, e.rows, e.size_bytes, e.created_by, e.created_by_name, e.created_at, e.finished_at, e.expires_at,
    e.deleted_at, j.status as job_status, j.error as job_error, j.progress_done, j.progress_total
  from contacts.exports e
  left join platform.job_states j on j.workspace_id = e.workspace_id and j.id = e.job_id`

export async function getExport(tx: Tx, id: string): Promise<ExportWithJob> {
  const { rows } =
    await sql<ExportWithJob>`${withJobs} where e.workspace_id = ${tx.workspaceId} and e.id = ${id}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('export')
  return rows[0]
}

/** What the export was asked for, whole. */
export async function requestOfExport(tx: Tx, { id, request }: Export): Promise<ExportRequest> {
  const row = await tx.sql
    .selectFrom('contacts.exports')
    .select('contact_ids')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return row.contact_ids ? { ...request, contact_ids: row.contact_ids } : request
}

export interface ExportsQuery {
  format?: ExportFormat
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Newest first. */
export async function listExports<View>(tx: Tx, query: ExportsQuery, view: (row: ExportWithJob) => View) {
  const limit = query.limit ?? 50
  const created = { created_at: { expression: sql`e.created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, created, '-created_at')
  const after = afterCursor(query.cursor, sort, sql`e.id`)
  const where = sql`e.workspace_id = ${tx.workspaceId} ${query.format ? sql`and e.format = ${query.format}` : sql``}`
  const { rows } = await sql<ExportWithJob & { sort_key: string }>`
    select *, created_at::text as sort_key from (
      ${withJobs} where ${where} ${after ? sql`and ${after}` : sql``}
      order by ${orderBy(sort, sql`e.id`)} limit ${limit + 1}) as shown
    order by created_at desc, id desc`.execute(tx.sql)
  const total = await countRows(tx, sql`from contacts.exports e where ${where}`, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

/**
 * Takes the file away (and stops one that is being made); who took what, and when, stays written. Answers the key of the
 * file, to be deleted after the commit; should that fail, the hourly clearing finds it.
 */
export async function deleteExport(tx: Tx, id: string): Promise<string | null> {
  const row = await getExport(tx, id)
  if (row.job_id) await cancelJob(tx, row.job_id)
  await tx.sql
    .updateTable('contacts.exports')
    .set({ deleted_at: row.deleted_at ?? tx.now, expires_at: row.expires_at && tx.now })
    .where('id', '=', id)
    .execute()
  return row.file_key
}

/** Somebody was erased: every file that may still name them is withdrawn, whoever asked for it. */
export async function withdrawExports(tx: Tx): Promise<number> {
  const { numUpdatedRows } = await tx.sql
    .updateTable('contacts.exports')
    .set({ expires_at: tx.now })
    .where('file_key', 'is not', null)
    .where('expires_at', '>', tx.now)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}
