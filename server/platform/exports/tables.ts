/** Row types that all tables of exports share. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, JobStatus, NullableText, NullableTime } from '../db/tables.ts'
import type { contentTypes } from '../tables-out/table.ts'

export interface ExportTable {
  workspace_id: string
  id: string
  format: keyof typeof contentTypes
  /** As it was asked for. */
  request: ColumnType<object, string, string>
  job_id: NullableText
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
export type ExportRow = Selectable<ExportTable>

/** An export with the state of the job that makes its file. */
export type WithJob<Row extends ExportRow = ExportRow> = Row & {
  job_status: JobStatus | null
  job_error: string | null
  progress_done: number | null
  progress_total: number | null
}
