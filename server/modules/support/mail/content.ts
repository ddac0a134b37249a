/** What a mail says for a ticket, and who says it. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { InboundMail } from '#platform/mail-in/handler.ts'
import { stripQuotedHtml } from '#platform/mail-in/quotes/html.ts'
import { stripQuotedText } from '#platform/mail-in/quotes/text.ts'
import type { Sender } from '#platform/mail-in/read-mail.ts'

const contentMax = 100_000

/** A form's program sends for the person whom it names in Reply-To. */
export function senderOf(mail: InboundMail): Sender | null {
  return mail.kind === 'notification' && mail.replyTo ? mail.replyTo : mail.from
}

/** The domain of From vouches for nobody whom a form names. */
export function verdictOn(sender: Sender, mail: InboundMail): InboundMail['sender'] {
  return sender === mail.from ? mail.sender : 'none'
}

/** The HTML says what the text says, and has the paragraphs; of an answer, only what is new. */
export function contentOf(mail: InboundMail): { content: string; html: string | null } {
  const isAnswer = mail.inReplyTo.length > 0 || mail.references.length > 0
  // A mail that answers nothing quotes nothing of ours: as if it were sent on, it stays whole.
  const subject = isAnswer ? mail.subject : `Fwd: ${mail.subject}`
  const fromHtml = mail.html ? stripQuotedHtml(mail.html, subject) : null
  const text = stripQuotedText(mail.text, subject) || fromHtml?.text || ''
  return { content: text.slice(0, contentMax).trim() || '…', html: fromHtml?.html.slice(0, 500_000) ?? null }
}

/** The same words again within the hour are a machine's, or an impatient finger's. */
export async function isRepeated(tx: Tx, ticketId: string, email: string, content: string): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    select id from support.messages
    where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticketId} and source = 'email'
      and lower(author_email) = lower(${email}) and content = ${content} and created_at > now() - interval '1 hour'
    limit 1`.execute(tx.sql)
  return rows.length > 0
}

/** `Re: Re[5]: AW: SV: Cup` is about the cup. */
export function withoutPrefixes(subject: string): string {
  return subject.replace(/^(\s*(re|aw|sv|rv|antw|fwd?|tr|wg|odp|ynt)\s*(\[\d{1,3}\]|\(\d{1,3}\))?\s*:)+\s*/i, '').trim()
}
