/** Every minute: what fell due without anything happening is breached, at the hour at which it fell due; before, it is warned of. */
import { sql } from 'kysely'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { keepClocks } from './keeping.ts'
import { activePolicies } from './policies.ts'

export const breachTasks = [every('* * * * *', 'support.notice_breaches', noticeBreaches)]

const batchSize = 50

async function noticeBreaches({ db, log }: Pick<Runtime, 'db' | 'log'>): Promise<void> {
  for (const workspaceId of await listWorkspaceIds(db)) {
    await noticeIn(db, workspaceId).catch((error: Error) => {
      log.error({ err: error, workspace_id: workspaceId }, 'the deadlines of a workspace could not be looked at')
    })
  }
}

/** A ticket in somebody else's hands is left: what they do looks at its clocks as well. */
async function noticeIn(db: Runtime['db'], workspaceId: string): Promise<void> {
  for (let count = batchSize; count === batchSize;) {
    count = await db.transaction(workspaceId, async (tx) => {
      const { rows } = await sql<{ id: string }>`
        select t.id from support.tickets t join support.ticket_clocks c
          on c.workspace_id = t.workspace_id and c.ticket_id = t.id
        where c.workspace_id = ${tx.workspaceId} and c.next_due_at < ${tx.now}::timestamptz
        order by c.next_due_at limit ${batchSize} for no key update of t skip locked`.execute(tx.sql)
      if (!rows.length) return 0
      const policies = await activePolicies(tx)
      for (const { id } of rows) await keepClocks(tx, id, { policies })
      return rows.length
    })
  }
}
