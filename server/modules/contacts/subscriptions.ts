/** Subscriptions as the team changes them, each time by what the person told them. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { marketingPurposes, recordConsent, requireAccepted, type ConsentEntry } from './consent.ts'
import { lockContact } from './contacts.ts'
import { asOperation } from './operations/record.ts'
import { withdrawable, type SubscriptionType } from './public-subscription.ts'

/** Subscribing to transactional messages changes nothing: they are always on. */
export async function subscribe(
  tx: Tx,
  services: Services,
  contactId: string,
  { actor, type }: { actor: Actor; type: SubscriptionType },
): Promise<void> {
  await lockContact(tx, contactId)
  if (type === 'transactional') return
  const purposes = type === 'all' ? marketingPurposes : [type]
  const entries = purposes.map((purpose) => entry(contactId, purpose, 'granted', actor))
  const outcome = await asOperation(tx, actor, { kind: 'edit', action: 'subscribe', facts: { type } }, () =>
    recordConsent(tx, services, entries),
  )
  requireAccepted(outcome)
}

export async function unsubscribeByTeam(
  tx: Tx,
  services: Services,
  contactId: string,
  { actor, type }: { actor: Actor; type: SubscriptionType },
): Promise<void> {
  await lockContact(tx, contactId)
  const entries = withdrawable(type).map((purpose) => entry(contactId, purpose, 'withdrawn', actor))
  await asOperation(tx, actor, { kind: 'edit', action: 'unsubscribe', facts: { type } }, () =>
    recordConsent(tx, services, entries),
  )
}

function entry(
  contactId: string,
  purpose: 'newsletter' | 'marketing',
  decision: 'granted' | 'withdrawn',
  actor: Actor,
): ConsentEntry {
  return { contactId, purpose, decision, source: actor.kind === 'user' ? 'person' : 'api', actor }
}
