/** The recurring work behind figures: hourly, as document 1 asks, one workspace after the other. */
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { nextGroups, recordFigures } from './groups.ts'
import { rollUp } from './roll-up.ts'
import { recordWorkspace } from './workspace-figures.ts'

export const statisticsTasks = [
  every('5 * * * *', 'contacts.update_statistics', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await updateStatistics(runtime, workspaceId).catch((error: Error) => {
        runtime.log.error({ err: error, workspace_id: workspaceId }, 'the statistics of a workspace failed')
      })
    }
  }),
]

/** In short transactions: nobody waits for figures. */
export async function updateStatistics({ db }: Pick<Runtime, 'db'>, workspaceId: string): Promise<void> {
  await rollUp((run) => db.transaction(workspaceId, run))
  for (const kind of ['list', 'tag'] as const) {
    for (let after: string | undefined = '00000000-0000-0000-0000-000000000000'; after;) {
      const from: string = after
      after = await db.transaction(workspaceId, async (tx) => {
        const ids = await nextGroups(tx, kind, from)
        if (ids.length) await recordFigures(tx, kind, ids)
        return ids.at(-1)
      })
    }
  }
  await db.transaction(workspaceId, recordWorkspace)
}
