/** Who people are: contacts, lists, tags, timeline, consent, import. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { pageRoutes } from './page-routes.ts'
import { publicRequestJob } from './public-requests.ts'
import { publicRoutes } from './public-routes.ts'
import { subscriptionRoutes } from './subscription-routes.ts'
import { subscriptionTasks } from './subscription-work.ts'
import { bulkJob } from './bulk/job.ts'
import { bulkRoutes } from './bulk/routes.ts'
import { contactRoutes } from './contact-routes.ts'
import { exportJob } from './export/job.ts'
import { exportRoutes } from './export/routes.ts'
import { exportTasks } from './export/upkeep.ts'
import { importTasks } from './import/upkeep.ts'
import { analyticsRoutes } from './analytics/routes.ts'
import { statisticsTasks } from './analytics/tasks.ts'
import { showTotals } from './analytics/workspace-figures.ts'
import { duplicateRoutes } from './duplicates/routes.ts'
import { scanJob } from './duplicates/scan.ts'
import { checkJob, duplicateReactions } from './duplicates/watching.ts'
import { duplicateTasks } from './duplicates/weekly.ts'
import { customFieldJob } from './fields/job.ts'
import { fieldRoutes } from './fields/routes.ts'
import { customersRoutes } from './customers/routes.ts'
import { groupRoutes } from './group-routes.ts'
import { importJob } from './import/job.ts'
import { importRoutes } from './import/routes.ts'
import { undoJob } from './import/undo.ts'
import { cleanInactiveJob, inactiveTasks } from './inactive/job.ts'
import { inactiveRoutes } from './inactive/routes.ts'
import { interactionRoutes } from './interaction-routes.ts'
import { listRoutes } from './list-routes.ts'
import { manualEntryRoutes } from './manual-entries.ts'
import { memberRoutes } from './member-routes.ts'
import { mergeRoutes } from './merging/routes.ts'
import { mergeReactions, mergeTasks } from './merging/work.ts'
import { noteRoutes } from './notes.ts'
import { operationRoutes } from './operations/routes.ts'
import { operationTasks } from './operations/sweep.ts'
import { undoOperationJob } from './operations/undo.ts'
import { personalData } from './personal-data.ts'
import { factRoutes } from './facts/fact-routes.ts'
import { factReactions, heardFromOutside } from './facts/reactions.ts'
import { factTasks } from './facts/work.ts'
import { ruleRoutes } from './rules/rule-routes.ts'
import { segmentRoutes } from './segments/segment-routes.ts'
import { segmentReactions } from './segments/follow.ts'
import { refreshListJob, segmentTasks } from './segments/refresh-job.ts'
import { removeFilesJob } from './stored-files.ts'
import { tagRoutes } from './tag-routes.ts'
import { taggingRoutes } from './tagging-routes.ts'
import { reportTasks } from './reports/clock.ts'
import { reportJob } from './reports/job.ts'
import { reportRunRoutes } from './reports/run-routes.ts'
import { reportRoutes } from './reports/routes.ts'
import { viewRoutes } from './views/routes.ts'

export const contacts = defineModule({
  name: 'contacts',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: {
    'contact.read': ['viewer'],
    'contact.write': ['marketer', 'agent'],
    'contact.import': ['marketer'],
    'contact.export': ['marketer'],
    'contact.bulk': ['admin'],
    'contact.scan': ['marketer'],
    'field.manage': ['admin'],
    'view.save': ['viewer'],
    'view.share': ['marketer', 'agent'],
    'view.manage': ['admin'],
    'report.write': ['marketer'],
    'report.send_outside': ['admin'],
  },
  routes: [
    ...duplicateRoutes,
    ...ruleRoutes,
    ...viewRoutes,
    ...reportRoutes,
    ...reportRunRoutes,
    ...contactRoutes,
    ...interactionRoutes,
    ...manualEntryRoutes,
    ...factRoutes,
    ...noteRoutes,
    ...bulkRoutes,
    ...operationRoutes,
    ...groupRoutes,
    ...listRoutes,
    ...memberRoutes,
    ...segmentRoutes,
    ...tagRoutes,
    ...taggingRoutes,
    ...subscriptionRoutes,
    ...publicRoutes,
    ...pageRoutes,
    ...importRoutes,
    ...fieldRoutes,
    ...analyticsRoutes,
    ...inactiveRoutes,
    ...customersRoutes,
    ...exportRoutes,
    ...mergeRoutes,
  ],
  jobs: [
    bulkJob,
    undoOperationJob,
    importJob,
    undoJob,
    publicRequestJob,
    customFieldJob,
    removeFilesJob,
    scanJob,
    checkJob,
    exportJob,
    reportJob,
    refreshListJob,
    cleanInactiveJob,
  ],
  reactions: [...factReactions, ...duplicateReactions, ...segmentReactions, ...mergeReactions],
  hears: heardFromOutside,
  schedule: [
    ...subscriptionTasks,
    ...factTasks,
    ...statisticsTasks,
    ...duplicateTasks,
    ...exportTasks,
    ...importTasks,
    ...reportTasks,
    ...segmentTasks,
    ...inactiveTasks,
    ...operationTasks,
    ...mergeTasks,
  ],
  metrics: showTotals,
  personalData,
})
