/** Row types of the exports. */
import type { ColumnType } from 'kysely'
import type { NullableText } from '#platform/db/tables.ts'
import type { ExportTable as AnyExportTable } from '#platform/exports/tables.ts'
import type { ExportFormat, ExportRequest } from './requests.ts'

export interface ExportTable extends AnyExportTable {
  delivery: 'download' | 'file'
  format: ExportFormat
  request: ColumnType<ExportRequest, string, string>
  contact_ids: ColumnType<string[] | null, string[] | null | undefined, never>
  contacts_chosen: ColumnType<number | null, number | null | undefined, never>
  list_id: NullableText
  status: ColumnType<DownloadStatus | null, DownloadStatus | null | undefined, DownloadStatus | null>
}

export type DownloadStatus = 'running' | 'succeeded' | 'failed' | 'canceled'

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.exports': ExportTable
  }
}
