/** The help desk: tickets, their conversation, and what happened to them. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { agentRoutes } from './assignment/agent-routes.ts'
import { assignmentReactions, assignmentTasks } from './assignment/draining.ts'
import { breachTasks } from './sla/breach-task.ts'
import { calendarRoutes } from './sla/calendar-routes.ts'
import { policyRoutes } from './sla/policy-routes.ts'
import { reapplyJob } from './sla/reapply-job.ts'
import { autoCloseTasks } from './upkeep/auto-close.ts'
import { escalationMailJob } from './upkeep/escalation-mail.ts'
import { escalationTasks } from './upkeep/escalation.ts'
import { removeFilesJob } from './attachment-files.ts'
import { attachmentRoutes } from './attachment-routes.ts'
import { scanJob } from './attachments.ts'
import { followerRoutes } from './follower-routes.ts'
import { historyRoutes } from './history.ts'
import { messageRoutes } from './message-routes.ts'
import { personalData } from './personal-data.ts'
import { heard, supportReactions } from './reactions.ts'
import { ticketRoutes } from './ticket-routes.ts'

export const support = defineModule({
  name: 'support',
  migrations: path.join(import.meta.dirname, 'migrations'),
  permissions: {
    'ticket.read': ['viewer', 'customer'],
    'ticket.write': ['viewer', 'customer'],
    'ticket.work': ['agent'],
    'ticket.configure': ['admin'],
    'ticket.delete': ['admin'],
  },
  routes: [
    ...ticketRoutes,
    ...messageRoutes,
    ...attachmentRoutes,
    ...followerRoutes,
    ...historyRoutes,
    ...agentRoutes,
    ...calendarRoutes,
    ...policyRoutes,
  ],
  jobs: [scanJob, removeFilesJob, reapplyJob, escalationMailJob],
  reactions: [...supportReactions, ...assignmentReactions],
  schedule: [...breachTasks, ...assignmentTasks, ...escalationTasks, ...autoCloseTasks],
  hears: heard,
  personalData,
})
