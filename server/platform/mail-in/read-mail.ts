/**
 * One received mail, read whole: decoded, bounded, and with nothing in it that could break a line of ours. A mail that goes
 * past a bound is refused here by UnreadableMail, and kept as it came for somebody to look at.
 */
import PostalMime, { addressParser, type Address, type Email } from 'postal-mime'
import { normalizeAddress } from '../mail/address.ts'
import { headerOf, messageIdsOf, toHeaders, type Headers } from './header-block.ts'
import type { ReportPart } from './report.ts'

export interface ReceivedMail {
  headers: Headers
  /** `<id@domain>`; null where there is none, or none that makes sense. */
  messageId: string | null
  /** Null unless exactly one person is named, by an address that could be written to. */
  from: Sender | null
  /** All that From names, in small letters. */
  fromAddresses: string[]
  replyTo: Sender | null
  to: string[]
  cc: string[]
  subject: string
  date: Date | null
  inReplyTo: string[]
  references: string[]
  text: string
  html: string | null
  files: ReceivedFile[]
  /** Parts that reports are made of; their text is as it came. */
  reportParts: ReportPart[]
}

export interface Sender {
  /** Local part as written, domain in small letters. */
  address: string
  name: string
}

export interface ReceivedFile {
  name: string
  type: string
  /** `<id>` by which the HTML shows it; null for others. */
  contentId: string | null
  content: Uint8Array
}

export class UnreadableMail extends Error {
  override name = 'UnreadableMail'
}

const partsMax = 500
const depthMax = 30
const headBytesMax = 512_000
const textMax = 1_000_000
const subjectMax = 500
const nameMax = 120
const filesMax = 50
const reportTypes =
  /^(message\/(rfc822|global|delivery-status|global-delivery-status|feedback-report|disposition-notification)|text\/rfc822-headers|message\/global-headers)$/

export async function readMail(raw: Uint8Array): Promise<ReceivedMail> {
  if (countParts(raw) > partsMax) throw new UnreadableMail(`more than ${partsMax} parts`)
  let email: Email
  try {
    email = await PostalMime.parse(raw, {
      forceRfc822Attachments: true,
      maxNestingDepth: depthMax,
      maxHeadersSize: headBytesMax,
    })
  } catch (error) {
    throw new UnreadableMail(error instanceof Error ? error.message.slice(0, 200) : 'not a mail')
  }
  const headers = toHeaders(email.headers.map(({ key, value }) => [key, value] as const))
  const fromAddresses = listOf(headers.get('from') ?? [])
  return {
    headers,
    messageId: messageIdsOf(headerOf(headers, 'message-id'))[0] ?? null,
    from: headers.get('from')?.length === 1 ? onlyOne(email.from, fromAddresses) : null,
    fromAddresses,
    replyTo: onlyOne(email.replyTo?.[0], listOf(headers.get('reply-to') ?? [])),
    to: listOf(headers.get('to') ?? []),
    cc: listOf(headers.get('cc') ?? []),
    subject: oneLine(email.subject ?? '', subjectMax),
    date: dateOf(email.date),
    inReplyTo: messageIdsOf(headerOf(headers, 'in-reply-to'), 10),
    references: messageIdsOf(headerOf(headers, 'references')),
    text: cleanText(email.text ?? ''),
    html: email.html?.trim() ? withoutControls(email.html.slice(0, 2 * textMax)) : null,
    ...partsOf(email),
  }
}

/** Before anything is parsed: lines that look like the beginning of a part. */
function countParts(raw: Uint8Array): number {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  let count = 0
  for (let at = bytes.indexOf('\n--'); at >= 0 && count <= partsMax * 20; at = bytes.indexOf('\n--', at + 3)) {
    // Signatures and rules are no parts: a part's head names its type soon.
    if (/^--[^\r\n]{1,74}\r?\n[ \t]*(content-|\r?\n)/i.test(bytes.toString('latin1', at + 1, at + 120))) count++
  }
  return count
}

function partsOf(email: Email): { files: ReceivedFile[]; reportParts: ReportPart[] } {
  const files: ReceivedFile[] = []
  const reportParts: ReportPart[] = []
  for (const part of email.attachments) {
    const type = part.mimeType.toLowerCase()
    const content = typeof part.content === 'string' ? Buffer.from(part.content) : new Uint8Array(part.content)
    if (reportTypes.test(type)) reportParts.push({ type, text: Buffer.from(content).toString('utf8', 0, 256_000) })
    if (files.length < filesMax && type !== 'message/delivery-status' && type !== 'message/feedback-report') {
      files.push({ name: fileName(part.filename, type), type, contentId: part.contentId ?? null, content })
    }
  }
  return { files, reportParts }
}

function fileName(name: string | null, type: string): string {
  const clean = withoutControls(name ?? '')
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '')
    .replaceAll(/[/\\:*?"<>|]/g, '_')
    .replaceAll(/^[.\s]+|[.\s]+$/g, '')
    .slice(-150)
  return clean || (type === 'message/rfc822' ? 'mail.eml' : 'file')
}

/** Two senders, or none, are nobody: whoever is answered must be certain. */
function onlyOne(address: Address | undefined, all: string[]): Sender | null {
  const one = all.length === 1 ? normalizeAddress(all[0]!) : null
  return one ? { address: one, name: oneLine(address?.name ?? '', nameMax) } : null
}

function listOf(fields: readonly string[]): string[] {
  const found = fields.flatMap((field) => addressParser(field.slice(0, 20_000), { flatten: true }))
  return [...new Set(found.flatMap(({ address }) => (address ? [address.trim().toLowerCase()] : [])))].slice(0, 100)
}

function dateOf(text: string | undefined): Date | null {
  const time = text ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? null : new Date(time)
}

/** Encoded words may hold line breaks and marks that turn the writing round: what is shown and sent on has neither. */
export function oneLine(text: string, charactersMax: number): string {
  return text
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .replaceAll(/[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .trim()
    .slice(0, charactersMax)
    .replace(/[\ud800-\udbff]$/, '')
}

function cleanText(text: string): string {
  return withoutControls(text.slice(0, textMax)).replaceAll(/\r\n?/g, '\n')
}

/** NUL cannot be stored, and the others were never meant. */
function withoutControls(text: string): string {
  return text.toWellFormed().replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '')
}
