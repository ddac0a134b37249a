/** Which role stands above which: nobody gives away, or takes away, more than they have. */
import type { Actor, Role } from '#platform/actor.ts'
import { Forbidden } from '#platform/errors.ts'

const ranks: Record<Role, number> = { owner: 4, admin: 3, marketer: 2, agent: 2, viewer: 1, customer: 0 }

export function rankOf(role: Role): number {
  return ranks[role]
}

/** A marketer and an agent stand side by side, and neither can hand out the other's role. */
export function requireRank(actor: Actor, role: Role): void {
  if (ranks[actor.role] > ranks[role] || actor.role === role) return
  throw new Forbidden('role_too_high', `Your role (${actor.role}) cannot give or take the role ${role}.`)
}
