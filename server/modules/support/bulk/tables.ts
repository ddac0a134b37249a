/** Row types of what was done to many tickets at once. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { Priority, TicketStatus } from '../tables.ts'
import type { ActionName } from './request.ts'

/** Of a ticket, what a bulk action can change; the tag is the one that the action is about. */
export interface Image {
  status: TicketStatus
  assigned_to: string | null
  priority: Priority
  category: string | null
  /** As the ticket spells it; null where it does not have it. */
  tag: string | null
  is_deleted: boolean
}

export interface OperationTable {
  workspace_id: string
  id: string
  action: ActionName
  actor_id: NullableText
  actor_name: Generated<string>
  facts: ColumnType<Record<string, unknown>, string | undefined, string>
  counts: ColumnType<Record<string, unknown>, string | undefined, string>
  tickets: Generated<number>
  job_id: NullableText
  undo_job_id: NullableText
  created_at: GeneratedTime
  undoable_until: Date
  undone_at: NullableTime
  undone_by: NullableText
  undone_by_name: Generated<string>
}
export type Operation = Selectable<OperationTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.operations': OperationTable
    'support.operation_changes': {
      workspace_id: string
      operation_id: string
      ticket_id: string
      before: ColumnType<Image, string, never>
      after: ColumnType<Image, string, never>
      undone_at: NullableTime
    }
  }
}
