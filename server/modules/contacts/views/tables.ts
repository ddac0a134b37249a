/** Row types of saved views. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { Rule } from '../rules/rule.ts'

export const layouts = ['table', 'board'] as const
export const visibilities = ['private', 'workspace'] as const

export interface ViewColumn {
  /** A field of the contact, or `custom_fields.<key>`. */
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
  layout: Generated<(typeof layouts)[number]>
  visibility: Generated<(typeof visibilities)[number]>
  filter: ColumnType<Rule | null, string | null | undefined, string | null>
  search: Generated<string>
  sort: NullableText
  columns: ColumnType<ViewColumn[], string | undefined, string>
  group_by: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}

export type SavedView = Selectable<ViewTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.views': ViewTable
    'contacts.view_choices': {
      workspace_id: string
      user_id: string
      view_id: string
      is_pinned: Generated<boolean>
      is_default: Generated<boolean>
      position: ColumnType<number | null, number | null | undefined, number | null>
    }
  }
}
