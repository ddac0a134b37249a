/**
 * The job that forgets a person. The database forgets in one transaction, wholly or not at all; files go after it, and so
 * does what others were writing at that moment. It can be repeated from any point, and then finds less to do.
 */
import { systemActor } from '#platform/actor.ts'
import { dryRun } from '#platform/db/dry-run.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import type { Person } from '#platform/privacy/personal-data.ts'
import type { Services } from '#platform/services.ts'
import { audit } from './audit.ts'
import { personalFiles } from './document.ts'
import { getRequest, unsealPerson } from './requests.ts'
import type { Report } from './tables.ts'

/** Tried for some eight hours: the files may lie in a bucket that is away. */
export const eraseJob: JobDefinition = { kind: 'privacy.delete', retryLimit: 100, concurrency: 1, run: erase }

interface Done extends Report {
  keys: string[]
}

async function erase(job: Job): Promise<object> {
  const { runtime, workspaceId } = job
  const requestId = String(job.data.request_id)
  const request = await job.transaction((tx) => getRequest(tx, requestId))
  const person = unsealPerson(runtime, request)
  if (!person) return { request_id: requestId, ...request.report }
  const done =
    (job.cursor as Done | null) ??
    (await job.transaction(async (tx) => {
      const state = await eraseRows(tx, runtime, person)
      await job.checkpoint(tx, { cursor: state, done: 1, total: 1 })
      return state
    }))
  for (const key of done.keys) await runtime.files.delete(key)
  const rows = { ...done.rows }
  for (const { data } of runtime.personalData) {
    add(rows, (await data.sweep?.({ workspaceId, db: runtime.db, services: runtime }, person)) ?? {})
  }
  const report: Report = { rows, files: done.keys.length }
  await job.transaction(async (tx) => {
    // What a request in flight wrote about the person while the first pass ran.
    for (const { data } of runtime.personalData.slice(0, 1)) add(rows, await data.erase(tx, person, runtime))
    await tx.sql
      .updateTable('privacy.requests')
      .set({ sealed: null, completed_at: tx.now, report: JSON.stringify(report) })
      .where('id', '=', requestId)
      .execute()
    await audit(tx, runtime, systemActor(workspaceId), {
      action: 'delete.done',
      subjectHash: request.subject_hashes[0] ?? '',
      requestId,
      details: report,
    })
  })
  return { request_id: requestId, ...report }
}

/** The last module first, because each builds on those before it; the platform, which keeps what they publish, at the end. */
async function eraseRows(tx: Tx, services: Services, person: Person): Promise<Done> {
  const keys = (await personalFiles(tx, services, person)).map(({ key }) => key)
  const rows: Record<string, number> = {}
  for (const { data } of services.personalData.toReversed()) add(rows, await data.erase(tx, person, services))
  return { rows, files: keys.length, keys }
}

/** What an erasure would do, by doing it and taking it back. */
export function previewErasure(tx: Tx, services: Services, person: Person): Promise<Report> {
  return dryRun(tx, async () => {
    const { rows, files } = await eraseRows(tx, services, person)
    return { rows, files }
  })
}

function add(rows: Record<string, number>, more: Record<string, number>): void {
  for (const [table, count] of Object.entries(more)) rows[table] = (rows[table] ?? 0) + count
}
