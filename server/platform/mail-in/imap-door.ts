/**
 * Fetches mail out of a mailbox elsewhere: it looks there when the server tells of something new, and in any case every so
 * often, for a server may be unable to tell, or forget to. One connection, which is kept as long as the server tells by itself.
 */
import type { Worker } from '../module.ts'
import type { Runtime } from '../services.ts'
import { noteVisit } from './fetching.ts'
import { BrokenAtMail, createVisitor, longestMs } from './imap-visit.ts'
import { MailboxTrouble, type RemoteBox } from './remote-box.ts'

export interface ImapDoorSettings {
  pollMs: number
  sizeBytesMax: number
  open(): Promise<RemoteBox>
}

/** In one visit. */
const connectionsMax = 10
/** Between two visits at least, however often the server tells of something. */
const restMs = 1_000
/** Then a new one: only whoever knocks hears that the password or the folder has changed. */
const keptMs = 1_500_000

export interface ImapDoor extends Worker {
  /** One visit; answers how many mails were new. */
  poll(): Promise<number>
}

export function createImapDoor(runtime: Runtime, settings: ImapDoorSettings, onReceived: () => void): ImapDoor {
  const { log } = runtime
  const { pollMs, sizeBytesMax } = settings
  const visitor = createVisitor(runtime, { pollMs, sizeBytesMax, isStopping: () => isStopping })
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let isStopping = false
  let failures = 0
  /** Times in a row that the connection broke while it was waited on. */
  let breaks = 0
  let current: { box: RemoteBox; openedAt: number; isListening: boolean } | null = null

  async function poll(): Promise<number> {
    try {
      return await look()
    } finally {
      await leave()
    }
  }

  async function look(): Promise<number> {
    try {
      const added = await visits()
      failures = 0
      await noteVisit(runtime.db, { failures, problem: null, passedOver: visitor.passedOver() })
      return added
    } catch (error) {
      if (isStopping) throw error
      failures++
      log.warn({ err: error, failures }, 'the mailbox could not be read')
      await noteVisit(runtime.db, { failures, problem: problemOf(error), passedOver: visitor.passedOver() })
      throw error
    }
  }

  /** Where the connection breaks at a mail, or broke since the last visit, a new one goes on. */
  async function visits(): Promise<number> {
    let added = 0
    for (let round = 1; ; round++) {
      const kept = current
      try {
        await visit(() => {
          added++
          onReceived()
        })
        return added
      } catch (error) {
        const isStale = kept !== null && kept === current && !kept.box.isOpen()
        await leave()
        if (!(isStale || error instanceof BrokenAtMail) || round === connectionsMax || isStopping) throw error
      }
    }
  }

  async function visit(onAdded: () => void): Promise<void> {
    if (current && Date.now() - current.openedAt > keptMs) await leave()
    current ??= { box: await settings.open(), openedAt: Date.now(), isListening: false }
    if (!isStopping) await visitor.visit(current.box, onAdded)
  }

  async function leave(): Promise<void> {
    const left = current
    current = null
    await left?.box.close().catch(() => {})
  }

  /** The first at once. */
  function again(delayMs: number): void {
    if (isStopping) return
    timer = setTimeout(() => {
      running = turn().then(again, () => again(pollMs))
    }, delayMs).unref()
  }

  /** A visit, and what is waited for after it; answers after how long the next one begins. */
  async function turn(): Promise<number> {
    const begunAt = Date.now()
    try {
      await look()
    } catch {
      // Less and less often.
      await leave()
      return Math.min(pollMs * 2 ** Math.min(failures, 10), longestMs)
    }
    if (!current?.box.listen || isStopping) {
      await leave()
      return pollMs
    }
    const { box } = current
    current.isListening = true
    await box.listen!(pollMs)
    if (isStopping) return pollMs
    if (current) current.isListening = false
    breaks = box.isOpen() ? 0 : breaks + 1
    // As if the server told nothing by itself, where it hangs up at once each time.
    const breakMs = breaks ? Math.min(restMs * 2 ** Math.min(breaks - 1, 10), pollMs) : 0
    return Math.max(breakMs, begunAt + restMs - Date.now(), 0)
  }

  return {
    poll,
    start: () => again(0),
    drain: async () => void (await poll()),
    async stop() {
      isStopping = true
      clearTimeout(timer)
      // A mail that was kept and not marked comes once more, and is known.
      if (current?.isListening) await leave()
      else current?.box.cut()
      await running
      await leave()
    },
  }
}

function problemOf(error: unknown): { code: string; detail: string } {
  if (error instanceof MailboxTrouble) return { code: error.code, detail: error.message }
  const detail = 'The visit ended early, and the next one goes on where it stopped. The log says why.'
  return { code: 'interrupted', detail }
}
