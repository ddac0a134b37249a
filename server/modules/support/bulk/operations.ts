/** The log of what was done to many tickets at once: one's own, and for admins everybody's. It is kept for thirty days. */
import './tables.ts'
import { sql, type RawBuilder } from 'kysely'
import { may, type Actor, type Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { newId } from '#platform/ids.ts'
import { every } from '#platform/module.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import type { Meant } from './request.ts'
import type { Operation } from './tables.ts'

export const undoDays = 30

export async function recordOperation(
  tx: Tx,
  actor: Actor,
  { action, params, ticket_ids: ids }: Meant,
): Promise<string> {
  // What requesters read is theirs; it stays in their tickets alone.
  const { resolution: _words, ...facts } = params
  const id = newId()
  await tx.sql
    .insertInto('support.operations')
    .values({
      workspace_id: tx.workspaceId,
      id,
      action,
      actor_id: actor.id,
      actor_name: actor.name,
      facts: JSON.stringify({ ...facts, by: ids ? 'ids' : 'filter' }),
      created_at: tx.now,
      undoable_until: new Date(tx.now.getTime() + undoDays * 86_400_000),
    })
    .execute()
  return id
}

export async function setOperation(
  tx: Tx,
  id: string,
  set: { job_id?: string; undo_job_id?: string; undone_at?: Date; undone_by?: string | null; undone_by_name?: string },
): Promise<void> {
  await tx.sql
    .updateTable('support.operations')
    .set(set)
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .execute()
}

interface OperationsQuery {
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Newest first. */
export async function listOperations<View>(
  tx: Tx,
  actor: Actor,
  query: OperationsQuery & { permissions: Permissions },
  view: (operation: Operation) => View,
) {
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`o.created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, '-created_at')
  const after = afterCursor(query.cursor, sort, sql`o.id`)
  const from = sql`from support.operations o
    where o.workspace_id = ${tx.workspaceId}::uuid and ${seenBy(actor, query.permissions)}`
  const { rows } = await sql<Operation & { sort_key: string }>`
    select o.*, o.created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`o.id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

export async function getOperation(
  tx: Tx,
  actor: Actor,
  id: string,
  permissions: Permissions,
  { lock = false } = {},
): Promise<Operation> {
  const { rows } = await sql<Operation>`
    select o.* from support.operations o
    where o.workspace_id = ${tx.workspaceId}::uuid and o.id = ${id} and ${seenBy(actor, permissions)}
    ${lock ? sql`for no key update` : sql``}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('operation')
  return rows[0]
}

/** For jobs, which were let in when they were asked for. Null once its time is over. */
export async function holdOperation(tx: Tx, id: string): Promise<Operation | null> {
  const held = tx.sql
    .selectFrom('support.operations')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .forNoKeyUpdate()
  return (await held.executeTakeFirst()) ?? null
}

function seenBy(actor: Actor, permissions: Permissions): RawBuilder<boolean> {
  return may(permissions, actor, 'ticket.configure') ? sql<boolean>`true` : sql<boolean>`o.actor_id = ${actor.id}::uuid`
}

/** With an operation goes what its tickets were before it. */
export const operationTasks = [
  every('35 3 * * *', 'support.forget_operations', async ({ db }) => {
    for (const workspaceId of await listWorkspaceIds(db)) {
      await db.transaction(workspaceId, (tx) =>
        sql`delete from support.operations
          where workspace_id = ${workspaceId}::uuid and created_at < ${tx.now}::timestamptz - make_interval(days => ${undoDays}::int)`.execute(
          tx.sql,
        ),
      )
    }
  }),
]
