/** Who works here: workspaces, people, memberships, sessions, invitations, API keys. */
import path from 'node:path'
import { defineModule, every } from '#platform/module.ts'
import { jobs } from './jobs.ts'
import { meRoutes } from './me-routes.ts'
import { memberRoutes } from './member-routes.ts'
import { sessionRoutes } from './session-routes.ts'
import { sweepExpired } from './sessions.ts'
import { workspaceRoutes } from './workspace-routes.ts'

export const accounts = defineModule({
  name: 'accounts',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: {
    'workspace.read': ['viewer'],
    'workspace.update': ['admin'],
    'member.read': ['viewer'],
    'member.manage': ['admin'],
    'api_key.manage': ['admin'],
  },
  routes: [...sessionRoutes, ...meRoutes, ...memberRoutes, ...workspaceRoutes],
  jobs,
  schedule: [every('40 3 * * *', 'accounts.sweep', ({ db }) => db.transaction('system', sweepExpired))],
})
