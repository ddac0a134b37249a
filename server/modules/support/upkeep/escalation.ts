/**
 * Urgent tickets that nobody answered in time: told once, to the ledger, to whoever listens, and by mail to the admins. The
 * two hours are hours of the day, for who calls a matter urgent does not mean office hours.
 */
import { sql } from 'kysely'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds, membersWithRole } from '#modules/accounts/index.ts'
import { record, tell } from '../ticket-events.ts'
import type { Ticket } from '../tables.ts'
import { escalatedTo, escalationMailKind } from './escalation-mail.ts'

export const escalationTasks = [
  every('*/30 * * * *', 'support.escalate', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await escalateIn(runtime, workspaceId).catch((error: Error) => {
        runtime.log.error({ err: error, workspace_id: workspaceId }, 'urgent tickets could not be looked at')
      })
    }
  }),
]

const batchSize = 50

async function escalateIn({ db, config, log }: Runtime, workspaceId: string): Promise<void> {
  for (let count = batchSize; count === batchSize;) {
    const tickets = await db.transaction(workspaceId, (tx) => escalate(tx, config.tickets.escalationHours))
    for (const { id, ticket_number } of tickets) {
      log.info({ workspace_id: workspaceId, ticket_id: id, ticket_number }, 'an urgent ticket was escalated')
    }
    count = tickets.length
  }
}

/** A ticket in somebody else's hands is skipped: it is perhaps being answered, and if not, there is a next time. */
async function escalate(tx: Tx, timeoutHours: number): Promise<Ticket[]> {
  const since = new Date(tx.now.getTime() - timeoutHours * 3_600_000)
  const { rows } = await sql<Ticket>`
    update support.tickets set is_escalated = true, escalated_at = ${tx.now}
    where workspace_id = ${tx.workspaceId} and id in (
      select id from support.tickets
      where workspace_id = ${tx.workspaceId} and deleted_at is null and merged_into is null and priority = 'urgent'
        and first_response_at is null and escalated_at is null and status not in ('resolved', 'closed')
        and created_at <= ${since}::timestamptz
      order by created_at limit ${batchSize} for no key update skip locked)
    returning *`.execute(tx.sql)
  if (!rows.length) return []
  const system = systemActor(tx.workspaceId)
  const admins = (await membersWithRole(tx, escalatedTo)).filter(({ email }) => email)
  for (const ticket of rows) {
    await record(tx, system, ticket.id, [{ type: 'escalated', data: { timeout_hours: timeoutHours } }])
    await tell(tx, 'ticket.escalated', ticket, { escalated_at: tx.now })
    for (const { id } of admins) await tx.enqueue(escalationMailKind, { ticket_id: ticket.id, user_id: id })
  }
  return rows
}
