/** Row types of merges. */
import type { ColumnType, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

/** What an undo left as it is, and why. */
export interface Kept {
  /** A field of the surviving contact, or a table. */
  what: string
  reason: 'changed_since' | 'gone'
  count: number
}

export interface MergeTable {
  workspace_id: string
  id: string
  primary_id: string
  duplicate_ids: string[]
  fields: ColumnType<Record<string, unknown>, string, string>
  /** Rows by table. */
  moved: ColumnType<Record<string, number>, string | undefined, string>
  created_by: NullableText
  created_by_name: ColumnType<string, string | undefined, string>
  created_at: GeneratedTime
  undone_at: NullableTime
  undone_by: NullableText
  undone_by_name: ColumnType<string, string | undefined, string>
  kept: ColumnType<Kept[], string | undefined, string>
}
export type Merge = Selectable<MergeTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.merges': MergeTable
    'contacts.merge_records': {
      workspace_id: string
      merge_id: string
      contact_id: string
      before: ColumnType<Record<string, unknown>, string, string>
      after: NullableJson
    }
    'contacts.merge_moves': {
      workspace_id: string
      merge_id: string
      table_name: string
      row_key: string
      contact_id: string
      action: 'moved' | 'dropped' | 'added' | 'had'
      content: NullableJson
    }
    'contacts.contact_addresses': {
      workspace_id: string
      contact_id: string
      email: string
      added_at: GeneratedTime
    }
  }
}
