/** The help desk: tickets, their conversation, and what happened to them. */
import path from 'node:path'
import { defineModule } from '#platform/module.ts'
import { followerRoutes } from './follower-routes.ts'
import { historyRoutes } from './history.ts'
import { ticketMail } from './mail/incoming.ts'
import { mailboxRoutes } from './mail/mailbox-routes.ts'
import { mailJobs, mailReactions } from './mail/outgoing.ts'
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
    'ticket.delete': ['admin'],
    'mailbox.manage': ['admin'],
  },
  routes: [...mailboxRoutes, ...ticketRoutes, ...messageRoutes, ...followerRoutes, ...historyRoutes],
  reactions: [...supportReactions, ...mailReactions],
  jobs: mailJobs,
  mail: [ticketMail],
  hears: heard,
  personalData,
})
