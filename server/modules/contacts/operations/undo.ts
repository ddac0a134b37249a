/**
 * Takes an operation back. The undoing is an operation like any other, and keeps what it changes: taking it back in its turn
 * does the thing again. What is small is done at once; what is large is a job that goes batch by batch and can be canceled.
 */
import { sql } from 'kysely'
import { authorize, type Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { getJob, type JobRow } from '#platform/jobs/jobs.ts'
import type { Services } from '#platform/services.ts'
import { putBackBatch, type FieldOutcome, type Outcome } from './putting-back.ts'
import { recordOperation, undoDays, within } from './record.ts'
import type { Operation, OperationKind } from './tables.ts'
import { undoers, type UndoCounts } from './undoers.ts'

/** Up to so many contacts are put back in the request itself. */
export const undoneAtOnceMax = 200

export interface UndoResult extends UndoCounts {
  /** The operation that is the undo; absent where an import or a merge keeps its own way back. */
  undo_id: string
  /** How many fields stayed as they are, by reason. */
  reasons: Record<string, number>
  fields: FieldOutcome[]
}

export async function undoOperation(
  tx: Tx,
  actor: Actor,
  id: string,
  services: Services,
): Promise<{ job: JobRow } | UndoResult> {
  const operation = await lockOperation(tx, id)
  const undoer = undoers[originOf(operation)]
  authorize(services.permissions, actor, undoer.may)
  const running = await runningUndo(tx, operation)
  if (running) return { job: running }
  await requireUndoable(tx, operation)
  if (undoer.undo && operation.kind !== 'undo')
    return undoElsewhere(tx, actor, operation, { services, undo: undoer.undo })
  const undoId = await recordOperation(tx, actor, {
    kind: 'undo',
    action: operation.action,
    facts: { ...operation.facts, origin: originOf(operation) },
    undoOf: id,
  })
  if (operation.contacts > undoneAtOnceMax) return startUndo(tx, actor, operation, undoId)
  const contactIds = await nextContacts(tx, id, null, undoneAtOnceMax)
  const outcome = await within(tx, undoId, () => putBackBatch(tx, actor, operation, contactIds, services))
  await noteBatch(tx, { operationId: id, undoId }, contactIds)
  const counts = addUp(noCounts(await countErased(tx, operation)), outcome)
  await finishUndo(tx, actor, operation, { undoId, counts })
  return { undo_id: undoId, ...counts, fields: outcome.fields }
}

export async function lockOperation(tx: Tx, id: string): Promise<Operation> {
  const operation = await tx.sql
    .selectFrom('contacts.operations')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!operation) throw new NotFound('operation')
  return operation
}

/** Of an undo, what was undone at the very beginning. */
export function originOf({ kind, facts }: Pick<Operation, 'kind' | 'facts'>): OperationKind {
  return kind === 'undo' ? (facts.origin as OperationKind) : kind
}

async function runningUndo(tx: Tx, { undo_job_id: jobId }: Operation): Promise<JobRow | null> {
  if (!jobId) return null
  const job = await getJob(tx, jobId)
  return job.status === 'queued' || job.status === 'running' ? job : null
}

async function requireUndoable(tx: Tx, operation: Operation): Promise<void> {
  if (operation.undone_at) {
    throw new Conflict('already_undone', 'This was undone already. To do it again, undo the undoing.')
  }
  if (!operation.undoable_until) throw new Conflict('not_undoable', 'This cannot be undone.')
  if (operation.undoable_until <= tx.now) {
    throw new Conflict('undo_expired', `What was done can be undone for ${undoDays} days.`)
  }
  if (!operation.job_id || operation.kind === 'import') return
  const { status } = await getJob(tx, operation.job_id)
  if (status === 'queued' || status === 'running') {
    throw new Conflict('operation_running', 'This is still running. Cancel its job first, then undo it.')
  }
}

async function undoElsewhere(
  tx: Tx,
  actor: Actor,
  operation: Operation,
  { undo, services }: { undo: NonNullable<(typeof undoers)[OperationKind]['undo']>; services: Services },
): Promise<{ job: JobRow } | UndoResult> {
  const undone = await undo(tx, actor, operation as Operation & { subject_id: string }, services)
  const undoId = await recordOperation(tx, actor, {
    kind: 'undo',
    action: operation.action,
    facts: { ...operation.facts, origin: operation.kind },
    undoOf: operation.id,
    undoable: false,
    ...('job' in undone ? { jobId: undone.job.id } : { counts: undone }),
  })
  if ('job' in undone) {
    await tx.sql
      .updateTable('contacts.operations')
      .set({ undo_job_id: undone.job.id })
      .where('workspace_id', '=', tx.workspaceId)
      .where('id', '=', operation.id)
      .execute()
    return undone
  }
  const counts = { ...undone, reasons: {} }
  await finishUndo(tx, actor, operation, { undoId, counts })
  return { undo_id: undoId, ...counts, fields: [] }
}

async function startUndo(tx: Tx, actor: Actor, operation: Operation, undoId: string): Promise<{ job: JobRow }> {
  const jobId = await tx.enqueue(
    undoOperationJob.kind,
    { operation_id: operation.id, undo_id: undoId, actor },
    { createdBy: actor.id, total: operation.contacts },
  )
  await tx.sql
    .updateTable('contacts.operations')
    .set({ undo_job_id: jobId })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', operation.id)
    .execute()
  await tx.sql
    .updateTable('contacts.operations')
    .set({ job_id: jobId })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', undoId)
    .execute()
  return { job: await getJob(tx, jobId) }
}

const batchSize = 1_000

interface Progress {
  afterId: string | null
  counts: Counts
}

type Counts = UndoCounts & { reasons: Record<string, number> }

export const undoOperationJob: JobDefinition = {
  kind: 'contacts.undo',
  retryLimit: 5,
  concurrency: 1,
  run: runUndo,
}

/** The cursor is written with the batch that it stands for, so whoever takes over begins behind it. */
async function runUndo(job: Job): Promise<object> {
  const {
    operation_id: operationId,
    undo_id: undoId,
    actor,
  } = job.data as {
    operation_id: string
    undo_id: string
    actor: Actor
  }
  let progress = job.cursor as Progress | null
  for (;;) {
    const next: Progress | null = await job.transaction(async (tx) => {
      const operation = await lockOperation(tx, operationId)
      const before = progress ?? { afterId: null, counts: noCounts(await countErased(tx, operation)) }
      const contactIds = await nextContacts(tx, operationId, before.afterId, batchSize)
      if (!contactIds.length) {
        await finishUndo(tx, actor, operation, { undoId, counts: before.counts })
        progress = before
        return null
      }
      const outcome = await within(tx, undoId, () => putBackBatch(tx, actor, operation, contactIds, job.runtime))
      await noteBatch(tx, { operationId, undoId }, contactIds)
      const after = { afterId: contactIds.at(-1)!, counts: addUp(before.counts, outcome) }
      const { restored, left, gone } = after.counts
      await job.checkpoint(tx, { cursor: after, done: restored + left + gone })
      return after
    })
    if (!next) return { undo_id: undoId, ...progress!.counts }
    progress = next
  }
}

/** Those that an earlier attempt, canceled half-way, has not taken back. */
async function nextContacts(tx: Tx, operationId: string, afterId: string | null, limit: number): Promise<string[]> {
  const { rows } = await sql<{ contact_id: string }>`
    select contact_id from contacts.operation_changes
    where workspace_id = ${tx.workspaceId} and operation_id = ${operationId} and undone_by is null
      ${afterId ? sql`and contact_id > ${afterId}::uuid` : sql``}
    order by contact_id limit ${limit}`.execute(tx.sql)
  return rows.map((row) => row.contact_id)
}

/** With an erased contact go its rows here. */
async function countErased(tx: Tx, { id, contacts }: Operation): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from contacts.operation_changes
    where workspace_id = ${tx.workspaceId} and operation_id = ${id}`.execute(tx.sql)
  return Math.max(0, contacts - rows[0]!.count)
}

interface Undoing {
  operationId: string
  undoId: string
}

async function noteBatch(tx: Tx, { operationId, undoId }: Undoing, contactIds: string[]): Promise<void> {
  await sql`
    update contacts.operation_changes set undone_by = ${undoId}
    where workspace_id = ${tx.workspaceId} and operation_id = ${operationId} and contact_id = any(${contactIds}::uuid[])`.execute(
    tx.sql,
  )
  // Counted as it goes, so that an undo that is canceled can be taken back as well.
  await sql`
    update contacts.operations o set contacts = o.contacts + (
      select count(*) from contacts.operation_changes k
      where k.workspace_id = o.workspace_id and k.operation_id = o.id and k.contact_id = any(${contactIds}::uuid[]))
    where o.workspace_id = ${tx.workspaceId} and o.id = ${undoId}`.execute(tx.sql)
}

async function finishUndo(
  tx: Tx,
  actor: Actor,
  operation: Operation,
  { undoId, counts }: { undoId: string; counts: Counts },
): Promise<void> {
  const undoneBy = { undone_by: actor.kind === 'user' ? actor.id : null, undone_by_name: actor.name }
  await tx.sql
    .updateTable('contacts.operations')
    .set({ undone_at: tx.now, ...undoneBy })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', operation.id)
    .execute()
  await tx.sql
    .updateTable('contacts.operations')
    .set({ counts: JSON.stringify(counts) })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', undoId)
    .execute()
  if (operation.kind === 'undo' && operation.undo_of)
    await standsAgain(tx, { operationId: operation.undo_of, undoId: operation.id, redoId: undoId })
  tx.notify('operation', { id: operation.id, status: 'undone' })
}

/** Once its undo is undone, an operation is in force as the redoing left things, and can be undone once more. */
async function standsAgain(
  tx: Tx,
  { operationId, undoId, redoId }: { operationId: string; undoId: string; redoId: string },
): Promise<void> {
  await tx.sql
    .updateTable('contacts.operations')
    .set({ undone_at: null, undone_by: null, undone_by_name: '', undo_job_id: null })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', operationId)
    .execute()
  await sql`
    update contacts.operation_changes k
    set undone_by = null, after = k.after || coalesce((
      select jsonb_object_agg(key, value) from contacts.operation_changes r, jsonb_each(r.after)
      where r.workspace_id = k.workspace_id and r.operation_id = ${redoId} and r.contact_id = k.contact_id and k.after ? key), '{}')
    where k.workspace_id = ${tx.workspaceId} and k.operation_id = ${operationId} and k.undone_by = ${undoId}`.execute(
    tx.sql,
  )
}

function noCounts(erased: number): Counts {
  return { restored: 0, left: 0, gone: erased, reasons: {} }
}

function addUp(counts: Counts, { restored, left, gone, fields }: Outcome): Counts {
  const reasons = { ...counts.reasons }
  for (const { reason } of fields) if (reason) reasons[reason] = (reasons[reason] ?? 0) + 1
  return { restored: counts.restored + restored, left: counts.left + left, gone: counts.gone + gone, reasons }
}
