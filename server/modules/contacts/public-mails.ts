/**
 * The two mails that anybody can cause in another's name: confirm a subscription, and a link to unsubscribe. So at most one per
 * address and day of each, nothing in them that the asker wrote, and none to an address that must not be written to.
 */
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { readDkimKey } from '#platform/mail/dkim.ts'
import { composeNotice } from '#platform/mail/notice.ts'
import type { OutgoingMail } from '#platform/mail/mail.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { recordConsent } from './consent.ts'
import { resolveContact } from './identity.ts'
import type { PublicRequest } from './public-requests.ts'
import { confirmationToken, unsubscribeToken } from './subscription-links.ts'
import { hashAddress, suppressionsOf } from './suppression.ts'
import type { Contact } from './tables.ts'
import { chooseLanguage, texts } from './texts.ts'

/** Null: nothing is to be sent. Creates the contact, which gets nothing else until it confirms. */
export async function prepareConfirmation(
  tx: Tx,
  services: Services,
  request: PublicRequest,
): Promise<OutgoingMail | null> {
  const reason = (await suppressionsOf(tx, services, [request.email])).get(request.email)
  if (reason && reason !== 'unsubscribe') return null
  const known = await findContact(tx, request.email)
  const asked = (['newsletter', 'marketing'] as const).filter(
    (purpose) => request.details[purpose] && !known?.[`${purpose}_subscribed`],
  )
  if (!asked.length || known?.status === 'complained' || known?.status === 'bounced') return null
  if (!(await takeTurn(tx, services, request))) return null
  const contact = known ?? (await createContact(tx, request))
  await recordRequest(tx, services, request, contact, asked)
  const token = confirmationToken(services, {
    workspaceId: tx.workspaceId,
    contactId: contact.id,
    requestId: request.id,
  })
  return compose(tx, services, request, { contact, about: 'subscribeMail', url: `${services.publicUrl}/s/${token}` })
}

export async function prepareUnsubscribeLink(
  tx: Tx,
  services: Services,
  request: PublicRequest,
): Promise<OutgoingMail | null> {
  const contact = await findContact(tx, request.email)
  if (!contact || contact.status === 'bounced' || !(await takeTurn(tx, services, request))) return null
  const token = unsubscribeToken(services, { workspaceId: tx.workspaceId, contactId: contact.id })
  return compose(tx, services, request, { contact, about: 'unsubscribeMail', url: `${services.publicUrl}/u/${token}` })
}

/** One upsert decides, however many requests come at once. A retried job keeps the turn that it took. */
async function takeTurn(tx: Tx, services: Services, request: PublicRequest): Promise<boolean> {
  const hash = hashAddress(services, tx.workspaceId, request.email)
  const { rows } = await sql`
    insert into contacts.confirmation_mails as m (workspace_id, address_hash, kind, request_id, sent_at)
    values (${tx.workspaceId}, decode(${hash}, 'hex'), ${request.kind}, ${request.id}, ${tx.now})
    on conflict (workspace_id, address_hash, kind) do update set request_id = excluded.request_id, sent_at = excluded.sent_at
    where m.sent_at <= excluded.sent_at - interval '24 hours' or m.request_id = excluded.request_id
    returning 1`.execute(tx.sql)
  return rows.length > 0
}

/** By the address that they have, or one that they had before a merge: mail then goes to the one that they have. */
async function findContact(tx: Tx, email: string): Promise<Contact | undefined> {
  const { rows } = await sql<Contact>`
    select c.* from contacts.contacts c
    where c.workspace_id = ${tx.workspaceId} and c.deleted_at is null and c.id = coalesce(
      (select id from contacts.contacts
       where workspace_id = ${tx.workspaceId} and email_key = lower(${email}) and deleted_at is null),
      (select contact_id from contacts.contact_addresses
       where workspace_id = ${tx.workspaceId} and email_key = lower(${email})
       order by added_at desc, contact_id limit 1))`.execute(tx.sql)
  return rows[0]
}

/** Only a new contact takes the names of the form: anybody may have typed them. */
async function createContact(tx: Tx, request: PublicRequest): Promise<Contact> {
  const { firstName, lastName, language, form } = request.details
  const { contact } = await resolveContact(tx, systemActor(tx.workspaceId), {
    email: request.email,
    language,
    source: form ?? 'public_form',
    ...(firstName ? { first_name: firstName } : {}),
    ...(lastName ? { last_name: lastName } : {}),
  })
  return contact
}

/** The first half of the proof; the confirmation is the second. */
async function recordRequest(
  tx: Tx,
  services: Services,
  request: PublicRequest,
  contact: Contact,
  asked: ('newsletter' | 'marketing')[],
): Promise<void> {
  const { rows } = await sql`
    select from contacts.consents
    where contact_id = ${contact.id} and decision = 'pending' and evidence ->> 'request_id' = ${request.id}`.execute(
    tx.sql,
  )
  if (rows.length) return // an earlier attempt of this job
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const language = chooseLanguage(contact.language, request.details.language)
  const { ip, userAgent, form, wording } = request.details
  const evidence = {
    request_id: request.id,
    requested_at: request.createdAt,
    address_hash: hashAddress(services, tx.workspaceId, contact.email),
    ...(form ? { form } : {}),
  }
  await recordConsent(
    tx,
    services,
    asked.map((purpose) => ({
      contactId: contact.id,
      purpose,
      decision: 'pending' as const,
      source: 'form' as const,
      wording: wording ?? texts[language].wording[purpose](workspace.name),
      ip,
      userAgent,
      evidence,
    })),
  )
}

async function compose(
  tx: Tx,
  services: Services,
  request: PublicRequest,
  { contact, about, url }: { contact: Contact; about: 'subscribeMail' | 'unsubscribeMail'; url: string },
): Promise<OutgoingMail> {
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const language = chooseLanguage(contact.language, request.details.language)
  const { subject, paragraphs, button, footer } = texts[language][about]
  const from = {
    address: workspace.mail_from ?? services.config.mail.from,
    name: workspace.mail_from_name ?? workspace.name,
  }
  const notice = composeNotice({
    language,
    from,
    to: { address: contact.email },
    subject: subject(workspace.name),
    paragraphs: paragraphs(workspace.name),
    button: { label: button, url },
    footer,
  })
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const context = { workspaceId: tx.workspaceId, contactId: contact.id }
  const dkim = services.config.dkim ? readDkimKey(services.config.dkim) : undefined
  return { ...notice, dkim, messageId: `<${request.id}@${domain}>`, context }
}
