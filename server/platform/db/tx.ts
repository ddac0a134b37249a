/**
 * The transaction: the only handle that an operation has. It carries the SQL, the clock, the events and the jobs of one
 * workspace, so that nothing can slip out of the transaction or into another tenant.
 */
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import type { PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import type { Tables } from './tables.ts'
import { publishEvents, type NewEvent } from '../events/outbox.ts'
import { enqueueJob, type JobOptions } from '../jobs/enqueue.ts'
import type { Preparing } from './preparing.ts'

/** A workspace's id, or `'system'`: outside of any workspace, where no tenant's row is visible. */
export type Scope = string

export interface Tx {
  readonly sql: Kysely<Tables>
  /** When this transaction began; every time it writes is this one. */
  readonly now: Date
  /** Throws in system scope. */
  readonly workspaceId: string
  /** Writes an event in the same transaction; `subject` is the id whose events stay in order. */
  publish(event: string, subject: string, data: object): Promise<void>
  publishAll(events: NewEvent[]): Promise<void>
  /** Adds a job in the same transaction and answers its id. `data` is JSON. */
  enqueue(kind: string, data: object, options?: JobOptions): Promise<string>
  /** `COPY … FROM STDIN` with backpressure; answers the number of rows. */
  copyIn(statement: string, source: AsyncIterable<string | Buffer>): Promise<number>
  /**
   * The first of `count` numbers of a counter, from 1 on, that nobody else gets. They are drawn at once, in a transaction of
   * their own: nobody waits for this one to end, and where it fails, its numbers are missing.
   */
  draw(counter: string, count?: number): Promise<number>
  /** Runs after the commit, and not at all when the transaction fails. Must not throw. */
  afterCommit(run: () => void): void
  /**
   * Tells whoever watches this workspace (`/events/stream`), once the transaction has committed. `data` is short JSON. A hint
   * to look again and no promise: one that is lost costs a page nothing but time, and one for what a savepoint took back
   * shows it nothing new.
   */
  notify(topic: string, data: object): void
  /** A statement that Kysely would only be in the way of. */
  rawQuery<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>>
}

/** What a transaction left for others to do. */
export interface Added {
  jobKinds: Set<string>
  events: boolean
  /** How many of each name, for the log. */
  counts: Map<string, number>
  /** The first thing that an event was about. */
  subject: string | null
}

/** What a transaction works with. */
export interface TxMeans {
  log: Logger
  slowQueryMs: number
  onSlowQuery?: () => void
  queue: PgBoss | undefined
  /** One statement in a transaction of its own. */
  statement: <Row extends pg.QueryResultRow>(
    scope: Scope,
    text: string,
    values: unknown[],
    options?: { lasting: boolean },
  ) => Promise<Row[]>
  preparing: Preparing
}

export function createTx(client: pg.PoolClient, scope: Scope, options: TxMeans) {
  const { queue, statement } = options
  let ended = false
  // After its end the connection belongs to somebody else's transaction: work that was left unawaited must not reach it.
  const requireOpen = (): void => {
    if (ended) throw new Error('this transaction has ended; something in it was not awaited')
  }
  const timed: { query: pg.PoolClient['query'] } = { query: timedQuery(client, options, requireOpen) }
  const sql = new Kysely<Tables>({
    dialect: new PostgresDialect({
      // A "pool" of this one connection: whatever Kysely asks for, it stays in the transaction.
      pool: {
        options: {},
        connect: async () => ({ query: timed.query, release: () => {} }) as unknown as pg.PoolClient,
        end: async () => {},
      },
    }),
  })
  const effects: (() => void)[] = []
  const notices: string[] = []
  const added: Added = { jobKinds: new Set(), events: false, counts: new Map(), subject: null }
  const tx: Tx = {
    sql,
    now: new Date(),
    get workspaceId() {
      if (scope === 'system') throw new Error('this transaction is outside of any workspace')
      return scope
    },
    publish: (event, subject, data) => tx.publishAll([{ event, subject, data }]),
    publishAll: async (events) => {
      if (!events.length) return
      added.events = true
      added.subject ??= events[0]!.subject
      for (const { event } of events) added.counts.set(event, (added.counts.get(event) ?? 0) + 1)
      await publishEvents(tx, events)
    },
    enqueue: async (kind, data, jobOptions) => {
      if (!queue) throw new Error('the job queue is not open')
      added.jobKinds.add(kind)
      return enqueueJob(tx, queue, kind, data, jobOptions)
    },
    copyIn: async (statement, source) => {
      requireOpen()
      const stream = client.query(copyFrom(statement))
      await pipeline(Readable.from(source, { objectMode: false }), stream)
      return stream.rowCount
    },
    notify: (topic, data) => {
      const message = JSON.stringify({ workspace_id: tx.workspaceId, topic, data })
      const brief = JSON.stringify({ workspace_id: tx.workspaceId, topic, data: {} })
      notices.push(Buffer.byteLength(message) <= notifySizeBytesMax ? message : brief)
    },
    draw: async (counter, count = 1) => {
      requireOpen()
      // Need not last by itself: whatever bears the number is written to the same log after it.
      const [row] = await statement<{ last_number: number }>(scope, drawing, [tx.workspaceId, counter, count], {
        lasting: false,
      })
      return row!.last_number - count + 1
    },
    afterCommit: (run) => void effects.push(run),
    rawQuery: (text, values) => timed.query(text, values),
  }
  return { tx, effects, notices, added, end: () => void (ended = true) }
}

const drawing = `
  insert into platform.counters as c (workspace_id, name, last_number) values ($1, $2, $3)
  on conflict (workspace_id, name) do update set last_number = c.last_number + excluded.last_number
  returning last_number`

/** PostgreSQL refuses payloads of 8,000 bytes. */
const notifySizeBytesMax = 7_500

/** With the name under which the server keeps it, where it does. */
export function named(text: string, values: unknown[] | undefined, preparing: Preparing): pg.QueryConfig {
  const name = values?.length ? preparing(text) : undefined
  return name ? { name, text, values } : { text, values }
}

function timedQuery(
  client: pg.PoolClient,
  { log, slowQueryMs, onSlowQuery, preparing }: TxMeans,
  requireOpen: () => void,
): pg.PoolClient['query'] {
  const query = async (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
    requireOpen()
    const startedAt = performance.now()
    try {
      return await client.query(named(text, values, preparing))
    } finally {
      const tookMs = performance.now() - startedAt
      if (tookMs > slowQueryMs) {
        onSlowQuery?.()
        log.warn({ took_ms: Math.round(tookMs), sql: text.slice(0, 2_000) }, 'slow query')
      }
    }
  }
  return query as unknown as pg.PoolClient['query']
}
