/**
 * The job of a bulk action goes through those meant in the order of their ids, one batch a transaction. The batch, what was
 * there before, its counts and the cursor are written together: killed or canceled, it leaves whole batches, and resumes
 * behind the last.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { within } from '../operations/record.ts'
import { lockOperation } from '../operations/undo.ts'
import { actions } from './actions.ts'
import type { BulkPlan, Refused } from './action.ts'
import { addCounts, sum } from './dry-run.ts'
import { fromMeant, type ActionName, type BulkAction } from './request.ts'

export const bulkJob: JobDefinition = { kind: 'contacts.bulk', retryLimit: 5, concurrency: 1, run: runBulk }

export const batchSize = 2_000

export interface BulkJobData extends BulkAction {
  action: Exclude<ActionName, 'export'>
  actor: Actor
  operation_id: string
}

interface Counts {
  matched: number
  changed: number
  unchanged: number
  refused: Refused
}

interface Progress {
  afterId: string | null
  counts: Counts
}

async function runBulk(job: Job): Promise<object> {
  const data = job.data as unknown as BulkJobData
  let state: Progress = (job.cursor as Progress | null) ?? {
    afterId: null,
    counts: { matched: 0, changed: 0, unchanged: 0, refused: {} },
  }
  for (;;) {
    const next = await job.transaction(async (tx) => {
      const operation = await lockOperation(tx, data.operation_id)
      // Canceled, undone and then tried again: what was taken back stays so.
      if (operation.undone_at || operation.undo_job_id) return null
      const reached = await runBatch(tx, job, data, state)
      if (reached) await job.checkpoint(tx, { cursor: reached, done: reached.counts.matched })
      return reached
    })
    if (!next) return { ...state.counts, operation_id: data.operation_id }
    state = next
  }
}

async function runBatch(tx: Tx, job: Job, data: BulkJobData, { afterId, counts }: Progress): Promise<Progress | null> {
  const { actor, params = {}, operation_id: operationId } = data
  const plan = await actions[data.action].plan({ tx, actor, params, services: job.runtime })
  const batch = await nextBatch(tx, data, plan, afterId)
  if (!batch.length) return null
  const ids = batch.filter(({ outcome }) => outcome === 'change').map(({ id }) => id)
  const applied = ids.length ? await within(tx, operationId, () => plan.apply(ids)) : { changed: 0 }
  const judged: Refused = {}
  for (const { outcome } of batch) {
    if (outcome !== 'change' && outcome !== 'same') judged[outcome] = (judged[outcome] ?? 0) + 1
  }
  const refused = addCounts(judged, applied.refused ?? {})
  const reached: Counts = {
    matched: counts.matched + batch.length,
    changed: counts.changed + applied.changed,
    unchanged: counts.unchanged + batch.length - applied.changed - sum(refused),
    refused: addCounts(counts.refused, refused),
  }
  await noteCounts(tx, operationId, ids, reached)
  return { afterId: batch.at(-1)!.id, counts: reached }
}

/** The page first, then the judgement: some look at each other within their batch. */
async function nextBatch(
  tx: Tx,
  bulk: BulkAction,
  plan: BulkPlan,
  afterId: string | null,
): Promise<{ id: string; outcome: string }[]> {
  const from = await fromMeant(tx, bulk, 'page')
  const { rows } = await sql<{ id: string; outcome: string }>`
    with c as materialized (
      select c.* ${from} ${afterId ? sql`and c.id > ${afterId}::uuid` : sql``} order by c.id limit ${batchSize})
    select c.id, ${plan.outcome} as outcome from c order by c.id`.execute(tx.sql)
  return rows
}

/** `contacts` counts those whose former state is kept: what an undo goes through. */
async function noteCounts(tx: Tx, operationId: string, ids: string[], counts: Counts): Promise<void> {
  await sql`
    update contacts.operations o
    set counts = ${JSON.stringify(counts)}::jsonb,
      contacts = o.contacts + (select count(*) from contacts.operation_changes k
        where k.workspace_id = o.workspace_id and k.operation_id = o.id and k.contact_id = any(${ids}::uuid[]))
    where o.workspace_id = ${tx.workspaceId} and o.id = ${operationId}`.execute(tx.sql)
}
