/**
 * One Rapport per data folder. Node has no flock, but its SQLite takes an operating system lock on a file: the kernel
 * frees it when the process dies, however it dies, so there is no stale lock to judge by pids and clocks, and two
 * containers that share a volume see each other.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CannotStart } from '../../errors.ts'

// Started again right after a kill, we meet the earlier copy on its way out. It is given this long before we refuse.
const patienceMs = 2000

export type FolderLock = { release(): void }

/** Takes the folder, or throws a sentence that names who holds it. */
export function lockFolder(dataDir: string): FolderLock {
  const pidFile = join(dataDir, 'rapport.pid')
  const database = openLockFile(dataDir)
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!String(error).includes('locked')) throw error
    throw new CannotStart(
      `The data folder ${dataDir} is in use by another running Rapport (process ${readPid(pidFile)}). ` +
        'Stop that one first, or give this one its own folder and port with DATA_DIR and PORT.',
      { cause: error },
    )
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  // Closing the file frees the lock. The file itself stays: removing it would let two processes lock two files.
  return { release: () => database.isOpen && database.close() }
}

function openLockFile(dataDir: string) {
  try {
    return new DatabaseSync(join(dataDir, 'rapport.lock'), { timeout: patienceMs })
  } catch (error) {
    throw new CannotStart(
      `The data folder ${dataDir} cannot be written to by this user. Choose another with DATA_DIR.`,
      {
        cause: error,
      },
    )
  }
}

function readPid(pidFile: string) {
  try {
    return readFileSync(pidFile, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
