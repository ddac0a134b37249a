/** Conditions on lists and tags whose ids are known already, so that the planner knows their frequency. Of the row `c`. */
import { sql, type RawBuilder } from 'kysely'

/**
 * What the condition is for. `page`: the next few that match, in some order, where each candidate is asked in turn. `whole`:
 * all that match, to be counted or gone through, where one join does what a million questions would.
 */
export type Purpose = 'page' | 'whole'

/** From this size on, asking each candidate "are you in it?" beats starting from the members. */
const largeFrom = 50_000

export interface Holder {
  id: string
  /** How many contacts it has, more or less. */
  size: number
}

export function isMemberOfAny(lists: Holder[], purpose: Purpose = 'page'): RawBuilder<boolean> {
  if (!lists.length) return sql<boolean>`false`
  return sql<boolean>`exists (select from contacts.list_members m
    where m.workspace_id = c.workspace_id and m.list_id ${anyId(lists)} and m.contact_id = c.id ${asProbe(lists, purpose)})`
}

export function hasAnyTag(tags: Holder[], purpose: Purpose = 'page'): RawBuilder<boolean> {
  if (!tags.length) return sql<boolean>`false`
  return sql<boolean>`exists (select from contacts.contact_tags ct
    where ct.workspace_id = c.workspace_id and ct.tag_id ${anyId(tags)} and ct.contact_id = c.id ${asProbe(tags, purpose)})`
}

function anyId(holders: Holder[]): RawBuilder<unknown> {
  const ids = holders.map((holder) => holder.id)
  return ids.length === 1 ? sql`= ${ids[0]}::uuid` : sql`= any(${ids}::uuid[])`
}

/** `offset 0` keeps the planner from turning the question round into a join over all members. */
function asProbe(holders: Holder[], purpose: Purpose): RawBuilder<unknown> {
  return purpose === 'page' && holders.reduce((sum, holder) => sum + holder.size, 0) >= largeFrom
    ? sql`offset 0`
    : sql``
}
