/** Events that a reaction refused to the last: looked at, and sent again. And events that come in from outside. */
import { sql } from 'kysely'
import type { Tx } from '../db/db.ts'
import { Conflict, NotFound } from '../errors.ts'
import type { Event } from './outbox.ts'

export interface FailedEvent {
  seq: string
  id: string
  event: string
  subject: string
  data: unknown
  attempts: number
  error: string | null
  created_at: Date
  failed_at: Date
}

/** Its subject's later events went on meanwhile: whoever sends an old one again has decided that this does not matter. */
export async function resendEvent(tx: Tx, id: string): Promise<void> {
  const { numUpdatedRows } = await tx.sql
    .updateTable('platform.outbox')
    .set({ failed_at: null, attempts: 0, next_attempt_at: tx.now })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .where('failed_at', 'is not', null)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw new NotFound('failed event')
}

/** Everything that failed, in every workspace; answers how much that was. For the operator's command. */
export async function resendAllEvents(tx: Tx): Promise<number> {
  const { numUpdatedRows } = await tx.sql
    .updateTable('platform.outbox')
    .set({ failed_at: null, attempts: 0, next_attempt_at: tx.now })
    .where('failed_at', 'is not', null)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/**
 * Hands an event of another program to the same reactions as our own, once per event id. Answers false when it had come
 * before.
 */
export async function receiveEvent(tx: Tx, event: Event): Promise<boolean> {
  const { rows } = await sql<{ isNew: boolean; workspace_id: string }>`
    with added as (
      insert into platform.outbox (id, workspace_id, event, subject, data, created_at, is_foreign)
      values (${event.id}, ${tx.workspaceId}, ${event.event}, ${subjectOf(event)}, ${JSON.stringify(event.data)},
        ${event.timestamp}::timestamptz, true)
      on conflict (id) do nothing returning workspace_id)
    select true as "isNew", workspace_id from added
    union all select false, workspace_id from platform.outbox where id = ${event.id}`.execute(tx.sql)
  const [row] = rows
  if (row && row.workspace_id !== tx.workspaceId) throw new Conflict('event_id_taken', 'This event id was used before.')
  return row?.isNew ?? false
}

/** The thing that an outside event is about, as far as it says: events of one thing stay in order. */
function subjectOf({ id, data }: Event): string {
  const names = ['id', 'contact_id', 'customer_id', 'order_id', 'booking_id', 'user_id', 'email']
  const found = names.map((name) => data[name]).find((value) => typeof value === 'string' || typeof value === 'number')
  return String(found ?? id).slice(0, 200)
}
