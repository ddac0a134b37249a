/** What neighbours may use of accounts. */
export { authenticator } from './authentication.ts'
export { getWorkspace, type WorkspaceFacts } from './workspace-facts.ts'
export { defaultWorkspaceId, findWorkspaceId, listWorkspaceIds } from './workspace-lookup.ts'
