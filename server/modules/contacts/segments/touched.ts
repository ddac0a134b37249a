/** Which parts of a contact an event may have changed, and whether a rule looks at one of them. Pure. */
import type { Event } from '#platform/events/outbox.ts'
import type { InteractionType } from '../interactions.ts'
import type { References } from '../rules/references.ts'

export interface Touched {
  /** Names of fields as rules have them; null: any of them. */
  fields: readonly string[] | null
  /** Types of timeline entries that came with it. */
  entries: readonly string[]
}

const everything: Touched = { fields: null, entries: [] }

const subscription = [
  'newsletter_subscribed',
  'marketing_subscribed',
  'tracking_allowed',
  'status',
  'subscribed_at',
  'unsubscribed_at',
  'updated_at',
  ...['newsletter', 'marketing', 'tracking'].flatMap((purpose) => [`consent.${purpose}`, `consent.${purpose}.at`]),
]

/** What orders, bookings, appointments and tickets leave on the timeline; their figures are told as a change of the contact. */
const dealings = [
  'purchase',
  'order_returned',
  'booking_created',
  'booking_completed',
  'booking_cancelled',
  'appointment_created',
  'appointment_completed',
  'appointment_cancelled',
  'ticket_created',
  'ticket_resolved',
  'ticket_closed',
  'ticket_reopened',
] satisfies InteractionType[]
const isFigure = (name: string) =>
  /^(total|returned|cancelled|open|first|last|lifetime)_/.test(name) && !name.endsWith('_name')

const byEvent: Record<string, Touched> = {
  'contact.subscribed': { fields: subscription, entries: ['subscribed'] },
  'contact.unsubscribed': { fields: subscription, entries: ['unsubscribed'] },
  'contact.engagement': {
    fields: [
      'engagement_score',
      'engagement_level',
      'total_emails_opened',
      'total_emails_clicked',
      'total_purchases',
      'last_email_opened_at',
      'last_email_clicked_at',
      'last_engaged_at',
    ],
    entries: ['email_opened', 'email_clicked', 'form_submitted', 'purchase'],
  },
  'tag.applied': { fields: ['tags'], entries: ['tag_added'] },
  'tag.removed': { fields: ['tags'], entries: ['tag_removed'] },
  'list.contact.added': { fields: ['lists'], entries: ['list_added'] },
  'list.contact.removed': { fields: ['lists'], entries: ['list_removed'] },
}

/** A change that is not told in detail may have changed anything, and so may coming, going and coming back. */
export function touchedBy({ event, data }: Pick<Event, 'event' | 'data'>): Touched {
  if (event !== 'contact.updated') return byEvent[event] ?? everything
  const { changed } = data
  if (!Array.isArray(changed) || changed.includes('deleted_at')) return everything
  const names = changed.map(String)
  const isName = names.some((name) => name === 'first_name' || name === 'last_name')
  const isConsent = names.some((name) => subscription.includes(name))
  return {
    fields: ['updated_at', ...names, ...(isName ? ['full_name'] : []), ...(isConsent ? subscription : [])],
    entries: ['contact_updated', ...(names.some(isFigure) ? dealings : [])],
  }
}

export function isTouched(dependencies: References, { fields, entries }: Touched): boolean {
  if (!fields) return true
  return (
    fields.some((field) => dependencies.fields.has(field)) || entries.some((entry) => dependencies.entries.has(entry))
  )
}
