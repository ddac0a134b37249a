/**
 * Uploaded files that a person stands in, when the person is erased: the whole file goes, because nobody may keep it and a
 * file with a hole is no longer what was uploaded. The import's history stays, and so does what an undo needs: that is in the
 * database. A file whose import still runs stays until that has ended, and is counted as kept.
 */
import { sql } from 'kysely'
import type { Readable } from 'node:stream'
import type { PersonalData, Person } from '#platform/privacy/personal-data.ts'
import { tracesOf } from '#platform/privacy/scrub.ts'

type Place = Parameters<NonNullable<PersonalData['sweep']>>[0]

interface Upload {
  id: string
  file_key: string
  in_use: boolean
}

const batchSize = 100

export async function sweepUploads(place: Place, person: Person): Promise<Record<string, number>> {
  const counts = { 'contacts.import_uploads': 0, 'contacts.import_uploads (kept until their import ends)': 0 }
  const texts = tracesOf(person)
  let after = '00000000-0000-0000-0000-000000000000'
  for (let uploads = await nextUploads(place, after); uploads.length; uploads = await nextUploads(place, after)) {
    for (const upload of uploads) {
      if (!(await stands(place, upload, texts))) continue
      if (upload.in_use) counts['contacts.import_uploads (kept until their import ends)']++
      else {
        await place.services.files.delete(upload.file_key)
        await place.db.transaction(place.workspaceId, (tx) =>
          tx.sql
            .updateTable('contacts.import_uploads')
            .set({ file_deleted_at: tx.now })
            .where('id', '=', upload.id)
            .execute(),
        )
        counts['contacts.import_uploads']++
      }
    }
    after = uploads.at(-1)!.id
  }
  return counts
}

async function nextUploads({ db, workspaceId }: Place, after: string): Promise<Upload[]> {
  return db.transaction(workspaceId, async (tx) => {
    const { rows } = await sql<Upload>`
      select u.id, u.file_key, exists (
        select from contacts.imports i
        join platform.job_states j on j.workspace_id = i.workspace_id and j.id = i.job_id
        where i.workspace_id = u.workspace_id and i.upload_id = u.id and j.status in ('queued', 'running')) as in_use
      from contacts.import_uploads u where u.file_deleted_at is null and u.id > ${after}::uuid order by u.id limit ${batchSize}`.execute(
      tx.sql,
    )
    return rows
  })
}

async function stands({ services }: Place, { file_key }: Upload, texts: string[]): Promise<boolean> {
  const content = await services.files.get(file_key)
  if (!content || !texts.length) return false
  try {
    return await holdsAny(content, texts)
  } finally {
    content.destroy()
  }
}

const zip = Buffer.from('PK\u0003\u0004')

/**
 * Looks for the texts in any of the encodings that an import reads, whatever their case. What is packed cannot be looked
 * into, and counts as holding them.
 */
export async function holdsAny(content: Readable, texts: string[]): Promise<boolean> {
  const wanted = texts.flatMap((text) =>
    [
      Buffer.from(text, 'utf8').toString('latin1'),
      Buffer.from(text, 'utf16le').toString('latin1'),
      Buffer.from(text, 'utf16le').swap16().toString('latin1'),
    ].map((bytes) => bytes.toLowerCase()),
  )
  const overlap = Math.max(...wanted.map((text) => text.length))
  let tail = ''
  let isFirst = true
  for await (const chunk of content as AsyncIterable<Buffer>) {
    if (isFirst && chunk.subarray(0, 4).equals(zip)) return true
    isFirst = false
    const window = tail + chunk.toString('latin1').toLowerCase()
    if (wanted.some((text) => window.includes(text))) return true
    tail = window.slice(-overlap)
  }
  return false
}
