/** Files that came in to be imported: stored as they are, scanned, looked at from their beginning. */
import { Readable } from 'node:stream'
import type { Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotFound, TooLarge } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Files } from '#platform/files/files.ts'
import type { Runtime } from '#platform/services.ts'
import { discardFiles } from '../stored-files.ts'
import { readBeginning, type Told } from './formats/beginning.ts'
import type { FileLayout } from './formats/stream.ts'
import { createInspector, type Inspection } from './formats/inspect.ts'
import { openWorkbook } from './formats/xlsx.ts'
import { suggestTargets, type Suggestion } from './mapping.ts'
import { scanFile, type ScanState } from './scanning.ts'
import type { ImportUploadTable } from './tables.ts'

export type Upload = Selectable<ImportUploadTable>

export interface StoredUpload extends Inspection {
  id: string
  fileKey: string
  fileName: string
  sizeBytes: number
  scan: ScanState
}

/** Streams a file into the store while looking at it; nothing is kept of one that is refused. No transaction is open. */
export async function storeUpload(
  services: Runtime,
  workspaceId: string,
  file: { name: string; content: Readable },
): Promise<StoredUpload> {
  const id = newId()
  const fileKey = `${workspaceId}/imports/${id}`
  const inspector = createInspector()
  async function* inspected(): AsyncGenerator<Buffer> {
    for await (const chunk of file.content as AsyncIterable<Buffer>) {
      inspector.inspect(chunk)
      yield chunk
    }
  }
  const bytesMax = services.config.limits.uploadSizeBytesMax
  try {
    const content = Readable.from(inspected(), { objectMode: false })
    const put = await services.files.put(fileKey, content, { type: 'application/octet-stream', bytesMax })
    if (!put.ok) {
      const limit = Math.floor(bytesMax / 1_000_000)
      throw new TooLarge('file_too_large', `A file has at most ${limit} MB here (UPLOAD_SIZE_MAX_MB).`)
    }
    if (put.sizeBytes === 0) throw Invalid.at('/file', 'empty_file', 'The file is empty.')
    const inspection = inspector.finish()
    // Asked before anything is unpacked.
    const scan = await scanFile(services, fileKey)
    const lines = inspection.format === 'xlsx' ? await rowsIn(services.files, fileKey) : inspection.lines
    return { id, fileKey, fileName: cleanName(file.name), sizeBytes: put.sizeBytes, scan, ...inspection, lines }
  } catch (error) {
    // Also where storing failed: the storage may have it all the same, when only its answer was lost.
    await discardFiles(services, workspaceId, [fileKey])
    throw error
  }
}

async function rowsIn(files: Files, key: string): Promise<number> {
  return (await openWorkbook(await openFile(files, key))).rows
}

export async function openFile(files: Files, key: string): Promise<Readable> {
  const source = await files.get(key)
  if (!source) throw new Invalid('file_gone', 'The file of this import is not there any more. Upload it again.')
  return source
}

/** Gives the file its row, without which nobody would ever find it. No transaction is open. */
export async function keepUpload(runtime: Runtime, actor: Actor, upload: StoredUpload): Promise<Upload> {
  try {
    return await runtime.db.transaction(actor.workspaceId, (tx) => recordUpload(tx, actor, upload))
  } catch (error) {
    await discardFiles(runtime, actor.workspaceId, [upload.fileKey])
    throw error
  }
}

export async function recordUpload(tx: Tx, actor: Actor, upload: StoredUpload): Promise<Upload> {
  return tx.sql
    .insertInto('contacts.import_uploads')
    .values({
      workspace_id: tx.workspaceId,
      id: upload.id,
      file_key: upload.fileKey,
      file_name: upload.fileName,
      size_bytes: upload.sizeBytes,
      format: upload.format,
      encoding: upload.encoding,
      lines: upload.lines,
      scan: upload.scan,
      scanned_at: upload.scan === 'clean' ? tx.now : null,
      created_by: actor.kind === 'user' ? actor.id : null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** A file whose time is over is as good as none. */
export async function getUpload(tx: Tx, id: string): Promise<Upload> {
  const upload = await tx.sql
    .selectFrom('contacts.import_uploads')
    .selectAll()
    .where('id', '=', id)
    .where('file_deleted_at', 'is', null)
    .executeTakeFirst()
  if (!upload) throw new NotFound('upload')
  return upload
}

export interface Look {
  layout: FileLayout
  sheets: string[]
  header: string[]
  rows: string[][]
  /** Of each column, at most a hundred that are not empty, each once. */
  samples: string[][]
  preset: string | null
  suggestions: Suggestion[]
}

const samplesMax = 100

/** Reads the beginning of a file and says what it seems to be. */
export async function lookAt(files: Files, upload: Upload, told: Told): Promise<Look> {
  const source = await openFile(files, upload.file_key)
  const { layout, sheets, rows } = await readBeginning(source, upload, told)
  const { header } = layout
  const samples = header.map((_, index) => firstValues(rows.map((cells) => cells[index] ?? '')))
  const { preset, suggestions } = suggestTargets(header, samples, layout.format)
  return {
    layout,
    sheets,
    header,
    rows: rows.map((cells) => cells.slice(0, header.length)),
    samples,
    preset,
    suggestions,
  }
}

function firstValues(cells: string[]): string[] {
  const values = new Set<string>()
  for (const cell of cells) {
    if (cell.trim()) values.add(cell.trim().slice(0, 200))
    if (values.size === samplesMax) break
  }
  return [...values]
}

/** For showing: without a path, control characters or the marks that turn text around. */
function cleanName(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? ''
  return (
    base
      .replace(/[\p{Cc}\p{Cf}]/gu, '')
      .trim()
      .slice(0, 200) || 'contacts.csv'
  )
}
