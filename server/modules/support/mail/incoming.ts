/**
 * A mail becomes a ticket, or a word in one. Machines get no answer and open nothing, but for those that pass on what a person
 * wrote into a form; what could be a loop ends here.
 */
import './mail-tables.ts'
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import type { Handled, InboundMail, MailHandler } from '#platform/mail-in/handler.ts'
import { findOwnAddresses } from '#platform/mail-in/addresses.ts'
import { mayAnswer } from '#platform/mail-in/kind.ts'
import { stripQuotedHtml } from '#platform/mail-in/quotes/html.ts'
import { stripQuotedText } from '#platform/mail-in/quotes/text.ts'
import type { Sender } from '#platform/mail-in/read-mail.ts'
import { originalIds, readDeliveryReport } from '#platform/mail-in/report.ts'
import { addMessage } from '../messages.ts'
import type { Ticket } from '../tables.ts'
import { lockLiveTicket, openTicket } from '../tickets.ts'
import type { MailboxRow } from './mail-tables.ts'
import { mailboxOfAddress } from './mailboxes.ts'
import { findThread, ticketOfReport } from './threading.ts'

export const ticketMail: MailHandler = { name: 'support.tickets', handle: handleMail }

const contentMax = 100_000
const subjectMax = 200
/** Tickets that one address may open by mail in an hour, and words in one ticket: two machines that answer each other are faster. */
const perSender = { limit: 15, windowMs: 3_600_000 }
const perTicket = { limit: 30, windowMs: 3_600_000 }
const acknowledgements = [
  { limit: 1, windowMs: 3_600_000 },
  { limit: 3, windowMs: 86_400_000 },
]

async function handleMail(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const destination = mail.destinations.find(({ purpose }) => purpose === 'tickets')
  if (!destination) return null
  const mailbox = await mailboxOfAddress(tx, destination.addressId)
  if (!mailbox) return null
  switch (mail.kind) {
    case 'loop':
    case 'receipt':
    case 'complaint':
    case 'bulk':
      return { state: 'ignored', outcome: mail.kind }
    case 'bounce':
      return noteBounce(tx, mail, services)
    case 'auto_reply':
      return noteAutoReply(tx, mail, services)
    case 'person':
    case 'notification':
      return takeWord(tx, mail, services, mailbox)
    default:
      return mail.kind satisfies never
  }
}

async function takeWord(tx: Tx, mail: InboundMail, services: Services, mailbox: MailboxRow): Promise<Handled> {
  const sender = senderOf(mail)
  if (!sender) return { state: 'ignored', outcome: 'no_sender' }
  if ((await findOwnAddresses(tx, [sender.address])).length) return { state: 'ignored', outcome: 'own_address' }
  const thread = await findThread(tx, services, mail)
  if (thread?.mayJoin) return answerTicket(tx, mail, services, { ticket: thread.ticket, sender, mailbox })
  const taken = await services.limits.take(`ticket-mail:${tx.workspaceId}:${sender.address.toLowerCase()}`, perSender)
  if (!taken.allowed) return { state: 'ignored', outcome: 'too_many' }
  const { content, html } = contentOf(mail)
  const ticket = await openTicket(
    tx,
    systemActor(tx.workspaceId),
    {
      subject: withoutPrefixes(mail.subject).slice(0, subjectMax) || mailbox.name,
      description: content,
      contact_email: sender.address,
      ...(sender.name ? { contact_name: sender.name } : {}),
      source: 'email',
      metadata: {
        mail_id: mail.id,
        sender_verdict: mail.sender,
        // For the house: the mail names this ticket, and was not from its requester.
        ...(thread ? { named_ticket_id: thread.ticket.id } : {}),
      },
    },
    services,
  )
  await keepMail(tx, mail, { ticketId: ticket.id, messageId: null, email: sender.address, mailbox, html })
  // What names a ticket answers a mail of ours: a machine that writes under another address each time would never end.
  if (!thread && mailbox.auto_acknowledge && (await mayAcknowledge(tx, mail, services, sender))) {
    await tx.enqueue('support.acknowledge_mail', { ticket_id: ticket.id })
  }
  return { state: 'handled', outcome: 'ticket_opened' }
}

interface Answer {
  ticket: Ticket
  sender: Sender
  mailbox: MailboxRow
}

async function answerTicket(tx: Tx, mail: InboundMail, services: Services, { ticket, sender, mailbox }: Answer) {
  const actor = systemActor(tx.workspaceId)
  const held = await lockLiveTicket(tx, actor, ticket.id)
  const { content, html } = contentOf(mail)
  if (await isRepeated(tx, held.id, sender.address, content)) return { state: 'ignored', outcome: 'repeated' } as const
  const taken = await services.limits.take(`ticket-thread:${tx.workspaceId}:${held.id}`, perTicket)
  if (!taken.allowed) return { state: 'ignored', outcome: 'too_many' } as const
  const author = { kind: 'requester' as const, name: sender.name || held.contact_name, email: sender.address }
  const said = await addMessage(tx, actor, held, { content }, services, { author, source: 'email' })
  await keepMail(tx, mail, {
    ticketId: said.ticket.id,
    messageId: said.message.id,
    email: sender.address,
    mailbox,
    html,
  })
  return { state: 'handled', outcome: said.ticket.id === held.id ? 'message_added' : 'follow_up_opened' } as const
}

/** A vacation notice brings no ticket back and starts no clock, but the agent who waits for an answer should know. */
async function noteAutoReply(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const thread = await findThread(tx, services, mail)
  if (!thread?.mayJoin) return { state: 'ignored', outcome: 'auto_reply' }
  const { content } = contentOf(mail)
  return noteInternally(tx, services, thread.ticket, content, 'auto_reply_noted')
}

async function noteBounce(tx: Tx, mail: InboundMail, services: Services): Promise<Handled> {
  const report = readDeliveryReport(mail.reportParts, mail.text)
  const failed = report.recipients.find(({ action }) => action === 'failed')
  const ticket = await ticketOfReport(tx, services, mail, originalIds(report.original))
  if (!ticket || !failed) return { state: 'ignored', outcome: 'bounce' }
  const reason = failed.diagnostic || failed.status || 'undeliverable'
  const { rows } = await sql<{ id: string }>`
    update support.ticket_mails set state = 'failed', reason = ${reason}
    where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticket.id} and direction = 'out'
      and mail_id = any(${originalIds(report.original)}::text[]) and state <> 'failed' returning id`.execute(tx.sql)
  if (!rows.length) return { state: 'ignored', outcome: 'bounce' }
  return noteInternally(tx, services, ticket, `✉ ${reason}`, 'bounce_noted')
}

async function noteInternally(tx: Tx, services: Services, ticket: Ticket, text: string, outcome: string) {
  const actor = systemActor(tx.workspaceId)
  const held = await lockLiveTicket(tx, actor, ticket.id)
  const content = text.trim().slice(0, 5_000) || '…'
  if (await isRepeated(tx, held.id, '', content)) return { state: 'ignored', outcome: 'repeated' } as const
  const author = { kind: 'program' as const, name: 'Rapport', email: '' }
  await addMessage(tx, actor, held, { content, is_internal: true }, services, { author, source: 'email' })
  return { state: 'handled', outcome } as const
}

/** A form's program sends for the person whom it names in Reply-To. */
function senderOf(mail: InboundMail): Sender | null {
  return mail.kind === 'notification' && mail.replyTo ? mail.replyTo : mail.from
}

/** The HTML says what the text says, and has the paragraphs; of an answer, only what is new. */
function contentOf(mail: InboundMail): { content: string; html: string | null } {
  const isAnswer = mail.inReplyTo.length > 0 || mail.references.length > 0
  // A mail that answers nothing quotes nothing of ours: as if it were sent on, it stays whole.
  const subject = isAnswer ? mail.subject : `Fwd: ${mail.subject}`
  const fromHtml = mail.html ? stripQuotedHtml(mail.html, subject) : null
  const text = stripQuotedText(mail.text, subject) || fromHtml?.text || ''
  return { content: text.slice(0, contentMax).trim() || '…', html: fromHtml?.html.slice(0, 500_000) ?? null }
}

/** The same words again within the hour are a machine's, or an impatient finger's. */
async function isRepeated(tx: Tx, ticketId: string, email: string, content: string): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    select id from support.messages
    where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticketId} and source = 'email'
      and lower(author_email) = lower(${email}) and content = ${content} and created_at > now() - interval '1 hour'
    limit 1`.execute(tx.sql)
  return rows.length > 0
}

/** Once for each ticket, seldom for each address, and never where the sender may be somebody else. */
async function mayAcknowledge(tx: Tx, mail: InboundMail, services: Services, sender: Sender): Promise<boolean> {
  if (!mayAnswer(mail.kind) || mail.sender === 'fail' || sender !== mail.from) return false
  for (const rate of acknowledgements) {
    const key = `ticket-acknowledgement:${tx.workspaceId}:${sender.address.toLowerCase()}`
    if (!(await services.limits.take(key, rate)).allowed) return false
  }
  return true
}

interface Kept {
  ticketId: string
  messageId: string | null
  email: string
  mailbox: MailboxRow
  html: string | null
}

async function keepMail(tx: Tx, mail: InboundMail, { ticketId, messageId, email, mailbox, html }: Kept): Promise<void> {
  const id = newId()
  await tx.sql
    .insertInto('support.ticket_mails')
    .values({
      workspace_id: tx.workspaceId,
      id,
      ticket_id: ticketId,
      message_id: messageId,
      direction: 'in',
      mail_id: mail.messageId,
      email: email.toLowerCase(),
      mailbox_id: mailbox.id,
      subject: mail.subject,
      html,
      sender: mail.sender,
      state: 'received',
    })
    .execute()
  if (mail.files.length) await tx.enqueue('support.keep_mail_files', { ticket_mail_id: id, mail_id: mail.id })
}

/** `Re: Re[5]: AW: SV: Cup` is about the cup. */
export function withoutPrefixes(subject: string): string {
  return subject.replace(/^(\s*(re|aw|sv|rv|antw|fwd?|tr|wg|odp|ynt)\s*(\[\d{1,3}\]|\(\d{1,3}\))?\s*:)+\s*/i, '').trim()
}
