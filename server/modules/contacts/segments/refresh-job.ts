/** Refreshing as a job, when somebody changes a rule or asks for it, and every hour for all: time alone changes who fits. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { beginning, countChanges, refreshPage, type Refreshing } from './refresh.ts'
import { inOrder, runningLists } from './running.ts'

const kind = 'contacts.refresh_list'

export const refreshListJob: JobDefinition = { kind, retryLimit: 5, concurrency: 1, run: runRefresh }

/** Answers the id of the job, which the list shows. */
export async function startRefresh(tx: Tx, listId: string, createdBy: string | null): Promise<string> {
  const jobId = await tx.enqueue(kind, { list_id: listId }, { createdBy })
  await tx.sql.updateTable('contacts.lists').set({ refresh_job_id: jobId }).where('id', '=', listId).execute()
  return jobId
}

/** One that waits already will see everything that is there by then. */
export async function requestRefresh(tx: Tx, listId: string, createdBy: string | null): Promise<string> {
  const { rows } = await sql<{ type: string; is_active: boolean; waiting_job_id: string | null }>`
    select l.type, l.is_active, job.id as waiting_job_id from contacts.lists l
    left join platform.job_states job
      on job.workspace_id = l.workspace_id and job.id = l.refresh_job_id and job.status = 'queued'
    where l.workspace_id = ${tx.workspaceId} and l.id = ${listId} and l.deleted_at is null`.execute(tx.sql)
  const [list] = rows
  if (!list) throw new NotFound('list')
  if (list.type === 'static') {
    throw new Conflict('list_is_static', 'Only a dynamic list has a rule to follow. This one is filled by hand.')
  }
  if (!list.is_active) throw new Conflict('list_paused', 'The list is paused. Switch it on (is_active) first.')
  return list.waiting_job_id ?? startRefresh(tx, listId, createdBy)
}

async function runRefresh(job: Job): Promise<object> {
  const listId = String(job.data.list_id)
  const total = await job.transaction((tx) => countChanges(tx, listId))
  let state = (job.cursor as Refreshing | null) ?? beginning
  while (state.phase !== 'done') {
    const from: Refreshing = state
    state = await job.transaction(async (tx) => {
      const reached = await refreshPage(tx, listId, from)
      const done = reached.added + reached.removed
      await job.checkpoint(tx, { cursor: reached, done, total: Math.max(total, done) })
      return reached
    })
  }
  return { added: state.added, removed: state.removed }
}

/** What fails with one list is no reason to leave the others as they are. */
export async function refreshLists(runtime: Runtime, workspaceId: string): Promise<void> {
  const inTx = <T>(run: (tx: Tx) => Promise<T>): Promise<T> => runtime.db.transaction(workspaceId, run)
  for (const list of inOrder(await inTx((tx) => runningLists(tx)))) {
    try {
      for (let state = beginning; state.phase !== 'done';) {
        const from = state
        state = await inTx((tx) => refreshPage(tx, list.id, from))
      }
    } catch (error) {
      runtime.log.error({ err: error, list_id: list.id }, 'a dynamic list could not be refreshed')
    }
  }
}

export const segmentTasks = [
  every('0 * * * *', 'contacts.refresh_lists', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) await refreshLists(runtime, workspaceId)
  }),
]
