/**
 * What comes back for campaigns: undeliverable mails, complaints, and the mails that "unsubscribe" buttons write. All of it was
 * written by strangers, so it is believed only as far as an id goes that we signed: the address of the envelope, or the
 * unsubscribe link in the head that was returned.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { classifyBounce, type BounceKind } from '#platform/mail-in/bounce-kind.ts'
import { openMailToken } from '#platform/mail-in/address-token.ts'
import { oneByOne, type Handled, type InboundMail, type MailHandler } from '#platform/mail-in/handler.ts'
import { headerOf, type Headers } from '#platform/mail-in/header-block.ts'
import { readComplaint, readDeliveryReport, type Complaint } from '#platform/mail-in/report.ts'
import type { Services } from '#platform/services.ts'
import {
  readUnsubscribeToken,
  recordInteractions,
  suppress,
  unsubscribe,
  type Holder,
} from '#modules/contacts/index.ts'

export const campaignMail: MailHandler = {
  name: 'communication.campaigns',
  handle: oneByOne(async (tx, mail, services) => {
    const asked = await unsubscribeByMail(tx, mail, services)
    if (asked) return asked
    if (mail.kind === 'bounce') return noteBounce(tx, mail, services)
    if (mail.kind === 'complaint') return noteComplaint(tx, mail, services)
    // A vacation notice to the address of the envelope: the mail arrived.
    if (mail.kind === 'auto_reply' && deliveryNamed(tx, mail, services))
      return { state: 'ignored', outcome: 'auto_reply' }
    return null
  }),
}

/** `mailto:` of List-Unsubscribe. Whoever holds the token had the mail; from which address they write does not matter. */
async function unsubscribeByMail(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const token = /^\s*(?:re\s*:\s*)?unsubscribe\s+([\w-]{30,200})\s*$/i.exec(mail.subject)?.[1]
  const holder = token ? readUnsubscribeToken(services, token) : null
  if (!holder || holder.workspaceId !== tx.workspaceId) return null
  await leave(tx, services, holder)
  return { state: 'handled', outcome: 'unsubscribed' }
}

async function leave(tx: Tx, services: Services, holder: Holder): Promise<void> {
  const trace = { ip: '', userAgent: 'mailto' }
  await unsubscribe(tx, services, holder, { type: 'all', source: 'one_click', trace })
}

interface Delivery {
  id: string
  campaign_id: string
  contact_id: string
  email: string
  name: string
}

async function noteBounce(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const report = readDeliveryReport(mail.reportParts, mail.text)
  const delivery = await findDelivery(tx, services, mail, report.original)
  if (!delivery) return null
  const found = report.recipients.map((recipient) => ({ ...recipient, kind: classifyBounce(recipient) }))
  const failed = found.find(({ action, kind }) => action === 'failed' && kind)
  if (!failed?.kind)
    return { state: 'handled', outcome: found.some(({ action }) => action === 'delayed') ? 'delayed' : 'delivered' }
  const { kind } = failed
  const response = failed.diagnostic || failed.status || ''
  // The first report counts, and one that says more.
  const { rows } = await sql<{ id: string }>`
    update communication.deliveries set bounce_kind = ${kind}, bounce_response = ${response}, bounced_at = coalesce(bounced_at, ${tx.now})
    where workspace_id = ${tx.workspaceId} and campaign_id = ${delivery.campaign_id} and contact_id = ${delivery.contact_id}
      and (bounce_kind is null or (bounce_kind <> 'hard' and ${kind} = 'hard')) returning id`.execute(tx.sql)
  if (!rows.length) return { state: 'handled', outcome: 'known' }
  await tell(tx, delivery, 'email_bounced', { kind, response })
  if (kind === 'hard') await suppress(tx, services, [delivery.email], 'hard_bounce')
  return { state: 'handled', outcome: `bounce_${kind}` satisfies `bounce_${BounceKind}` }
}

async function noteComplaint(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const complaint = readComplaint(mail.reportParts)
  if (!complaint) return null
  const delivery = await findDelivery(tx, services, mail, complaint.original)
  if (!delivery) return null
  if (complaint.feedbackType === 'not-spam') return { state: 'handled', outcome: 'not_spam' }
  return complain(tx, services, delivery, complaint)
}

async function complain(tx: Tx, services: Services, delivery: Delivery, { feedbackType }: Complaint): Promise<Handled> {
  const { rows } = await sql<{ id: string }>`
    update communication.deliveries set complained_at = ${tx.now}
    where workspace_id = ${tx.workspaceId} and campaign_id = ${delivery.campaign_id} and contact_id = ${delivery.contact_id}
      and complained_at is null returning id`.execute(tx.sql)
  if (!rows.length) return { state: 'handled', outcome: 'known' }
  await tell(tx, delivery, 'email_complained', { feedback_type: feedbackType })
  await suppress(tx, services, [delivery.email], 'complaint')
  return { state: 'handled', outcome: 'complaint' }
}

async function tell(
  tx: Tx,
  delivery: Delivery,
  type: 'email_bounced' | 'email_complained',
  more: object,
): Promise<void> {
  const { id, contact_id: contactId, campaign_id: campaignId, email, name } = delivery
  const event = type === 'email_bounced' ? 'email.bounced' : 'email.complained'
  await tx.publish(event, contactId, {
    contact_id: contactId,
    email,
    campaign_id: campaignId,
    delivery_id: id,
    ...more,
  })
  await recordInteractions(tx, [
    {
      contactId,
      type,
      description: name,
      metadata: { delivery_id: id, ...more },
      campaignId,
      sourceKey: `delivery:${id}:${type}`,
    },
  ])
}

function deliveryNamed(tx: Tx, mail: InboundMail, services: Services): string | null {
  const tags = mail.destinations.flatMap(({ tag }) => tag ?? [])
  return tags.map((tag) => openMailToken(services, 'delivery', tx.workspaceId, tag)).find(Boolean) ?? null
}

async function findDelivery(
  tx: Tx,
  services: Services,
  mail: InboundMail,
  original: Headers,
): Promise<Delivery | null> {
  const named = deliveryNamed(tx, mail, services)
  const holder = named ? null : holderIn(tx, services, original)
  const condition = named
    ? sql<boolean>`d.id = ${named}`
    : holder?.campaignId
      ? sql<boolean>`d.campaign_id = ${holder.campaignId} and d.contact_id = ${holder.contactId}`
      : null
  if (!condition) return null
  const { rows } = await sql<Delivery>`
    select d.id, d.campaign_id, d.contact_id, d.email, c.name from communication.deliveries d
    join communication.campaigns c on c.workspace_id = d.workspace_id and c.id = d.campaign_id
    where d.workspace_id = ${tx.workspaceId} and d.email <> '' and ${condition}`.execute(tx.sql)
  return rows[0] ?? null
}

/** Providers blacken addresses in what they send back, and leave the link in List-Unsubscribe as it is. */
function holderIn(tx: Tx, services: Services, original: Headers): Holder | null {
  const field = headerOf(original, 'list-unsubscribe').slice(0, 4_000)
  const tokens = [...field.matchAll(/(?:\/u\/|unsubscribe%20)([\w-]{30,200})/g)].map(([, token]) => token!)
  for (const token of tokens) {
    const holder = readUnsubscribeToken(services, token)
    if (holder?.workspaceId === tx.workspaceId) return holder
  }
  return null
}
