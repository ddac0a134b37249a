/**
 * Resolved tickets in which nothing has happened for days are closed, once a day. Each is held and looked at again before it
 * is closed, and one in somebody else's hands is left for tomorrow: a customer who writes at that moment is heard.
 */
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { closeTicket } from '../moves.ts'
import type { Ticket } from '../tables.ts'

export const autoCloseTasks = [
  every('40 3 * * *', 'support.close_resolved', async (runtime) => {
    const days = runtime.config.tickets.autoCloseDays
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await closeIn(runtime, workspaceId, days).catch((error: Error) => {
        runtime.log.error({ err: error, workspace_id: workspaceId }, 'resolved tickets could not be closed')
      })
    }
  }),
]

const batchSize = 50

async function closeIn({ db, log }: Runtime, workspaceId: string, days: number): Promise<void> {
  let closed = 0
  for (let count = batchSize; count === batchSize; closed += count) {
    count = await db.transaction(workspaceId, (tx) => closeResolved(tx, days))
  }
  if (closed) log.info({ workspace_id: workspaceId, tickets: closed }, 'resolved tickets were closed')
}

/** Answers how many. A word of anybody, or a change of mind, begins the days anew. */
async function closeResolved(tx: Tx, days: number): Promise<number> {
  const since = new Date(tx.now.getTime() - days * 86_400_000)
  const { rows } = await sql<Ticket>`
    select t.* from support.tickets t
    where t.workspace_id = ${tx.workspaceId} and t.deleted_at is null and t.status = 'resolved'
      and greatest(t.resolved_at, t.last_message_at) < ${since}::timestamptz
    order by greatest(t.resolved_at, t.last_message_at) limit ${batchSize} for no key update skip locked`.execute(
    tx.sql,
  )
  for (const ticket of rows) await closeTicket(tx, systemActor(tx.workspaceId), ticket)
  return rows.length
}
