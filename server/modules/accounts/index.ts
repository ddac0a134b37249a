/** What neighbours may use of accounts. */
import './tables.ts'

export { authenticator } from './authentication.ts'
export { nameOf } from './members.ts'
export { firstWorkspaceId as defaultWorkspaceId, getWorkspace, listWorkspaceIds, workspaceIdOf } from './workspaces.ts'
export type { WorkspaceRow as Workspace } from './tables.ts'
