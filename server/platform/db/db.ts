/**
 * The pool, and the transaction: the only handle that an operation has. It carries the SQL, the clock, the events and
 * the jobs of one workspace, so that nothing can slip out of the transaction or into another tenant.
 */
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import type { PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import type { Tables } from './tables.ts'
import { publishEvents, type NewEvent } from '../events/outbox.ts'
import { enqueueJob, type JobOptions } from '../jobs/enqueue.ts'
import { isId } from '../ids.ts'
import { createPreparing } from './preparing.ts'

pg.types.setTypeParser(pg.types.builtins.INT8, Number) // counters stay far below 2^53
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)

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

export interface Db {
  /**
   * `lasting: false` answers before the commit has reached the disk: a crash of the database (not of this process) may
   * then forget the last half second, so the caller must be able to say it again.
   */
  transaction<T>(scope: Scope, run: (tx: Tx) => Promise<T>, options?: { lasting: boolean }): Promise<T>
  /**
   * One statement in one round trip, prepared under its name, outside of any workspace (no tenant's row is visible):
   * for authentication, which has to find out the workspace first.
   */
  lookup<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<Row[]>
  /**
   * One statement in a transaction of its own, in a single round trip: for the few places where waiting costs more
   * than working. Scope and durability as above.
   */
  statement<Row extends pg.QueryResultRow>(
    scope: Scope,
    text: string,
    values: unknown[],
    options?: { lasting: boolean },
  ): Promise<Row[]>
  /** One round trip, for `/status`. */
  ping(): Promise<void>
  readonly pool: { total: number; idle: number; waiting: number }
  /** The queue that `tx.enqueue` sends to; set once, when it opens. */
  useQueue(queue: PgBoss): void
  /** Told which jobs' queues and whether events were added, after each commit. */
  onCommit(listener: (added: Added) => void): void
  close(): Promise<void>
}

interface Added {
  jobKinds: Set<string>
  events: boolean
  /** How many of each name, for the log. */
  counts: Map<string, number>
  /** The first thing that an event was about. */
  subject: string | null
}

export interface DbOptions {
  url: string
  /** Connections kept at most. */
  poolMax: number
  log: Logger
  /** Statements slower than this are logged with their text and never with their values; milliseconds. */
  slowQueryMs: number
  onSlowQuery?: () => void
  applicationName: string
}

export function openDb(options: DbOptions): Db {
  const connection = {
    connectionString: options.url,
    application_name: options.applicationName,
    // The session starts, and RESET leaves it, as the role that owns nothing and bypasses nothing.
    // Without compilation: it waits a tenth of a second before the first row, and pages are bounded by their limit.
    options: '-c role=rapport_app -c timezone=UTC -c jit=off -c idle_in_transaction_session_timeout=300000',
    idleTimeoutMillis: 60_000,
    connectionTimeoutMillis: 10_000,
  }
  const pool = new pg.Pool({ ...connection, max: options.poolMax })
  pool.on('error', (error) => closing || options.log.warn({ err: error }, 'an idle database connection was lost'))
  let closing = false
  const preparing = createPreparing()
  let queue: PgBoss | undefined
  const listeners: ((added: Added) => void)[] = []

  async function transaction<T>(
    scope: Scope,
    run: (tx: Tx) => Promise<T>,
    { lasting } = { lasting: true },
  ): Promise<T> {
    const client = await pool.connect()
    let broken: Error | undefined
    const onError = (error: Error): void => void (broken = error)
    client.on('error', onError)
    const context = createTx(client, scope, { ...options, queue, statement, preparing })
    let result: T
    try {
      await client.query(beginning(scope, lasting))
      result = await run(context.tx)
      context.end()
      const { command } = await client.query('commit')
      // PostgreSQL answers a commit with ROLLBACK, and no error, when a statement failed and its error was swallowed.
      if (command !== 'COMMIT') throw new Error('the transaction had failed before, and was rolled back')
    } catch (error) {
      context.end()
      await client.query('rollback').catch((rollbackError: Error) => void (broken = rollbackError))
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
    if (context.notices.length) void tellLive(context.notices)
    afterwards(scope, context.effects, context.added)
    return result
  }

  /** What is done stays done: a failing effect is a fault to log, and no reason to tell the caller that nothing happened. */
  function afterwards(scope: Scope, effects: (() => void)[], added: Added): void {
    if (added.events) logEvents(scope, added, options.log)
    const heard = added.events || added.jobKinds.size ? listeners : []
    for (const effect of [...effects, ...heard.map((listener) => () => listener(added))]) {
      try {
        effect()
      } catch (error) {
        options.log.error({ err: error }, 'an effect after a commit failed')
      }
    }
  }

  // Pipelined: the three messages leave together and are answered together.
  const quick = new pg.Pool({
    ...connection,
    max: 2,
    pipeline: true,
    application_name: `${options.applicationName} quick`,
  })
  quick.on('error', (error) => closing || options.log.warn({ err: error }, 'an idle database connection was lost'))

  async function statement<Row extends pg.QueryResultRow>(
    scope: Scope,
    text: string,
    values: unknown[],
    { lasting } = { lasting: true },
  ): Promise<Row[]> {
    const client = await quick.connect()
    let broken: Error | undefined
    try {
      const [, result] = await Promise.all([
        client.query(beginning(scope, lasting)),
        client.query<Row>(named(text, values, preparing)),
        client.query('commit'), // of a failed transaction it is a rollback
      ])
      return result.rows
    } catch (error) {
      broken = error as Error
      throw error
    } finally {
      client.release(broken)
    }
  }

  /**
   * After the commits and many at once: a transaction that notifies makes all others that do wait until its commit has reached
   * the disk.
   */
  async function tellLive(notices: string[]): Promise<void> {
    untold.push(...notices)
    if (telling) return
    telling = true
    while (untold.length) {
      const told = [...new Set(untold.splice(0, noticesMax))]
      await statement('system', `select pg_notify('rapport_live', notice) from unnest($1::text[]) as notice`, [told], {
        lasting: false,
      }).catch((error: unknown) => closing || options.log.warn({ err: error }, 'open pages could not be told'))
    }
    telling = false
  }
  const untold: string[] = []
  let telling = false

  return {
    transaction,
    statement,
    lookup: async <Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]) => {
      const { rows } = await pool.query<Row>({ name, text, values })
      return rows
    },
    ping: async () => void (await pool.query('select 1')),
    get pool() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }
    },
    useQueue: (client) => void (queue = client),
    onCommit: (listener) => void listeners.push(listener),
    close: () => {
      closing = true
      return Promise.all([pool.end(), quick.end()]).then(() => {})
    },
  }
}

/** One round trip for all of it; the id is checked, because the simple protocol takes no parameters. */
function beginning(scope: Scope, lasting: boolean): string {
  if (scope !== 'system' && !isId(scope)) throw new Error('a transaction needs a workspace id')
  const asynchronous = lasting ? '' : '; set local synchronous_commit = off'
  return `begin; set local rapport.workspace_id = '${scope === 'system' ? '' : scope}'${asynchronous}`
}

interface TxMeans extends DbOptions {
  queue: PgBoss | undefined
  statement: Db['statement']
  preparing: ReturnType<typeof createPreparing>
}

function createTx(client: pg.PoolClient, scope: Scope, options: TxMeans) {
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

/** One line for all that a transaction did: what happened and to which id, and nothing of what the person is called. */
function logEvents(workspaceId: Scope, { counts, subject }: Added, log: Logger): void {
  log.info({ workspace_id: workspaceId, subject, events: Object.fromEntries(counts) }, 'done')
}

/** PostgreSQL refuses payloads of 8,000 bytes. */
const notifySizeBytesMax = 7_500
const noticesMax = 500

function named(text: string, values: unknown[] | undefined, preparing: TxMeans['preparing']): pg.QueryConfig {
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
