/** Tells of consent that changed: the timeline of the contact, and the events of document 1. */
import type { Tx } from '#platform/db/db.ts'
import { publishMany } from './contact-events.ts'
import { recordInteractions, type NewInteraction } from './interactions.ts'
import type { ConsentEntry, ConsentSubject } from './consent.ts'

/** Newsletter and marketing that change together are told together, as the type `all`. Requests and tracking stay quiet. */
export async function announceConsent(tx: Tx, subjects: ConsentSubject[], recorded: ConsentEntry[]): Promise<void> {
  const told = recorded.filter(
    ({ purpose, decision }) => decision !== 'pending' && (purpose === 'newsletter' || purpose === 'marketing'),
  )
  const byId = new Map(subjects.map((subject) => [subject.id, subject]))
  const news = [...Map.groupBy(told, (entry) => `${entry.contactId} ${entry.decision}`).values()]
  await recordInteractions(tx, news.map(toInteraction))
  await publishMany(
    tx,
    news.map((entries) => {
      const [{ contactId, decision }] = entries as [ConsentEntry]
      const event = decision === 'granted' ? 'contact.subscribed' : 'contact.unsubscribed'
      return { event, subject: contactId, data: { email: byId.get(contactId)?.email, ...toData(entries) } }
    }),
  )
}

function toData(entries: ConsentEntry[]): object {
  const { contactId, source, evidence } = entries[0]!
  return {
    contact_id: contactId,
    subscription_type: typeOf(entries),
    // Where the form stood, when one is known: `website_footer` says more than how the answer reached us.
    source: evidence?.form ?? source,
    double_optin: source === 'confirmation_link',
    ...(evidence?.campaign_id ? { campaign_id: evidence.campaign_id } : {}),
  }
}

function toInteraction(entries: ConsentEntry[]): NewInteraction {
  const { contactId, decision, source, evidence, actor } = entries[0]!
  const type = decision === 'granted' ? 'subscribed' : 'unsubscribed'
  const what = typeOf(entries) === 'all' ? 'newsletter and marketing' : typeOf(entries)
  return {
    contactId,
    type,
    description: decision === 'granted' ? `Subscribed to ${what}` : `Unsubscribed from ${what}`,
    metadata: { subscription_type: typeOf(entries), source },
    actor: actor ?? null,
    campaignId: typeof evidence?.campaign_id === 'string' ? evidence.campaign_id : null,
  }
}

function typeOf(entries: ConsentEntry[]): string {
  return entries.length > 1 ? 'all' : entries[0]!.purpose
}
