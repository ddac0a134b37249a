/** What follows a merge later: rows that came to a duplicate in the same moment, and the end of the time in which it can be undone. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { every, when } from '#platform/module.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { refreshFigures, takeTurn } from '../facts/figures.ts'
import { moveRows } from './moving.ts'
import { undoDays } from './undo.ts'

/** Whoever wrote to a duplicate while it was being merged has committed by now, and their rows follow the others. */
async function fetchLatecomers(tx: Tx, events: Event[]): Promise<void> {
  await takeTurn(tx)
  for (const { data } of events) {
    const { rows } = await sql<{ id: string; primary_id: string; duplicate_ids: string[] }>`
      select id, primary_id, duplicate_ids from contacts.merges
      where workspace_id = ${tx.workspaceId} and id = ${String(data.merge_id)} and undone_at is null
        and exists (select from contacts.merge_records r where r.workspace_id = merges.workspace_id and r.merge_id = merges.id)
      for update`.execute(tx.sql)
    const [merge] = rows
    if (!merge) continue
    const { id, primary_id, duplicate_ids } = merge
    await sql`
      select from contacts.contacts where workspace_id = ${tx.workspaceId} and id = any(${[primary_id, ...duplicate_ids]}::uuid[])
      order by id for no key update`.execute(tx.sql)
    // Merged again in the meantime: the next survivor's own event is on its way.
    const { rows: merged } = await sql`
      select from contacts.contacts where workspace_id = ${tx.workspaceId} and id = ${primary_id} and merged_into is not null`.execute(
      tx.sql,
    )
    if (merged.length) continue
    const moved = await moveRows(tx, { mergeId: id, primaryId: primary_id, duplicateIds: duplicate_ids })
    if (Object.keys(moved).length) await refreshFigures(tx, [primary_id])
  }
}

/** What everything was before is kept no longer than it can be asked for; that there was a merge is kept. */
export async function forgetOldMerges(tx: Tx): Promise<void> {
  const old = sql`merge_id in (
    select id from contacts.merges
    where workspace_id = ${tx.workspaceId} and created_at < ${tx.now}::timestamptz - make_interval(days => ${undoDays}))`
  await sql`delete from contacts.merge_moves where workspace_id = ${tx.workspaceId} and ${old}`.execute(tx.sql)
  await sql`delete from contacts.merge_records where workspace_id = ${tx.workspaceId} and ${old}`.execute(tx.sql)
}

export const mergeReactions = [when('contact.merged', 'contacts.fetch_latecomers', fetchLatecomers)]

export const mergeTasks = [
  every('25 4 * * *', 'contacts.forget_old_merges', async ({ db }) => {
    for (const workspaceId of await listWorkspaceIds(db)) await db.transaction(workspaceId, forgetOldMerges)
  }),
]
