/** Row types of reports. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { Language } from '../texts.ts'
import type { Definition } from './definition.ts'
import type { ReportFormat } from './files.ts'
import type { frequencies } from './schedule-times.ts'

export interface ReportTable {
  workspace_id: string
  id: string
  name: string
  description: Generated<string>
  definition: ColumnType<Definition, string, string>
  created_by: NullableText
  created_by_name: Generated<string>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}
export type Report = Selectable<ReportTable>

type NullableNumber = ColumnType<number | null, number | null | undefined, number | null>

export interface ReportScheduleTable {
  workspace_id: string
  id: string
  report_id: string
  frequency: (typeof frequencies)[number]
  at_time: string
  weekday: NullableNumber
  month_day: NullableNumber
  timezone: string
  format: ReportFormat
  language: Language
  member_ids: string[]
  addresses: string[]
  is_paused: Generated<boolean>
  next_run_at: Date
  last_run_at: NullableTime
  created_by: NullableText
  created_by_name: Generated<string>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}
export type ReportSchedule = Selectable<ReportScheduleTable>

export interface ReportRunTable {
  workspace_id: string
  id: string
  report_id: string
  schedule_id: NullableText
  due_at: NullableTime
  report_name: string
  definition: ColumnType<Definition, string, never>
  format: ReportFormat
  language: Language
  job_id: string
  file_key: NullableText
  file_name: string
  rows: NullableNumber
  groups_total: NullableNumber
  size_bytes: NullableNumber
  started_by: NullableText
  started_by_name: Generated<string>
  created_at: GeneratedTime
  finished_at: NullableTime
  expires_at: Date
}
export type ReportRun = Selectable<ReportRunTable>

export const mailStates = ['waiting', 'sending', 'sent', 'failed', 'skipped'] as const

export interface ReportMailTable {
  workspace_id: string
  run_id: string
  address: string
  state: Generated<(typeof mailStates)[number]>
  detail: NullableText
  sent_at: NullableTime
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.reports': ReportTable
    'contacts.report_schedules': ReportScheduleTable
    'contacts.report_runs': ReportRunTable
    'contacts.report_mails': ReportMailTable
  }
}
