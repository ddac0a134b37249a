/* One preparation at a time. A lock whose holder has died is taken over. */
'use strict'

const fs = require('node:fs')
const path = require('node:path')

/** Runs the work while holding the lock, which is a folder: making one succeeds for one process alone. */
exports.withLock = async function withLock(runtime, work) {
  makeFolder(runtime)
  const lock = path.join(runtime, 'install.lock')
  let told = false
  while (!take(lock)) {
    if (!told) console.error('Another start is preparing this copy of Rapport; waiting for it.')
    told = true
    await new Promise((done) => setTimeout(done, 200))
  }
  try {
    return work()
  } finally {
    fs.rmSync(lock, { recursive: true, force: true })
  }
}

function makeFolder(runtime) {
  try {
    fs.mkdirSync(runtime, { recursive: true })
    fs.accessSync(runtime, fs.constants.W_OK)
  } catch {
    throw new Error(
      'Rapport has to install something here, and this user may not write to ' +
        runtime +
        '. Start it once as the owner of the folder.',
    )
  }
}

function take(lock) {
  const mine = lock + '.' + process.pid
  try {
    // Made whole beside and renamed into place, so that a lock without its owner's pid is never seen.
    fs.mkdirSync(mine, { recursive: true })
    fs.writeFileSync(path.join(mine, 'pid'), String(process.pid))
    fs.renameSync(mine, lock)
    return true
  } catch {
    fs.rmSync(mine, { recursive: true, force: true })
    if (!ownerLives(lock)) fs.rmSync(lock, { recursive: true, force: true })
    return false
  }
}

function ownerLives(lock) {
  try {
    // After a reboot the pid may be another program's; no preparation takes half an hour.
    if (Date.now() - fs.statSync(lock).mtimeMs > 30 * 60_000) return false
    process.kill(Number(fs.readFileSync(path.join(lock, 'pid'), 'utf8')), 0)
    return true
  } catch (error) {
    // EPERM: alive, and another user's. ENOENT: just freed, so the next attempt will tell.
    return error.code === 'EPERM' || error.code === 'ENOENT'
  }
}
