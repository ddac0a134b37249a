/** Every module, by hand, in the order in which they build on each other: a module may know those above it. */
import type { Module } from './platform/module.ts'
import { accounts } from './modules/accounts/module.ts'
import { communication } from './modules/communication/module.ts'
import { contacts } from './modules/contacts/module.ts'
import { privacy } from './modules/privacy/module.ts'
import { support } from './modules/support/module.ts'

export const modules: Module[] = [accounts, contacts, communication, support, privacy]

/** Which neighbours a module may import, each through its `index.ts`; `boundaries.test.ts` holds the code to it. */
export const neighbours: Record<string, readonly string[]> = {
  accounts: [],
  contacts: ['accounts'],
  communication: ['accounts', 'contacts'],
  support: ['accounts', 'contacts'],
  privacy: ['accounts', 'contacts'],
}
