/** What has been read, by each reader for themselves. One's own words need no reading. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Forbidden } from '#platform/errors.ts'
import { isId } from '#platform/ids.ts'
import { visibleMessages } from './access.ts'
import { getMessage } from './messages.ts'
import { getTicket } from './tickets.ts'

/** Null: nobody whose reading could be remembered. */
export function readerOf(actor: Actor): string | null {
  return actor.id && isId(actor.id) ? actor.id : null
}

export async function countUnread(tx: Tx, actor: Actor, ticketId: string): Promise<number> {
  await getTicket(tx, actor, ticketId)
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${unread(actor, ticketId)}`.execute(tx.sql)
  return rows[0]!.count
}

/** Answers how many there were to be read. */
export async function markAllRead(tx: Tx, actor: Actor, ticketId: string): Promise<number> {
  await getTicket(tx, actor, ticketId)
  const { rows } = await sql<{ message_id: string }>`
    insert into support.message_reads (workspace_id, message_id, reader_id, read_at)
    select m.workspace_id, m.id, ${requireReader(actor)}::uuid, ${tx.now}::timestamptz from ${unread(actor, ticketId)}
    on conflict do nothing returning message_id`.execute(tx.sql)
  return rows.length
}

/** Reading twice changes nothing: the first time stays. */
export async function markRead(tx: Tx, actor: Actor, ticketId: string, id: string): Promise<void> {
  const message = await getMessage(tx, actor, ticketId, id)
  const reader = requireReader(actor)
  if (message.user_id === reader) return
  await sql`
    insert into support.message_reads (workspace_id, message_id, reader_id, read_at)
    values (${tx.workspaceId}::uuid, ${id}::uuid, ${reader}::uuid, ${tx.now}::timestamptz)
    on conflict do nothing`.execute(tx.sql)
}

function unread(actor: Actor, ticketId: string) {
  const reader = readerOf(actor)
  return sql`support.messages m
    where m.workspace_id = ${actor.workspaceId}::uuid and m.ticket_id = ${ticketId}::uuid and m.deleted_at is null
      and ${visibleMessages(actor)} and m.user_id is distinct from ${reader}::uuid
      and not exists (select from support.message_reads r
        where r.workspace_id = m.workspace_id and r.message_id = m.id and r.reader_id = ${reader}::uuid)`
}

function requireReader(actor: Actor): string {
  const reader = readerOf(actor)
  if (!reader) throw new Forbidden('nobody_reads', 'This credential stands for nobody who could read.')
  return reader
}
