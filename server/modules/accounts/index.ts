/** What neighbours may use of accounts. */
export { authenticator } from './authentication.ts'
