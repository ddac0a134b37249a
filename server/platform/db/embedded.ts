/**
 * The built-in PostgreSQL: a real server, made, started, watched and stopped by Rapport, so that a laptop needs
 * nothing but Node. It promises that what was acknowledged survives the death of any process, and that one data
 * folder is used by one Rapport at a time.
 */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findBinaries } from './embedded/binaries.ts'
import { createCluster, createDatabase, ownerUrl, readPassword } from './embedded/cluster.ts'
import { lockFolder } from './embedded/lock.ts'
import { chooseSystemUser } from './embedded/system-user.ts'
import { findFreePort, launchPostgres, type PostgresProcess, stopOrphan } from './embedded/process.ts'

export type EmbeddedLog = { info(message: string): void; warn(message: string): void; error(message: string): void }

export type EmbeddedOptions = {
  dataDir: string
  log: EmbeddedLog
  /** False turns fsync off. For throw-away test servers only. */
  durable?: boolean
  /** Called once, when the server could not be brought back. The program should end: without a database it is deaf. */
  onGiveUp?: (reason: Error) => void
}

export type Embedded = AsyncDisposable & {
  /** Connects as the owner of the database `rapport`, who may create roles and extensions. */
  url: string
  /** Ends connections, writes a checkpoint, and frees the data folder. */
  stop(): Promise<void>
}

// A postmaster that was killed leaves children for a moment, and the next one refuses to start beside them. These
// waits (9 s together) outlast that, and then give up rather than spin.
const restartDelaysMs = [0, 50, 100, 250, 500, 1000, 2000, 5000]

/** Starts the server of a data folder, making it on first use. Rejects with one plain sentence when it cannot. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { log, durable = true } = options
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true })
  const lock = lockFolder(dataDir)
  try {
    const folder = join(dataDir, 'postgres')
    const user = chooseSystemUser(folder, log)
    const place = { folder, user, binaries: findBinaries(user, log), logFile: join(dataDir, 'postgres.log') }
    await stopOrphan(folder, log)
    const password = readPassword(dataDir, folder)
    await createCluster(place, password, durable, log)
    const port = await findFreePort()
    const server = await launchPostgres(place, port, durable, log)
    const url = ownerUrl(port, password)
    const watch = watchOver(server, () => launchPostgres(place, port, durable, log), options)
    const stop = async () => {
      await watch.stop()
      lock.release()
    }
    try {
      await createDatabase(url)
    } catch (error) {
      await stop()
      throw error
    }
    return { url, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Keeps one server running on its port until told to stop. */
function watchOver(first: PostgresProcess, launch: () => Promise<PostgresProcess>, options: EmbeddedOptions) {
  let server: PostgresProcess | null = first
  let stopping = false
  // A program that ends without stop() (an uncaught error, process.exit) must not leave its server behind.
  const endServer = () => server?.askToEnd()
  process.once('exit', endServer)

  const watching = (async () => {
    while (server) {
      const ending = await server.ended
      if (stopping) return
      options.log.error(`PostgreSQL ended unexpectedly (${ending}); starting it again.`)
      server = await relaunch(launch, () => stopping, options)
      // Told to stop meanwhile: stop() ends this server as well, when it has seen us leave.
      if (stopping) return
    }
  })()

  return {
    async stop() {
      stopping = true
      await server?.stop()
      await watching
      await server?.stop()
      process.off('exit', endServer)
    },
  }
}

async function relaunch(launch: () => Promise<PostgresProcess>, stopping: () => boolean, options: EmbeddedOptions) {
  let reason: unknown
  for (const delayMs of restartDelaysMs) {
    await pause(delayMs)
    if (stopping()) return null
    try {
      const server = await launch()
      options.log.warn('PostgreSQL is back; no acknowledged data was lost.')
      return server
    } catch (error) {
      reason = error
    }
  }
  options.log.error('PostgreSQL could not be started again.')
  options.onGiveUp?.(new Error('The built-in PostgreSQL could not be started again.', { cause: reason }))
  return null
}
