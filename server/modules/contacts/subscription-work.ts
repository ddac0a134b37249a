/** The recurring work behind subscriptions and engagement. */
import { every } from '#platform/module.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { recalculateScores } from './engagement.ts'
import { forgetOldRequests } from './public-requests.ts'

export const subscriptionTasks = [
  every('20 3 * * *', 'contacts.recalculate_scores', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await recalculateScores(runtime, (run) => runtime.db.transaction(workspaceId, run))
    }
  }),
  every('40 3 * * *', 'contacts.forget_old_requests', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await runtime.db.transaction(workspaceId, forgetOldRequests)
    }
  }),
]
