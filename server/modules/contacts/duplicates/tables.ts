/** Row types of the tables of duplicates. */
import type { ColumnType, Generated } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { Field, Level } from './model.ts'

export type PairStatus = 'open' | 'dismissed' | 'merged'
/** Field, level, weight in bits. */
export type Reason = [Field, Level, number]

export interface DuplicatePairTable {
  workspace_id: string
  id: string
  a: string
  b: string
  /** Exact decimal as text. */
  weight: string
  probability: number
  reasons: ColumnType<Reason[], string, string>
  status: Generated<PairStatus>
  group_id: NullableText
  found_by: 'scan' | 'change'
  found_at: GeneratedTime
  confirmed_at: GeneratedTime
  dismissed_by: NullableText
  dismissed_by_name: Generated<string>
  dismissed_at: NullableTime
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.duplicate_keys': { workspace_id: string; contact_id: string; keys: number[] }
    'contacts.duplicate_key_rows': { workspace_id: string; contact_id: string; keys: number[] }
    'contacts.duplicate_terms': { workspace_id: string; term: string; people: number }
    'contacts.duplicate_state': {
      workspace_id: string
      people: Generated<number>
      scanned_at: NullableTime
      scan_job_id: NullableText
      check_from: NullableTime
    }
    'contacts.duplicate_pairs': DuplicatePairTable
    'contacts.duplicate_groups': {
      workspace_id: string
      id: string
      contact_ids: string[]
      weight: string
      probability: number
    }
  }
}
