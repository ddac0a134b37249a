// The files port: where uploads, exports and attachments lie. Keys are made by the program, never out of a file name that
// somebody typed: `${workspaceId}/tickets/${uuid}`. The display name and type stand in the module's own row.
import type { Readable } from 'node:stream'

export type StoredFile = { sizeBytes: number; sha256: string }
export type FileStat = { sizeBytes: number; modifiedAt: Date }

export type PutResult = ({ ok: true } & StoredFile) | { ok: false; failed: 'too_large' }

export type PutOptions = {
  /** The content type, for storages that keep one; the local folder does not. */
  type: string
  bytesMax: number
  signal?: AbortSignal
}

export type SignedUrlOptions = { expiresInMs: number; downloadName: string; type?: string }

export type Files = {
  /**
   * Stores wholly or not at all: nothing is seen under the key before the last byte is safe, and nothing is left behind
   * when the source fails, is too large, or the signal aborts. An existing file is replaced.
   */
  put(key: string, content: Readable | Uint8Array, options: PutOptions): Promise<PutResult>
  /** Null when there is no such file. */
  get(key: string): Promise<Readable | null>
  stat(key: string): Promise<FileStat | null>
  exists(key: string): Promise<boolean>
  /** Deleting what is not there is fine. */
  delete(key: string): Promise<void>
  /** All keys below a folder such as `${workspaceId}/`. */
  list(prefix: string): AsyncIterable<string>
  /** A link that works for everybody who has it, until it expires; it downloads and never displays. */
  signedUrl(key: string, options: SignedUrlOptions): Promise<string>
  /** Throws where files can neither be stored nor read at the moment. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * The storage does not answer, or not as it should: 503 to whoever asked, and tried again by jobs. The message is for the log
 * of the house; `code` is the storage's own word.
 */
export class FilesUnavailable extends Error {
  readonly code: string
  constructor(message: string, code = 'unavailable') {
    super(message)
    this.code = code
  }
}

const KEY = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,127}\/){0,7}[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** A bad key is a mistake in the program, not of a person: it throws. */
export function assertKey(key: string): void {
  if (!KEY.test(key) || key.includes('..')) throw new Error(`Not a file key: ${JSON.stringify(key.slice(0, 100))}`)
}
