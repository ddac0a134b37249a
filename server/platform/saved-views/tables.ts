/** Row types that all tables of saved views share. */
import type { ColumnType, Generated } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '../db/tables.ts'
import type { Visibility } from './sharing.ts'

export interface ViewColumn {
  /** A field of what is listed, as clients see it. */
  field: string
  /** In pixels; the client chooses where there is none. */
  width?: number
}

export interface ViewTable {
  workspace_id: string
  id: string
  /** Who made it: a member's id, or a key's. */
  owner_id: string
  owner_name: Generated<string>
  name: string
  icon: NullableText
  color: NullableText
  visibility: Generated<Visibility>
  sort: NullableText
  columns: ColumnType<ViewColumn[], string | undefined, string>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}

/** What each person makes of the views that they see. */
export interface ViewChoiceTable {
  workspace_id: string
  user_id: string
  view_id: string
  is_pinned: Generated<boolean>
  is_default: Generated<boolean>
  position: ColumnType<number | null, number | null | undefined, number | null>
}
