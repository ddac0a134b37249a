/** Row types of the schema `privacy`. */
import type { ColumnType } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export type RequestKind = 'export' | 'delete'

export interface RequestTable {
  workspace_id: string
  id: string
  kind: RequestKind
  asked_by: NullableText
  asked_by_name: string
  subject_hashes: string[]
  /** Who is meant, for the work alone. */
  sealed: NullableText
  contacts: number
  job_id: NullableText
  report: ColumnType<Report | null, string | null | undefined, string | null>
  file_key: NullableText
  file_size: ColumnType<number | null, number | null | undefined, number | null>
  file_until: NullableTime
  created_at: GeneratedTime
  completed_at: NullableTime
}

/** Rows by table, and files. */
export interface Report {
  rows: Record<string, number>
  files: number
}

export interface AuditTable {
  workspace_id: string
  number: number
  id: string
  action: string
  actor_kind: string
  actor_id: NullableText
  actor_name: string
  subject_hash: string
  request_id: NullableText
  details: ColumnType<Record<string, unknown>, string, never>
  created_at: Date
  hash: string
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'privacy.requests': RequestTable
    'privacy.audit_entries': AuditTable
    'privacy.log_copies': { workspace_id: string; number: number; updated_at: GeneratedTime }
  }
}
