/**
 * PostgreSQL refuses to run as root. Started as root (a container, a small server), Rapport runs it under a system
 * user that owns the database's folder and nothing else.
 */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import type { EmbeddedLog } from '../embedded.ts'

/** Null: as ourselves. */
export type SystemUser = { name: string; uid: number; gid: number } | null

/** Decides who runs the server of this folder. A folder that exists already is run by its owner. */
export function chooseSystemUser(folder: string, log: EmbeddedLog): SystemUser {
  const owner = statSync(folder, { throwIfNoEntry: false })
  const self = process.geteuid?.()
  if (self !== 0) {
    if (owner && self !== undefined && owner.uid !== self) {
      throw new Error(
        `The database folder ${folder} belongs to another user (uid ${owner.uid}). ` +
          'Start Rapport as that user or as root, or choose another folder with DATA_DIR.',
      )
    }
    return null
  }
  if (owner && owner.uid !== 0) return { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid }
  return findUser('rapport') ?? createUser(log) ?? findUser('postgres') ?? findUser('nobody') ?? refuse()
}

/** Whether the user may run or enter this path. An ACL counts too, so the system is asked instead of the mode bits. */
export function mayExecute(user: SystemUser, path: string): boolean {
  if (!user) return true
  return spawnSync('/bin/sh', ['-c', 'test -x "$0"', path], { uid: user.uid, gid: user.gid, cwd: '/' }).status === 0
}

function findUser(name: string): SystemUser {
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, name]).stdout?.toString() || NaN))
  return uid && gid ? { name, uid, gid } : null
}

function createUser(log: EmbeddedLog): SystemUser {
  const debian = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/bin/false']
  spawnSync('useradd', [...debian, 'rapport'])
  // Alpine has BusyBox's adduser instead.
  if (!findUser('rapport')) spawnSync('adduser', ['-S', '-D', '-H', '-s', '/bin/false', 'rapport'])
  const user = findUser('rapport')
  if (user) log.info('Running as root: made the system user "rapport", under which PostgreSQL runs.')
  return user
}

function refuse(): never {
  throw new Error(
    'PostgreSQL does not run as root, and this system has no other user for it. ' +
      'Start Rapport as a normal user, or point DATABASE_URL at a PostgreSQL of yours.',
  )
}
