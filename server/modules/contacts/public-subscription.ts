/** What the links in a person's mailbox do: confirm, unsubscribe, choose. The holder of a link acts as the person. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { marketingPurposes, recordConsent, type ConsentEntry, type ConsentSource } from './consent.ts'
import { lockContact } from './contacts.ts'
import { recordsOf, survivorOf } from './merging/survivors.ts'
import type { Visitor } from './pages/subscription-pages.ts'
import { preferencesToken, type ConfirmationHolder, type Holder } from './subscription-links.ts'
import { hashAddress } from './suppression.ts'
import { chooseLanguage, texts } from './texts.ts'

/** Where an action came from; kept in the ledger. */
export interface Trace {
  ip: string
  userAgent: string
}

export const subscriptionTypes = ['newsletter', 'marketing', 'transactional', 'all'] as const
export type SubscriptionType = (typeof subscriptionTypes)[number]

/** What a type stands for; transactional messages cannot be switched off. */
export function withdrawable(type: SubscriptionType): readonly ('newsletter' | 'marketing')[] {
  if (type === 'transactional') {
    throw Invalid.at(
      '/type',
      'always_on',
      'Transactional messages (orders, bookings, requests) cannot be switched off.',
    )
  }
  return type === 'all' ? marketingPurposes : [type]
}

/** Null where the person is no longer known. */
export async function findVisitor(
  tx: Tx,
  services: Services,
  holder: Holder,
  acceptLanguage: string | undefined,
): Promise<Visitor | null> {
  const contact = await tx.sql
    .selectFrom('contacts.contacts')
    .select(['email', 'language', 'newsletter_subscribed', 'marketing_subscribed', 'tracking_allowed'])
    .where('id', '=', await survivorOf(tx, holder.contactId))
    .executeTakeFirst()
  if (!contact) return null
  const workspace = await getWorkspace(tx, tx.workspaceId)
  return {
    language: chooseLanguage(contact.language, acceptLanguage),
    workspace: workspace.name,
    email: contact.email,
    newsletter: contact.newsletter_subscribed,
    marketing: contact.marketing_subscribed,
    tracking: contact.tracking_allowed,
    preferencesPath: `/p/${preferencesToken(services, holder)}`,
  }
}

/**
 * What a confirmation link asks for that still may be confirmed: a request stands until the person withdraws, and only
 * for the address that it was made with.
 */
export async function findOpenRequest(tx: Tx, services: Services, holder: ConfirmationHolder) {
  const contactId = await survivorOf(tx, holder.contactId)
  const { rows } = await sql<OpenRequest>`
    select p.purpose, p.ip, p.evidence, p.wording_sha256, p.recorded_at, c.email
    from contacts.consents p join contacts.contacts c on c.workspace_id = p.workspace_id and c.id = ${contactId}
    where p.workspace_id = ${tx.workspaceId} and p.contact_id = any(${recordsOf(sql`c.id`)}) and p.decision = 'pending'
      and p.evidence ->> 'request_id' = ${holder.requestId} and c.deleted_at is null
      and not exists (
        select from contacts.consents w
        where w.workspace_id = p.workspace_id and w.contact_id = any(${recordsOf(sql`c.id`)}) and w.purpose = p.purpose
          and w.decision = 'withdrawn' and w.recorded_at > p.recorded_at)
    order by p.id`.execute(tx.sql)
  return rows.filter((row) => row.evidence.address_hash === hashAddress(services, tx.workspaceId, row.email))
}

interface OpenRequest {
  purpose: 'newsletter' | 'marketing'
  ip: string | null
  evidence: Record<string, unknown>
  wording_sha256: string
  recorded_at: Date
  email: string
}

/** The second half of the double opt-in. Confirming twice changes nothing. Answers false when nothing is left to confirm. */
export async function confirmSubscription(
  tx: Tx,
  services: Services,
  holder: ConfirmationHolder,
  trace: Trace & { acceptLanguage: string | undefined },
): Promise<boolean> {
  const visitor = await findVisitor(tx, services, holder, trace.acceptLanguage)
  if (!visitor) return false
  await lockContact(tx, await survivorOf(tx, holder.contactId), { deletedToo: true }) // a withdrawal that is under way comes first
  const open = await findOpenRequest(tx, services, holder)
  const outcome = await recordConsent(
    tx,
    services,
    open.map(({ purpose, ip, evidence, wording_sha256 }) => ({
      contactId: holder.contactId,
      purpose,
      decision: 'granted' as const,
      source: 'confirmation_link' as const,
      wording: texts[visitor.language].wording[purpose](visitor.workspace),
      ip: trace.ip,
      userAgent: trace.userAgent,
      evidence: {
        ...evidence,
        requested_ip: ip,
        requested_wording_sha256: wording_sha256,
        confirmed_at: tx.now,
        confirmed_ip: trace.ip,
      },
    })),
  )
  return open.length > 0 && outcome.refused.length === 0
}

/** By the person's own hand; what opens of theirs were measured ends with everything else. */
export async function unsubscribe(
  tx: Tx,
  services: Services,
  holder: Holder,
  { type, source, trace }: { type: SubscriptionType; source: ConsentSource; trace: Trace },
): Promise<void> {
  const purposes = withdrawable(type)
  const tracked = type === 'all' && (await isTracked(tx, holder.contactId))
  const entry = withdrawal(holder, source, trace)
  await recordConsent(tx, services, [...purposes, ...(tracked ? (['tracking'] as const) : [])].map(entry))
}

/** The choices of the preference page: only what differs from what the page had shown is a choice. */
export async function savePreferences(
  tx: Tx,
  services: Services,
  holder: Holder,
  { fields, trace, visitor }: { fields: Record<string, string>; trace: Trace; visitor: Visitor },
): Promise<void> {
  const withdraw = withdrawal(holder, 'preference_page', trace)
  const entries = (['newsletter', 'marketing', 'tracking'] as const).flatMap((purpose): ConsentEntry[] => {
    const wanted = fields[purpose] !== undefined && fields[purpose] !== 'off'
    const wasShown = fields[`shown_${purpose}`] === 'on'
    if (!wanted) return wasShown || visitor[purpose] ? [withdraw(purpose)] : []
    if (wasShown) return []
    const wording = texts[visitor.language].wording[purpose](visitor.workspace)
    return [{ ...withdraw(purpose), decision: 'granted', wording }]
  })
  await recordConsent(tx, services, entries)
}

function withdrawal({ contactId, campaignId }: Holder, source: ConsentSource, trace: Trace) {
  return (purpose: ConsentEntry['purpose']): ConsentEntry => ({
    contactId,
    purpose,
    decision: 'withdrawn',
    source,
    ip: trace.ip,
    userAgent: trace.userAgent,
    evidence: campaignId ? { campaign_id: campaignId } : {},
  })
}

async function isTracked(tx: Tx, contactId: string): Promise<boolean> {
  const row = await tx.sql
    .selectFrom('contacts.contacts')
    .select('tracking_allowed')
    .where('id', '=', await survivorOf(tx, contactId))
    .executeTakeFirst()
  return row?.tracking_allowed ?? false
}
