/**
 * Row types by table. Each module adds its own with `declare module '#platform/db/tables.ts'`, so `tx.sql` knows every
 * table while no module imports another's row types.
 */
import type { ColumnType, Generated } from 'kysely'

export type Json = ColumnType<unknown, string, string>
/** Read as a Date, written as a Date or not at all where the database has a default. */
export type GeneratedTime = ColumnType<Date, Date | undefined, Date>

/** Null where an insert leaves it out. */
export type NullableTime = ColumnType<Date | null, Date | null | undefined, Date | null>
export type NullableText = ColumnType<string | null, string | null | undefined, string | null>
export type NullableJson = ColumnType<unknown, string | null | undefined, string | null>

export interface Tables {
  'platform.outbox': OutboxTable
  'platform.inbox': { consumer: string; event_id: string; handled_at: GeneratedTime }
  'platform.jobs': JobTable
  'platform.idempotency_keys': IdempotencyTable
}

export interface OutboxTable {
  seq: Generated<string>
  id: string
  workspace_id: string
  event: string
  subject: string
  /** Of a bundle, a list of {id, subject, data}. */
  data: Json
  is_bundle: Generated<boolean>
  created_at: GeneratedTime
  relayed_at: NullableTime
  attempts: Generated<number>
  next_attempt_at: GeneratedTime
  error: NullableText
  failed_at: NullableTime
  /** Came from another program. */
  is_foreign: Generated<boolean>
}

export interface JobTable {
  id: string
  workspace_id: string
  kind: string
  status: Generated<JobStatus>
  data: Json
  cursor: NullableJson
  progress_done: Generated<number>
  progress_total: ColumnType<number | null, number | null | undefined, number | null>
  result: NullableJson
  error: NullableText
  attempts: Generated<number>
  entry_id: NullableText
  cancel_requested_at: NullableTime
  created_by: NullableText
  created_at: GeneratedTime
  started_at: NullableTime
  finished_at: NullableTime
  updated_at: GeneratedTime
}

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled'

export interface IdempotencyTable {
  workspace_id: string
  route: string
  key: string
  body_hash: string
  status: number
  headers: Json
  body: string
  created_at: GeneratedTime
}
