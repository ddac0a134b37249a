/** What neighbours may use of accounts. */
import './tables.ts'

export { askerOf } from './actors.ts'
export { authenticator } from './authentication.ts'
export { memberAddressesAmong, pageOfMembers } from './member-lists.ts'
export { accountOf, membersAmong, membersWithRole, nameOf, type MemberToTell } from './members.ts'
export type { WorkspaceRow as Workspace } from './tables.ts'
export {
  firstWorkspaceId as defaultWorkspaceId,
  getWorkspace,
  listWorkspaceIds,
  workspaceForEvent,
  workspaceIdOf as findWorkspaceId,
} from './workspaces.ts'
export { removeHouse, replacePassword, seedHouse, type HouseSeed } from './seeding.ts'
