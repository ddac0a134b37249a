/**
 * Hits wait here for a moment and are written together, because a popular mail brings thousands within seconds and none
 * may hold a transaction of its own. What a process has not written when it is killed is lost: at most 0.2 s of opens
 * and 2 s of clicks, which wait so long to be seen next to each other. An orderly stop writes everything.
 */
import type { Logger } from 'pino'
import type { Worker } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { burstMs, type Hit } from './machine.ts'
import { writeHits } from './tracking.ts'

export interface TrackedHit extends Hit {
  workspaceId: string
  deliveryId: string
}

export interface TrackingBuffer extends Worker {
  add(hit: TrackedHit): void
}

const openWaitMs = 200
const openBatch = 200
const waitingMax = 50_000
const retryMs = 1_000
const failuresMax = 30

interface Waiting {
  hit: TrackedHit
  dueAt: number
}

const buffers = new WeakMap<Runtime, TrackingBuffer>()

/** The one of this process. */
export function trackingBuffer(runtime: Runtime): TrackingBuffer {
  let buffer = buffers.get(runtime)
  if (!buffer) {
    const write = (workspaceId: string, hits: TrackedHit[]): Promise<void> =>
      runtime.db.transaction(workspaceId, (tx) => writeHits(tx, runtime, hits))
    buffer = createTrackingBuffer(write, runtime.log)
    buffers.set(runtime, buffer)
  }
  return buffer
}

export function createTrackingBuffer(
  write: (workspaceId: string, hits: TrackedHit[]) => Promise<void>,
  log: Pick<Logger, 'warn' | 'error'>,
): TrackingBuffer {
  let waiting: Waiting[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let failures = 0
  let dropped = 0

  function add(hit: TrackedHit): void {
    if (waiting.length >= waitingMax) {
      if (dropped++ % 10_000 === 0)
        log.error({ waiting: waiting.length }, 'opens and clicks come faster than they can be written')
      return
    }
    waiting.push({ hit, dueAt: Date.now() + (hit.kind === 'click' ? burstMs : openWaitMs) })
    if (waiting.length % openBatch === 0) void flush(Date.now() + openWaitMs)
    else timer ??= setTimeout(() => void flush(Date.now()), openWaitMs).unref()
  }

  /** Writes what is due by then; the hits of one delivery go together, so that they can be judged together. */
  async function flush(dueBy: number): Promise<void> {
    if (writing) return writing
    clearTimeout(timer)
    timer = undefined
    const due = new Set(waiting.filter((entry) => entry.dueAt <= dueBy).map((entry) => entry.hit.deliveryId))
    const taken = waiting.filter((entry) => due.has(entry.hit.deliveryId))
    waiting = waiting.filter((entry) => !due.has(entry.hit.deliveryId))
    if (taken.length) await (writing = writeTaken(taken).finally(() => (writing = undefined)))
    if (waiting.length) timer ??= setTimeout(() => void flush(Date.now()), failures ? retryMs : openWaitMs).unref()
  }

  async function writeTaken(taken: Waiting[]): Promise<void> {
    for (const [workspaceId, group] of Map.groupBy(taken, (entry) => entry.hit.workspaceId)) {
      try {
        await write(
          workspaceId,
          group.map((entry) => entry.hit),
        )
        failures = 0
      } catch (error) {
        failures++
        if (failures <= failuresMax) waiting.unshift(...group)
        log.warn(
          { err: error, hits: group.length, kept: failures <= failuresMax },
          'opens and clicks could not be written',
        )
      }
    }
  }

  async function drain(): Promise<void> {
    await writing
    const before = failures
    while (waiting.length && failures === before) await flush(Number.POSITIVE_INFINITY)
  }

  return {
    add,
    // Requests fill it, not the worker: it writes by itself wherever they come in.
    start: () => {},
    drain,
    async stop() {
      await drain()
      clearTimeout(timer)
    },
  }
}
