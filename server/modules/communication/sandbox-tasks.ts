/** The sandbox inbox keeps the newest mails of each workspace; once an hour the older ones go. */
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { every } from '#platform/module.ts'
import { trimSandbox } from './sandbox.ts'

export const sandboxTasks = [
  every('23 * * * *', 'communication.trim_sandbox', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await runtime.db.transaction(workspaceId, (tx) => trimSandbox(tx))
    }
  }),
]
