// Textele românești. Pluralul are trei forme: _one (1), _few (2–19), _other (20 și mai mult, cu „de”).
import { accounts } from './ro/accounts.ts'
import { campaigns } from './ro/campaigns.ts'
import { contacts } from './ro/contacts.ts'
import { imports } from './ro/import.ts'
import { shell } from './ro/shell.ts'
import type { Texts } from './texts.ts'

export const ro: Texts = { ...shell, ...accounts, ...contacts, ...imports, ...campaigns }
