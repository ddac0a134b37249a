// Les textes français. Les espaces insécables avant « ; : ! ? » sont posées au chargement (typeset-french.ts).
import { accounts } from './fr/accounts.ts'
import { campaigns } from './fr/campaigns.ts'
import { contacts } from './fr/contacts.ts'
import { imports } from './fr/import.ts'
import { shell } from './fr/shell.ts'
import type { Texts } from './texts.ts'

export const fr: Texts = { ...shell, ...accounts, ...contacts, ...imports, ...campaigns }
