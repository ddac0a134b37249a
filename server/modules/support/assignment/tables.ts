/** Row types of those who work on tickets. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableTime } from '#platform/db/tables.ts'

export type Presence = 'online' | 'away'

export interface AgentTable {
  workspace_id: string
  user_id: string
  capacity: number
  categories: Generated<string[]>
  presence: Generated<Presence>
  seen_at: NullableTime
  assigned_at: NullableTime
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}
export type AgentRow = Selectable<AgentTable>

export interface AssignmentSettingsTable {
  workspace_id: string
  auto_assign: ColumnType<boolean | null, boolean | null | undefined, boolean | null>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.agents': AgentTable
    'support.assignment_settings': AssignmentSettingsTable
  }
}
