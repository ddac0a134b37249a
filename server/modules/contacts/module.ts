/** Who people are: contacts, lists, tags, timeline, consent, import. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { pageRoutes } from './page-routes.ts'
import { publicRequestJob } from './public-requests.ts'
import { publicRoutes } from './public-routes.ts'
import { subscriptionRoutes } from './subscription-routes.ts'
import { subscriptionTasks } from './subscription-work.ts'
import { bulkJob } from './bulk.ts'
import { bulkRoutes } from './bulk-routes.ts'
import { contactRoutes } from './contact-routes.ts'
import { groupRoutes } from './group-routes.ts'
import { importJob } from './import/job.ts'
import { importRoutes } from './import/routes.ts'
import { undoJob } from './import/undo.ts'
import { interactionRoutes } from './interaction-routes.ts'
import { listRoutes } from './list-routes.ts'
import { memberRoutes } from './member-routes.ts'
import { noteRoutes } from './notes.ts'
import { personalData } from './personal-data.ts'
import { tagRoutes } from './tag-routes.ts'
import { taggingRoutes } from './tagging-routes.ts'

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
  routes: [
    ...contactRoutes,
    ...interactionRoutes,
    ...noteRoutes,
    ...bulkRoutes,
    ...groupRoutes,
    ...listRoutes,
    ...memberRoutes,
    ...tagRoutes,
    ...taggingRoutes,
    ...subscriptionRoutes,
    ...publicRoutes,
    ...pageRoutes,
    ...importRoutes,
  ],
  jobs: [bulkJob, importJob, undoJob, publicRequestJob],
  schedule: [...subscriptionTasks],
  personalData,
})
