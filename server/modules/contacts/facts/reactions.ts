/** What this module does when other programs tell of something. The help desk's events will be our own one day. */
import { when, type Reaction } from '#platform/module.ts'
import { tellBookings } from './bookings.ts'
import { completeOrders, returnOrders } from './orders.ts'
import { recordSentMails, recordSubscriptions, welcomeUsers } from './people-events.ts'
import { tellMerges, tellTickets } from './tickets.ts'
import { ticketVerbs } from './ticket-state.ts'

export const factReactions: Reaction[] = [
  when('user.registered', 'contacts.welcome_users', welcomeUsers),
  when('newsletter.subscribed', 'contacts.record_subscriptions', recordSubscriptions),
  // Our own campaigns tell of a million mails, and have put each on its timeline themselves.
  { ...when('email.sent', 'contacts.record_sent_mails', recordSentMails), fromOutside: true },
  when('order.completed', 'contacts.complete_orders', completeOrders),
  when('order.returned', 'contacts.return_orders', returnOrders),
  ...(['booking', 'appointment'] as const).flatMap((kind) =>
    (['created', 'completed', 'cancelled'] as const).map((verb) =>
      when(`${kind}.${verb}`, `contacts.tell_${kind}_${verb}`, (tx, events) => tellBookings(tx, events, kind, verb)),
    ),
  ),
  ...ticketVerbs.map((verb) =>
    when(`ticket.${verb}`, `contacts.tell_ticket_${verb}`, (tx, events) => tellTickets(tx, events, verb)),
  ),
  ...(['merged', 'unmerged'] as const).map((verb) =>
    when(`ticket.${verb}`, `contacts.tell_ticket_${verb}`, (tx, events) => tellMerges(tx, events, verb)),
  ),
]

/** What RabbitMQ is asked for: each of these may come from a shop, a scheduler, a help desk or an auth service. */
export const heardFromOutside = factReactions.map(({ event }) => event)
