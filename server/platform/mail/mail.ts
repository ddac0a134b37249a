// The mail port: hands one message for one person to the outside, and answers what became of it as a value, because the
// caller stores it and chooses on it. Whoever sends bulk mail must read `unknown`: the message may have arrived.
import type { KeyObject } from 'node:crypto'

export type Mailbox = { address: string; name?: string | undefined }

export type DkimKey = { domain: string; selector: string; key: KeyObject }

export type Attachment = {
  /** As it is offered for saving. */
  name: string
  /** `application/pdf`. */
  type: string
  content: Uint8Array
}

/** Of all attachments together: many servers take no more than this once it is base64. */
export const attachmentsSizeBytesMax = 10_000_000

export type OutgoingMail = {
  from: Mailbox
  to: Mailbox
  replyTo?: Mailbox | undefined
  subject: string
  text: string
  html?: string | undefined
  attachments?: readonly Attachment[] | undefined
  /** Anything but the headers that this type has fields for. */
  headers: Record<string, string>
  /** `<local@domain>`. The same message with the same id and date is built byte for byte the same. */
  messageId: string
  date?: Date | undefined
  /** Where bounces go: the sender of the envelope. Default: the address of `from`; '' is the null sender. */
  envelopeFrom?: string | undefined
  dkim?: DkimKey | undefined
  /** What the mail is about, for whoever keeps it; never part of the message. */
  context?: MailContext | undefined
}

/** Without a contact or campaign, a mail is about somebody's account. */
export type MailContext = {
  workspaceId: string
  campaignId?: string | undefined
  contactId?: string | undefined
}

export type Envelope = { from: string; to: string }

/** Whom a refusal concerns: this one recipient, everything this sender sends, or the way to the server. */
export type DeferralScope = 'recipient' | 'sender' | 'connection'

export type FailureKind = 'invalid_mailbox' | 'mailbox_full' | 'policy' | 'content' | 'other'

export type Handover =
  | { outcome: 'sent'; response: string }
  | { outcome: 'deferred'; code: number; enhanced?: string; response: string; scope: DeferralScope }
  /** Only `invalid_mailbox` says something lasting about the person. `scope: 'sender'`: all others will fail likewise. */
  | {
      outcome: 'failed'
      code: number
      enhanced?: string
      response: string
      kind: FailureKind
      scope: 'recipient' | 'sender'
    }
  /** The whole message went out, and no answer came back. */
  | { outcome: 'unknown'; reason: string }

export type Verified = { ok: true } | { ok: false; reason: string }

export type MailTransport = {
  /** Rejects with MailRefused when the message itself must not be built; all else is a Handover. */
  send(message: OutgoingMail): Promise<Handover>
  verify(): Promise<Verified>
  /** Lets running deliveries finish, for a bounded time; what still waits is answered as deferred. */
  close(): Promise<void>
}

/** A message that would be unsafe or unreadable. `field` names the culprit: 'to', 'subject', 'headers.X-Shop'. */
export class MailRefused extends Error {
  override name = 'MailRefused'
  readonly field: string
  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`)
    this.field = field
  }
}
