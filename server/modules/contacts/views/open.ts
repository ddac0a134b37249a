/** Where contacts are listed, counted, exported or changed in bulk, `view` names a saved view to begin with. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotFound } from '#platform/errors.ts'
import type { ContactFilter } from '../contact-query.ts'
import { exportableNames } from '../export/fields.ts'
import type { ExportRequest } from '../export/requests.ts'
import type { FilterOrRule } from '../given-filter.ts'
import { customPrefix } from '../rules/custom.ts'
import { isRule } from '../rules/rule.ts'
import type { SavedView } from './tables.ts'
import { views } from './views.ts'

/** Narrows a list's parameters down by the view that they name, and takes its order where they have none of their own. */
export async function openQuery<Query extends ContactFilter & { sort?: string }>(
  tx: Tx,
  actor: Actor,
  query: Query,
): Promise<Query> {
  const view = await findView(tx, actor, query.view, '?view')
  if (!view) return query
  return { ...query, within: withinOf(view), ...(query.sort === undefined && view.sort ? { sort: view.sort } : {}) }
}

/** The view as it is now goes with the filter: a job that begins later means the people that were meant then. */
export async function openFilter<Given extends FilterOrRule | undefined>(
  tx: Tx,
  actor: Actor,
  given: Given,
  pointer: string,
): Promise<Given> {
  const view = isRule(given) ? null : await findView(tx, actor, given?.view, pointer)
  return view ? { ...given, within: withinOf(view) } : given
}

/** The view's columns are those of a table that names none itself. */
export async function openExport(
  tx: Tx,
  actor: Actor,
  request: ExportRequest,
  pointer = '/filter/view',
): Promise<ExportRequest> {
  const { filter } = request
  const view = isRule(filter) ? null : await findView(tx, actor, filter?.view, pointer)
  if (!view) return request
  const isTable = request.format === 'csv' || request.format === 'xlsx'
  const columns = view.columns.map(({ field }) => field).filter(isExportable)
  return {
    ...request,
    filter: { ...filter, within: withinOf(view) },
    ...(isTable && !request.fields && !request.reimport && columns.length ? { fields: columns } : {}),
    ...(request.sort === undefined && view.sort ? { sort: view.sort } : {}),
  }
}

function isExportable(name: string): boolean {
  return exportableNames.includes(name) || name.startsWith(customPrefix)
}

async function findView(tx: Tx, actor: Actor, id: string | undefined, pointer: string): Promise<SavedView | null> {
  if (!id) return null
  try {
    return await views.getView(tx, actor, id)
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    throw Invalid.at(pointer, 'not_found', 'There is no such view here. Leave it out, or name one of yours.')
  }
}

function withinOf({ search, filter }: SavedView): NonNullable<ContactFilter['within']> {
  return { search, rule: filter }
}
