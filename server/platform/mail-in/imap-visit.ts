/**
 * One look into the mailbox. What was not seen is taken, kept with us, and only then marked as seen: a crash between the two
 * brings the same mail again, and `receive` knows it. Nothing is ever deleted there.
 */
import type { Runtime } from '../services.ts'
import { findDestinations } from './addresses.ts'
import { headerOf, readHeaderBlock, type Headers } from './header-block.ts'
import { receive } from './receive.ts'
import type { RemoteBox } from './remote-box.ts'

export class BrokenAtMail extends Error {}

const batchSize = 100
export const longestMs = 1_800_000
/** After so many failures a person is shown the mail, in the mailbox. */
const failuresToFlag = 5

/** A mail that stays in the mailbox, and when it is looked at again. */
interface PassedOver {
  failures: number
  until: number
}

export interface Visitor {
  visit(box: RemoteBox, onAdded: () => void): Promise<void>
  /** How many mails stay there. */
  passedOver(): number
}

export function createVisitor(
  runtime: Runtime,
  { pollMs, sizeBytesMax, isStopping }: { pollMs: number; sizeBytesMax: number; isStopping(): boolean },
): Visitor {
  const { log } = runtime
  let numbering = ''
  const passedOver = new Map<number, PassedOver>()

  async function visit(box: RemoteBox, onAdded: () => void): Promise<void> {
    if (box.numbering !== numbering) passedOver.clear()
    numbering = box.numbering
    const looked = new Set<number>()
    const rests = (uid: number) => looked.has(uid) || (passedOver.get(uid)?.until ?? 0) > Date.now()
    for (;;) {
      const found = await box.unseen(batchSize, rests)
      if (!found.length) return
      for (const uid of found) {
        if (isStopping()) return
        looked.add(uid)
        if (await takeOrPassOver(box, uid)) onAdded()
      }
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
      if (isStopping()) throw error
      // There are servers that hang up at a mail which they cannot read. The first time it may have been chance.
      const wasChance = !box.isOpen() && times === 1
      const waitMs = Math.min(pollMs * 2 ** Math.min(times, 10), longestMs)
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
    if (sizeBytes > sizeBytesMax) {
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

  return { visit, passedOver: () => passedOver.size }
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
