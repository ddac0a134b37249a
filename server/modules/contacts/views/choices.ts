/** What a person makes of the views that they see. Nobody else notices: no version changes by it. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Forbidden, Invalid } from '#platform/errors.ts'
import { getView, type ChosenView } from './views.ts'

export async function pinView(tx: Tx, actor: Actor, id: string, isPinned: boolean): Promise<ChosenView> {
  await getView(tx, actor, id)
  await tx.sql
    .insertInto('contacts.view_choices')
    .values({ workspace_id: tx.workspaceId, user_id: person(actor), view_id: id, is_pinned: isPinned })
    .onConflict((at) => at.columns(['workspace_id', 'user_id', 'view_id']).doUpdateSet({ is_pinned: isPinned }))
    .execute()
  return getView(tx, actor, id)
}

/** The one that opens first; a person has at most one. */
export async function chooseDefault(tx: Tx, actor: Actor, id: string, isDefault: boolean): Promise<ChosenView> {
  await getView(tx, actor, id)
  const userId = person(actor)
  // Two choices of one person at once must not end in two defaults, nor in a refusal.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`contacts.view_choices ${tx.workspaceId} ${userId}`}, 0))`.execute(
    tx.sql,
  )
  const others = tx.sql.updateTable('contacts.view_choices').set({ is_default: false }).where('user_id', '=', userId)
  await (isDefault ? others.where('is_default', '=', true) : others.where('view_id', '=', id)).execute()
  if (isDefault) {
    await tx.sql
      .insertInto('contacts.view_choices')
      .values({ workspace_id: tx.workspaceId, user_id: userId, view_id: id, is_default: true })
      .onConflict((at) => at.columns(['workspace_id', 'user_id', 'view_id']).doUpdateSet({ is_default: true }))
      .execute()
  }
  return getView(tx, actor, id)
}

/** These come first, in this order; those that are not named follow as they were made. */
export async function orderViews(tx: Tx, actor: Actor, ids: string[]): Promise<void> {
  const userId = person(actor)
  const wanted = ids.map((id) => id.toLowerCase())
  const { rows } = await sql<{ id: string }>`
    select v.id from contacts.views v
    where v.workspace_id = ${tx.workspaceId} and v.id = any(${wanted}::uuid[]) and v.deleted_at is null
      and (v.visibility = 'workspace' or v.owner_id = ${userId}::uuid)`.execute(tx.sql)
  const seen = new Set(rows.map(({ id }) => id))
  const errors = wanted.flatMap((id, index) =>
    seen.has(id)
      ? []
      : [{ pointer: `/view_ids/${index}`, code: 'not_found', detail: 'There is no such view here. Leave it out.' }],
  )
  if (errors.length) throw new Invalid('invalid', errors[0]!.detail, { errors })
  await tx.sql
    .updateTable('contacts.view_choices')
    .set({ position: null })
    .where('user_id', '=', userId)
    .where('position', 'is not', null)
    .execute()
  await sql`
    insert into contacts.view_choices (workspace_id, user_id, view_id, position)
    select ${tx.workspaceId}, ${userId}, wanted.id, wanted.place - 1
    from unnest(${wanted}::uuid[]) with ordinality as wanted (id, place)
    on conflict (workspace_id, user_id, view_id) do update set position = excluded.position`.execute(tx.sql)
}

function person({ id }: Actor): string {
  if (!id) throw new Forbidden('no_owner', 'Only a person or a key has views of its own to choose from.')
  return id
}
