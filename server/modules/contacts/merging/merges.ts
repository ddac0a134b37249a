/** The merges of a workspace, as people look them up. */
import { sql } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { Id, JsonObject, NullableId, NullableTimestamp, OneOf, Timestamp } from '#platform/http/shapes.ts'
import type { Merge } from './tables.ts'
import { undoDays } from './undo.ts'

const Who = Type.Object({ id: NullableId, name: Type.String() })

export const MergeView = Type.Object(
  {
    id: Id,
    primary_id: Id,
    duplicate_ids: Type.Array(Id),
    fields: { ...JsonObject, description: 'The choices, as they were asked for' } as typeof JsonObject,
    moved: { ...JsonObject, description: 'How many rows of which table went along' } as typeof JsonObject,
    created_at: Timestamp,
    created_by: Who,
    undoable_until: Timestamp,
    undone_at: NullableTimestamp,
    undone_by: Type.Unsafe<Static<typeof Who> | null>({ anyOf: [Who, Type.Null()] }),
    kept: Type.Array(
      Type.Object({
        what: Type.String({ description: 'A field of the contact, or a table' }),
        reason: OneOf(['changed_since', 'gone'], {
          description: 'changed_since: the survivor keeps its newer value; gone: rows that were removed since',
        }),
        count: Type.Integer(),
      }),
      { description: 'What the undo left as it is' },
    ),
  },
  { $id: 'Merge' },
)

export function viewMerge(merge: Merge): Static<typeof MergeView> {
  return {
    id: merge.id,
    primary_id: merge.primary_id,
    duplicate_ids: merge.duplicate_ids,
    fields: merge.fields,
    moved: merge.moved,
    created_at: merge.created_at,
    created_by: { id: merge.created_by, name: merge.created_by_name },
    undoable_until: new Date(+merge.created_at + undoDays * 86_400_000),
    undone_at: merge.undone_at,
    undone_by: merge.undone_at ? { id: merge.undone_by, name: merge.undone_by_name } : null,
    kept: merge.kept,
  }
}

export async function getMerge(tx: Tx, id: string): Promise<Merge> {
  const merge = await tx.sql.selectFrom('contacts.merges').selectAll().where('id', '=', id).executeTakeFirst()
  if (!merge) throw new NotFound('merge')
  return merge
}

export interface MergesQuery {
  contact_id?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Newest first; of one contact, those that it survived. */
export async function listMerges(tx: Tx, query: MergesQuery) {
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, '-created_at')
  const from = sql`from contacts.merges where workspace_id = ${tx.workspaceId}
    ${query.contact_id ? sql`and primary_id = ${query.contact_id}` : sql``}`
  const after = afterCursor(query.cursor, sort, sql`id`)
  const { rows } = await sql<Merge & { sort_key: string }>`
    select *, created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, viewMerge), total: await countRows(tx, from, query.count === 'exact') }
}
