/** What neighbours, and the app that mounts it, may use of communication. */
export { createSandboxStore } from './sandbox.ts'
