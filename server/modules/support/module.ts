/** The help desk: tickets, their conversation, and what happened to them. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { agentRoutes } from './assignment/agent-routes.ts'
import { assignmentReactions, assignmentTasks } from './assignment/draining.ts'
import { bulkJob } from './bulk/job.ts'
import { operationTasks } from './bulk/operations.ts'
import { bulkRoutes } from './bulk/routes.ts'
import { undoJob } from './bulk/undo.ts'
import { cannedReplyRoutes } from './canned/routes.ts'
import { exportJob } from './export/job.ts'
import { exportRoutes } from './export/routes.ts'
import { exportTasks } from './export/upkeep.ts'
import { breachTasks } from './sla/breach-task.ts'
import { calendarRoutes } from './sla/calendar-routes.ts'
import { policyRoutes } from './sla/policy-routes.ts'
import { reapplyJob } from './sla/reapply-job.ts'
import { statisticsTasks } from './statistics/counting.ts'
import { showTotals } from './statistics/metrics.ts'
import { statisticsRoutes } from './statistics/routes.ts'
import { autoCloseTasks } from './upkeep/auto-close.ts'
import { escalationMailJob } from './upkeep/escalation-mail.ts'
import { escalationTasks } from './upkeep/escalation.ts'
import { removeFilesJob } from './attachment-files.ts'
import { attachmentRoutes } from './attachment-routes.ts'
import { scanJob } from './attachments.ts'
import { followerRoutes } from './follower-routes.ts'
import { historyRoutes } from './history.ts'
import { ticketLinkRoutes } from './joining/link-routes.ts'
import { ticketMergeRoutes } from './joining/merge-routes.ts'
import { presenceRoutes } from './joining/presence-routes.ts'
import { splitRoutes } from './joining/split-routes.ts'
import { ticketMail } from './mail/incoming.ts'
import { mailFilesJob } from './mail/mail-files.ts'
import { mailboxRoutes } from './mail/mailbox-routes.ts'
import { mailJobs, mailReactions } from './mail/outgoing.ts'
import { mergeReactions } from './merged-contacts.ts'
import { messageRoutes } from './message-routes.ts'
import { personalData } from './personal-data.ts'
import { publicRoutes } from './public/routes.ts'
import { heard, supportReactions } from './reactions.ts'
import { askJob, satisfactionReactions } from './satisfaction/asking.ts'
import { satisfactionRoutes } from './satisfaction/routes.ts'
import { seenTickets } from './sight.ts'
import { ticketRoutes } from './ticket-routes.ts'
import { viewRoutes } from './views/routes.ts'

export const support = defineModule({
  name: 'support',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: {
    'ticket.read': ['viewer', 'customer'],
    'ticket.write': ['viewer', 'customer'],
    'ticket.work': ['agent'],
    'ticket.export': ['agent'],
    'ticket.configure': ['admin'],
    'ticket.delete': ['admin'],
    'mailbox.manage': ['admin'],
  },
  mail: [ticketMail],
  routes: [
    ...mailboxRoutes,
    ...ticketRoutes,
    ...messageRoutes,
    ...attachmentRoutes,
    ...followerRoutes,
    ...historyRoutes,
    ...publicRoutes,
    ...satisfactionRoutes,
    ...agentRoutes,
    ...calendarRoutes,
    ...policyRoutes,
    ...statisticsRoutes,
    ...cannedReplyRoutes,
    ...viewRoutes,
    ...bulkRoutes,
    ...exportRoutes,
    ...ticketMergeRoutes,
    ...splitRoutes,
    ...ticketLinkRoutes,
    ...presenceRoutes,
  ],
  jobs: [
    scanJob,
    removeFilesJob,
    askJob,
    reapplyJob,
    escalationMailJob,
    ...mailJobs,
    mailFilesJob,
    bulkJob,
    undoJob,
    exportJob,
  ],
  reactions: [
    ...supportReactions,
    ...satisfactionReactions,
    ...mergeReactions,
    ...assignmentReactions,
    ...mailReactions,
  ],
  schedule: [
    ...breachTasks,
    ...assignmentTasks,
    ...escalationTasks,
    ...autoCloseTasks,
    ...statisticsTasks,
    ...operationTasks,
    ...exportTasks,
  ],
  hears: heard,
  metrics: showTotals,
  sights: { ticket: seenTickets },
  personalData,
})
