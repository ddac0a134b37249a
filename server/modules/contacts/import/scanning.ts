/**
 * Whether a file may be worked with. One that a scanner condemned is deleted at once; one that could not be asked about
 * stays in quarantine, can be looked at and mapped, and is imported only after an answer.
 */
import type { Tx } from '#platform/db/db.ts'
import { Invalid, Unavailable } from '#platform/errors.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { removeFilesJob } from '../stored-files.ts'

export const scanStates = ['not_scanned', 'clean', 'pending', 'infected'] as const
export type ScanState = (typeof scanStates)[number]

/** Throws when something was found; the caller deletes the file. */
export async function scanFile(services: Pick<Services, 'files' | 'scan' | 'log'>, key: string): Promise<ScanState> {
  const source = await services.files.get(key)
  if (!source) throw new Invalid('file_gone', 'The file of this import is not there any more. Upload it again.')
  const result = await services.scan.scan(source)
  switch (result.verdict) {
    case 'clean':
    case 'not_scanned':
      return result.verdict
    case 'unavailable':
      services.log.warn({ reason: result.reason }, 'a file could not be scanned and stays in quarantine')
      return 'pending'
    case 'infected':
      services.log.warn({ signature: result.signature }, 'an infected file was refused')
      throw infected(result.signature)
    default:
      return result satisfies never
  }
}

function infected(signature: string): Invalid {
  return Invalid.at('/file', 'infected', `The virus scanner found ${signature} in this file, so it was deleted.`)
}

interface Quarantined {
  id: string
  file_key: string
  scan: ScanState
}

/** Before an import reads its file. Throws when the file is condemned, or when nobody has answered yet. */
export async function requireScanned(
  runtime: Runtime,
  inTx: <T>(run: (tx: Tx) => Promise<T>) => Promise<T>,
  upload: Quarantined,
): Promise<void> {
  if (upload.scan === 'infected') throw new Invalid('infected', 'The virus scanner condemned this file.')
  if (upload.scan !== 'pending') return
  const state = await scanAgain(runtime, inTx, upload)
  if (state === 'pending')
    throw new Unavailable('scanner_unavailable', 'The virus scanner does not answer. The file waits in quarantine.', {
      retryAfterSeconds: 60,
    })
}

/** Asks once more and writes down what came of it. */
export async function scanAgain(
  runtime: Runtime,
  inTx: <T>(run: (tx: Tx) => Promise<T>) => Promise<T>,
  upload: Quarantined,
): Promise<ScanState> {
  try {
    const state = await scanFile(runtime, upload.file_key)
    if (state !== 'pending') await inTx((tx) => setState(tx, upload.id, state))
    return state
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    await inTx(async (tx) => {
      await setState(tx, upload.id, 'infected')
      await tx.enqueue(removeFilesJob.kind, { keys: [upload.file_key] })
    })
    throw error
  }
}

async function setState(tx: Tx, id: string, scan: ScanState): Promise<void> {
  const deleted = scan === 'infected' ? { file_deleted_at: tx.now } : {}
  await tx.sql
    .updateTable('contacts.import_uploads')
    .set({ scan, scanned_at: scan === 'not_scanned' ? null : tx.now, ...deleted })
    .where('id', '=', id)
    .where('scan', '=', 'pending')
    .execute()
}
