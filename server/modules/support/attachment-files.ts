/** The files behind attachments: stored as they stream in, looked at on the way, asked about, and removed by a job. */
import { Readable } from 'node:stream'
import { Invalid, TooLarge } from '#platform/errors.ts'
import { FilesUnavailable } from '#platform/files/files.ts'
import { fileRemoval } from '#platform/files/removal.ts'
import { newId } from '#platform/ids.ts'
import type { Runtime } from '#platform/services.ts'
import {
  headBytes,
  keyName,
  kindOfName,
  normalizeName,
  requireContent,
  type AttachmentKind,
} from './attachment-types.ts'
import type { FileType } from './attachment-types.ts'
import type { ScanState } from './tables.ts'

/** Those of a row go after its commit, by the job; those that have no row yet, at once. */
export const { job: removeFilesJob, discard: discardFiles } = fileRemoval('support.remove_files', ['tickets'])

type Storing = Pick<Runtime, 'files' | 'scan' | 'log' | 'config' | 'db'>

export interface StoredAttachment {
  id: string
  fileName: string
  fileKey: string
  fileType: FileType
  mimeType: string
  sizeBytes: number
  sha256: string
  scan: ScanState
}

/** Nothing is kept of a file that is refused. No transaction is open. */
export async function storeAttachment(
  services: Storing,
  place: { workspaceId: string; ticketId: string },
  file: { name: string; content: Readable },
): Promise<StoredAttachment> {
  const id = newId()
  const fileName = normalizeName(file.name)
  const kind = kindOfName(fileName)
  const fileKey = `${place.workspaceId}/tickets/${place.ticketId}/${id}/${keyName(fileName)}`
  const bytesMax = services.config.tickets.attachmentSizeBytesMax
  const content = Readable.from(checked(file.content, kind), { objectMode: false })
  let isMaybeThere = false
  try {
    const put = await services.files.put(fileKey, content, { type: kind.mime, bytesMax }).catch((error: unknown) => {
      // The storage may have it all the same, when only its answer was lost.
      isMaybeThere = error instanceof FilesUnavailable
      throw error
    })
    if (!put.ok) {
      const limit = Math.floor(bytesMax / 1_000_000)
      throw new TooLarge('file_too_large', `A file has at most ${limit} MB here (MAX_ATTACHMENT_SIZE_MB).`)
    }
    isMaybeThere = true
    const { sizeBytes, sha256 } = put
    const scan = await scanAttachment(services, fileKey)
    return { id, fileName, fileKey, fileType: kind.type, mimeType: kind.mime, sizeBytes, sha256, scan }
  } catch (error) {
    if (isMaybeThere) await discardFiles(services, place.workspaceId, [fileKey])
    throw error
  }
}

/** Throws when something was found; the caller deletes the file. What could not be asked about waits in quarantine. */
export async function scanAttachment(
  services: Pick<Storing, 'files' | 'scan' | 'log'>,
  fileKey: string,
): Promise<ScanState> {
  const content = await services.files.get(fileKey)
  if (!content) throw new Invalid('file_gone', 'This file is not there any more.')
  // A scanner may stop reading early; a file that goes while its stream still opens must not end the program.
  content.on('error', () => {})
  const result = await services.scan.scan(content)
  switch (result.verdict) {
    case 'clean':
    case 'not_scanned':
      return result.verdict
    case 'unavailable':
      services.log.warn({ reason: result.reason }, 'an attachment could not be scanned and stays in quarantine')
      return 'pending'
    case 'infected':
      services.log.warn({ signature: result.signature }, 'an infected attachment was refused')
      throw Invalid.at('/file', 'infected', `The virus scanner found ${result.signature} in this file.`)
    default:
      return result satisfies never
  }
}

/** Stops the stream at the first chunk that shows that the file is not what its name says. */
async function* checked(content: Readable, kind: AttachmentKind): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0)
  for await (const chunk of content as AsyncIterable<Buffer>) {
    if (head) {
      head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)])
      if (head.length >= headBytes) {
        requireContent(kind, head)
        head = null
      }
    }
    yield chunk
  }
  if (head && head.length === 0) throw Invalid.at('/file', 'empty_file', 'The file is empty.')
  if (head) requireContent(kind, head)
}
