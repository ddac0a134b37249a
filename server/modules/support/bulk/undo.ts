/**
 * Takes a bulk action back, ticket by ticket, as far as the life of a ticket allows and nobody has changed since what it set.
 * It goes through the operations that change a single ticket, so it is told like any other change.
 */
import { sql } from 'kysely'
import type { Actor, Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { getJob, type JobRow } from '#platform/jobs/jobs.ts'
import { giveTicket, takeBack } from '../moves.ts'
import { isEnded } from '../ticket-status.ts'
import { deleteTicket, lockTicket, restoreTicket, updateTicket } from '../tickets.ts'
import type { Ticket } from '../tables.ts'
import { addTag, imageOf, orReason, removeTag } from './doing.ts'
import { getOperation, holdOperation, setOperation, undoDays } from './operations.ts'
import { requireRight, type ActionName, type Params } from './request.ts'
import type { Image, Operation } from './tables.ts'

export const undoJob: JobDefinition = { kind: 'support.undo', retryLimit: 5, concurrency: 1, run: runUndo }

const batchSize = 25

interface UndoJobData {
  operation_id: string
  actor: Actor
}

interface Counts {
  restored: number
  left: number
  reasons: Record<string, number>
}

/** Asking again while it runs answers the same job; one that was canceled goes on where it stopped. */
export async function startUndo(tx: Tx, actor: Actor, id: string, permissions: Permissions): Promise<JobRow> {
  const operation = await getOperation(tx, actor, id, permissions, { lock: true })
  requireRight(actor, operation.action, permissions)
  if (operation.undone_at) throw new Conflict('already_undone', 'This was undone already.')
  if (operation.undo_job_id) {
    const running = await getJob(tx, operation.undo_job_id)
    if (isUnderWay(running)) return running
  }
  if (operation.undoable_until <= tx.now) {
    throw new Conflict('undo_expired', `What was done can be undone for ${undoDays} days.`)
  }
  if (operation.job_id && isUnderWay(await getJob(tx, operation.job_id))) {
    throw new Conflict('operation_running', 'This is still running. Cancel its job first, then undo it.')
  }
  const data: UndoJobData = { operation_id: id, actor }
  const jobId = await tx.enqueue(undoJob.kind, data, { createdBy: actor.id, total: operation.tickets })
  await setOperation(tx, id, { undo_job_id: jobId })
  return getJob(tx, jobId)
}

function isUnderWay({ status }: JobRow): boolean {
  return status === 'queued' || status === 'running'
}

async function runUndo(job: Job): Promise<object> {
  const { operation_id: operationId, actor } = job.data as unknown as UndoJobData
  let counts = (job.cursor as Counts | null) ?? { restored: 0, left: 0, reasons: {} }
  for (;;) {
    const reached = counts
    const next = await job.transaction(async (tx) => {
      const operation = await holdOperation(tx, operationId)
      if (!operation || operation.undone_at) return null
      const done = await undoBatch(tx, actor, operation, reached)
      if (done) await job.checkpoint(tx, { cursor: done, done: done.restored + done.left })
      else {
        const by = { undone_by: actor.kind === 'user' ? actor.id : null, undone_by_name: actor.name }
        await setOperation(tx, operationId, { undone_at: tx.now, ...by })
      }
      return done
    })
    if (!next) return { ...counts, operation_id: operationId }
    counts = next
  }
}

interface Change {
  ticket_id: string
  before: Image
  after: Image
}

async function undoBatch(tx: Tx, actor: Actor, operation: Operation, counts: Counts): Promise<Counts | null> {
  const { rows } = await sql<Change>`
    select ticket_id, before, after from support.operation_changes
    where workspace_id = ${tx.workspaceId}::uuid and operation_id = ${operation.id}::uuid and undone_at is null
    order by ticket_id limit ${batchSize}`.execute(tx.sql)
  if (!rows.length) return null
  const reached = { ...counts, reasons: { ...counts.reasons } }
  for (const change of rows) {
    const outcome = await orReason(tx, () => putBack(tx, actor, operation, change))
    if ('done' in outcome) reached.restored++
    else {
      reached.left++
      reached.reasons[outcome.reason] = (reached.reasons[outcome.reason] ?? 0) + 1
    }
  }
  await sql`
    update support.operation_changes set undone_at = ${tx.now}::timestamptz
    where workspace_id = ${tx.workspaceId}::uuid and operation_id = ${operation.id}::uuid
      and ticket_id = any(${rows.map((row) => row.ticket_id)}::uuid[])`.execute(tx.sql)
  return reached
}

/** By which field one sees that somebody has changed since what the action set. */
const setBy: Record<ActionName, keyof Image> = {
  assign: 'assigned_to',
  set_status: 'status',
  set_priority: 'priority',
  set_category: 'category',
  add_tag: 'tag',
  remove_tag: 'tag',
  delete: 'is_deleted',
  restore: 'is_deleted',
}

async function putBack(
  tx: Tx,
  actor: Actor,
  { action, facts }: Operation,
  { ticket_id: id, before, after }: Change,
): Promise<unknown> {
  const ticket = await lockTicket(tx, actor, id, { deletedToo: action === 'delete' })
  const now = imageOf(ticket, facts as Params)
  if (now[setBy[action]] !== after[setBy[action]]) {
    throw new Conflict('changed_since', 'Somebody has changed this ticket since.')
  }
  switch (action) {
    case 'assign':
      return putBackAgent(tx, actor, ticket, { before, after })
    case 'set_status':
      return putBackStatus(tx, actor, ticket, before)
    case 'set_priority':
      return updateTicket(tx, actor, id, { priority: before.priority }, undefined)
    case 'set_category':
      return updateTicket(tx, actor, id, { category: before.category }, undefined)
    case 'add_tag':
      return removeTag(tx, actor, ticket, after.tag!)
    case 'remove_tag':
      return addTag(tx, actor, ticket, before.tag!)
    case 'delete':
      return restoreTicket(tx, actor, id)
    case 'restore':
      return deleteTicket(tx, actor, id, undefined)
  }
}

/** Taking a ticket back had made it open; given again, it goes on where it was, unless it has moved since. */
async function putBackAgent(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  { before, after }: Pick<Change, 'before' | 'after'>,
): Promise<Ticket> {
  if (!before.assigned_to) return takeBack(tx, actor, ticket)
  const given = await giveTicket(tx, actor, ticket, before.assigned_to)
  const { status } = before
  const wasInWork = status === 'in_progress' || status === 'waiting_customer'
  if (!wasInWork || ticket.status !== after.status) return given
  return updateTicket(tx, actor, ticket.id, { status }, undefined)
}

/** What had ended comes back as `in_progress` where it had been given out, which is as near as it gets to `assigned`. */
async function putBackStatus(tx: Tx, actor: Actor, ticket: Ticket, { status }: Image): Promise<Ticket> {
  const { id } = ticket
  if (!isEnded(ticket.status) || isEnded(status)) return updateTicket(tx, actor, id, { status }, undefined)
  const back = await updateTicket(tx, actor, id, { status: status === 'open' ? 'open' : 'in_progress' }, undefined)
  return status === 'waiting_customer' && back.assigned_to ? updateTicket(tx, actor, id, { status }, undefined) : back
}
