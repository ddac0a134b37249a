/** After its time an operation cannot be undone any more, and what was there before is nobody's business any longer. */
import { sql } from 'kysely'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { undoDays } from './record.ts'

export const operationTasks = [
  every('20 3 * * *', 'contacts.forget_operations', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) await forgetOperations(runtime, workspaceId)
  }),
]

const batchSize = 20_000

/** The images first and in batches, because one operation can have a million; then the rows themselves. */
export async function forgetOperations(runtime: Pick<Runtime, 'db'>, workspaceId: string): Promise<number> {
  for (let gone = batchSize; gone === batchSize;) {
    gone = await runtime.db.transaction(workspaceId, async (tx) => {
      const { numAffectedRows } = await sql`
        delete from contacts.operation_changes where ctid in (
          select k.ctid from contacts.operations o
          join contacts.operation_changes k on k.workspace_id = o.workspace_id and k.operation_id = o.id
          where o.workspace_id = ${workspaceId} and o.created_at < ${tx.now}::timestamptz - make_interval(days => ${undoDays}::int)
          limit ${batchSize})`.execute(tx.sql)
      return Number(numAffectedRows ?? 0)
    })
  }
  return runtime.db.transaction(workspaceId, async (tx) => {
    const { numAffectedRows } = await sql`
      delete from contacts.operations
      where workspace_id = ${workspaceId} and created_at < ${tx.now}::timestamptz - make_interval(days => ${undoDays}::int)`.execute(
      tx.sql,
    )
    return Number(numAffectedRows ?? 0)
  })
}
