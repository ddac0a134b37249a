/** Where tickets are listed, taken out or changed in bulk, `view` names a view to begin with: a saved one, or one that is always there. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotFound } from '#platform/errors.ts'
import type { ViewColumn } from '#platform/saved-views/tables.ts'
import { isOfTheHouse } from '../access.ts'
import { columnNames } from '../export/columns.ts'
import type { ExportRequest, NewTicketExport } from '../export/requests.ts'
import { builtInNames, type TicketFilter, type ViewFilter } from '../ticket-filter.ts'
import { views } from './views.ts'

export type BuiltInName = (typeof builtInNames)[number]
type Opened = { filter: ViewFilter; sort: string | null; columns?: ViewColumn[] }

/** "Mine" is what whoever looks has in hand. */
export const builtInViews: Record<BuiltInName, Opened> = {
  mine: { filter: { assigned_to: 'me', status: 'assigned,in_progress,waiting_customer' }, sort: 'due_at' },
  unassigned: { filter: { status: 'open' }, sort: 'created_at' },
  overdue: { filter: { overdue: true }, sort: 'due_at' },
  waiting: { filter: { waiting: true }, sort: 'waiting_since' },
}

/** Puts what a view narrows down to in the place of its name, and its order where the query has none. */
export async function openView<Query extends { view?: string; sort?: string }>(
  tx: Tx,
  actor: Actor,
  query: Query,
  pointer = '?view',
): Promise<Omit<Query, 'view'> & Pick<TicketFilter, 'within'>> {
  const { view: name, ...rest } = query
  if (name === undefined) return rest
  const view = await findView(tx, actor, name, pointer)
  return { ...rest, within: view.filter, ...(query.sort === undefined && view.sort ? { sort: view.sort } : {}) }
}

/** The view as it is now goes with the request; its columns are those of a table that names none itself. */
export async function openExport(tx: Tx, actor: Actor, asked: NewTicketExport): Promise<ExportRequest> {
  const { view: name, ...filter } = asked.filter ?? {}
  if (name === undefined) return { ...asked, filter }
  const view = await findView(tx, actor, name, '/filter/view')
  const columns = (view.columns ?? []).map(({ field }) => field).filter((field) => columnNames.includes(field))
  const takesColumns = asked.format !== 'json' && !asked.columns && columns.length > 0
  return {
    ...asked,
    filter: { ...filter, within: view.filter },
    ...(takesColumns ? { columns } : {}),
    ...(asked.sort === undefined && view.sort ? { sort: view.sort } : {}),
  }
}

async function findView(tx: Tx, actor: Actor, name: string, pointer: string): Promise<Opened> {
  try {
    if (!isOfTheHouse(actor)) throw new NotFound('view')
    return isBuiltIn(name) ? builtInViews[name] : await views.getView(tx, actor, name)
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    throw Invalid.at(pointer, 'not_found', 'There is no such view here. Leave it out, or name one of yours.')
  }
}

function isBuiltIn(name: string): name is BuiltInName {
  return (builtInNames as readonly string[]).includes(name)
}
