/** The engine in a thread of its own, so that whoever else the process serves does not wait for a scan. */
import { parentPort, workerData } from 'node:worker_threads'
import { Finder, type Loaded } from './finder.ts'

const finder = new Finder((workerData as { seed: number }).seed)

export type Task = { load: string } | { terms: true } | { find: { slice: number; slices: number } }

parentPort!.on('message', ({ id, task }: { id: number; task: Task }) => {
  parentPort!.postMessage({ id, answer: work(task) })
})

function work(task: Task): unknown {
  if ('load' in task) return finder.load(JSON.parse(task.load) as Loaded[])
  if ('terms' in task) return { terms: finder.terms(), people: finder.size }
  return finder.find(task.find.slice, task.find.slices)
}
