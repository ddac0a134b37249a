/** What we tell people: templates, campaigns and the delivery engine, tracking, the sandbox inbox. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { campaignJobs } from './campaign-jobs.ts'
import { campaignRoutes } from './campaign-routes.ts'
import { createEngine } from './engine/engine.ts'

export const communication = defineModule({
  name: 'communication',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: {
    'communication.read': ['viewer'],
    'communication.write': ['marketer'],
    'communication.send': ['marketer'],
  },
  routes: [...campaignRoutes],
  jobs: [...campaignJobs],
  workers: [createEngine],
})
