/**
 * The job of a bulk action goes through the tickets meant in the order of their ids, one batch a transaction. What was there
 * before, the counts and the cursor are written with the batch: killed or canceled, it leaves whole batches, and resumes
 * behind the last.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { doTo, orReason } from './doing.ts'
import { holdOperation, recordOperation, setOperation } from './operations.ts'
import { countMeant, fromMeant, notFound, type Meant } from './request.ts'

export const bulkJob: JobDefinition = { kind: 'support.bulk', retryLimit: 5, concurrency: 1, run: runBulk }

/** Small: whoever answers one of these tickets meanwhile waits for the batch. */
const batchSize = 25

interface BulkJobData extends Meant {
  actor: Actor
  operation_id: string
}

interface Counts {
  matched: number
  changed: number
  unchanged: number
  refused: Record<string, number>
}

interface Progress {
  afterId: string | null
  counts: Counts
}

/** Answers the id of the job. */
export async function startBulk(tx: Tx, actor: Actor, meant: Meant): Promise<string> {
  const total = await countMeant(tx, actor, meant)
  const operationId = await recordOperation(tx, actor, meant)
  const data: BulkJobData = { ...meant, actor, operation_id: operationId }
  const jobId = await tx.enqueue(bulkJob.kind, data, { createdBy: actor.id, total })
  await setOperation(tx, operationId, { job_id: jobId })
  return jobId
}

async function runBulk(job: Job): Promise<object> {
  const data = job.data as unknown as BulkJobData
  let state = (job.cursor as Progress | null) ?? {
    afterId: null,
    counts: { matched: 0, changed: 0, unchanged: 0, refused: {} },
  }
  for (;;) {
    const reached = state
    const next = await job.transaction(async (tx) => {
      const operation = await holdOperation(tx, data.operation_id)
      // Canceled, taken back and then tried again: what was taken back stays so.
      if (!operation || operation.undone_at || operation.undo_job_id) return null
      const done = await runBatch(tx, data, reached)
      if (done) await job.checkpoint(tx, { cursor: done, done: done.counts.matched })
      return done
    })
    if (!next) {
      const { counts } = state
      return { ...counts, not_found: notFound(data, counts.matched), operation_id: data.operation_id }
    }
    state = next
  }
}

async function runBatch(tx: Tx, data: BulkJobData, { afterId, counts }: Progress): Promise<Progress | null> {
  const { actor, operation_id: operationId } = data
  const { rows } = await sql<{ id: string }>`
    select t.id ${fromMeant(actor, data)} ${afterId ? sql`and t.id > ${afterId}::uuid` : sql``}
    order by t.id limit ${batchSize}`.execute(tx.sql)
  if (!rows.length) return null
  const changes: object[] = []
  const refused = { ...counts.refused }
  let { unchanged } = counts
  for (const { id } of rows) {
    const outcome = await orReason(tx, () => doTo(tx, actor, id, data))
    if ('reason' in outcome) refused[outcome.reason] = (refused[outcome.reason] ?? 0) + 1
    else if (!outcome.done.changed) unchanged++
    else changes.push({ id, before: outcome.done.before, after: outcome.done.after })
  }
  const { matched, changed } = counts
  const reached = { matched: matched + rows.length, changed: changed + changes.length, unchanged, refused }
  await keep(tx, operationId, changes, reached)
  return { afterId: rows.at(-1)!.id, counts: reached }
}

async function keep(tx: Tx, operationId: string, changes: object[], counts: Counts): Promise<void> {
  await sql`
    insert into support.operation_changes (workspace_id, operation_id, ticket_id, before, after)
    select ${tx.workspaceId}::uuid, ${operationId}::uuid, c.id, c.before, c.after
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as c (id uuid, before jsonb, after jsonb)`.execute(
    tx.sql,
  )
  await tx.sql
    .updateTable('support.operations')
    .set({ counts: JSON.stringify(counts), tickets: counts.changed })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', operationId)
    .execute()
}
