/** Who people are: contacts, lists, tags, timeline, consent, import. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { pageRoutes } from './page-routes.ts'
import { publicRequestJob } from './public-requests.ts'
import { publicRoutes } from './public-routes.ts'
import { subscriptionRoutes } from './subscription-routes.ts'
import { subscriptionTasks } from './subscription-work.ts'

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
  routes: [...subscriptionRoutes, ...publicRoutes, ...pageRoutes],
  jobs: [publicRequestJob],
  schedule: [...subscriptionTasks],
})
