/** Row types of saved views of tickets. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { ViewFilter } from '../ticket-query.ts'

export const visibilities = ['private', 'workspace'] as const
export type Visibility = (typeof visibilities)[number]

export interface ViewColumn {
  /** A field of the ticket, as clients see it. */
  field: string
  /** In pixels; the client chooses where there is none. */
  width?: number
}

export interface ViewTable {
  workspace_id: string
  id: string
  owner_id: string
  owner_name: Generated<string>
  name: string
  icon: NullableText
  color: NullableText
  visibility: Generated<Visibility>
  filter: ColumnType<ViewFilter, string | undefined, string>
  sort: NullableText
  columns: ColumnType<ViewColumn[], string | undefined, string>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}
export type TicketViewRow = Selectable<ViewTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.views': ViewTable
  }
}
