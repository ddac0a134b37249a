/** Who works here: workspaces, users, memberships, sessions, keys. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'

export const accounts = defineModule({
  name: 'accounts',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: { 'job.control': ['marketer', 'agent'] },
})
