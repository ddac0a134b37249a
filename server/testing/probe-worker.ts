/**
 * A worker of its own process, for tests that kill one. Runs `probe.steps` jobs, which publish one event a step and stop
 * for good at the step that the job names. Arguments: the database's address, the secret key.
 */
import { tmpdir } from 'node:os'
import { createApp } from '../app.ts'
import { toConfig } from '../config.ts'
import type { JobDefinition } from '../platform/jobs/job.ts'
import { createLog } from '../platform/observe/log.ts'

/** Counts to ten, a transaction a step; `onStep` may keep it waiting. */
export function stepsJob(onStep: (step: number, data: Record<string, unknown>) => Promise<void>): JobDefinition {
  return {
    kind: 'probe.steps',
    retryLimit: 2,
    concurrency: 1,
    async run(job) {
      const { step: done = 0 } = (job.cursor ?? {}) as { step?: number }
      for (let step = done + 1; step <= 10; step++) {
        await job.transaction(async (tx) => {
          await tx.publish('probe.step', job.id, { step })
          await job.checkpoint(tx, { cursor: { step }, done: step, total: 10 })
        })
        await onStep(step, job.data)
      }
      return { attempts: job.attempt }
    },
  }
}

const [databaseUrl, secretKey] = process.argv.slice(2)
if (import.meta.main && databaseUrl && secretKey) {
  const app = await createApp({
    config: toConfig({ APP_ENV: 'test', DATA_DIR: tmpdir() }),
    databaseUrl,
    secretKey,
    log: createLog({ level: 'error', name: 'probe' }),
    works: true,
    webFolder: null,
    modules: [
      {
        name: 'probe',
        jobs: [
          stepsJob(async (step, data) => {
            if (step !== data.stopAt) return
            process.stdout.write('stopped\n')
            await new Promise(() => {})
          }),
        ],
      },
    ],
  })
  app.worker.start()
}
