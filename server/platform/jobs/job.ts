/** What a module writes to have work done in the background. */
import type { Logger } from 'pino'
import type { Tx } from '../db/db.ts'
import type { Runtime } from '../services.ts'

export interface JobDefinition {
  /** `contacts.import`: names the queue as well. */
  kind: string
  /** Tries after the first one. */
  retryLimit: number
  /** Jobs of this kind that one worker runs at once. */
  concurrency: number
  run(job: Job): Promise<object | void>
}

/**
 * One attempt at a job. `run` must be safe to repeat: long work keeps a cursor, written in the same transaction as the
 * batch that it stands for, and begins at it.
 */
export interface Job {
  readonly id: string
  readonly workspaceId: string
  readonly data: Record<string, unknown>
  /** Where an earlier attempt stopped; null on the first. */
  readonly cursor: unknown
  readonly attempt: number
  readonly createdBy: string | null
  /** Aborted when somebody cancels the job, and when the worker stops. */
  readonly signal: AbortSignal
  readonly runtime: Runtime
  readonly log: Logger
  /** A transaction in the job's workspace. */
  transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * Saves the cursor and progress with the batch, tells who watches, and throws `JobStopped` when the job was
   * canceled, so that the batch is not committed.
   */
  checkpoint(tx: Tx, state: { cursor?: object; done?: number; total?: number }): Promise<void>
}

/**
 * Thrown out of a job by `checkpoint`: canceled by a person, interrupted by a stopping worker, or overtaken by another
 * attempt, because this one fell silent for longer than its heartbeat.
 */
export class JobStopped extends Error {
  readonly why: keyof typeof reasons
  constructor(why: keyof typeof reasons) {
    super(reasons[why])
    this.why = why
  }
}

const reasons = {
  canceled: 'The job was canceled.',
  shutdown: 'The worker is stopping; the job goes on later.',
  overtaken: 'Another worker goes on with this job.',
} as const
