/**
 * What sort of mail this is, by its headers and subject. Answering a machine starts loops, so everything that one of the
 * known signs calls automatic gets no answer; and a person's mail must not be lost, so a sign counts only for what its
 * standard says (RFC 3834: `Auto-Submitted: no` is a person; RFC 2919 and 2369: lists; RFC 3464, 5965, 8098: reports).
 */
import { headerOf, type Headers } from './header-block.ts'

export type MailKind =
  /** Somebody wrote it. */
  | 'person'
  /** Out of office, vacation, "we have received your request". */
  | 'auto_reply'
  /** Written by a program, and no answer to anything: an alarm, a receipt, an invitation. */
  | 'notification'
  /** To many: a newsletter, a mailing list. */
  | 'bulk'
  /** Reports that a mail could not be delivered, or is late. */
  | 'bounce'
  /** Reports that somebody pressed "this is spam". */
  | 'complaint'
  /** Reports that a mail was shown. */
  | 'receipt'
  /** We sent it ourselves. */
  | 'loop'

export interface KindInput {
  headers: Headers
  subject: string
  /** The address of the header, in small letters; '' where there is none. */
  from: string
  /** The sender of the envelope; null where the door does not know it (IMAP). */
  envelopeFrom: string | null
  /** Marks that our own mails carry, as `X-Loop` values. */
  ownMarks?: readonly string[]
}

export function classifyMail(mail: KindInput): MailKind {
  const { headers } = mail
  if (isOwn(mail)) return 'loop'
  const report = reportType(headers)
  if (report === 'feedback-report') return 'complaint'
  if (report === 'disposition-notification') return 'receipt'
  if (report === 'delivery-status' || report === 'delivery-notification' || isBounceByLooks(mail)) return 'bounce'
  if (isAutoReply(mail)) return 'auto_reply'
  if (isList(headers)) return 'bulk'
  if (isNotification(mail)) return 'notification'
  return 'person'
}

/** Nothing is ever sent in answer to these on our own account. */
export function mayAnswer(kind: MailKind): boolean {
  return kind === 'person'
}

function isOwn({ headers, ownMarks = [] }: KindInput): boolean {
  const loops = headers.get('x-loop') ?? []
  return loops.some((value) => ownMarks.includes(value.trim().toLowerCase()))
}

function reportType(headers: Headers): string {
  const type = headerOf(headers, 'content-type')
  if (!/^multipart\/report\b/i.test(type)) return ''
  return (/\breport-type\s*=\s*"?([\w-]+)/i.exec(type)?.[1] ?? '').toLowerCase()
}

const bounceSenders = /^(mailer-daemon|mail-daemon|mailerdaemon|mdaemon|microsoftexchange[0-9a-f]{8,})(\+.*)?@/
const bounceSubjects =
  /^(undeliver(able|ed)\b|delivery status notification|mail delivery (failed|failure|system|subsystem)|returned mail\b|failure notice|delivery (has )?failed|mail could not be delivered|delivery (delayed|failure)|warning: (message|could not send)|non remis|échec de (la )?remise|non remise|unzustellbar|mail nicht zustellbar|zustellung fehlgeschlagen|nelivrat|livrare eșuată|mesaj nelivrat|email-ul nu a putut fi livrat)/i

/** Mail servers that send no report but a text. An empty sender alone is not enough: vacation programs use it too. */
function isBounceByLooks({ headers, subject, from, envelopeFrom }: KindInput): boolean {
  const fromDaemon = bounceSenders.test(from) || /^(postmaster)@/.test(from)
  if (headers.has('x-failed-recipients')) return true
  if (bounceSenders.test(from) && !/^(auto|automatic|out of)/i.test(subject)) return true
  return bounceSubjects.test(subject.trim()) && (fromDaemon || envelopeFrom === '' || isNullPath(headers))
}

function isNullPath(headers: Headers): boolean {
  return /^<\s*>$/.test(headerOf(headers, 'return-path'))
}

const autoReplySubjects =
  /^((re|aw|tr|fwd?)\s*:\s*)*(automatic reply|auto(matic)?[- ]?(reply|response|answer)|autoreply|out of (the )?office|ooo\b|i am out of|réponse automatique|absence du bureau|absent(e)? du bureau|message d'absence|automatische antwort|abwesenheits(notiz|nachricht|meldung)|abwesend|abwesenheit|răspuns automat|raspuns automat|mesaj automat|în afara biroului|absent din birou|vacation (reply|response))\b/i
const flagHeaders = [
  'x-autoreply',
  'x-autorespond',
  'x-auto-response',
  'x-autoresponder',
  'auto-reply',
  'x-autoreply-from',
]

function isAutoReply({ headers, subject, envelopeFrom }: KindInput): boolean {
  const submitted = autoSubmitted(headers)
  if (submitted === 'auto-replied') return true
  if (flagHeaders.some((name) => isFlag(headers, name))) return true
  if (has(headers, 'precedence', /^auto[-_]?reply$/)) return true
  if (has(headers, 'x-precedence', /^auto[-_]?reply$/)) return true
  if (/vacation/i.test(headerOf(headers, 'x-mailer')) || headers.has('x-mail-autoreply')) return true
  // Programs that set nothing: the words alone are enough, because they stand at the beginning of the subject.
  if (autoReplySubjects.test(subject.trim())) return true
  const answersSomething = headers.has('in-reply-to') || headers.has('references')
  return (envelopeFrom === '' || isNullPath(headers)) && answersSomething
}

function isList(headers: Headers): boolean {
  if (headers.has('list-id') || headers.has('list-post') || headers.has('list-unsubscribe')) return true
  if (has(headers, 'precedence', /^(bulk|list|junk)$/)) return true
  return headers.has('mailing-list') || headers.has('x-mailman-version') || headers.has('x-campaign-id')
}

function isNotification({ headers, from, envelopeFrom }: KindInput): boolean {
  const submitted = autoSubmitted(headers)
  if (submitted && submitted !== 'no') return true
  if (headers.has('x-auto-response-suppress') && suppressesAll(headerOf(headers, 'x-auto-response-suppress')))
    return true
  // A flag set by ticket systems on what they send by themselves.
  if (isFlag(headers, 'x-loop') || has(headers, 'x-loop', /@/)) return true
  if (headers.has('feedback-id') && /^(no-?reply|do-?not-?reply|ne-?pas-?repondre|nicht-?antworten)/.test(from))
    return true
  if (
    /^(no-?reply|do-?not-?reply|donotreply|ne-?pas-?repondre|nepasrepondre|nu-?raspunde|keine-?antwort)([+.-][^@]*)?@/.test(
      from,
    )
  )
    return true
  return envelopeFrom === '' || isNullPath(headers)
}

/** The keyword alone: parameters and comments may follow. */
function autoSubmitted(headers: Headers): string {
  return headerOf(headers, 'auto-submitted')
    .replaceAll(/\([^)]*\)/g, '')
    .split(';', 1)[0]!
    .trim()
    .toLowerCase()
}

/** Outlook sets it on what people write too, to keep others' machines quiet: only the full set says "a machine". */
function suppressesAll(value: string): boolean {
  const words = value.toLowerCase().split(/[\s,;]+/)
  return words.includes('all') || (words.includes('oof') && words.includes('autoreply'))
}

function isFlag(headers: Headers, name: string): boolean {
  return has(headers, name, /^(yes|true|1|on|oui|ja|autoreply|auto-?replied|.*vacation.*)$/)
}

function has(headers: Headers, name: string, pattern: RegExp): boolean {
  return (headers.get(name) ?? []).some((value) => pattern.test(value.trim().toLowerCase()))
}
