import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The key of a copy that was given none: made once, kept in the data folder for its owner's eyes only. Losing it signs
 * everybody out and breaks the links in mails already sent, so it must reach the disk before anything is signed.
 */
export function keepSecretKey(dataDir: string): string {
  const file = join(dataDir, 'secret.key')
  mkdirSync(dataDir, { recursive: true })
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    const unfinished = `${file}.${process.pid}`
    writeFileSync(unfinished, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flush: true })
    // A link, unlike a rename, does not replace: of two first starts at once, both end up with the winner's key.
    linkUnlessThere(unfinished, file)
    rmSync(unfinished)
    return readFileSync(file, 'utf8').trim()
  }
}

function linkUnlessThere(from: string, to: string) {
  try {
    linkSync(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
