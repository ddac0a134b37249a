// The English texts, and by their shape the contract for every other language. Plurals end in _one and _other.
import { accounts } from './en/accounts.ts'
import { campaigns } from './en/campaigns.ts'
import { contacts } from './en/contacts.ts'
import { imports } from './en/import.ts'
import { shell } from './en/shell.ts'

export const en = { ...shell, ...accounts, ...contacts, ...imports, ...campaigns }
