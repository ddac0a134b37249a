/** Row types of the exports of tickets. */
import type { ColumnType, Selectable } from 'kysely'
import type { ExportTable, WithJob } from '#platform/exports/tables.ts'
import type { ExportFormat, ExportRequest } from './requests.ts'

export interface TicketExportTable extends ExportTable {
  format: ExportFormat
  request: ColumnType<ExportRequest, string, string>
  ticket_ids: ColumnType<string[] | null, string[] | null | undefined, never>
  tickets_chosen: ColumnType<number | null, number | null | undefined, never>
  sees_all: boolean
}

/** As it is shown: without the ids of those that were chosen. */
export type TicketExport = Omit<Selectable<TicketExportTable>, 'ticket_ids'>
export type TicketExportWithJob = WithJob<TicketExport>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.exports': TicketExportTable
  }
}
