/**
 * Saved views of the tickets, for those who work at the help desk. A view narrows a list down and opens nothing: each sees by
 * it what they may see anyway.
 */
import './tables.ts'
import { may, type Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, type InputError } from '#platform/errors.ts'
import { countRows } from '#platform/http/paging.ts'
import { savedViews, type Chosen, type ViewInput as AnyViewInput } from '#platform/saved-views/views.ts'
import { requireAgents } from '../agents.ts'
import { ticketSorts } from '../ticket-query.ts'
import { fromTickets, type ViewFilter } from '../ticket-filter.ts'
import { ticketFields } from '../ticket-view.ts'
import type { TicketViewRow } from './tables.ts'

export type ChosenTicketView = Chosen<TicketViewRow>

interface ViewInput extends AnyViewInput {
  filter?: ViewFilter
}

/** A shared one is its owner's to change, and the admins'. */
export const views = savedViews<TicketViewRow, ViewInput>({
  table: 'support.views',
  choices: 'support.view_choices',
  content: ['filter'],
  mayChange: (permissions, actor, view) =>
    view.owner_id === actor.id || (view.visibility === 'workspace' && may(permissions, actor, 'ticket.configure')),
  check: checkContent,
})

/** How many tickets whoever asks sees by it: exact up to 10,000. */
export function countInView(tx: Tx, actor: Actor, filter: ViewFilter): Promise<number | { at_least: number }> {
  return countRows(tx, fromTickets(actor, { within: filter }, tx.now), false)
}

/** Throws `Invalid` with every fault, each at its pointer. */
async function checkContent(tx: Tx, { columns = [], sort, filter }: ViewInput): Promise<void> {
  const errors: InputError[] = []
  const seen = new Set<string>()
  for (const [index, { field }] of columns.entries()) {
    const pointer = `/columns/${index}/field`
    if (seen.has(field)) errors.push({ pointer, code: 'repeated', detail: `The column “${field}” stands there twice.` })
    else if (!Object.hasOwn(ticketFields, field)) {
      errors.push({ pointer, code: 'unknown_field', detail: `A ticket has no field “${field}”.` })
    }
    seen.add(field)
  }
  if (sort && !ticketSorts.includes(sort.replace(/^-/, ''))) {
    const detail = `Sort by one of ${ticketSorts.join(', ')}; a leading - turns the order round.`
    errors.push({ pointer: '/sort', code: 'unknown_sort', detail })
  }
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
  const agent = filter?.assigned_to
  if (agent && agent !== 'none' && agent !== 'me') await requireAgents(tx, [agent], '/filter/assigned_to')
}
