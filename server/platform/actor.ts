/** Who is asking, and what a role may do. Permissions are declared by the modules; this file knows only roles. */
import { Forbidden } from './errors.ts'

export const roles = ['owner', 'admin', 'marketer', 'agent', 'viewer', 'customer'] as const
export type Role = (typeof roles)[number]

export interface Actor {
  kind: 'user' | 'key' | 'service' | 'system' | 'public'
  /** The user's or key's id; null for the system itself and for the public. */
  id: string | null
  workspaceId: string
  role: Role
  /** Permissions that a key is restricted to; null means all that its role has. */
  scopes: readonly string[] | null
  email: string | null
  /** Shown beside what the actor did. */
  name: string
}

/** The work that Rapport does on its own account in a workspace (schedule, reactions, the delivery engine). */
export function systemActor(workspaceId: string): Actor {
  return { kind: 'system', id: null, workspaceId, role: 'owner', scopes: null, email: null, name: 'Rapport' }
}

/** Permission → the roles that have it. `owner` and `admin` have every permission unless it says `owner`. */
export type Permissions = Readonly<Record<string, readonly Role[]>>

const impliedRoles: Record<Role, readonly Role[]> = {
  owner: ['owner', 'admin', 'marketer', 'agent', 'viewer'],
  admin: ['admin', 'marketer', 'agent', 'viewer'],
  marketer: ['marketer', 'viewer'],
  agent: ['agent', 'viewer'],
  viewer: ['viewer'],
  customer: ['customer'],
}

/** `may(permissions, actor, 'contact.update')`; an unknown permission is nobody's, so a typing error locks rather than opens. */
export function may(permissions: Permissions, actor: Actor, permission: string): boolean {
  const granted = permissions[permission]
  if (!granted) return false
  if (actor.scopes && !actor.scopes.includes(permission)) return false
  return impliedRoles[actor.role].some((role) => granted.includes(role))
}

export function authorize(permissions: Permissions, actor: Actor, permission: string): void {
  if (may(permissions, actor, permission)) return
  throw new Forbidden('forbidden', `Your role (${actor.role}) does not include ${permission}. An admin can change it.`)
}
