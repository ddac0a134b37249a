/**
 * All recurring work, by name and cron (UTC). Each tick is an entry of the queue, made once however many workers run,
 * so no tick fires twice and a tick that failed is tried again.
 */
import type { PgBoss } from 'pg-boss'
import type { Task, Worker } from '../module.ts'
import type { Runtime } from '../services.ts'

export function taskQueue(task: Task): string {
  return `schedule.${task.name}`
}

export function createSchedule(runtime: Runtime, queue: PgBoss, tasks: Task[]): Worker {
  const stopping = new AbortController()
  let starting: Promise<void> | undefined
  return {
    start() {
      starting = startAll(runtime, queue, tasks, stopping.signal).catch((error: Error) => {
        runtime.log.error({ err: error }, 'recurring work could not be started')
      })
    },
    /** Time does not pass in tests: they run a task by its name instead. */
    drain: async () => {},
    /** Somebody may press Ctrl-C a moment after the start: what is being started is let finish, then it is stopped. */
    async stop() {
      stopping.abort()
      if (!starting) return
      await starting
      for (const task of tasks) await queue.offWork(taskQueue(task), { wait: true })
    },
  }
}

async function startAll(runtime: Runtime, queue: PgBoss, tasks: Task[], stopping: AbortSignal): Promise<void> {
  const wanted = new Set(tasks.map(taskQueue))
  for (const { name } of await queue.getSchedules()) if (!wanted.has(name)) await queue.unschedule(name)
  for (const task of tasks) {
    if (stopping.aborted) return
    const name = taskQueue(task)
    await queue.schedule(name, task.cron, null, { tz: 'UTC' })
    await queue.work(name, { batchSize: 1, notifyPollingIntervalSeconds: 30 }, async () => {
      runtime.log.debug({ task: task.name }, 'scheduled work begins')
      await task.run(runtime)
    })
  }
}
