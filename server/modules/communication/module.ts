/** What we tell people: templates, campaigns and the delivery engine, tracking, the sandbox inbox. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { campaignJobs } from './campaign-jobs.ts'
import { campaignRoutes } from './campaign-routes.ts'
import { createEngine } from './engine/engine.ts'
import { mergedContactReactions } from './merged-contacts.ts'
import { campaignMail } from './returned-mail.ts'
import { personalData } from './personal-data.ts'
import { sandboxRoutes } from './sandbox-routes.ts'
import { sandboxTasks } from './sandbox-tasks.ts'
import { statusRoutes } from './status-routes.ts'
import { templateRoutes } from './template-routes.ts'
import { trackingBuffer } from './tracking-buffer.ts'
import { trackingRoutes } from './tracking-routes.ts'
import { unsubscriptionReactions } from './unsubscriptions.ts'

export const communication = defineModule({
  name: 'communication',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: {
    'communication.read': ['viewer'],
    'communication.write': ['marketer'],
    'communication.send': ['marketer'],
    'sandbox.read': ['marketer', 'agent'],
    'sandbox.read_confidential': ['owner'],
    'sandbox.clear': ['admin'],
  },
  routes: [...campaignRoutes, ...templateRoutes, ...sandboxRoutes, ...trackingRoutes, ...statusRoutes],
  mail: [campaignMail],
  reactions: [...unsubscriptionReactions, ...mergedContactReactions],
  jobs: [...campaignJobs],
  workers: [createEngine, trackingBuffer],
  schedule: [...sandboxTasks],
  personalData,
})
