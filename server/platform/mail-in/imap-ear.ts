/**
 * Hears of new mails where the server tells of them by itself (IDLE, RFC 2177). What it tells while something else is asked
 * counts as well, so that nothing falls between a search that was too early and the wait after it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ImapFlow } from 'imapflow'
import type { RemoteBox } from './remote-box.ts'

/** A server may hang up on whoever has said nothing for half an hour, and what lies between us and it, much earlier. */
export const renewalMs = 540_000
/** There are servers that end an IDLE as soon as it has begun. */
const restMs = 1_000

export interface Ear extends Pick<RemoteBox, 'listen'> {
  /** What was told until now is known. */
  forget(): void
}

export function earOf(client: ImapFlow): Ear {
  let hasNews = false
  let wake = () => {}
  client.on('exists', ({ count, prevCount }) => {
    if (count <= prevCount) return
    hasNews = true
    wake()
  })
  client.on('close', () => wake())

  async function listen(mostMs: number): Promise<void> {
    if (hasNews || !client.usable) return
    const over = Promise.withResolvers<'over'>()
    wake = () => over.resolve('over')
    const timer = setTimeout(wake, mostMs).unref()
    try {
      // Whatever is asked next ends the IDLE, which goes on until then.
      for (let heard: unknown; heard !== 'over';) {
        heard = await Promise.race([over.promise, client.idle().catch(() => false)])
        if (heard === false) heard = await over.promise
        else if (heard !== 'over') heard = await Promise.race([over.promise, pause(restMs, null, { ref: false })])
      }
    } finally {
      clearTimeout(timer)
      wake = () => {}
    }
  }

  const canTell = client.capabilities.has('IDLE') || client.capabilities.has('IMAP4rev2')
  return {
    listen: canTell ? listen : null,
    forget() {
      hasNews = false
    },
  }
}
