/**
 * Fetches mail out of a mailbox elsewhere. What was not seen is taken, kept with us, and only then marked as seen: a crash
 * between the two brings the same mail again, and `receive` knows it. Nothing is ever deleted there.
 */
import type { Worker } from '../module.ts'
import type { Runtime } from '../services.ts'
import { findDestinations } from './addresses.ts'
import { noteVisit } from './fetching.ts'
import { headerOf, readHeaderBlock, type Headers } from './header-block.ts'
import { receive } from './receive.ts'

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

class BrokenAtMail extends Error {}

export interface ImapDoorSettings {
  pollMs: number
  sizeBytesMax: number
  open(): Promise<RemoteBox>
}

const batchSize = 100
const longestMs = 1_800_000
/** In one visit. */
const connectionsMax = 10
/** After so many failures a person is shown the mail, in the mailbox. */
const failuresToFlag = 5

/** A mail that stays in the mailbox, and when it is looked at again. */
interface PassedOver {
  failures: number
  until: number
}

export interface ImapDoor extends Worker {
  /** One visit; answers how many mails were new. */
  poll(): Promise<number>
}

export function createImapDoor(runtime: Runtime, settings: ImapDoorSettings, onReceived: () => void): ImapDoor {
  const { log } = runtime
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let isStopping = false
  let failures = 0
  let current: RemoteBox | null = null
  let numbering = ''
  const passedOver = new Map<number, PassedOver>()

  async function poll(): Promise<number> {
    try {
      const added = await visits()
      failures = 0
      await noteVisit(runtime.db, { failures, problem: null, passedOver: passedOver.size })
      return added
    } catch (error) {
      if (isStopping) throw error
      failures++
      log.warn({ err: error, failures }, 'the mailbox could not be read')
      await noteVisit(runtime.db, { failures, problem: problemOf(error), passedOver: passedOver.size })
      throw error
    }
  }

  /** Where the connection breaks at a mail, a new one goes on. */
  async function visits(): Promise<number> {
    let added = 0
    for (let round = 1; ; round++) {
      try {
        await visit(() => {
          added++
          onReceived()
        })
        return added
      } catch (error) {
        if (!(error instanceof BrokenAtMail) || round === connectionsMax || isStopping) throw error
      }
    }
  }

  async function visit(onAdded: () => void): Promise<void> {
    const box = await settings.open()
    current = box
    try {
      if (box.numbering !== numbering) passedOver.clear()
      numbering = box.numbering
      const looked = new Set<number>()
      const rests = (uid: number) => looked.has(uid) || (passedOver.get(uid)?.until ?? 0) > Date.now()
      for (;;) {
        const found = await box.unseen(batchSize, rests)
        if (!found.length) return
        for (const uid of found) {
          if (isStopping) return
          looked.add(uid)
          if (await takeOrPassOver(box, uid)) onAdded()
        }
      }
    } finally {
      current = null
      await box.close()
    }
  }

  /** What is wrong with one mail keeps no other waiting; what is wrong with the connection or the database ends the visit. */
  async function takeOrPassOver(box: RemoteBox, uid: number): Promise<boolean> {
    const times = (passedOver.get(uid)?.failures ?? 0) + 1
    try {
      const taken = await take(box, uid)
      if (taken === 'new' || taken === 'known') passedOver.delete(uid)
      else passedOver.set(uid, { failures: 0, until: taken === 'large' ? Infinity : Date.now() + longestMs })
      return taken === 'new'
    } catch (error) {
      if (isStopping) throw error
      // There are servers that hang up at a mail which they cannot read. The first time it may have been chance.
      const wasChance = !box.isOpen() && times === 1
      const waitMs = Math.min(settings.pollMs * 2 ** Math.min(times, 10), longestMs)
      passedOver.set(uid, { failures: times, until: wasChance ? 0 : Date.now() + waitMs })
      log.warn({ err: error, uid, failures: times }, 'a mail could not be fetched, and stays in the mailbox for now')
      if (!box.isOpen()) throw new BrokenAtMail('the connection broke at a mail', { cause: error })
      await runtime.db.ping()
      if (times === failuresToFlag) await box.flag(uid).catch(() => {})
      return false
    }
  }

  async function take(box: RemoteBox, uid: number): Promise<'new' | 'known' | 'foreign' | 'large'> {
    const { head, sizeBytes } = await box.head(uid)
    if (sizeBytes > settings.sizeBytesMax) {
      log.warn({ uid, bytes: sizeBytes }, 'a mail in the mailbox is too large, and stays there')
      await box.flag(uid)
      return 'large'
    }
    const found = await findDestinations(runtime.db, recipientsOf(readHeaderBlock(head)))
    const recipients = found.map((destination) => ({ named: destination.named, destination }))
    if (!recipients.length) return 'foreign'
    const raw = await box.source(uid)
    const added = await receive(runtime, { door: 'imap', raw, envelopeFrom: null, recipients, client: null })
    await box.markSeen(uid)
    return added ? 'new' : 'known'
  }

  /** One at a time, the first at once; after failures less and less often, up to half an hour. */
  function again(delayMs: number): void {
    if (isStopping) return
    timer = setTimeout(() => {
      running = poll()
        .catch(() => {})
        .finally(() => again(Math.min(settings.pollMs * 2 ** Math.min(failures, 10), longestMs)))
    }, delayMs).unref()
  }

  return {
    poll,
    start: () => again(0),
    drain: async () => void (await poll()),
    async stop() {
      isStopping = true
      clearTimeout(timer)
      // A mail that was kept and not marked comes once more, and is known.
      current?.cut()
      await running
    },
  }
}

function problemOf(error: unknown): { code: string; detail: string } {
  if (error instanceof MailboxTrouble) return { code: error.code, detail: error.message }
  const detail = 'The visit ended early, and the next one goes on where it stopped. The log says why.'
  return { code: 'interrupted', detail }
}

/** Where the envelope's recipient is written down, and else where people write it. */
function recipientsOf(head: Headers): string[] {
  const fields = ['delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to', 'to', 'cc']
  const text = fields.flatMap((name) =>
    name === 'to' || name === 'cc' ? [headerOf(head, name)] : (head.get(name) ?? []),
  )
  const found =
    text
      .join(' ')
      .slice(0, 50_000)
      .match(/[^\s<>@,;:"()]+@[^\s<>@,;:"()]+/g) ?? []
  return [...new Set(found.map((address) => address.toLowerCase()))].slice(0, 100)
}
