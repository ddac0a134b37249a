/** The doors of the export of tickets: a file made by a job, and the history of who took what. */
import { Type } from 'typebox'
import { begunExport, ExportJobView, exportDoors, shownExport, viewExport } from '#platform/exports/doors.ts'
import { keptDays } from '#platform/exports/exports.ts'
import { route } from '#platform/http/route.ts'
import { NullableInteger, OneOf, Problem } from '#platform/http/shapes.ts'
import { openExport } from '../views/open.ts'
import { beginExport, exportsRoom, seenBy } from './exports.ts'
import { exportFormats, NewTicketExport } from './requests.ts'
import type { TicketExportWithJob } from './tables.ts'

const path = '/tickets/exports'
const ExportView = Type.Object(
  { ...shownExport, format: OneOf(exportFormats), tickets_chosen: NullableInteger },
  { $id: 'TicketExport' },
)

const beginRoute = route({
  method: 'POST',
  path,
  may: 'ticket.export',
  summary: 'Have tickets written into a file, by a job',
  description:
    'Which are meant is told by `ticket_ids` or by `filter`; without either, all. Of these the file has what whoever asks ' +
    'sees when the job runs, and no internal note. A `view` also says which columns a table has, and in which order it is. ' +
    `The file is kept for ${keptDays} days.`,
  body: NewTicketExport,
  replies: { 202: ExportJobView, 403: Problem, 422: Problem },
  run: async ({ tx, actor, body }) => begunExport(tx, await beginExport(tx, actor, await openExport(tx, actor, body))),
})

const keeping = exportDoors({
  path,
  may: 'ticket.export',
  formats: exportFormats,
  room: exportsRoom,
  shape: ExportView,
  show,
  seenBy,
})

export const exportRoutes = [beginRoute, ...keeping]

function show(row: TicketExportWithJob, downloadUrl: string | null) {
  const { format, tickets_chosen } = row
  return { ...viewExport(row, downloadUrl), format, tickets_chosen }
}
