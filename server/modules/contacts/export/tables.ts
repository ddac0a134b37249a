/** Row types of the exports. */
import type { ColumnType, Generated } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { ExportFormat, ExportRequest } from './requests.ts'

export interface ExportTable {
  workspace_id: string
  id: string
  delivery: 'download' | 'file'
  format: ExportFormat
  request: ColumnType<ExportRequest, string, string>
  contact_ids: ColumnType<string[] | null, string[] | null | undefined, never>
  contacts_chosen: ColumnType<number | null, number | null | undefined, never>
  list_id: NullableText
  job_id: NullableText
  status: ColumnType<DownloadStatus | null, DownloadStatus | null | undefined, DownloadStatus | null>
  file_key: NullableText
  file_name: string
  rows: Generated<number>
  size_bytes: Generated<number>
  created_by: NullableText
  created_by_name: Generated<string>
  created_at: GeneratedTime
  finished_at: NullableTime
  expires_at: NullableTime
  deleted_at: NullableTime
}

export type DownloadStatus = 'running' | 'succeeded' | 'failed' | 'canceled'

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.exports': ExportTable
  }
}
