/**
 * One campaign made ready to send: its content compiled once, its links written down once, and for each recipient a
 * mail with the headers that a marketing mail must carry (RFC 2369, 2919, 8058; Feedback-ID as Gmail defines it).
 */
import { createHash } from 'node:crypto'
import { readDkimKey } from '#platform/mail/dkim.ts'
import type { DkimKey, Mailbox, OutgoingMail } from '#platform/mail/mail.ts'
import type { Tx } from '#platform/db/db.ts'
import { addressWithToken, mailToken } from '#platform/mail-in/address-token.ts'
import { addressFor } from '#platform/mail-in/addresses.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace, type Workspace } from '#modules/accounts/index.ts'
import { preferencesToken, unsubscribeToken, type Recipient } from '#modules/contacts/index.ts'
import type { WholeCampaign } from '../campaigns.ts'
import type { EmailConfig } from '../campaign-shapes.ts'
import { prepareMessage, type PreparedMessage } from '../render/message.ts'
import type { MailFault } from '../render/template.ts'
import { clickToken, openToken } from '../tracking-tokens.ts'
import { contentOf } from '../content.ts'

export interface Composer {
  campaign: WholeCampaign['campaign']
  subject: string
  links: PreparedMessage['links']
  messageIdOf(contactId: string): string
  /** Throws RenderingStopped, or MailRefused, when this person's mail cannot be built. */
  compose(recipient: Recipient, deliveryId: string): OutgoingMail
}

/** The template is compiled; what it lacks comes back as faults that name line and field. */
export async function openComposer(
  tx: Tx,
  services: Services,
  whole: WholeCampaign,
): Promise<Composer | { errors: MailFault[] }> {
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const channel = whole.channels.find((candidate) => candidate.type === 'email')
  const config = (channel?.config ?? {}) as EmailConfig
  const content = await contentOf(tx, channel)
  const prepared = prepareMessage(content, {
    publicUrl: services.publicUrl,
    workspace: {
      name: workspace.name,
      postalAddress: workspace.postal_address,
      language: workspace.language,
      timezone: workspace.timezone,
      currency: workspace.currency,
    },
    campaign: { name: whole.campaign.name },
    ...(config.data ? { data: config.data } : {}),
  })
  if ('errors' in prepared) return prepared
  const sender = senderOf(services, workspace, config)
  const returnAddress = await addressFor(tx, 'bounces')
  const dkim = dkimOf(services)
  const context: Context = { services, workspace, whole, config, prepared, sender, returnAddress, dkim }
  return {
    campaign: whole.campaign,
    subject: content.subject,
    links: prepared.links,
    messageIdOf: (contactId) => messageId(whole.campaign.id, contactId, sender.address),
    compose: (recipient, deliveryId) => compose(context, recipient, deliveryId),
  }
}

/** Kept with the campaign before its first mail goes out: clicks name links by number. */
export async function keepLinks(tx: Tx, campaignId: string, links: PreparedMessage['links']): Promise<void> {
  if (!links.length) return
  await tx.sql
    .insertInto('communication.links')
    .values(links.map(({ number, url }) => ({ workspace_id: tx.workspaceId, campaign_id: campaignId, number, url })))
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'campaign_id', 'number'])
        .doUpdateSet((eb) => ({ url: eb.ref('excluded.url') })),
    )
    .execute()
}

interface Context {
  services: Services
  workspace: Workspace
  whole: WholeCampaign
  config: EmailConfig
  prepared: PreparedMessage
  sender: Mailbox
  /** Where undeliverable mails come back to; null: to the sender. */
  returnAddress: string | null
  dkim: DkimKey | undefined
}

function compose(context: Context, recipient: Recipient, deliveryId: string): OutgoingMail {
  const { services, whole, config, prepared, sender } = context
  const { id: campaignId, workspace_id: workspaceId } = whole.campaign
  const holder = { workspaceId, contactId: recipient.id, campaignId }
  const unsubscribe = unsubscribeToken(services, holder)
  const unsubscribeUrl = `${services.publicUrl}/u/${unsubscribe}`
  const delivery = { workspaceId, deliveryId }
  const { subject, html, text } = prepared.build(
    { contact: mergeData(recipient), language: recipient.language, timezone: recipient.timezone },
    {
      openToken: recipient.tracking_allowed ? openToken(services, delivery) : null,
      linkToken: (number, target) => clickToken(services, { ...delivery, number, target }),
      unsubscribeUrl,
      preferencesUrl: `${services.publicUrl}/p/${preferencesToken(services, holder)}`,
    },
  )
  return {
    from: sender,
    to: { address: recipient.email, name: recipient.full_name || undefined },
    replyTo: config.reply_to ? { address: config.reply_to } : undefined,
    subject,
    html,
    text,
    messageId: messageId(campaignId, recipient.id, sender.address),
    headers: headersFor(context, unsubscribeUrl, unsubscribe),
    envelopeFrom: envelopeFromOf(context, deliveryId),
    dkim: context.dkim,
    context: { workspaceId, campaignId, contactId: recipient.id },
  }
}

function headersFor(
  { whole, workspace, sender, returnAddress }: Context,
  unsubscribeUrl: string,
  token: string,
): Record<string, string> {
  const { id, category } = whole.campaign
  const domain = sender.address.split('@')[1] ?? 'localhost'
  const common = {
    'Feedback-ID': `${id}:${workspace.slug}:${category}:rapport`,
  }
  if (category === 'transactional') return common
  return {
    ...common,
    'List-Unsubscribe': `<${unsubscribeUrl}>, <mailto:${returnAddress ?? sender.address}?subject=unsubscribe%20${token}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'List-Id': `<${category}.${workspace.slug}.${domain}>`,
    Precedence: 'bulk',
  }
}

/** Signed, so that a report names the delivery that it is about, and nobody else's. */
function envelopeFromOf({ services, whole, returnAddress }: Context, deliveryId: string): string | undefined {
  if (!returnAddress) return undefined
  const token = mailToken(services, 'delivery', whole.campaign.workspace_id, deliveryId)
  return addressWithToken(returnAddress, token) ?? undefined
}

/** What a template may say of a person; what it may not, it never sees. */
function mergeData(recipient: Recipient): Record<string, unknown> {
  const { id, email, first_name, last_name, full_name, company, job_title, language, timezone, tags, custom_fields } =
    recipient
  return {
    ...custom_fields,
    id,
    email,
    first_name,
    last_name,
    full_name,
    company,
    job_title,
    language,
    timezone,
    tags,
    custom_fields,
  }
}

function senderOf({ config: settings }: Services, workspace: Workspace, config: EmailConfig): Mailbox {
  return {
    address: config.from_email ?? workspace.mail_from ?? settings.mail.from,
    name: config.from_name ?? workspace.mail_from_name ?? workspace.name,
  }
}

/** The same for every attempt, so that a mailbox can tell a repetition from a second mail. */
function messageId(campaignId: string, contactId: string, sender: string): string {
  const digest = createHash('sha256').update(`${campaignId} ${contactId}`).digest('base64url').slice(0, 32)
  return `<${digest}@${sender.split('@')[1]}>`
}

const keys = new WeakMap<object, DkimKey>()

/** Parsed once for each configuration. */
function dkimOf({ config }: Services): DkimKey | undefined {
  if (!config.dkim) return undefined
  let key = keys.get(config.dkim)
  if (!key) keys.set(config.dkim, (key = readDkimKey(config.dkim)))
  return key
}
