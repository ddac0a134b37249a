/** What "did" and "did not" may be asked of: entries of the timeline, by their own name or by that of the event behind them. */
import { interactionTypes, type InteractionType } from '../interactions.ts'

/** Names as the documents' events have them, and the entry that each leaves. */
const byEvent: Record<string, InteractionType> = {
  'order.completed': 'purchase',
  'order.returned': 'order_returned',
  'appointment.created': 'appointment_created',
  'appointment.completed': 'appointment_completed',
  'appointment.cancelled': 'appointment_cancelled',
  'ticket.created': 'ticket_created',
  'ticket.resolved': 'ticket_resolved',
  'ticket.closed': 'ticket_closed',
  'ticket.reopened': 'ticket_reopened',
  'booking.created': 'booking_created',
  'booking.completed': 'booking_completed',
  'booking.cancelled': 'booking_cancelled',
  'email.sent': 'email_sent',
  'email.opened': 'email_opened',
  'email.clicked': 'email_clicked',
  'email.bounced': 'email_bounced',
  'email.complained': 'email_complained',
  'form.submitted': 'form_submitted',
  'contact.created': 'contact_created',
  'contact.updated': 'contact_updated',
  'contact.subscribed': 'subscribed',
  'contact.unsubscribed': 'unsubscribed',
  'contact.imported': 'imported',
  'note.added': 'note_added',
  'tag.applied': 'tag_added',
  'tag.removed': 'tag_removed',
  'list.contact.added': 'list_added',
  'list.contact.removed': 'list_removed',
}

export const eventNames = [...Object.keys(byEvent), ...interactionTypes]

export const eventOps = ['at_least', 'at_most', 'exactly', 'never'] as const
export type EventOp = (typeof eventOps)[number]

export function typeOfEvent(name: string): InteractionType | null {
  if (Object.hasOwn(byEvent, name)) return byEvent[name]!
  return (interactionTypes as readonly string[]).includes(name) ? (name as InteractionType) : null
}

/** Entries that scanners and mail proxies leave too, marked; they count for nothing. */
export const machineTypes: readonly InteractionType[] = ['email_opened', 'email_clicked']
