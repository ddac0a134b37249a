/** Whose tickets the timelines of contacts may tell of: the same as one finds in the list, by the same condition. */
import { sql } from 'kysely'
import { may } from '#platform/actor.ts'
import { isId } from '#platform/ids.ts'
import type { Sight } from '#platform/sight.ts'
import { isOfTheHouse, visibleTo } from './access.ts'

/**
 * An id that is no UUID is of another help desk, whose tickets are not ours to hide. A UUID that is not here may be of a
 * ticket that is gone: it stays hidden. At the help desk, a merged ticket is seen by whoever sees what it became.
 */
export const seenTickets: Sight = async (tx, actor, ids, permissions) => {
  const foreign = ids.filter((id) => !isId(id))
  if (!may(permissions, actor, 'ticket.read')) return new Set(foreign)
  if (actor.role === 'owner' || actor.role === 'admin') return new Set(ids)
  const own = ids.filter((id) => isId(id))
  if (!own.length) return new Set(foreign)
  const seen = sql<boolean>`t.deleted_at is null and ${visibleTo(actor)}`
  const { rows } = await sql<{ id: string }>`
    select t.id from support.tickets t
    where t.workspace_id = ${tx.workspaceId}::uuid and t.id = any(${own}::uuid[]) and ${seen}
    ${
      isOfTheHouse(actor)
        ? sql`union select d.id from support.tickets d
            join support.tickets t on t.workspace_id = d.workspace_id and t.id = d.merged_into
            where d.workspace_id = ${tx.workspaceId}::uuid and d.id = any(${own}::uuid[]) and d.deleted_at is null and ${seen}`
        : sql``
    }`.execute(tx.sql)
  const found = new Set(rows.map(({ id }) => id))
  return new Set(ids.filter((id) => !isId(id) || found.has(id.toLowerCase())))
}
