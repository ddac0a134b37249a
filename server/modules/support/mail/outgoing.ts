/**
 * Answers go out as mail, in the thread that the person's mail program shows: under the ids of the mails before them, and with
 * an address to answer to that names the ticket. One row for each answer, written before it is sent, under one Message-ID:
 * a repetition after a crash can be told from a second answer.
 */
import './mail-tables.ts'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { newId } from '#platform/ids.ts'
import type { Handover, OutgoingMail } from '#platform/mail/mail.ts'
import { readDkimKey } from '#platform/mail/dkim.ts'
import { addressWithToken, mailToken, messageIdWithToken } from '#platform/mail-in/address-token.ts'
import { ownMark } from '#platform/mail-in/own-mark.ts'
import { oneLine } from '#platform/mail-in/read-mail.ts'
import { when } from '#platform/module.ts'
import { systemActor } from '#platform/actor.ts'
import type { Services } from '#platform/services.ts'
import { chooseLanguage } from '#modules/contacts/index.ts'
import { addMessage } from '../messages.ts'
import type { Ticket, TicketMessage } from '../tables.ts'
import { lockLiveTicket } from '../tickets.ts'
import { withoutPrefixes } from './content.ts'
import type { MailboxRow } from './mail-tables.ts'
import { mailboxFor } from './mailboxes.ts'
import { mailTexts } from './mail-texts.ts'

/** Of internal notes nothing goes out, nor of what requesters and programs say. */
async function sendAnswers(tx: Tx, events: Event[]): Promise<void> {
  for (const { data } of events) {
    if (data.author_kind !== 'house' || data.is_internal) continue
    await tx.enqueue('support.send_answer', { ticket_id: data.ticket_id, message_id: data.message_id })
  }
}

export const mailReactions = [when('ticket.message.new', 'support.send_answers', sendAnswers)]

const sendAnswer: JobDefinition = {
  kind: 'support.send_answer',
  retryLimit: 12,
  concurrency: 4,
  run: (job) => deliver(job, composeAnswer),
}

const acknowledge: JobDefinition = {
  kind: 'support.acknowledge_mail',
  retryLimit: 5,
  concurrency: 2,
  run: (job) => deliver(job, composeAcknowledgement),
}

export const mailJobs = [sendAnswer, acknowledge]

type Composed = { mail: OutgoingMail; rowId: string } | null
type Compose = (tx: Tx, services: Services, data: Record<string, unknown>) => Promise<Composed>

async function deliver(job: Job, compose: Compose): Promise<object> {
  const composed = await job.transaction((tx) => compose(tx, job.runtime, job.data))
  if (!composed) return { outcome: 'nothing_to_send' }
  const handover = await job.runtime.mail.send(composed.mail)
  // Another try, after a while that the queue lengthens each time.
  if (handover.outcome === 'deferred') throw new Error(`The mail server asks to wait: ${handover.response}`)
  await job.transaction((tx) => settle(tx, job.runtime, String(job.data.ticket_id), composed.rowId, handover))
  return { outcome: handover.outcome }
}

async function composeAnswer(tx: Tx, services: Services, data: Record<string, unknown>): Promise<Composed> {
  const ticket = await readTicket(tx, String(data.ticket_id))
  const message = await tx.sql
    .selectFrom('support.messages')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', String(data.message_id))
    .where('deleted_at', 'is', null)
    .where('is_internal', '=', false)
    .executeTakeFirst()
  const mailbox = ticket?.contact_email ? await mailboxFor(tx, ticket.id) : null
  if (!ticket || !message || !mailbox) return null
  const row = await keepOutgoing(tx, services, ticket, mailbox, message.id)
  return row
    ? { rowId: row.id, mail: await answerMail(tx, services, { ticket, message, mailbox, mailId: row.mailId }) }
    : null
}

async function composeAcknowledgement(tx: Tx, services: Services, data: Record<string, unknown>): Promise<Composed> {
  const ticket = await readTicket(tx, String(data.ticket_id))
  const mailbox = ticket?.contact_email ? await mailboxFor(tx, ticket.id) : null
  if (!ticket || !mailbox?.auto_acknowledge) return null
  const row = await keepOutgoing(tx, services, ticket, mailbox, null)
  if (!row) return null
  const { subject, text } = mailTexts[chooseLanguage(ticket.language)].acknowledged(ticket.ticket_number)
  const mail = await inThread(tx, services, { ticket, mailbox, mailId: row.mailId })
  return {
    rowId: row.id,
    mail: {
      ...mail,
      subject,
      text: withSignature(text, mailbox),
      // Nobody is to be told if this one cannot be delivered, and no machine is to answer it.
      envelopeFrom: '',
      headers: {
        ...mail.headers,
        'Auto-Submitted': 'auto-replied',
        'X-Auto-Response-Suppress': 'All',
        'X-Loop': ownMark(services),
        Precedence: 'bulk',
      },
    },
  }
}

async function readTicket(tx: Tx, id: string): Promise<Ticket | undefined> {
  const found = tx.sql.selectFrom('support.tickets').selectAll().where('workspace_id', '=', tx.workspaceId)
  return found.where('id', '=', id).where('deleted_at', 'is', null).executeTakeFirst()
}

/** Null where it went out before. A row that was written and not sent is taken up again. */
async function keepOutgoing(
  tx: Tx,
  services: Services,
  ticket: Ticket,
  mailbox: MailboxRow,
  messageId: string | null,
): Promise<{ id: string; mailId: string } | null> {
  const id = newId()
  const token = mailToken(services, 'ticket', tx.workspaceId, ticket.id)
  const mailId = messageIdWithToken(token, id, mailbox.address.split('@')[1]!)
  await tx.sql
    .insertInto('support.ticket_mails')
    .values({
      workspace_id: tx.workspaceId,
      id,
      ticket_id: ticket.id,
      message_id: messageId,
      direction: 'out',
      mail_id: mailId,
      email: ticket.contact_email.toLowerCase(),
      mailbox_id: mailbox.id,
      state: 'queued',
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { rows } = await sql<{ id: string; mail_id: string; state: string }>`
    select id, mail_id, state from support.ticket_mails
    where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticket.id} and direction = 'out'
      and message_id is not distinct from ${messageId}::uuid`.execute(tx.sql)
  const row = rows[0]
  return row?.state === 'queued' ? { id: row.id, mailId: row.mail_id } : null
}

interface Answering {
  ticket: Ticket
  mailbox: MailboxRow
  mailId: string
}

async function answerMail(
  tx: Tx,
  services: Services,
  { message, ...answering }: Answering & { message: TicketMessage },
): Promise<OutgoingMail> {
  const mail = await inThread(tx, services, answering)
  return { ...mail, date: message.created_at, text: withSignature(message.content, answering.mailbox) }
}

/** The head that puts a mail into its thread. */
async function inThread(
  tx: Tx,
  services: Services,
  { ticket, mailbox, mailId }: Answering,
): Promise<Omit<OutgoingMail, 'text'> & { text: string }> {
  const before = await tx.sql
    .selectFrom('support.ticket_mails')
    .select(['mail_id', 'direction', 'subject'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticket.id)
    .where('mail_id', '<>', mailId)
    .where((eb) => eb.or([eb('direction', '=', 'in'), eb('state', '=', 'sent')]))
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  const received = before.filter(({ direction }) => direction === 'in')
  const subject = withoutPrefixes(received[0]?.subject ?? '') || ticket.subject
  const answers = (received.at(-1) ?? before.at(-1))?.mail_id
  const address = addressWithToken(mailbox.address, mailToken(services, 'ticket', tx.workspaceId, ticket.id))
  return {
    from: { address: mailbox.address, name: oneLine(mailbox.name, 120) },
    to: { address: ticket.contact_email, name: oneLine(ticket.contact_name, 120) || undefined },
    replyTo: { address: address ?? mailbox.address, name: oneLine(mailbox.name, 120) },
    envelopeFrom: address ?? mailbox.address,
    subject: oneLine(`Re: ${subject}`, 250),
    text: '',
    headers: {
      ...(answers && isPlainId(answers) ? { 'In-Reply-To': answers } : {}),
      ...referencesOf(before.flatMap(({ mail_id }) => mail_id ?? [])),
    },
    messageId: mailId,
    dkim: services.config.dkim ? readDkimKey(services.config.dkim) : undefined,
    context: { workspaceId: tx.workspaceId, contactId: ticket.contact_id ?? undefined },
  }
}

/** The first, which began it, and the latest, as many as one line holds. Ids are strangers' words: odd ones stay out. */
function referencesOf(ids: string[]): Record<string, string> {
  const [first, ...rest] = ids.filter(isPlainId)
  if (!first) return {}
  const chosen: string[] = []
  for (const id of rest.toReversed()) {
    if ([first, id, ...chosen].join(' ').length > 900) break
    chosen.unshift(id)
  }
  return { References: [first, ...chosen].join(' ') }
}

function isPlainId(id: string): boolean {
  return id.length <= 250 && /^<[\x21-\x3b\x3d\x3f-\x7e]+>$/.test(id)
}

function withSignature(text: string, mailbox: MailboxRow): string {
  const signature = mailbox.signature.trim()
  return signature ? `${text.trimEnd()}\n\n-- \n${signature}\n` : `${text.trimEnd()}\n`
}

async function settle(tx: Tx, services: Services, ticketId: string, rowId: string, handover: Handover): Promise<void> {
  const failed = handover.outcome === 'failed'
  const reason = failed ? handover.response : handover.outcome === 'unknown' ? handover.reason : null
  await tx.sql
    .updateTable('support.ticket_mails')
    .set({ state: failed ? 'failed' : 'sent', reason, sent_at: failed ? null : tx.now })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', rowId)
    .execute()
  if (!failed) return
  const actor = systemActor(tx.workspaceId)
  const held = await lockLiveTicket(tx, actor, ticketId)
  const author = { kind: 'program' as const, name: 'Rapport', email: '' }
  await addMessage(tx, actor, held, { content: `✉ ${reason}`, is_internal: true }, services, {
    author,
    source: 'email',
  })
}
