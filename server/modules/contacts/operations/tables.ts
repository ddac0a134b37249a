/** Row types of the operation log. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export const operationKinds = ['edit', 'bulk', 'delete', 'restore', 'import', 'merge', 'undo'] as const
export type OperationKind = (typeof operationKinds)[number]

/** By name: a column, `custom_fields.<key>`, or `tag:<id>` and `list:<id>`, which are true or false. */
export type Image = Record<string, unknown>

export interface OperationTable {
  workspace_id: string
  id: string
  kind: OperationKind
  action: string
  actor_kind: string
  actor_id: NullableText
  actor_name: Generated<string>
  facts: ColumnType<Record<string, unknown>, string | undefined, string>
  counts: ColumnType<Record<string, unknown>, string | undefined, string>
  contacts: Generated<number>
  subject_id: NullableText
  job_id: NullableText
  undo_job_id: NullableText
  undo_of: NullableText
  created_at: GeneratedTime
  undoable_until: NullableTime
  undone_at: NullableTime
  undone_by: NullableText
  undone_by_name: Generated<string>
}
export type Operation = Selectable<OperationTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.operations': OperationTable
    'contacts.operation_changes': {
      workspace_id: string
      operation_id: string
      contact_id: string
      before: ColumnType<Image, string | undefined, string>
      after: ColumnType<Image, string | undefined, string>
      undone_by: NullableText
    }
  }
}
