/** After a change of what is promised, open tickets are taken over one batch after the other; what has passed stays. */
import { sql } from 'kysely'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { keepClocks } from './keeping.ts'
import { activePolicies } from './policies.ts'
import { reapplyKind } from './reapplying.ts'

export const reapplyJob: JobDefinition = { kind: reapplyKind, retryLimit: 5, concurrency: 1, run: reapply }

const batchSize = 50

/** Tickets that have ended are asked anew when they are opened again. */
async function reapply(job: Job): Promise<object> {
  let cursor = (job.cursor as { afterId: string; done: number } | null) ?? {
    afterId: '00000000-0000-0000-0000-000000000000',
    done: 0,
  }
  for (;;) {
    const reached = cursor
    const next = await job.transaction(async (tx) => {
      const { rows } = await sql<{ id: string }>`
        select id from support.tickets
        where workspace_id = ${tx.workspaceId} and id > ${reached.afterId}::uuid and deleted_at is null
          and status not in ('resolved', 'closed')
        order by id limit ${batchSize} for no key update`.execute(tx.sql)
      if (!rows.length) return null
      const policies = await activePolicies(tx)
      for (const { id } of rows) await keepClocks(tx, id, { policies, anew: true })
      const progress = { afterId: rows.at(-1)!.id, done: reached.done + rows.length }
      await job.checkpoint(tx, { cursor: progress, done: progress.done })
      return progress
    })
    if (!next) return { tickets: cursor.done }
    cursor = next
  }
}
