/**
 * Fetches mail out of a mailbox elsewhere. What was not seen is taken, kept with us, and only then marked as seen: a crash
 * between the two brings the same mail again, and `receive` knows it. Nothing is ever deleted there.
 */
import type { Worker } from '../module.ts'
import type { Runtime } from '../services.ts'
import { findDestinations } from './addresses.ts'
import { headerOf, readHeaderBlock, type Headers } from './header-block.ts'
import { receive } from './receive.ts'

/** A mailbox, as far as it is needed here; `imap-box.ts` makes one of an IMAP connection. */
export interface RemoteBox {
  /** Those not seen, oldest first, at most so many. */
  unseen(most: number): Promise<{ uid: number; sizeBytes: number }[]>
  head(uid: number): Promise<Buffer>
  source(uid: number): Promise<Buffer>
  markSeen(uid: number): Promise<void>
  /** For whoever looks into the mailbox: this one was too large for us. */
  flag(uid: number): Promise<void>
  close(): Promise<void>
}

export interface ImapDoorSettings {
  pollMs: number
  sizeBytesMax: number
  open(): Promise<RemoteBox>
}

const batchSize = 100

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
  /** Mails for no address of ours stay unseen; they are not looked at again until this process starts anew. */
  const foreign = new Set<number>()

  async function poll(): Promise<number> {
    const box = await settings.open()
    let added = 0
    try {
      for (const { uid, sizeBytes } of await box.unseen(batchSize + foreign.size)) {
        if (isStopping) break
        if (foreign.has(uid)) continue
        if (sizeBytes > settings.sizeBytesMax) {
          foreign.add(uid)
          await box.flag(uid)
          log.warn({ uid, bytes: sizeBytes }, 'a mail in the mailbox is too large, and stays there')
          continue
        }
        if (await take(box, uid)) added++
      }
    } finally {
      await box.close()
    }
    if (added) onReceived()
    return added
  }

  async function take(box: RemoteBox, uid: number): Promise<boolean> {
    const named = recipientsOf(readHeaderBlock(await box.head(uid)))
    const found = await Promise.all(named.map((address) => findDestinations(runtime.db, [address])))
    const recipients = named.flatMap((address, index) => {
      const destination = found[index]?.[0]
      return destination ? [{ named: address, destination }] : []
    })
    if (!recipients.length) {
      foreign.add(uid)
      return false
    }
    const raw = await box.source(uid)
    const added = await receive(runtime, { door: 'imap', raw, envelopeFrom: null, recipients, client: null })
    await box.markSeen(uid)
    return added > 0
  }

  /** One at a time; after failures less and less often, up to half an hour. */
  function again(): void {
    if (isStopping) return
    const delayMs = Math.min(settings.pollMs * 2 ** Math.min(failures, 10), 1_800_000)
    timer = setTimeout(() => {
      running = poll().then(
        () => (failures = 0),
        (error: Error) => {
          failures++
          log.warn({ err: error }, 'the mailbox could not be read')
        },
      )
      void running.finally(again)
    }, delayMs).unref()
  }

  return {
    poll,
    start: again,
    drain: async () => {},
    async stop() {
      isStopping = true
      clearTimeout(timer)
      await running
    },
  }
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
