/** Row types of the import's tables. */
import type { ColumnType, Generated } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { NewFieldOfFile } from './custom.ts'
import type { Target } from './fields.ts'
import type { Encoding } from './formats/encoding.ts'
import type { Format } from './formats/inspect.ts'
import type { DeclaredConsent, Duplicates } from './merge/plan.ts'
import type { Policy } from './policy.ts'
import type { Reading } from './readings.ts'
import type { ScanState } from './scanning.ts'

export interface ImportUploadTable {
  workspace_id: string
  id: string
  file_key: string
  file_name: string
  size_bytes: number
  format: Format
  encoding: Encoding
  lines: number
  scan: ScanState
  scanned_at: NullableTime
  file_deleted_at: NullableTime
  created_by: NullableText
  created_at: GeneratedTime
}

export interface ImportTable {
  workspace_id: string
  id: string
  upload_id: string
  job_id: NullableText
  undo_job_id: NullableText
  file_key: string
  file_name: string
  format: Format
  sheet: NullableText
  preset: NullableText
  encoding: Encoding
  delimiter: string
  newline: '\n' | '\r'
  has_header: boolean
  header: string[]
  targets: Target[]
  /** By column. */
  readings: ColumnType<Record<number, Reading>, string, string>
  country: NullableText
  duplicates: Duplicates
  policy: ColumnType<Policy, string, string>
  new_fields: ColumnType<NewFieldOfFile[], string | undefined, string>
  list_id: NullableText
  tags: Generated<string[]>
  consent: ColumnType<DeclaredConsent | null, string | null | undefined, string | null>
  dry_run: Generated<boolean>
  rows: Generated<number>
  created: Generated<number>
  updated: Generated<number>
  merged: Generated<number>
  skipped: Generated<number>
  failed: Generated<number>
  possible_duplicates: Generated<number>
  undeclared_consents: Generated<number>
  next_offset: Generated<number>
  next_line: Generated<number>
  bytes_done: Generated<number>
  bytes_total: number
  created_by: NullableText
  created_by_name: Generated<string>
  created_at: GeneratedTime
  started_at: NullableTime
  finished_at: NullableTime
  undone_at: NullableTime
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.import_uploads': ImportUploadTable
    'contacts.imports': ImportTable
    'contacts.import_errors': {
      workspace_id: string
      import_id: string
      line: number
      error_column: NullableText
      code: string
      detail: string
      cells: string[]
    }
    'contacts.import_changes': {
      workspace_id: string
      import_id: string
      contact_id: string
      version_after: ColumnType<number | null, number | null | undefined, number | null>
      before: ColumnType<unknown, string | null | undefined, string | null>
      tags_added: Generated<string[]>
      tags_removed: Generated<string[]>
      listed: Generated<boolean>
      subscribed: Generated<string[]>
      unsubscribed: Generated<string[]>
      suppressed: Generated<boolean>
    }
  }
}
