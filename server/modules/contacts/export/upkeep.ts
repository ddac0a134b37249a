/** Files of exports are kept for a week; then they go, and their rows say so. */
import type { Tx } from '#platform/db/db.ts'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'

export const exportTasks = [
  every('50 * * * *', 'contacts.forget_exports', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) await forgetExports(runtime, workspaceId)
  }),
]

/** The file first: a row without a file is harmless, a file that no row knows would stay for ever. */
export async function forgetExports(runtime: Runtime, workspaceId: string): Promise<void> {
  const expired = await runtime.db.transaction(workspaceId, (tx) => expiredExports(tx))
  for (const { id, file_key: key } of expired) {
    if (key) await runtime.files.delete(key)
    await runtime.db.transaction(workspaceId, (tx) =>
      tx.sql.updateTable('contacts.exports').set({ file_key: null }).where('id', '=', id).execute(),
    )
  }
}

async function expiredExports(tx: Tx) {
  return tx.sql
    .selectFrom('contacts.exports')
    .select(['id', 'file_key'])
    .where('file_key', 'is not', null)
    .where('expires_at', '<=', tx.now)
    .limit(10_000)
    .execute()
}
