/** Shapes of exports, and the doors that are the same whatever is exported. */
import { Type, type TSchema } from 'typebox'
import type { Actor, Permissions } from '../actor.ts'
import { viewJob } from '../http/platform-routes.ts'
import { accepted, record, route, type AnyRoute } from '../http/route.ts'
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
} from '../http/shapes.ts'
import { getJob } from '../jobs/jobs.ts'
import type { Tx } from '../db/db.ts'
import { statusOf, type ExportsRoom, type Seen } from './exports.ts'
import { linkToFile } from './file-link.ts'
import type { ExportRow, WithJob } from './tables.ts'

export const ExportJobView = Type.Object({ ...JobView.properties, export_id: Id }, { $id: 'ExportJob' })

/** Of every export; its kind adds what it was about. */
export const shownExport = {
  id: Id,
  status: OneOf(['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired', 'deleted']),
  error: NullableText,
  request: AnyJson,
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
}

export function viewExport(row: WithJob, downloadUrl: string | null) {
  return {
    id: row.id,
    format: row.format,
    status: statusOf(row),
    error: row.job_error,
    request: row.request,
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

/** What POST answers: the job, with the id of the export that it makes. */
export async function begunExport(tx: Tx, { id, job_id }: Pick<ExportRow, 'id' | 'job_id'>) {
  const job = { ...viewJob(await getJob(tx, job_id!)), export_id: id }
  return accepted(job, `/jobs/${job.id}`)
}

export interface ExportDoors<Row extends ExportRow> {
  path: string
  may: string
  formats: readonly Row['format'][]
  room: ExportsRoom<Row>
  shape: TSchema
  show(row: WithJob<Row>, downloadUrl: string | null): { status: string }
  /** All of them where nothing is said. */
  seenBy?(actor: Actor, permissions: Permissions): Seen
}

/** To look at what there was, to fetch a file, and to delete it. */
export function exportDoors<Row extends ExportRow>(doors: ExportDoors<Row>): AnyRoute[] {
  const { path, may, formats, room, shape, show, seenBy } = doors
  const params = Closed({ id: Id })

  const listRoute = route({
    method: 'GET',
    path,
    may,
    summary: 'Exports, newest first: who took what, and when',
    query: Closed({ ...pageQuery, format: Type.Optional(OneOf(formats)) }),
    replies: { 200: Page(shape) },
    run: ({ tx, actor, query, services: { permissions } }) =>
      room.listExports(tx, query, (row) => show(row, null), seenBy?.(actor, permissions)),
  })

  const showRoute = route({
    method: 'GET',
    path: `${path}/:id`,
    may,
    summary: 'One export, with a link to its file that is good for an hour',
    params,
    replies: { 200: shape, 404: Problem },
    run: async ({ tx, actor, params: { id }, services }) => {
      const row = await room.getExport(tx, id, seenBy?.(actor, services.permissions))
      const isThere = show(row, null).status === 'succeeded'
      return record(show(row, isThere ? await linkToFile(services, row) : null), 1)
    },
  })

  const deleteRoute = route({
    method: 'DELETE',
    path: `${path}/:id`,
    may,
    summary: 'Delete the file of an export, or stop it; that it was made stays in the history',
    params,
    replies: { 200: Message, 404: Problem },
    run: async ({ tx, actor, params: { id }, services }) => {
      const key = await room.deleteExport(tx, id, seenBy?.(actor, services.permissions))
      if (key) tx.afterCommit(() => void services.files.delete(key).catch(() => {}))
      return { message: 'The file of the export was deleted.' }
    },
  })

  return [listRoute, showRoute, deleteRoute]
}
