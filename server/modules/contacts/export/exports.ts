/** Exports of contacts: how one begins, and what is kept of it. The rest is the same as of other things: `platform/exports`. */
import type { Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { fileNameOf, keptExports } from '#platform/exports/exports.ts'
import type { WithJob } from '#platform/exports/tables.ts'
import { newId } from '#platform/ids.ts'
import { checkFilter } from '../given-filter.ts'
import { planExport } from './columns.ts'
import { countMatching, matchingOf } from './matching.ts'
import type { ExportFormat, ExportRequest } from './requests.ts'
import type { ExportTable } from './tables.ts'

/** As it is shown: without the ids of those who were chosen, which can be fifty thousand. */
export type Export = Omit<Selectable<ExportTable>, 'contact_ids'>

/** An export with the state of the job that makes its file. */
export type ExportWithJob = WithJob<Export>

export const exportsRoom = keptExports<Export>({
  table: 'contacts.exports',
  more: ['delivery', 'contacts_chosen', 'list_id', 'status'],
})

export const exportJobKind = 'contacts.export'

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
  const jobId = await tx.enqueue(
    exportJobKind,
    { export_id: id, actor: { ...actor, email: null } },
    { createdBy: actor.id, total },
  )
  await insertExport(tx, actor, { id, delivery: 'file', request, listId, jobId })
  return exportsRoom.getExport(tx, id)
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
  return fileNameOf('contacts', format, now)
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
