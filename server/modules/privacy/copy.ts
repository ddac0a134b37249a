/** The job that makes a copy for the person: a ZIP with the data, their files, and a page that says what it is. */
import { Readable, type PassThrough } from 'node:stream'
import type { Tx } from '#platform/db/db.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { every } from '#platform/module.ts'
import type { Person } from '#platform/privacy/personal-data.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { systemActor } from '#platform/actor.ts'
import { getWorkspace, listWorkspaceIds } from '#modules/accounts/index.ts'
import { chooseLanguage } from '#modules/contacts/index.ts'
import { audit } from './audit.ts'
import { personalFiles, writeDocument } from './document.ts'
import { lockRequest, unsealPerson, type Request } from './requests.ts'
import { readme } from './texts.ts'

/** How long a copy is kept, and how long one link to it works. */
export const keptDays = 7
export const linkHours = 24

const fileBytesMax = 10_000_000_000

export const exportJob: JobDefinition = { kind: 'privacy.export', retryLimit: 4, concurrency: 1, run: makeCopy }

/** Safe to repeat: the same request writes the same file. */
async function makeCopy(job: Job): Promise<object> {
  const requestId = String(job.data.request_id)
  return job.transaction(async (tx) => {
    // An erasure of the same person waits for the copy, so that it finds its file.
    const request = await lockRequest(tx, requestId)
    const person = unsealPerson(job.runtime, request)
    if (!person) return { request_id: requestId }
    const key = `${job.workspaceId}/privacy/${requestId}.zip`
    const { sizeBytes, files } = await writeArchive(tx, job, person, key)
    await job.checkpoint(tx, { done: 1, total: 1 })
    await tx.sql
      .updateTable('privacy.requests')
      .set({
        sealed: null,
        completed_at: tx.now,
        file_key: key,
        file_size: sizeBytes,
        file_until: new Date(tx.now.getTime() + keptDays * 86_400_000),
        report: JSON.stringify({ rows: {}, files }),
      })
      .where('id', '=', requestId)
      .execute()
    await audit(tx, job.runtime, systemActor(job.workspaceId), {
      action: 'export.made',
      subjectHash: request.subject_hashes[0] ?? '',
      requestId,
      details: { size_bytes: sizeBytes, files },
    })
    return { request_id: requestId, size_bytes: sizeBytes, download: `/api/v1/gdpr/requests/${requestId}` }
  })
}

/** Streams: the archive is written while the database is read, and nothing of it is ever whole in memory. */
async function writeArchive(tx: Tx, job: Job, person: Person, key: string) {
  const { ZipFile } = await import('yazl')
  const { files } = job.runtime
  const zip = new ZipFile()
  const output = zip.outputStream as PassThrough
  zip.on('error', (error: Error) => output.destroy(error))
  const own = await personalFiles(tx, job.runtime, person)
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const language = chooseLanguage(person.language)
  const text = readme(language, { workspace: workspace.name, at: tx.now, files: own.length })
  zip.addBuffer(Buffer.from(text), 'README.txt')
  zip.addReadStream(Readable.from(writeDocument(tx, job.runtime, person), { objectMode: false }), 'data.json')
  for (const { key: fileKey, name } of own) {
    zip.addReadStreamLazy(`files/${name}`, (give) => {
      files.get(fileKey).then(
        (content) => give(null, content ?? Readable.from([])),
        (error: Error) => give(error, Readable.from([])),
      )
    })
  }
  zip.end()
  const put = await files.put(key, output, { type: 'application/zip', bytesMax: fileBytesMax, signal: job.signal })
  if (!put.ok) throw new Error('the copy is larger than a file may be')
  return { sizeBytes: put.sizeBytes, files: own.length }
}

/** The link works for whoever has it, so it is made anew each time somebody who may asks for it, and never kept. */
export async function linkTo(services: Pick<Services, 'files'>, request: Request, now: Date) {
  if (!request.file_key || !request.file_until) return null
  const expiresInMs = Math.min(linkHours * 3_600_000, request.file_until.getTime() - now.getTime())
  if (expiresInMs <= 0) return null
  const downloadName = `personal-data-${request.created_at.toISOString().slice(0, 10)}.zip`
  const url = await services.files.signedUrl(request.file_key, { expiresInMs, downloadName, type: 'application/zip' })
  return { url, expires_at: new Date(now.getTime() + expiresInMs) }
}

/** Copies lie no longer than they are needed. */
export const copyTasks = [
  every('25 * * * *', 'privacy.forget_copies', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) await forgetCopies(runtime, workspaceId)
  }),
]

/** The file first: a row without a file is harmless, a copy that no row knows would stay for ever. */
async function forgetCopies({ db, files }: Runtime, workspaceId: string): Promise<void> {
  const old = await db.transaction(workspaceId, (tx) =>
    tx.sql
      .selectFrom('privacy.requests')
      .select(['id', 'file_key'])
      .where('file_until', '<', tx.now)
      .where('file_key', 'is not', null)
      .execute(),
  )
  for (const { id, file_key: key } of old) {
    if (key) await files.delete(key)
    await db.transaction(workspaceId, (tx) =>
      tx.sql.updateTable('privacy.requests').set({ file_key: null }).where('id', '=', id).execute(),
    )
  }
}
