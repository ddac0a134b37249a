/** The append-only ledger of a ticket: one writer, through which everything goes that clocks and statistics fold over. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { kindOf } from './access.ts'

export type LedgerType =
  | 'created'
  | 'status'
  | 'assigned'
  | 'changed'
  | 'message'
  | 'first_response'
  | 'deleted'
  | 'restored'
  | 'escalated'
  | 'satisfaction'
  | 'merged'
  | 'unmerged'
  | 'joined'
  | 'parted'
  | 'split'
  | 'deadline'
  | 'sla_warning'
  | 'sla'
  | 'attachment'

export interface LedgerEntry {
  type: LedgerType
  from?: string | null
  to?: string | null
  /** Ids, names of fields, numbers: never anybody's words, for the ledger outlives an erasure. */
  data?: Record<string, unknown>
  /** When it happened, where that is not now: a deadline is missed at its hour, whenever that is found out. */
  at?: Date
}

/** Answers the number of the last entry. */
export async function writeLedger(tx: Tx, actor: Actor, ticketId: string, entries: LedgerEntry[]): Promise<number> {
  return writeLedgers(
    tx,
    actor,
    entries.map((entry) => ({ ticketId, entry })),
  )
}

/** Of several tickets in one statement. */
export async function writeLedgers(
  tx: Tx,
  actor: Actor,
  entries: readonly { ticketId: string; entry: LedgerEntry }[],
): Promise<number> {
  const kind = kindOf(actor)
  const rows = await tx.sql
    .insertInto('support.ticket_events')
    .values(
      entries.map(({ ticketId, entry: { type, from = null, to = null, data = {}, at = tx.now } }) => ({
        workspace_id: tx.workspaceId,
        ticket_id: ticketId,
        type,
        at,
        actor_kind: kind,
        actor_id: kind === 'house' ? actor.id : null,
        from_value: from,
        to_value: to,
        data: JSON.stringify(data),
      })),
    )
    .returning('seq')
    .execute()
  return Math.max(...rows.map(({ seq }) => seq))
}
