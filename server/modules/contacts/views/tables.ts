/** Row types of saved views. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { NullableText } from '#platform/db/tables.ts'
import type { ViewChoiceTable, ViewTable as AnyViewTable } from '#platform/saved-views/tables.ts'
import type { Rule } from '../rules/rule.ts'

export const layouts = ['table', 'board'] as const

/** Columns are fields of the contact, or `custom_fields.<key>`. */
export interface ViewTable extends AnyViewTable {
  layout: Generated<(typeof layouts)[number]>
  filter: ColumnType<Rule | null, string | null | undefined, string | null>
  search: Generated<string>
  group_by: NullableText
}

export type SavedView = Selectable<ViewTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.views': ViewTable
    'contacts.view_choices': ViewChoiceTable
  }
}
