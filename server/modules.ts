/** Every module, by hand, in the order in which they build on each other: a module may know those above it. */
import type { Module } from './platform/module.ts'
import { accounts } from './modules/accounts/module.ts'

export const modules: Module[] = [accounts]

/** Which neighbours a module may import, each through its `index.ts`; `boundaries.test.ts` holds the code to it. */
export const neighbours: Record<string, readonly string[]> = {
  accounts: [],
  contacts: ['accounts'],
  communication: ['accounts', 'contacts'],
}
