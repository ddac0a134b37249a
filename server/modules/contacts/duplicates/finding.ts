/** The near end of the thread that finds: questions go over, answers come back as promises. */
import { Worker } from 'node:worker_threads'
import type { Task } from './finder-thread.ts'
import type { FoundPair, Keyed } from './finder.ts'

export interface Finding extends AsyncDisposable {
  /** A JSON array of contacts, in the order of their ids from batch to batch. */
  load(contacts: string): Promise<Keyed>
  terms(): Promise<{ terms: { term: string; people: number }[]; people: number }>
  find(slice: number, slices: number): Promise<FoundPair[]>
}

export function startFinding(seed: number): Finding {
  const worker = new Worker(new URL('finder-thread.ts', import.meta.url), { workerData: { seed } })
  const waiting = new Map<number, PromiseWithResolvers<never>>()
  let last = 0
  let broken: Error | undefined
  worker.on('message', ({ id, answer }: { id: number; answer: never }) => {
    waiting.get(id)?.resolve(answer)
    waiting.delete(id)
  })
  const fail = (error: Error): void => {
    broken = error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the thread that finds duplicates has ended')))

  function ask<T>(task: Task): Promise<T> {
    if (broken) return Promise.reject(broken)
    const id = ++last
    const answer = Promise.withResolvers<never>()
    waiting.set(id, answer)
    worker.postMessage({ id, task })
    return answer.promise
  }
  return {
    load: (contacts) => ask({ load: contacts }),
    terms: () => ask({ terms: true }),
    find: (slice, slices) => ask({ find: { slice, slices } }),
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}
