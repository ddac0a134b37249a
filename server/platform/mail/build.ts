// Builds the raw message: a pure function of the mail (with its id and date), so that a retry sends the same bytes.
// Header lines are not folded, except between encoded words: some relays re-fold List-Unsubscribe and break the DKIM
// signature, and 998 octets a line is what the standard allows.
import { createHash } from 'node:crypto'
import { requireAddress } from './address.ts'
import { buildAttachments } from './attachments.ts'
import { signDkim } from './dkim.ts'
import { encodeDisplayName, encodeHeaderText, encodeQuotedPrintable } from './encode.ts'
import { MailRefused, type Envelope, type Mailbox, type OutgoingMail } from './mail.ts'

export type HeaderLine = [name: string, value: string]

// Line breaks split a header in two; the other controls are never meant, and some receivers stop at them.
const CONTROL = /[\p{Cc}\u2028\u2029]/u
const MESSAGE_ID = /^<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,128}@[A-Za-z0-9.-]{1,128}>$/
const LINE_OCTETS_MAX = 998
// These have fields of their own, or belong to the servers on the way.
const OWN_HEADERS = new Set(
  `from to cc bcc sender reply-to subject date message-id mime-version content-type content-transfer-encoding
  content-disposition content-id dkim-signature return-path received resent-from resent-to resent-cc resent-bcc`.split(
    /\s+/,
  ),
)

/** The message and its envelope; signed when the mail names a key. Rejects with MailRefused. */
export async function buildMail(mail: OutgoingMail): Promise<{ raw: Buffer; envelope: Envelope }> {
  const envelope: Envelope = {
    from: mail.envelopeFrom === '' ? '' : requireAddress('envelopeFrom', mail.envelopeFrom ?? mail.from.address),
    to: requireAddress('to', mail.to.address),
  }
  const headers = buildHeaders(mail)
  const { contentHeaders, body } = buildBody(mail)
  headers.push(...contentHeaders)
  const signature = mail.dkim ? `${await signDkim(mail.dkim, headers, body)}\r\n` : ''
  const head = `${signature}${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return { raw: Buffer.concat([Buffer.from(head, 'latin1'), body]), envelope }
}

function buildHeaders(mail: OutgoingMail): HeaderLine[] {
  if (!MESSAGE_ID.test(mail.messageId)) throw new MailRefused('messageId', 'must look like <local@domain>')
  const headers: HeaderLine[] = [
    ['From', formatMailbox('from', mail.from)],
    ['To', formatMailbox('to', mail.to)],
  ]
  if (mail.replyTo) headers.push(['Reply-To', formatMailbox('replyTo', mail.replyTo)])
  headers.push(
    ['Subject', encodeHeaderText(checkText('subject', mail.subject))],
    ['Date', (mail.date ?? new Date()).toUTCString().replace('GMT', '+0000')],
    ['Message-ID', mail.messageId],
    ['MIME-Version', '1.0'],
  )
  for (const [name, value] of Object.entries(mail.headers)) headers.push(checkHeader(name, value))
  return headers
}

function checkHeader(name: string, value: string): HeaderLine {
  const field = `headers.${name.slice(0, 80).replace(/[^\w-]/g, '?')}`
  if (!/^[A-Za-z][A-Za-z0-9-]{0,75}$/.test(name)) throw new MailRefused(field, 'not a header name')
  if (OWN_HEADERS.has(name.toLowerCase())) throw new MailRefused(field, 'this header cannot be set freely')
  const text = checkText(field, value)
  const encoded = /^[\x20-\x7e]*$/.test(text) ? text : encodeHeaderText(text)
  // A long address or URL cannot be broken without changing it, so it is refused rather than folded.
  if (encoded.split('\r\n').some((line) => name.length + 2 + line.length > LINE_OCTETS_MAX)) {
    throw new MailRefused(field, 'too long for one line')
  }
  return [name, encoded]
}

function formatMailbox(field: string, { address, name }: Mailbox): string {
  const normal = requireAddress(field, address)
  if (name === undefined || name === '') return normal
  return `${encodeDisplayName(checkText(`${field}.name`, name))} <${normal}>`
}

function checkText(field: string, text: string): string {
  if (CONTROL.test(text)) throw new MailRefused(field, 'line breaks and control characters are not allowed')
  return text
}

/** With files, the text becomes the first part of a `multipart/mixed`. */
function buildBody(mail: OutgoingMail): { contentHeaders: HeaderLine[]; body: Buffer } {
  const text = buildText(mail)
  if (!mail.attachments?.length) return text
  const boundary = boundaryOf(mail, 'files')
  const head = text.contentHeaders.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return {
    contentHeaders: [['Content-Type', `multipart/mixed; boundary="${boundary}"`]],
    body: Buffer.concat([
      Buffer.from(`--${boundary}\r\n${head}\r\n`, 'latin1'),
      text.body,
      ...buildAttachments(mail.attachments, boundary),
      Buffer.from(`--${boundary}--\r\n`, 'latin1'),
    ]),
  }
}

/** "=_" cannot occur in quoted-printable or base64, so no content can pretend to be the boundary. */
function boundaryOf(mail: OutgoingMail, what = ''): string {
  return `=_${createHash('sha256').update(`${mail.messageId}${what}`).digest('hex').slice(0, 32)}`
}

function buildText(mail: OutgoingMail): { contentHeaders: HeaderLine[]; body: Buffer } {
  const text = encodeQuotedPrintable(mail.text)
  const quoted: HeaderLine = ['Content-Transfer-Encoding', 'quoted-printable']
  if (mail.html === undefined) {
    return { contentHeaders: [['Content-Type', 'text/plain; charset=utf-8'], quoted], body: text }
  }
  const boundary = boundaryOf(mail)
  const part = (type: string) =>
    `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`
  return {
    contentHeaders: [['Content-Type', `multipart/alternative; boundary="${boundary}"`]],
    body: Buffer.concat([
      Buffer.from(part('text/plain'), 'latin1'),
      text,
      Buffer.from(part('text/html'), 'latin1'),
      encodeQuotedPrintable(mail.html),
      Buffer.from(`--${boundary}--\r\n`, 'latin1'),
    ]),
  }
}
