/** Members who work at the help desk: whom a ticket can be given to, and who can be called into it. */
import type { Role } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { membersAmong } from '#modules/accounts/index.ts'

export const deskRoles: readonly Role[] = ['owner', 'admin', 'agent']

/** Answers their names; anybody else's id is refused, be it a customer's, a stranger's or nobody's. */
export async function requireAgents(tx: Tx, ids: string[], pointer: string): Promise<Map<string, string>> {
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))]
  const known = await membersAmong(tx, wanted)
  const wrong = wanted.findIndex((id) => !deskRoles.includes(known.get(id)?.role ?? 'viewer'))
  if (wrong >= 0) {
    const place = ids.length > 1 || pointer.endsWith('s') ? `${pointer}/${wrong}` : pointer
    throw Invalid.at(place, 'not_an_agent', 'There is no such agent here: name a member who works at the help desk.')
  }
  return new Map([...known].map(([id, { name }]) => [id, name]))
}
