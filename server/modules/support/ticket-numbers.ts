/** The number that people call a ticket by: `TICKET-20240115-001`, counted anew each day of the workspace's calendar. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'

/**
 * Takes the day's next number. The counter's row stays locked until the transaction ends, so take it last; a transaction that
 * fails gives its number back.
 */
export async function nextTicketNumber(tx: Tx, prefix: string, timezone: string): Promise<string> {
  const { rows } = await sql<{ day: string; last_number: number }>`
    insert into support.ticket_days as d (workspace_id, day, last_number)
    values (${tx.workspaceId}::uuid, (${tx.now}::timestamptz at time zone ${timezone})::date, 1)
    on conflict (workspace_id, day) do update set last_number = d.last_number + 1
    returning to_char(day, 'YYYYMMDD') as day, last_number`.execute(tx.sql)
  const { day, last_number: number } = rows[0]!
  return `${prefix}-${day}-${String(number).padStart(3, '0')}`
}
