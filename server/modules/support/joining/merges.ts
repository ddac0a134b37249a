/** The merges of a ticket, as people look them up. */
import './tables.ts'
import { sql } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { Id, NullableId, NullableTimestamp, Timestamp } from '#platform/http/shapes.ts'
import { visibleTo } from '../access.ts'
import type { TicketMerge } from './tables.ts'
import { undoDays } from './undo.ts'

const Who = Type.Object({ id: NullableId, name: Type.String() })

export const TicketMergeView = Type.Object(
  {
    id: Id,
    survivor_id: Id,
    duplicate_ids: Type.Array(Id),
    created_at: Timestamp,
    created_by: Who,
    undoable_until: Timestamp,
    undone_at: NullableTimestamp,
    undone_by: Type.Unsafe<Static<typeof Who> | null>({ anyOf: [Who, Type.Null()] }),
    kept: Type.Integer({ description: 'Messages that the undo left, because they were moved on or removed since' }),
  },
  { $id: 'TicketMerge' },
)

export function viewMerge(merge: TicketMerge): Static<typeof TicketMergeView> {
  return {
    id: merge.id,
    survivor_id: merge.survivor_id,
    duplicate_ids: merge.duplicate_ids,
    created_at: merge.created_at,
    created_by: { id: merge.created_by, name: merge.created_by_name },
    undoable_until: new Date(+merge.created_at + undoDays * 86_400_000),
    undone_at: merge.undone_at,
    undone_by: merge.undone_at ? { id: merge.undone_by, name: merge.undone_by_name } : null,
    kept: merge.kept,
  }
}

/** There for whoever sees the ticket that survived. */
export async function getTicketMerge(tx: Tx, actor: Actor, id: string): Promise<TicketMerge> {
  const { rows } = await sql<TicketMerge>`
    select m.* from support.ticket_merges m
    join support.tickets t on t.workspace_id = m.workspace_id and t.id = m.survivor_id and ${visibleTo(actor)}
    where m.workspace_id = ${tx.workspaceId}::uuid and m.id = ${id}::uuid`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('merge')
  return rows[0]
}

export interface MergesQuery {
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Those that the ticket survived, newest first. The caller has found the ticket. */
export async function listTicketMerges(tx: Tx, survivorId: string, query: MergesQuery) {
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`created_at`, type: 'timestamptz' as const } }
  const order = parseSort(undefined, byTime, '-created_at')
  const from = sql`from support.ticket_merges
    where workspace_id = ${tx.workspaceId}::uuid and survivor_id = ${survivorId}::uuid`
  const after = afterCursor(query.cursor, order, sql`id`)
  const { rows } = await sql<TicketMerge & { sort_key: string }>`
    select *, created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(order, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, order, viewMerge), total: await countRows(tx, from, query.count === 'exact') }
}
