/** Files that came in to be imported: stored as they are, looked at from their beginning. */
import { Readable } from 'node:stream'
import type { Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid, NotFound, TooLarge } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Files } from '#platform/files/files.ts'
import type { Services } from '#platform/services.ts'
import { createInspector, decode, type Encoding } from './encoding.ts'
import { detectLayout, readSample, type Layout } from './detect.ts'
import { suggestTargets, type Suggestion } from './mapping.ts'
import type { ImportUploadTable } from './tables.ts'

export type Upload = Selectable<ImportUploadTable>

export interface StoredUpload {
  id: string
  fileKey: string
  fileName: string
  sizeBytes: number
  encoding: Encoding
  lines: number
}

/** Streams a file into the store while looking at it; nothing is kept of one that is refused. No transaction is open. */
export async function storeUpload(
  services: Services,
  workspaceId: string,
  file: { name: string; content: Readable },
): Promise<StoredUpload> {
  const id = newId()
  const fileKey = `${workspaceId}/imports/${id}.csv`
  const inspector = createInspector()
  async function* inspected(): AsyncGenerator<Buffer> {
    for await (const chunk of file.content as AsyncIterable<Buffer>) {
      inspector.inspect(chunk)
      yield chunk
    }
  }
  const bytesMax = services.config.limits.uploadSizeBytesMax
  const put = await services.files.put(fileKey, Readable.from(inspected(), { objectMode: false }), {
    type: 'text/csv',
    bytesMax,
  })
  if (!put.ok)
    throw new TooLarge(
      'file_too_large',
      `A file has at most ${Math.floor(bytesMax / 1_000_000)} MB here (UPLOAD_SIZE_MAX_MB).`,
    )
  if (put.sizeBytes === 0) {
    await services.files.delete(fileKey)
    throw Invalid.at('/file', 'empty_file', 'The file is empty.')
  }
  return { id, fileKey, fileName: cleanName(file.name), sizeBytes: put.sizeBytes, ...inspector.finish() }
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
      encoding: upload.encoding,
      lines: upload.lines,
      created_by: actor.kind === 'user' ? actor.id : null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function getUpload(tx: Tx, id: string): Promise<Upload> {
  const upload = await tx.sql.selectFrom('contacts.import_uploads').selectAll().where('id', '=', id).executeTakeFirst()
  if (!upload) throw new NotFound('upload')
  return upload
}

export interface Look {
  encoding: Encoding
  layout: Layout
  header: string[]
  rows: string[][]
  /** Of each column, at most five that are not empty. */
  samples: string[][]
  suggestions: Suggestion[]
}

export interface Told {
  encoding?: Encoding | undefined
  delimiter?: string | undefined
  has_header?: boolean | undefined
}

const sampleLength = 100_000
const sampleRows = 20

/** Reads the beginning of a file and says what it seems to be. */
export async function lookAt(files: Files, upload: Pick<Upload, 'file_key' | 'encoding'>, told: Told): Promise<Look> {
  const encoding = told.encoding ?? (upload.encoding as Encoding)
  const sample = await readStart(files, upload.file_key, encoding)
  const layout = detectLayout(sample.text, { delimiter: told.delimiter, hasHeader: told.has_header })
  const records = readSample(sample.text, layout, 1_000, sample.isWhole)
  const head = records[0]
  if (!head) throw Invalid.at('/file', 'empty_file', 'The file has no rows.')
  if (head.problem)
    throw Invalid.at('/file', head.problem, 'The first line cannot be read as columns. Is this a CSV file?')
  const header = layout.hasHeader ? nameColumns(head.cells) : head.cells.map((_, index) => `Column ${index + 1}`)
  const body = (layout.hasHeader ? records.slice(1) : records).filter(({ problem }) => !problem)
  const samples = header.map((_, index) => firstValues(body.map(({ cells }) => cells[index] ?? '')))
  const rows = body.slice(0, sampleRows).map(({ cells }) => cells.slice(0, header.length))
  return { encoding, layout, header, rows, samples, suggestions: suggestTargets(header, samples) }
}

async function readStart(files: Files, key: string, encoding: Encoding): Promise<{ text: string; isWhole: boolean }> {
  const source = await files.get(key)
  if (!source) throw new NotFound('upload')
  let text = ''
  try {
    for await (const piece of decode(source, encoding)) {
      text += piece.text
      if (piece.isLast) return { text, isWhole: true }
      if (text.length > sampleLength) return { text, isWhole: false }
    }
    return { text, isWhole: true }
  } finally {
    source.destroy()
  }
}

/** A header may name two columns alike, or not at all; each still needs a name of its own. */
function nameColumns(cells: string[]): string[] {
  const seen = new Map<string, number>()
  return cells.map((cell, index) => {
    const name = cell.trim().slice(0, 200) || `Column ${index + 1}`
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name} (${count})`
  })
}

function firstValues(cells: string[]): string[] {
  const values = new Set<string>()
  for (const cell of cells) {
    if (cell.trim()) values.add(cell.trim().slice(0, 200))
    if (values.size === 5) break
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
