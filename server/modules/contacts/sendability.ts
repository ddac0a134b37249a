/** Whether a message of a category may go to a person: pure, asked when an audience is frozen and again at hand-over. */
import { isEmail } from '#platform/http/validation.ts'
import type { ContactStatus } from './tables.ts'

export type Category = 'marketing' | 'newsletter' | 'transactional'

export type Unsendable =
  | 'deleted'
  | 'inactive'
  | 'unsubscribed'
  | 'no_consent'
  | 'bounced'
  | 'complained'
  | 'suppressed'
  | 'invalid_address'

export interface Sendee {
  email: string
  status: ContactStatus
  is_active: boolean
  newsletter_subscribed: boolean
  marketing_subscribed: boolean
  deleted_at: Date | string | null
}

/**
 * Null when the message may go, else the first reason why not. `suppressed` is the answer of `isSuppressed` for the
 * same category. A transactional message needs no consent, yet goes to nobody who complained or cannot be reached.
 */
export function sendability(recipient: Sendee, category: Category, suppressed: boolean): Unsendable | null {
  if (recipient.deleted_at) return 'deleted'
  if (!recipient.is_active) return 'inactive'
  if (recipient.status === 'complained') return 'complained'
  if (recipient.status === 'bounced') return 'bounced'
  if (category !== 'transactional') {
    if (recipient.status === 'unsubscribed') return 'unsubscribed'
    const agreed = category === 'newsletter' ? recipient.newsletter_subscribed : recipient.marketing_subscribed
    if (!agreed) return 'no_consent'
  }
  if (suppressed) return 'suppressed'
  return isEmail(recipient.email) ? null : 'invalid_address'
}
