/** Runs the chosen roles in this process until a signal asks it to end, then lets what is in hand finish. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '../config.ts'
import { keepSecretKey } from '../config/secret-key.ts'
import { createApp, prepareDatabase, type App } from '../app.ts'
import { CannotStart } from '../platform/errors.ts'
import { startEmbedded, type Embedded } from '../platform/db/embedded.ts'
import { resendAllEvents } from '../platform/events/failed.ts'
import { createLog } from '../platform/observe/log.ts'

export type Role = 'api' | 'worker'

export interface ServeOptions {
  config: Config
  roles: Role[]
  demo: boolean
  /** Does this one thing and ends; null: runs until it is asked to stop. */
  only: 'migrate' | 'resend-events' | 'remove-demo' | null
  projectFolder: string
}

export async function serve(options: ServeOptions): Promise<void> {
  const { config, roles } = options
  const log = createLog({ level: logLevel(config), name: config.app.name })
  const stopped = untilAskedToStop()
  for (const warning of config.warnings) log.warn(warning)
  const secretKey = config.auth.secretKey ?? keepSecretKey(config.app.dataDir)
  const embedded = config.database ? null : await openEmbedded(config, log, stopped.ask)
  const databaseUrl = config.database?.url ?? embedded!.url
  let app: App | undefined
  try {
    await prepareDatabase(databaseUrl, log)
    if (options.only === 'migrate') return
    const webFolder = config.service ? null : findWeb(options.projectFolder)
    app = await createApp({
      config,
      databaseUrl,
      secretKey,
      log,
      works: !options.only && roles.includes('worker'),
      webFolder,
    })
    if (options.only === 'resend-events') {
      const count = await app.runtime.db.transaction('system', resendAllEvents)
      return console.log(count ? `${count} events are on their way again.` : 'No event had failed.')
    }
    if (options.only === 'remove-demo') {
      const { removeDemo } = await import('../demo/remove.ts')
      return console.log(await removeDemo(app.runtime, databaseUrl))
    }
    const demo = options.demo ? await import('../demo/open.ts').then(({ openDemo }) => openDemo(app!.runtime)) : []
    if (roles.includes('worker')) app.worker.start()
    if (roles.includes('api')) await listen(app, config, webFolder !== null, demo)
    else console.log('The worker runs. Ctrl-C stops it.')
    const signal = await stopped.asked
    log.info({ signal }, 'stopping')
  } finally {
    await withDeadline(app?.close(), config.app.shutdownTimeoutMs)
    await embedded?.stop()
  }
}

/** On a terminal people read: what is in order goes without saying there, unless LOG_LEVEL asks for more or less. */
function logLevel({ app }: Config): string {
  return process.stdout.isTTY && app.logLevel === 'info' ? 'warn' : app.logLevel
}

async function openEmbedded(
  config: Config,
  log: ReturnType<typeof createLog>,
  giveUp: (why: string) => void,
): Promise<Embedded> {
  const onGiveUp = (reason: Error): void => {
    log.fatal({ err: reason }, 'the database cannot be brought back')
    process.exitCode = 1
    giveUp('database')
  }
  const plain = { info: log.debug.bind(log), warn: log.warn.bind(log), error: log.error.bind(log) }
  return startEmbedded({ dataDir: config.app.dataDir, log: plain, onGiveUp })
}

async function listen(app: App, config: Config, hasWeb: boolean, demo: string[]): Promise<void> {
  const { port, host } = config.http
  await app.http.listen({ port, host }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    throw new CannotStart(`Port ${port} is in use by another program. Choose a free one with PORT.`)
  })
  const { publicUrl } = config.http
  console.log(`\n  Rapport is ready: ${publicUrl}`)
  if (!hasWeb) console.log(`  API: ${publicUrl}/docs`)
  else if (!demo.length) console.log('  Open it in a browser to sign in; the first visit sets up your workspace.')
  for (const line of demo) console.log(`  ${line}`)
  console.log('  Ctrl-C stops it.\n')
}

function findWeb(projectFolder: string): string | null {
  const folder = path.join(projectFolder, 'web', 'dist')
  return existsSync(path.join(folder, 'index.html')) ? folder : null
}

function untilAskedToStop(): { asked: Promise<string>; ask: (why: string) => void } {
  const { promise, resolve } = Promise.withResolvers<string>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal))
  return { asked: promise, ask: resolve }
}

/** What does not finish in time is left to recovery at the next start, which loses nothing. */
async function withDeadline(work: Promise<void> | undefined, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)))
  await Promise.race([work, late])
  clearTimeout(timer)
}
