/** A mailbox, as far as it is needed here; `imap-box.ts` makes one of an IMAP connection. */
export interface RemoteBox {
  /** Names what the uids hold good for: another one, and they mean other mails. */
  numbering: string
  /** False once the connection broke. */
  isOpen(): boolean
  /** Those neither seen nor deleted, oldest first, at most so many. */
  unseen(most: number, except: (uid: number) => boolean): Promise<number[]>
  head(uid: number): Promise<{ head: Buffer; sizeBytes: number }>
  source(uid: number): Promise<Buffer>
  markSeen(uid: number): Promise<void>
  /** For whoever looks into the mailbox: this one was too large for us, or fails again and again. */
  flag(uid: number): Promise<void>
  /**
   * Waits until a mail has come since `unseen` was asked last, the connection broke, or the time is over. Null where the
   * server tells nothing by itself.
   */
  listen: ((mostMs: number) => Promise<void>) | null
  close(): Promise<void>
  /** Ends the connection at once. */
  cut(): void
}

/** Why the mailbox cannot be read, in words for whoever can mend it. */
export class MailboxTrouble extends Error {
  override name = 'MailboxTrouble'
  readonly code: string
  constructor(code: string, words: string, cause?: unknown) {
    super(words, { cause })
    this.code = code
  }
}
