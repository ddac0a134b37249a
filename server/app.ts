/** Builds the whole program by hand, in order, as plain objects. What is not configured gets its small adapter here. */
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { PgBoss } from 'pg-boss'
import type { Config } from './config.ts'
import { modules } from './modules.ts'
import { authenticator, defaultWorkspaceId, workspaceForEvent } from './modules/accounts/index.ts'
import { createSandboxStore } from './modules/communication/index.ts'
import { createMemoryCache } from './platform/cache/memory.ts'
import { createSeal } from './platform/crypto/seal.ts'
import { createTokens } from './platform/crypto/tokens.ts'
import { migrate } from './platform/db/migrate.ts'
import { openDb } from './platform/db/db.ts'
import { eventRoutes } from './platform/events/event-routes.ts'
import { createRelay } from './platform/events/relay.ts'
import type { Files } from './platform/files/files.ts'
import { createFileLinks, type FileLinks } from './platform/files/links.ts'
import { createLocalFiles } from './platform/files/local.ts'
import { createServer } from './platform/http/serve.ts'
import type { AnyRoute } from './platform/http/route.ts'
import { platformRoutes } from './platform/http/platform-routes.ts'
import { createRunner } from './platform/jobs/runner.ts'
import { installQueue, openQueue } from './platform/jobs/queue.ts'
import { createSchedule, taskQueue } from './platform/jobs/schedule.ts'
import { createMailIn } from './platform/mail-in/mail-in.ts'
import { mailInRoutes } from './platform/mail-in/routes.ts'
import { mailInTasks } from './platform/mail-in/upkeep.ts'
import { createMemoryLimiter } from './platform/limits/limits.ts'
import { openLive } from './platform/live/live.ts'
import type { MailTransport } from './platform/mail/mail.ts'
import { createSandboxTransport, type StoreMail } from './platform/mail/sandbox.ts'
import { createSmtpTransport, parseSmtpUrl } from './platform/mail/smtp.ts'
import { createMetrics } from './platform/observe/metrics.ts'
import { createOutbound } from './platform/outbound/outbound.ts'
import type { JobDefinition } from './platform/jobs/job.ts'
import type { Module, Task, Worker } from './platform/module.ts'
import type { Keeper } from './platform/privacy/personal-data.ts'
import { platformTraces } from './platform/privacy/traces.ts'
import { createClamdScanner } from './platform/scan/clamd.ts'
import { createNoScanner } from './platform/scan/scan.ts'
import type { Runtime } from './platform/services.ts'
import { platformTasks } from './platform/upkeep.ts'

export interface App {
  runtime: Runtime
  queue: PgBoss
  routes: AnyRoute[]
  tasks: Task[]
  http: FastifyInstance
  /** Everything that works in the background; the worker role starts it, tests drain it. */
  worker: Worker
  close(): Promise<void>
}

export interface AppOptions {
  config: Config
  /** The owner's connection; the application itself works under a role that owns nothing. */
  databaseUrl: string
  secretKey: string
  log: Logger
  /** Whether this process keeps the schedule and watches over the queue. */
  works: boolean
  webFolder: string | null
  /** Other modules than the listed ones; tests add probes. */
  modules?: Module[]
  /** Hears of every mail that the sandbox keeps; tests do. */
  onSandboxMail?: StoreMail
}

const platformPermissions = {
  'job.read': ['viewer'],
  'job.control': ['marketer', 'agent'],
  'live.read': ['viewer'],
  'event.manage': ['admin'],
  'mail_in.manage': ['admin'],
} as const

const tasksOf = (all: Module[]): Task[] => [
  ...platformTasks,
  ...mailInTasks,
  ...all.flatMap((module) => module.schedule ?? []),
]
/** Every door, the platform's first. */
export const allRoutes = (all: Module[] = modules): AnyRoute[] => [
  ...platformRoutes,
  ...eventRoutes,
  ...mailInRoutes,
  ...all.flatMap((module) => module.routes ?? []),
]

const keepersOf = (all: Module[]): Keeper[] => [
  { name: 'platform', data: platformTraces },
  ...all.flatMap(({ name, personalData }) => (personalData ? [{ name, data: personalData }] : [])),
]

const jobsOf = (all: Module[]): JobDefinition[] => all.flatMap((module) => module.jobs ?? [])

/** Brings the database to this version; any number of processes may call it at once. */
export async function prepareDatabase(databaseUrl: string, log: Logger, all: Module[] = modules): Promise<void> {
  const platform = { name: 'platform', folder: path.join(import.meta.dirname, 'platform/db/migrations') }
  const own = all.flatMap(({ name, migrations }) => (migrations ? [{ name, folder: migrations }] : []))
  await migrate(databaseUrl, [platform, ...own], log)
  await installQueue(databaseUrl, [
    ...jobsOf(all).map(({ kind, retryLimit }) => ({ name: kind, retryLimit })),
    ...tasksOf(all).map((task) => ({ name: taskQueue(task), retryLimit: 2 })),
  ])
}

export async function createApp(options: AppOptions): Promise<App> {
  const { config, databaseUrl, log } = options
  const all = options.modules ?? modules
  const metrics = createMetrics({ withProcess: config.app.environment !== 'test' })
  const db = openDb({
    url: databaseUrl,
    poolMax: config.limits.databaseConnections,
    log,
    slowQueryMs: config.limits.slowQueryMs,
    onSlowQuery: () => metrics.slowQueries.inc(),
    applicationName: 'rapport',
  })
  const queue = await openQueue({ url: databaseUrl, supervise: options.works, log })
  db.useQueue(queue)
  const masterKey = Buffer.from(options.secretKey)
  const redis = config.redis ? await openRedis(config.redis, log) : null
  const tokens = createTokens(masterKey)
  const { publicUrl } = config.http
  const fileLinks = createFileLinks(tokens, `${publicUrl}/files`)
  const runtime: Runtime = {
    config,
    log,
    db,
    publicUrl,
    tokens,
    metrics,
    cache: redis?.cache ?? createMemoryCache(),
    limits: redis?.limits ?? createMemoryLimiter(),
    files: await openFiles(config, fileLinks, log),
    outbound: createOutbound({
      allowLoopback: config.workers.outboundAllowLoopback,
      // Services that the operator names may be inside the network.
      trustedOrigins: [config.auth.authServiceUrl, config.services.logUrl].flatMap((url) =>
        url ? [new URL(url).origin] : [],
      ),
    }),
    mail: openMail(
      config,
      createSandboxStore(db, () => defaultWorkspaceId(db)),
      options.onSandboxMail,
    ),
    seal: createSeal(masterKey),
    live: openLive(databaseUrl, log),
    scan: config.scan ? createClamdScanner(config.scan) : createNoScanner(),
    queue,
    personalData: keepersOf(all),
    sights: Object.assign({}, ...all.map((module) => module.sights ?? {})),
    permissions: Object.assign({}, platformPermissions, ...all.map((module) => module.permissions ?? {})),
  }
  metrics.watchPool(() => db.pool)
  for (const module of all) module.metrics?.(runtime)
  const routes = allRoutes(all)
  const tasks = tasksOf(all)
  const http = await createServer({
    runtime,
    queue,
    routes,
    authenticate: authenticator(runtime, options.secretKey),
    webFolder: options.webFolder,
  })
  const workers: Worker[] = [
    createRelay(
      db,
      runtime,
      all.flatMap((module) => module.reactions ?? []),
    ),
    createRunner(runtime, queue, jobsOf(all)),
    createSchedule(runtime, queue, tasks),
    ...all.flatMap((module) => (module.workers ?? []).map((create) => create(runtime))),
    ...(await createMailIn(
      runtime,
      all.flatMap((module) => module.mail ?? []),
    )),
    ...(config.rabbitmq ? [await openRabbitmq(config.rabbitmq, runtime, all)] : []),
  ]
  return {
    runtime,
    queue,
    routes,
    tasks,
    http,
    worker: allOf(workers),
    async close() {
      // Together: a long request and a long job share the time that stopping may take.
      await Promise.all([http.close(), ...workers.map((worker) => worker.stop())])
      await queue.stop({ graceful: false, close: true })
      await Promise.all([
        runtime.live.close(),
        runtime.mail.close(),
        runtime.cache.close(),
        runtime.files.close(),
        db.close(),
      ])
      redis?.close()
    },
  }
}

/** A folder, or a bucket; the bucket's library is loaded only where one is configured. */
async function openFiles({ app, s3 }: Config, links: FileLinks, log: Logger): Promise<Files> {
  if (!s3) return createLocalFiles({ folder: path.join(app.dataDir, 'files'), links })
  const { createS3Files } = await import('./platform/files/s3.ts')
  return createS3Files({ ...s3, links, log })
}

/** Where a server is named, mail goes out; otherwise it stays in the sandbox inbox. */
function openMail(config: Config, keep: StoreMail, onSandboxMail: StoreMail | undefined): MailTransport {
  const settings = config.smtp ? parseSmtpUrl(config.smtp.url) : null
  if (settings) return createSmtpTransport({ ...settings, connections: config.workers.sendConnections })
  return createSandboxTransport(async (raw, envelope, message) => {
    await Promise.all([keep(raw, envelope, message), onSandboxMail?.(raw, envelope, message)])
  })
}

/** The scaled cache and limits; the client's library is loaded only where Redis is configured. */
async function openRedis({ url, prefix }: NonNullable<Config['redis']>, log: Logger) {
  const [{ Redis }, { createRedisCache }, { createRedisLimiter }] = await Promise.all([
    import('ioredis'),
    import('./platform/cache/redis.ts'),
    import('./platform/limits/limits.ts'),
  ])
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(100 * 2 ** attempt, 2_000),
  })
  client.on('error', (error) => log.debug({ err: error }, 'redis'))
  return {
    cache: createRedisCache({
      url,
      prefix: `${prefix}:`,
      onFault: (error) => log.warn({ err: error }, 'Redis does not answer; going on without'),
    }),
    limits: createRedisLimiter(client, `${prefix}:limit`),
    close: () => client.disconnect(),
  }
}

/** Its library is loaded only where RabbitMQ is configured. */
async function openRabbitmq(
  { url, exchange, queue }: NonNullable<Config['rabbitmq']>,
  runtime: Runtime,
  all: Module[],
): Promise<Worker> {
  const { createRabbitmq } = await import('./platform/bus/rabbitmq.ts')
  return createRabbitmq(runtime.db, runtime, {
    url,
    exchange: exchange ?? 'rapport.events',
    queue: queue ?? 'rapport',
    hears: [...new Set(all.flatMap((module) => module.hears ?? []))],
    workspaceOf: (id) => workspaceForEvent(runtime.db, id),
  })
}

/** Draining goes round until a whole round changed nothing that another worker could wait for. */
function allOf(workers: Worker[]): Worker {
  return {
    start: () => workers.forEach((worker) => worker.start()),
    async drain() {
      for (let round = 0; round < 3; round++) for (const worker of workers) await worker.drain()
    },
    stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))),
  }
}
