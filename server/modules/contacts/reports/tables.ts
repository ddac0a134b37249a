/** Row types of reports. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { Definition } from './definition.ts'

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

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.reports': ReportTable
  }
}
