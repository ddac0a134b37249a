/** The recurring search: what came in by ways that nobody watches, and names that have become frequent. */
import { Conflict } from '#platform/errors.ts'
import { every } from '#platform/module.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { startScan } from './scan.ts'

export const duplicateTasks = [
  every('10 2 * * 0', 'contacts.find_duplicates', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      try {
        await runtime.db.transaction(workspaceId, (tx) => startScan(tx, null))
      } catch (error) {
        if (!(error instanceof Conflict)) throw error // one is under way
      }
    }
  }),
]
