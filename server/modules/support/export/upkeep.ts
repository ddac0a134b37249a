/** Files of exports are kept for a week; then they go, and their rows say so. */
import { every } from '#platform/module.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { exportsRoom } from './exports.ts'

export const exportTasks = [
  every('55 * * * *', 'support.forget_exports', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) await exportsRoom.forgetExports(runtime, workspaceId)
  }),
]
