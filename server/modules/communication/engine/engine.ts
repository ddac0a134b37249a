/**
 * The delivery engine: claims recipients in batches, hands their mails over through a fixed number of lanes, and keeps
 * the ledger true at every step. Any number of engines may run side by side. See docs/decisions for why each mail is
 * written down before it goes out.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { MailRefused, type OutgoingMail } from '#platform/mail/mail.ts'
import type { Worker } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import type { Recipient } from '#modules/contacts/index.ts'
import type { Composer } from './compose.ts'
import { createFeeder, type Feeder, type Work } from './feeder.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { judge, unbuildable, type Outcome } from './outcome.ts'
import { RenderingStopped } from '../render/faults.ts'
import { pauseForSender } from './pause.ts'

const idleMs = 500

export function createEngine(runtime: Runtime): Worker {
  const ledger = createLedger(runtime.db)
  const feeder = createFeeder(runtime)
  const stopping = new AbortController()
  const loops: Promise<void>[] = []

  /** Does one thing again and again, at once while it is busy. */
  async function repeat(work: () => Promise<boolean>): Promise<void> {
    while (!stopping.signal.aborted) {
      const busy = await work().catch((error: Error) => {
        runtime.log.warn({ err: error }, 'the delivery engine had an error and goes on')
        return false
      })
      if (!busy) await pause(idleMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const send = (): Promise<boolean> => runLanes(runtime, ledger, feeder, stopping.signal)

  return {
    start() {
      feeder.start()
      loops.push(
        repeat(send),
        repeat(() => feeder.tend()),
      )
    },
    async drain() {
      for (let busy = true; busy;) {
        const sent = await send()
        busy = (await feeder.tend()) || sent
      }
    },
    async stop() {
      stopping.abort()
      await Promise.all(loops)
      await feeder.stop()
    },
  }
}

/** Until nothing is due; answers whether anything was handed over. */
async function runLanes(runtime: Runtime, ledger: Ledger, feeder: Feeder, signal: AbortSignal): Promise<boolean> {
  let busy = false
  const lane = async (): Promise<void> => {
    let written: Promise<unknown> = Promise.resolve()
    for (let work = await feeder.take(); work && !signal.aborted; work = await feeder.take()) {
      busy = true
      // Not awaited here: the next mail's own entry is written after it, in the same statement or a later one.
      written = (await deliver(runtime, ledger, feeder, work)).written
    }
    await written
  }
  const lanes = await Promise.allSettled(Array.from({ length: runtime.config.workers.sendConnections }, lane))
  for (const result of lanes) if (result.status === 'rejected') throw result.reason
  return busy
}

/** One mail from claim to answer; `written` settles once that answer is in the ledger. */
async function deliver(
  runtime: Runtime,
  ledger: Ledger,
  feeder: Feeder,
  work: Work,
): Promise<{ written: Promise<unknown> }> {
  const { composer, row, recipient, held } = work
  const begun = await ledger
    .begin(held, composer.messageIdOf(row.contact_id), recipient.tracking_allowed)
    .catch((error: Error) => {
      feeder.done(work) // no longer prolonged: the lease brings the row back
      throw error
    })
  if (!begun) {
    await feeder.giveBack(work)
    return { written: Promise.resolve() }
  }
  const outcome = await attempt(runtime, work)
  runtime.metrics.deliveries.inc({ channel: 'email', outcome: outcome.state })
  const written = ledger.finish(held, outcome).finally(() => feeder.done(work))
  written.catch(() => {}) // whoever awaits it hears of it; the lease brings the row back
  if (outcome.pausesCampaign) await written.then(() => pauseForSender(runtime, held, outcome))
  return { written }
}

/** Always an outcome: whatever goes wrong with one mail must not take its lane along. */
async function attempt(runtime: Runtime, { composer, row, recipient }: Work): Promise<Outcome> {
  const composed = compose(runtime, composer, recipient, row.id)
  if ('state' in composed) return composed
  try {
    return judge(await runtime.mail.send(composed), row.attempts + 1, row.ambiguous)
  } catch (error) {
    if (error instanceof MailRefused) {
      return unbuildable(error.field === 'to' ? 'invalid_address' : 'content', error.message)
    }
    runtime.log.warn({ err: error, delivery_id: row.id }, 'a mail could not be handed over')
    const response = 'the way to the mail server failed'
    return judge({ outcome: 'deferred', code: 0, response, scope: 'connection' }, row.attempts + 1, row.ambiguous)
  }
}

function compose(
  runtime: Runtime,
  composer: Composer,
  recipient: Recipient,
  deliveryId: string,
): OutgoingMail | Outcome {
  try {
    return composer.compose(recipient, deliveryId)
  } catch (error) {
    if (error instanceof RenderingStopped) return unbuildable('rendering', error.message)
    runtime.log.error({ err: error, delivery_id: deliveryId }, 'a mail could not be composed')
    return unbuildable('rendering', 'The mail could not be composed; the log says more.')
  }
}
