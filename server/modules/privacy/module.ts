/** What people may ask about their own data. Knows no module's tables: it walks what each promises about people. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { copyTasks, exportJob } from './copy.ts'
import { eraseJob } from './erasure.ts'
import { logTasks } from './log-service.ts'
import { personalData } from './personal-data.ts'
import { privacyRoutes } from './routes.ts'

export const privacy = defineModule({
  name: 'privacy',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: { 'privacy.manage': ['admin'] },
  routes: [...privacyRoutes],
  jobs: [exportJob, eraseJob],
  schedule: [...copyTasks, ...logTasks],
  personalData,
})
