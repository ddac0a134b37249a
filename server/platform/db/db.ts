/** The database: its connections, how a transaction begins and ends, and what is told once it has. */
import pg from 'pg'
import type { PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import { isId } from '../ids.ts'
import { createPreparing } from './preparing.ts'
import { createTx, named, type Added, type Scope, type Tx } from './tx.ts'

export type { Scope, Tx } from './tx.ts'

pg.types.setTypeParser(pg.types.builtins.INT8, Number) // counters stay far below 2^53
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)

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

/** One line for all that a transaction did: what happened and to which id, and nothing of what the person is called. */
function logEvents(workspaceId: Scope, { counts, subject }: Added, log: Logger): void {
  log.info({ workspace_id: workspaceId, subject, events: Object.fromEntries(counts) }, 'done')
}

const noticesMax = 500
