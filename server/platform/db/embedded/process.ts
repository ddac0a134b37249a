/** One PostgreSQL process: its settings, its start, its end, and the orphan that a killed Rapport leaves behind. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, readlinkSync, realpathSync, renameSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { EmbeddedLog } from '../embedded.ts'
import type { Place } from './cluster.ts'
import { mayExecute } from './system-user.ts'

export type PostgresProcess = {
  /** Resolves when the process is gone, to how it went. */
  ended: Promise<string>
  askToEnd(): void
  stop(): Promise<void>
}

const stopWithinMs = 20_000
const logSizeBytesMax = 10_000_000

// For a small machine. Durable: what is acknowledged is on disk (fsync, full pages and synchronous commit stay on).
// The log keeps starts, stops and crashes alone, because errors and statements quote people's data.
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 60,
  shared_buffers: '128MB',
  effective_cache_size: '512MB',
  // A parallel hash takes up to 2 × this per process from /dev/shm, of which a container has 64 MB.
  work_mem: '8MB',
  maintenance_work_mem: '128MB',
  max_parallel_workers: 2,
  max_wal_size: '1GB',
  min_wal_size: '128MB',
  random_page_cost: 1.1,
  jit: 'off',
  // A first import or a morning's mail makes a small table large within a minute, and the planner must hear of it.
  autovacuum_naptime: '15s',
  shared_preload_libraries: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
}
const throwAway = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: 200 }

/**
 * A free port of the loopback interface. Not a Unix socket: its path may have 107 bytes, which a folder inside a home
 * soon exceeds, and every PostgreSQL client understands a port. The password keeps the machine's other users out.
 */
export async function findFreePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done, fail) => probe.once('error', fail).listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise((done) => probe.close(done))
  if (!address || typeof address === 'string') throw new Error('The system has no free port on 127.0.0.1.')
  return address.port
}

/**
 * How to run a program on the cluster's folder. The working folder is set while we are still root. Where the system
 * user may not walk there from `/` (root's home, a private temporary folder), Linux lets it in by its own working folder.
 */
export function addressOf({ folder, user }: Pick<Place, 'folder' | 'user'>, program: string) {
  const identity = user ? { uid: user.uid, gid: user.gid } : {}
  const path = mayExecute(user, folder) ? folder : '/proc/self/cwd'
  if (path !== folder && process.platform !== 'linux') {
    throw new Error(`The user "${user?.name}" may not enter ${folder}. Choose a folder open to it with DATA_DIR.`)
  }
  // The environment is not handed on: it holds secrets that the database has no need of.
  return { program, path, options: { cwd: folder, env: { PATH: '/usr/bin:/bin' }, ...identity } }
}

/** Starts the server and waits until it takes connections. */
export async function launchPostgres(
  place: Place,
  port: number,
  durable: boolean,
  log: EmbeddedLog,
): Promise<PostgresProcess> {
  const { program, path, options } = addressOf(place, place.binaries.postgres)
  const chosen = Object.entries({ ...settings, ...(durable ? {} : throwAway), port })
  const output = openLog(place.logFile)
  // Its own session: Ctrl-C reaches every process of the terminal's group, and the database must outlive our drain.
  const child = spawn(program, ['-D', path, ...chosen.flatMap(([name, value]) => ['-c', `${name}=${value}`])], {
    ...options,
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  let gone = false
  const ended = new Promise<string>((done) => {
    child.once('error', (error) => done(error.message))
    child.once('exit', (code, signal) => done(signal ?? `exit code ${code}`))
  }).finally(() => (gone = true))
  // Fast shutdown: SIGINT rolls back what is open, disconnects everyone and writes a checkpoint.
  const askToEnd = () => void child.kill('SIGINT')
  const server: PostgresProcess = {
    ended,
    askToEnd,
    async stop() {
      if (gone) return
      askToEnd()
      if (await settlesWithin(ended, stopWithinMs)) return
      log.warn('PostgreSQL did not stop in time; ending it at once. It recovers at the next start.')
      child.kill('SIGQUIT')
      await ended
    },
  }
  await waitUntilReady(() => gone, place, child.pid, log)
  if (gone) throw new Error(`PostgreSQL did not start (${await ended}). Its log ends:\n${lastLines(place.logFile)}`)
  return server
}

/** A killed Rapport leaves its server running. It is shut down in good order, so that the next one starts clean. */
export async function stopOrphan(folder: string, log: EmbeddedLog): Promise<void> {
  const pid = Number(readStatus(folder)[0])
  if (!pid || !servesFolder(pid, folder)) return
  log.info(`Found PostgreSQL still running after an earlier end (process ${pid}); stopping it first.`)
  process.kill(pid, 'SIGINT')
  for (const deadline = Date.now() + stopWithinMs; servesFolder(pid, folder); await pause(20)) {
    if (Date.now() > deadline) throw new Error(`PostgreSQL (process ${pid}) does not stop. End it, then start again.`)
  }
}

/** As long as the process lives it is getting there: replaying a gigabyte of log on a slow disk takes minutes. */
async function waitUntilReady(gone: () => boolean, place: Place, pid: number | undefined, log: EmbeddedLog) {
  const start = Date.now()
  for (let told = false; !gone(); await pause(10)) {
    const status = readStatus(place.folder)
    if (Number(status[0]) === pid && status[7]?.trim() === 'ready') return
    if (told || Date.now() - start < 3000) continue
    log.info('PostgreSQL is still starting (recovering after a crash takes longer).')
    told = true
  }
}

/** The lines of postmaster.pid: process id first, "ready" eighth. Empty while there is none. */
function readStatus(folder: string): string[] {
  try {
    return readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

/** A pid alone proves nothing after a reboot, so the process must also be a PostgreSQL, and of this folder. */
function servesFolder(pid: number, folder: string): boolean {
  if (process.platform !== 'linux') return spawnSync('ps', ['-o', 'comm=', '-p', `${pid}`]).stdout.includes('postgres')
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder)
  } catch {
    return false
  }
}

function openLog(file: string) {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > logSizeBytesMax) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

function lastLines(file: string) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n')
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const patience = new AbortController()
  const late = pause(ms, false, { signal: patience.signal }).catch(() => false)
  const settled = await Promise.race([promise.then(() => true), late])
  patience.abort()
  return settled
}
