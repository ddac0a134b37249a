/** What others may use of communication. */
export { createSandboxStore } from './sandbox.ts'
