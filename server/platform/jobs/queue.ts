/**
 * The queue that carries jobs: pg-boss, in the schema `pgboss` of the same database. Picked up in milliseconds by
 * NOTIFY, kept by heartbeats, retried with backoff. What people see of a job is `platform.jobs`, which `runner.ts` keeps.
 */
import { createHash } from 'node:crypto'
import { PgBoss, type Queue } from 'pg-boss'
import pg from 'pg'
import type { Logger } from 'pino'

/** What a queue needs to know of the work that it carries. */
export interface QueueDefinition {
  name: string
  retryLimit: number
}

/** A worker that died is noticed after at most this time plus one round of the monitor; seconds. */
const heartbeatSeconds = 10
const monitorSeconds = 5

/** Queues are made by the owner at migration, so that the application needs no right to create anything. */
export async function installQueue(ownerUrl: string, definitions: QueueDefinition[]): Promise<void> {
  const queues = definitions.map(toQueue)
  const wanted = createHash('sha256').update(JSON.stringify(queues)).digest('hex')
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    // Several processes may start at once, and two grants on one table at a time are an error to PostgreSQL.
    await client.query('select pg_advisory_lock($1)', [lockKey])
    const installed = await client.query<{ sha256: string }>(
      `select sha256 from public.rapport_migrations where module = 'pgboss' and number = $1`,
      [queueLayout],
    )
    if (installed.rows[0]?.sha256 === wanted) return
    const boss = new PgBoss({ connectionString: ownerUrl, supervise: false, schedule: false, max: 2 })
    boss.on('error', () => {}) // what matters is thrown by the calls below
    await boss.start()
    for (const { name, ...options } of queues) {
      await boss.createQueue(name, options)
      const { policy: _fixed, ...changeable } = options
      await boss.updateQueue(name, changeable)
    }
    await boss.stop({ graceful: false })
    await client.query(`
      grant usage on schema pgboss to rapport_app;
      grant select, insert, update, delete on all tables in schema pgboss to rapport_app;
      grant usage on all sequences in schema pgboss to rapport_app;
      grant execute on all functions in schema pgboss to rapport_app`)
    await client.query(
      `insert into public.rapport_migrations (module, number, name, sha256) values ('pgboss', $1, 'queues', $2)
       on conflict (module, number) do update set sha256 = excluded.sha256, applied_at = now()`,
      [queueLayout, wanted],
    )
  } finally {
    await client.end()
  }
}

const lockKey = 7_276_774 // any number, the same in every version of Rapport

/** Raised when the package or the settings below change, so that existing installations are brought along. */
const queueLayout = 1

function toQueue(definition: QueueDefinition): Queue {
  return {
    name: definition.name,
    policy: 'standard',
    retryLimit: definition.retryLimit,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 300,
    heartbeatSeconds,
    expireInSeconds: 23 * 3_600,
    deleteAfterSeconds: 3 * 86_400,
    notify: true,
  }
}

/** `supervise`: this process watches heartbeats and runs the schedule (workers do; several may). */
export async function openQueue(options: { url: string; supervise: boolean; log: Logger }): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: options.url,
    options: '-c role=rapport_app -c timezone=UTC',
    application_name: 'rapport queue',
    max: options.supervise ? 4 : 2,
    migrate: false,
    createSchema: false,
    supervise: options.supervise,
    superviseIntervalSeconds: monitorSeconds,
    monitorIntervalSeconds: monitorSeconds,
    schedule: options.supervise,
    useListenNotify: options.supervise,
    reindex: false, // needs ownership, which the application does not have
    monitorVacuum: false,
  })
  boss.on('error', (error) => options.log.warn({ err: error }, 'the job queue had an error and goes on'))
  await boss.start()
  return boss
}
