/** When room appears, what waits is given out: after events that free somebody, and each minute for whatever was missed. */
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { every, when } from '#platform/module.ts'
import type { Runtime, Services } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { assignWaiting } from './assigning.ts'

/** `ticket.updated` tells of tickets that somebody gave back, or that weigh less now. */
const freeing = [
  'ticket.resolved',
  'ticket.closed',
  'ticket.assigned',
  'ticket.reopened',
  'ticket.updated',
  'ticket.deleted',
  'ticket.restored',
] as const

export const assignmentReactions = freeing.map((event) =>
  when(event, `support.assign_after_${event.slice('ticket.'.length)}`, drainAfter),
)

export const assignmentTasks = [
  every('* * * * *', 'support.assign_waiting', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await drain(runtime, workspaceId).catch((error: Error) => {
        runtime.log.error({ err: error, workspace_id: workspaceId }, 'waiting tickets could not be given out')
      })
    }
  }),
]

async function drainAfter(tx: Tx, _events: Event[], services: Services): Promise<void> {
  await assignWaiting(tx, services)
}

/** In batches, so that a long queue does not hold the turn for long. */
async function drain(runtime: Runtime, workspaceId: string): Promise<void> {
  for (;;) {
    const given = await runtime.db.transaction(workspaceId, (tx) => assignWaiting(tx, runtime))
    if (!given.length) return
  }
}
