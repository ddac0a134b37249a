/**
 * A mail becomes a ticket, or a word in one. Machines get no answer and open nothing, but for those that pass on what a person
 * wrote into a form; what could be a loop ends here. Mails come several at once: those that open tickets wait for each other,
 * and open them together.
 */
import './mail-tables.ts'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import type { Handled, InboundMail, MailHandler } from '#platform/mail-in/handler.ts'
import { splitAddress } from '#platform/mail-in/address-token.ts'
import { findOwnAddresses } from '#platform/mail-in/addresses.ts'
import { mayAnswer } from '#platform/mail-in/kind.ts'
import type { Sender } from '#platform/mail-in/read-mail.ts'
import { linkTickets } from '../joining/links.ts'
import { addMessage } from '../messages.ts'
import type { Ticket } from '../tables.ts'
import { openTickets } from '../opening.ts'
import { lockLiveTicket } from '../tickets.ts'
import { contentOf, isRepeated, senderOf, verdictOn, withoutPrefixes } from './content.ts'
import { noteAutoReply, noteBounce } from './machine-mail.ts'
import type { MailboxRow } from './mail-tables.ts'
import { mailboxesOf } from './mailboxes.ts'
import { findThread } from './threading.ts'

export const ticketMail: MailHandler = { name: 'support.tickets', handle: handleMails }

const subjectMax = 200
/** Tickets that one address may open by mail in an hour, and words in one ticket: two machines that answer each other are faster. */
const perSender = { limit: 15, windowMs: 3_600_000 }
const perTicket = { limit: 30, windowMs: 3_600_000 }
const acknowledgements = [
  { limit: 1, windowMs: 3_600_000 },
  { limit: 3, windowMs: 86_400_000 },
]

/** What the mails of one round share. */
interface Round {
  services: Services
  /** By the address that the mail was sent to. */
  mailboxes: Map<string, MailboxRow>
  /** Senders that are addresses of ours. */
  own: Set<string>
  /** Mails whose tickets are not opened yet. */
  waiting: WaitingMail[]
}

interface WaitingMail {
  mail: InboundMail
  sender: Sender
  mailbox: MailboxRow
  /** Named by the mail, which was not from its requester. */
  namedTicketId: string | null
}

async function handleMails(tx: Tx, mails: readonly InboundMail[], services: Services): Promise<Handled[]> {
  const mailboxes = await mailboxesOf(
    tx,
    mails.flatMap((mail) => addressOf(mail) ?? []),
  )
  const senders = mails.flatMap((mail) => senderOf(mail)?.address ?? [])
  const own = new Set(await findOwnAddresses(tx, senders))
  const round: Round = { services, mailboxes, own, waiting: [] }
  const handled: Handled[] = []
  for (const mail of mails) {
    if (namesOneOf(mail, round.waiting)) await openWaiting(tx, round)
    handled.push(await handleMail(tx, mail, round))
  }
  await openWaiting(tx, round)
  return handled
}

function addressOf(mail: InboundMail): string | undefined {
  return mail.destinations.find(({ purpose }) => purpose === 'tickets')?.addressId
}

/** An answer to a mail that came with it is a word in the ticket that this one opens. */
function namesOneOf(mail: InboundMail, waiting: readonly WaitingMail[]): boolean {
  if (!waiting.length) return false
  const named = new Set([...mail.inReplyTo, ...mail.references])
  return named.size > 0 && waiting.some(({ mail: { messageId } }) => messageId !== null && named.has(messageId))
}

async function handleMail(tx: Tx, mail: InboundMail, round: Round): Promise<Handled> {
  const mailbox = round.mailboxes.get(addressOf(mail) ?? '')
  if (!mailbox) return null
  switch (mail.kind) {
    case 'loop':
    case 'receipt':
    case 'complaint':
    case 'bulk':
      return { state: 'ignored', outcome: mail.kind }
    case 'bounce':
      return noteBounce(tx, mail, round.services)
    case 'auto_reply':
      return noteAutoReply(tx, mail, round.services)
    case 'person':
    case 'notification':
      return takeWord(tx, mail, round, mailbox)
    default:
      return mail.kind satisfies never
  }
}

async function takeWord(tx: Tx, mail: InboundMail, round: Round, mailbox: MailboxRow): Promise<Handled> {
  const { services } = round
  const sender = senderOf(mail)
  if (!sender) return { state: 'ignored', outcome: 'no_sender' }
  const { address: bare } = splitAddress(sender.address)
  if (round.own.has(sender.address.toLowerCase()) || round.own.has(bare)) {
    return { state: 'ignored', outcome: 'own_address' }
  }
  const thread = await findThread(tx, services, mail)
  if (thread?.mayJoin) return answerTicket(tx, mail, services, { ticket: thread.ticket, sender, mailbox })
  // Who floods in somebody's name does not use up what that person's own domain vouches for.
  const whose = `${verdictOn(sender, mail) === 'pass' ? 'vouched:' : ''}${sender.address.toLowerCase()}`
  const taken = await services.limits.take(`ticket-mail:${tx.workspaceId}:${whose}`, perSender)
  if (!taken.allowed) return { state: 'ignored', outcome: 'too_many' }
  round.waiting.push({ mail, sender, mailbox, namedTicketId: thread?.ticket.id ?? null })
  return { state: 'handled', outcome: 'ticket_opened' }
}

async function openWaiting(tx: Tx, { services, waiting }: Round): Promise<void> {
  const opening = waiting.splice(0).map((each) => ({ ...each, ...contentOf(each.mail) }))
  if (!opening.length) return
  const tickets = await openTickets(
    tx,
    systemActor(tx.workspaceId),
    opening.map(({ mail, sender, mailbox, content, namedTicketId }) => ({
      subject: withoutPrefixes(mail.subject).slice(0, subjectMax) || mailbox.name,
      description: content,
      contact_email: sender.address,
      ...(sender.name ? { contact_name: sender.name } : {}),
      source: 'email',
      metadata: {
        mail_id: mail.id,
        sender_verdict: verdictOn(sender, mail),
        ...(namedTicketId ? { named_ticket_id: namedTicketId } : {}),
      },
    })),
    services,
  )
  await keepMails(
    tx,
    opening.map(({ mail, sender, mailbox, html }, at) => ({
      mail,
      ticketId: tickets[at]!.id,
      messageId: null,
      email: sender.address,
      mailbox,
      html,
    })),
  )
  for (const [at, { mail, sender, mailbox, namedTicketId }] of opening.entries()) {
    // Both show the house that they may belong together: one merge joins them, and nobody outside hears of it.
    if (namedTicketId) {
      const link = { ticket_id: namedTicketId, kind: 'may_belong_to' as const }
      await linkTickets(tx, systemActor(tx.workspaceId), tickets[at]!.id, link)
    }
    // What names a ticket answers a mail of ours: a machine that writes under another address each time would never end.
    if (namedTicketId || !mailbox.auto_acknowledge || !(await mayAcknowledge(tx, mail, services, sender))) continue
    await tx.enqueue('support.acknowledge_mail', { ticket_id: tickets[at]!.id })
  }
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
  const [ticketId, messageId] = [said.ticket.id, said.message.id]
  await keepMails(tx, [{ mail, ticketId, messageId, email: sender.address, mailbox, html }])
  return { state: 'handled', outcome: said.ticket.id === held.id ? 'message_added' : 'follow_up_opened' } as const
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
  mail: InboundMail
  ticketId: string
  messageId: string | null
  email: string
  mailbox: MailboxRow
  html: string | null
}

async function keepMails(tx: Tx, kept: Kept[]): Promise<void> {
  const rows = kept.map(({ mail, ticketId, messageId, email, mailbox, html }) => ({
    workspace_id: tx.workspaceId,
    id: newId(),
    ticket_id: ticketId,
    message_id: messageId,
    direction: 'in' as const,
    mail_id: mail.messageId,
    email: email.toLowerCase(),
    mailbox_id: mailbox.id,
    subject: mail.subject,
    html,
    sender: mail.sender,
    state: 'received' as const,
  }))
  await tx.sql.insertInto('support.ticket_mails').values(rows).execute()
  for (const [at, { mail }] of kept.entries()) {
    if (!mail.files.length) continue
    await tx.enqueue('support.keep_mail_files', { ticket_mail_id: rows[at]!.id, mail_id: mail.id })
  }
}
