/** Begins a bulk action: checks what can be known in advance, writes it into the log, and hands it to its job. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { beginExport } from '../export/exports.ts'
import { recordOperation } from '../operations/record.ts'
import { actions } from './actions.ts'
import { bulkJob, type BulkJobData } from './job.ts'
import { checkMeant, countMeant, type BulkAction } from './request.ts'

export async function checkBulk(tx: Tx, actor: Actor, bulk: BulkAction, services: Services): Promise<void> {
  await checkMeant(tx, bulk)
  if (bulk.action !== 'export') await actions[bulk.action].check({ tx, actor, params: bulk.params ?? {}, services })
}

/** Answers the id of the job. */
export async function startBulk(tx: Tx, actor: Actor, bulk: BulkAction, services: Services): Promise<string> {
  const { action, params = {} } = bulk
  if (action === 'export') return beginBulkExport(tx, actor, bulk)
  const total = await countMeant(tx, bulk)
  const { facts } = await actions[action].plan({ tx, actor, params, services })
  const by = bulk.contact_ids ? 'ids' : 'filter'
  const operationId = await recordOperation(tx, actor, { kind: 'bulk', action, facts: { ...facts, by } })
  const data: BulkJobData = { ...bulk, action, actor, operation_id: operationId }
  const jobId = await tx.enqueue(bulkJob.kind, data, { createdBy: actor.id, total })
  await tx.sql
    .updateTable('contacts.operations')
    .set({ job_id: jobId })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', operationId)
    .execute()
  return jobId
}

/** It changes nothing, so there is nothing to log; it is listed among the exports. */
async function beginBulkExport(tx: Tx, actor: Actor, { params, contact_ids, filter }: BulkAction): Promise<string> {
  const { format = 'csv', fields } = params ?? {}
  const whom = { ...(contact_ids ? { contact_ids } : {}), ...(filter ? { filter } : {}) }
  const { job_id: jobId } = await beginExport(tx, actor, { format, ...(fields ? { fields } : {}), ...whom })
  return jobId!
}
