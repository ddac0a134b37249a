/** What can be asked of an export of tickets. */
import { Type, type Static } from 'typebox'
import { Closed, Id, OneOf } from '#platform/http/shapes.ts'
import { manyFilters, type TicketFilter } from '../ticket-filter.ts'
import { ticketSorts } from '../ticket-query.ts'
import { columnNames, defaultNames, jsonOnly } from './columns.ts'

export const exportFormats = ['csv', 'xlsx', 'json'] as const
export type ExportFormat = (typeof exportFormats)[number]

const columnsHelp =
  `Any of ${columnNames.join(', ')}, or * for everything; ${jsonOnly} (what was said in public) in json alone. Without it: ` +
  `${defaultNames.join(', ')} (csv, xlsx), or everything (json).`

export const NewTicketExport = Closed({
  format: OneOf(exportFormats),
  columns: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 100, description: columnsHelp }),
  ),
  headers: Type.Optional(
    OneOf(['labels', 'names'], { description: 'Headers for people (Ticket Number), or ticket_number' }),
  ),
  safe: Type.Optional(
    Type.Boolean({ default: true, description: 'csv: an apostrophe goes before what a spreadsheet would compute' }),
  ),
  sort: Type.Optional(Type.String({ maxLength: 50, description: ticketSorts.join(', ') })),
  ticket_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 1_000 })),
  filter: Type.Optional(Closed(manyFilters, { description: 'Parameters of GET /tickets, `view` among them' })),
})
export type NewTicketExport = Static<typeof NewTicketExport>

/** All that decides what is in the file, with the view, if one was named, as it was then. */
export interface ExportRequest extends Omit<NewTicketExport, 'filter'> {
  filter: TicketFilter
}
