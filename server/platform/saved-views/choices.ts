/** What a person makes of the views that they see. Nobody else notices: no version changes by it. */
import { sql } from 'kysely'
import type { Actor } from '../actor.ts'
import type { Tx } from '../db/db.ts'
import { Forbidden, Invalid } from '../errors.ts'
import { sharedWith } from './sharing.ts'
import type { Chosen, SavedView, ViewInput, ViewsRoom } from './views.ts'

type Room<View extends SavedView> = Pick<ViewsRoom<View, ViewInput>, 'table' | 'choices' | 'getView'>

/** Of views whose table and choices `room` knows. */
export function viewChoices<View extends SavedView>(room: Room<View>) {
  const choices = sql.table(room.choices)

  async function pinView(tx: Tx, actor: Actor, id: string, isPinned: boolean): Promise<Chosen<View>> {
    await room.getView(tx, actor, id)
    await sql`
      insert into ${choices} (workspace_id, user_id, view_id, is_pinned)
      values (${tx.workspaceId}, ${person(actor)}, ${id}, ${isPinned})
      on conflict (workspace_id, user_id, view_id) do update set is_pinned = excluded.is_pinned`.execute(tx.sql)
    return room.getView(tx, actor, id)
  }

  /** The one that opens first; a person has at most one. */
  async function chooseDefault(tx: Tx, actor: Actor, id: string, isDefault: boolean): Promise<Chosen<View>> {
    await room.getView(tx, actor, id)
    const userId = person(actor)
    // Two choices of one person at once must not end in two defaults, nor in a refusal.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`${room.choices} ${tx.workspaceId} ${userId}`}, 0))`.execute(
      tx.sql,
    )
    await sql`
      update ${choices} set is_default = false
      where workspace_id = ${tx.workspaceId} and user_id = ${userId} and is_default
        ${isDefault ? sql`` : sql`and view_id = ${id}`}`.execute(tx.sql)
    if (isDefault) {
      await sql`
        insert into ${choices} (workspace_id, user_id, view_id, is_default)
        values (${tx.workspaceId}, ${userId}, ${id}, true)
        on conflict (workspace_id, user_id, view_id) do update set is_default = true`.execute(tx.sql)
    }
    return room.getView(tx, actor, id)
  }

  /** These come first, in this order; those that are not named follow as they were made. */
  async function orderViews(tx: Tx, actor: Actor, ids: string[]): Promise<void> {
    const userId = person(actor)
    const wanted = ids.map((id) => id.toLowerCase())
    await requireSeen(tx, actor, wanted)
    await sql`
      update ${choices} set position = null
      where workspace_id = ${tx.workspaceId} and user_id = ${userId} and position is not null`.execute(tx.sql)
    await sql`
      insert into ${choices} (workspace_id, user_id, view_id, position)
      select ${tx.workspaceId}, ${userId}, wanted.id, wanted.place - 1
      from unnest(${wanted}::uuid[]) with ordinality as wanted (id, place)
      on conflict (workspace_id, user_id, view_id) do update set position = excluded.position`.execute(tx.sql)
  }

  async function requireSeen(tx: Tx, actor: Actor, wanted: string[]): Promise<void> {
    const { rows } = await sql<{ id: string }>`
      select v.id from ${sql.table(room.table)} v
      where v.workspace_id = ${tx.workspaceId} and v.id = any(${wanted}::uuid[]) and v.deleted_at is null
        and ${sharedWith(actor, 'v')}`.execute(tx.sql)
    const seen = new Set(rows.map(({ id }) => id))
    const errors = wanted.flatMap((id, index) =>
      seen.has(id)
        ? []
        : [{ pointer: `/view_ids/${index}`, code: 'not_found', detail: 'There is no such view here. Leave it out.' }],
    )
    if (errors.length) throw new Invalid('invalid', errors[0]!.detail, { errors })
  }

  return { pinView, chooseDefault, orderViews }
}

function person({ id }: Actor): string {
  if (!id) throw new Forbidden('no_owner', 'Only a person or a key has views of its own to choose from.')
  return id
}
