/** Who people are: contacts, lists, tags, timeline, consent, import. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'

export const contacts = defineModule({
  name: 'contacts',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: {
    'contact.read': ['viewer'],
    'contact.write': ['marketer', 'agent'],
    'contact.import': ['marketer'],
    'contact.export': ['marketer'],
    'contact.bulk': ['admin'],
  },
})
