/** What neighbours may use of accounts. */
export { authenticator } from './authentication.ts'
export { getWorkspace, type WorkspaceFacts } from './workspace-facts.ts'
