/** What the web application needs to know of the one who signed in. */
import { may, type Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { viewMe, viewWorkspace, type SessionView } from './shapes.ts'
import { getUser } from './users.ts'
import { getWorkspace } from './workspaces.ts'

export interface Seen {
  userId: string
  workspaceId: string
  csrfToken: string | null
  /** A bearer's role comes from the token; a session's is the membership's. */
  actor?: Actor | undefined
}

export async function viewSession(tx: Tx, { permissions }: Services, seen: Seen): Promise<SessionView> {
  const user = await getUser(tx, seen.userId)
  const workspace = await getWorkspace(tx, seen.workspaceId)
  const workspaces = await tx.sql
    .selectFrom('accounts.memberships as m')
    .innerJoin('accounts.workspaces as w', 'w.id', 'm.workspace_id')
    .select(['w.id', 'w.name', 'm.role'])
    .where('m.user_id', '=', seen.userId)
    .orderBy('w.name')
    .execute()
  const role = seen.actor?.role ?? workspaces.find(({ id }) => id === workspace.id)?.role ?? 'viewer'
  const actor: Actor = seen.actor ?? {
    kind: 'user',
    id: user.id,
    workspaceId: workspace.id,
    role,
    scopes: null,
    email: user.email,
    name: user.full_name,
  }
  return {
    user: viewMe(user),
    workspace: viewWorkspace(workspace),
    workspaces,
    role,
    permissions: Object.keys(permissions)
      .filter((permission) => may(permissions, actor, permission))
      .toSorted(),
    csrf_token: seen.csrfToken,
  }
}
