/** Row types of saved views of tickets. */
import type { ColumnType, Selectable } from 'kysely'
import type { ViewChoiceTable, ViewTable as AnyViewTable } from '#platform/saved-views/tables.ts'
import type { ViewFilter } from '../ticket-filter.ts'

/** Columns are fields of the ticket. */
export interface ViewTable extends AnyViewTable {
  filter: ColumnType<ViewFilter, string | undefined, string>
}
export type TicketViewRow = Selectable<ViewTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.views': ViewTable
    'support.view_choices': ViewChoiceTable
  }
}
