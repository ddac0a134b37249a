/** What neighbours may use of accounts. */
export { authenticator } from './authentication.ts'
export { defaultWorkspaceId, findWorkspaceId, getWorkspace, listWorkspaceIds } from './workspace-lookup.ts'
