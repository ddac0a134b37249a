/**
 * Reads the reports that mail servers send back: RFC 3464 for what could not be delivered, RFC 5965 for complaints. All of
 * it was written by strangers; what it is about is only believed through ids that we signed.
 */
import { headerOf, messageIdsOf, readHeaderBlock, readHeaderBlocks, type Headers } from './header-block.ts'

export interface ReportPart {
  /** `message/delivery-status`, in small letters. */
  type: string
  text: string
}

export interface DeliveryReport {
  recipients: RecipientReport[]
  /** The head of the mail that came back; empty where the report has none of it. */
  original: Headers
}

export interface RecipientReport {
  /** As the report writes it, in small letters; '' where it keeps that to itself. */
  address: string
  action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'
  /** `5.1.1`; null where none is given. */
  status: string | null
  /** What the other server said, in its words. */
  diagnostic: string
}

export interface Complaint {
  feedbackType: string
  original: Headers
}

const recipientsMax = 50

export function readDeliveryReport(parts: readonly ReportPart[], text: string): DeliveryReport {
  const original = originalOf(parts, text)
  const status = parts.find(({ type }) => /^message\/(global-)?delivery-status$/.test(type))
  const recipients = status ? readHeaderBlocks(status.text).flatMap(toRecipient) : []
  return { recipients: recipients.length ? recipients.slice(0, recipientsMax) : fromText(text), original }
}

/** Null where it is none: a report without the part that makes it one. */
export function readComplaint(parts: readonly ReportPart[]): Complaint | null {
  const feedback = parts.find(({ type }) => type === 'message/feedback-report')
  if (!feedback) return null
  const headers = readHeaderBlock(feedback.text)
  return { feedbackType: headerOf(headers, 'feedback-type').toLowerCase(), original: originalOf(parts, '') }
}

/** All ids in the returned head that may be ours, the mail's own first. */
export function originalIds(original: Headers): string[] {
  return [...messageIdsOf(headerOf(original, 'message-id')), ...messageIdsOf(headerOf(original, 'references'))]
}

function originalOf(parts: readonly ReportPart[], text: string): Headers {
  const part = parts.find(({ type }) =>
    /^(message\/(rfc822|global)|text\/rfc822-headers|message\/global-headers)$/.test(type),
  )
  if (part) return readHeaderBlock(part.text)
  // qmail and its like copy the message below a line of their own into the text.
  const copy = /^-{2,}.{0,80}(copy of the message|original message|message follows|headers).{0,80}$/im.exec(text)
  return copy ? readHeaderBlock(text.slice(copy.index + copy[0].length).trimStart()) : new Map()
}

function toRecipient(block: Headers): RecipientReport[] {
  const action = headerOf(block, 'action')
    .toLowerCase()
    .split(/[\s;(]/, 1)[0]!
  const address = addressOf(headerOf(block, 'original-recipient') || headerOf(block, 'final-recipient'))
  const final = addressOf(headerOf(block, 'final-recipient'))
  if (!isAction(action)) return []
  const status = /\b([245]\.\d{1,3}\.\d{1,3})\b/.exec(headerOf(block, 'status'))?.[1] ?? null
  const diagnostic = headerOf(block, 'diagnostic-code').replace(/^[\w-]+\s*;\s*/, '')
  return [{ address: final || address, action, status, diagnostic: oneLine(diagnostic) }]
}

const actions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const
const isAction = (text: string): text is RecipientReport['action'] => (actions as readonly string[]).includes(text)

function addressOf(text: string): string {
  return /(?:^[\w-]+\s*;\s*)?<?([^\s<>;]+@[^\s<>;]+)>?/.exec(text)?.[1]?.toLowerCase() ?? ''
}

/** Servers that send prose: the address, and the reply of the other server that they quote. */
function fromText(text: string): RecipientReport[] {
  const said = text.slice(0, 20_000)
  const address = /<([^\s<>@]+@[^\s<>@]+)>:?|^\s*([^\s<>@:]+@[\w.-]+\.\w+)\s*:?\s*$/m.exec(said)
  const reply = /\b([45]\d\d)[ -]+(?:#?([45]\.\d{1,3}\.\d{1,3})\b[ -]*)?([^\r\n]{3,300})/.exec(said)
  const status = reply?.[2] ?? /\b#?([45]\.\d{1,3}\.\d{1,3})\b/.exec(said)?.[1] ?? null
  if (!address && !reply && !status) return []
  const isDelay =
    /will (be )?(retr(y|ied)|keep trying)|delayed|no action is required|wird weiter versucht|nouvel essai/i.test(said)
  const line = reply ? reply[0] : (/^.*(unknown|full|quota|exist|blocked|spam|rejected).*$/im.exec(said)?.[0] ?? '')
  return [
    {
      address: (address?.[1] ?? address?.[2] ?? '').toLowerCase(),
      action: isDelay || status?.startsWith('4') ? 'delayed' : 'failed',
      status,
      diagnostic: oneLine(line),
    },
  ]
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .trim()
    .slice(0, 500)
}
