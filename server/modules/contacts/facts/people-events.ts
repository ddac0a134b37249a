/** Registrations, subscriptions and mails that other programs tell of. */
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { isId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import { recordConsent, type ConsentEntry } from '../consent.ts'
import { recordInteractions } from '../interactions.ts'
import { EmailSent, NewsletterSubscribed, notUnderstood, timeOf, understand, UserRegistered } from './shapes.ts'
import { isSomebody, nobodyKnown, resolveWho, whoOf } from './who.ts'

/** Whoever registers is a contact: the one with that address, or a new one. */
export async function welcomeUsers(tx: Tx, events: Event[]): Promise<void> {
  const whos = events.map((event) => {
    const data = understand(UserRegistered, event)
    const who = whoOf(data)
    const userId = who.userId ?? (data.id === undefined ? undefined : String(data.id))
    if (!who.email) throw notUnderstood(event, 'it has no email.')
    return { ...who, ...(userId === undefined ? {} : { userId }) }
  })
  await resolveWho(tx, whos, { source: 'registration' })
}

/**
 * A declaration of another program: it subscribes whoever has said nothing against it, and its evidence goes into the
 * ledger. A "no" stands until the person takes it back (docs/decisions/0012), so a refusal here is no error.
 */
export async function recordSubscriptions(tx: Tx, events: Event[], services: Services): Promise<void> {
  const told = events.map((event) => ({ event, data: understand(NewsletterSubscribed, event) }))
  const whos = told.map(({ event, data }) => {
    const who = whoOf(data)
    // A subscription is of an address; it must not end up with whoever else a number or an id belongs to.
    if (!who.email) throw notUnderstood(event, 'it has no email.')
    const { userId: _, contactId: __, ...named } = who
    return named
  })
  const ids = await resolveWho(tx, whos, { source: 'newsletter' })
  const entries = told.flatMap(({ event, data }, index): ConsentEntry[] => {
    const contactId = ids[index]
    if (!contactId) throw nobodyKnown(event)
    const type = data.subscription_type ?? 'newsletter'
    const purposes = [
      ...(type === 'marketing' ? [] : ['newsletter' as const]),
      ...(type === 'newsletter' && !data.marketing ? [] : ['marketing' as const]),
    ]
    const doubleOptIn = data.double_optin ?? data.double_opt_in
    return purposes.map((purpose) => ({
      contactId,
      purpose,
      decision: doubleOptIn === false ? ('pending' as const) : ('granted' as const),
      source: 'event' as const,
      wording: data.wording ?? data.consent_text ?? '',
      ip: data.ip ?? data.ip_address ?? null,
      userAgent: data.user_agent ?? null,
      evidence: {
        event_id: event.id,
        ...(data.source ? { form: data.source } : {}),
        ...(doubleOptIn === undefined ? {} : { double_optin: doubleOptIn }),
        subscribed_at: timeOf(event, data.subscribed_at),
        ...(data.confirmed_at ? { confirmed_at: timeOf(event, data.confirmed_at) } : {}),
      },
    }))
  })
  await recordConsent(tx, services, entries)
}

/** A mail to somebody who is no contact makes none: most mail of a shop goes to its own people and its suppliers. */
export async function recordSentMails(tx: Tx, events: Event[]): Promise<void> {
  const told = events.map((event) => {
    const data = understand(EmailSent, event)
    const flat = whoOf(data)
    const who = { ...flat, ...(flat.email ? {} : { email: data.to ?? data.recipient }) }
    if (!isSomebody(who)) throw notUnderstood(event, 'it does not say to whom: send an email.')
    return { event, data, who }
  })
  const ids = await resolveWho(
    tx,
    told.map(({ who }) => who),
    { source: 'email', create: false },
  )
  await recordInteractions(
    tx,
    told.flatMap(({ event, data }, index) => {
      const contactId = ids[index]
      if (!contactId) return []
      const campaignId = data.campaign_id === undefined ? null : String(data.campaign_id)
      return [
        {
          contactId,
          type: 'email_sent' as const,
          description: data.subject ?? data.template ?? '',
          metadata: {
            ...(data.message_id ? { message_id: data.message_id } : {}),
            ...(data.template ? { template: data.template } : {}),
            ...(campaignId && !isId(campaignId) ? { campaign_id: campaignId } : {}),
          },
          occurredAt: timeOf(event, data.sent_at),
          campaignId: campaignId && isId(campaignId) ? campaignId : null,
          sourceKey: `email:${data.message_id ?? event.id}:sent:${contactId}`,
        },
      ]
    }),
  )
}
