/** Makes the database cluster of a data folder, once, so that a start killed half-way through leaves nothing broken. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import type { EmbeddedLog } from '../embedded.ts'
import type { Binaries } from './binaries.ts'
import { addressOf } from './process.ts'
import type { SystemUser } from './system-user.ts'

export type Place = { folder: string; user: SystemUser; binaries: Binaries; logFile: string }

const owner = 'rapport'
const database = 'rapport'

// Text sorts by ICU's root collation, so that "élan" stands beside "eau" in every language. The C library's locale
// still decides what a letter is for pg_trgm and full-text search, and must know UTF-8. macOS has no C.UTF-8.
const cLocales = ['C.UTF-8', 'en_US.UTF-8', 'C']

/** The owner's connection string. */
export function ownerUrl(port: number, password: string): string {
  return `postgres://${owner}:${password}@127.0.0.1:${port}/${database}`
}

/** Reads the owner's password, or makes one for a cluster that does not exist yet. */
export function readPassword(dataDir: string, folder: string): string {
  const file = join(dataDir, 'postgres.password')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  if (existsSync(folder)) {
    throw new Error(`The database ${folder} is there, but its password file ${file} is missing. Put it back.`)
  }
  const password = randomBytes(32).toString('base64url')
  writeFileSync(`${file}.new`, `${password}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
  return password
}

/** Runs initdb into a folder beside, and renames it into place when it is whole. */
export async function createCluster(place: Place, password: string, durable: boolean, log: EmbeddedLog): Promise<void> {
  if (existsSync(place.folder)) return refuseOtherVersion(place)
  log.info('First start: making the database.')
  const unfinished = `${place.folder}.new`
  const passwordFile = join(unfinished, 'password')
  for (const locale of cLocales) {
    rmSync(unfinished, { recursive: true, force: true })
    // initdb wants an empty folder, so the password lies one level above the cluster.
    mkdirSync(join(unfinished, 'cluster'), { recursive: true })
    writeFileSync(passwordFile, password, { mode: 0o600 })
    for (const path of [unfinished, join(unfinished, 'cluster'), passwordFile]) giveTo(place.user, path)
    const failure = await runInitdb({ ...place, folder: join(unfinished, 'cluster') }, locale, durable)
    if (failure === null) break
    if (!failure.includes('invalid locale') || locale === 'C') throw new Error(`PostgreSQL's initdb failed: ${failure}`)
  }
  renameSync(join(unfinished, 'cluster'), place.folder)
  rmSync(unfinished, { recursive: true, force: true })
}

/** Makes the database itself where the cluster has none yet. */
export async function createDatabase(url: string): Promise<void> {
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  const client = new Client({ connectionString: maintenance.href })
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (!rowCount) await client.query(`CREATE DATABASE ${database}`)
  } finally {
    await client.end()
  }
}

function refuseOtherVersion({ folder, binaries }: Place) {
  const found = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim()
  if (found === binaries.majorVersion) return
  throw new Error(
    `The database ${folder} was made by PostgreSQL ${found}, and this Rapport brings PostgreSQL ${binaries.majorVersion}. ` +
      'Move the data over with pg_dump and pg_restore, or start the earlier version.',
  )
}

function giveTo(user: SystemUser, path: string) {
  if (!path.endsWith('password')) chmodSync(path, 0o700)
  if (!user) return
  try {
    chownSync(path, user.uid, user.gid)
  } catch (error) {
    throw new Error(
      `Cannot give ${path} to the user "${user.name}", under which PostgreSQL runs. ` +
        'Choose a folder on a local disk with DATA_DIR, or start Rapport as a normal user.',
      { cause: error },
    )
  }
}

/** Answers null, or what initdb complained of. */
async function runInitdb(place: Place, locale: string, durable: boolean): Promise<string | null> {
  const { program, path, options } = addressOf(place, place.binaries.initdb)
  const flags = [
    `--pgdata=${path}`,
    `--username=${owner}`,
    // The folder above the cluster, as seen from the cluster, which is the working folder: see addressOf.
    '--pwfile=../password',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=icu',
    '--icu-locale=und',
    `--locale=${locale}`,
    '--lc-messages=C',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ]
  return await new Promise((done, fail) => {
    let complaint = ''
    const child = spawn(program, flags, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    child.on('error', fail)
    child.on('close', (code) => done(code === 0 ? null : complaint.trim() || `exit code ${code}`))
  })
}
