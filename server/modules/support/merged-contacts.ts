/** Tickets follow a person whose contacts are merged, and go back when the merge is undone. What was typed stays as it was. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { isId } from '#platform/ids.ts'
import { when, type Reaction } from '#platform/module.ts'

interface Merge {
  id: string
  primaryId: string
  mergedIds: string[]
}

/** Each ticket remembers, by the merge, whose it was. */
async function followMerges(tx: Tx, events: Event[]): Promise<void> {
  for (const { id, primaryId, mergedIds } of events.flatMap(read)) {
    await sql`
      update support.tickets set contact_id = ${primaryId}::uuid,
        former_contacts = former_contacts || jsonb_build_object(${id}::text, contact_id)
      where workspace_id = ${tx.workspaceId}::uuid and contact_id = any(${mergedIds}::uuid[])`.execute(tx.sql)
  }
}

/** What was opened for the survivor since stays the survivor's. */
async function followUndone(tx: Tx, events: Event[]): Promise<void> {
  for (const { id, primaryId } of events.flatMap(read)) {
    await sql`
      update support.tickets set contact_id = (former_contacts ->> ${id}::text)::uuid,
        former_contacts = former_contacts - ${id}::text
      where workspace_id = ${tx.workspaceId}::uuid and contact_id = ${primaryId}::uuid and former_contacts ? ${id}::text`.execute(
      tx.sql,
    )
  }
}

function read({ data }: Event): Merge[] {
  const { merge_id: id, primary_id: primaryId, merged_ids: mergedIds } = data
  if (!Array.isArray(mergedIds)) return []
  const ids = [id, primaryId, ...(mergedIds as unknown[])].map((each) => String(each).toLowerCase())
  return ids.every(isId) ? [{ id: ids[0]!, primaryId: ids[1]!, mergedIds: ids.slice(2) }] : []
}

export const mergeReactions: Reaction[] = [
  when('contact.merged', 'support.follow_merges', followMerges),
  when('contact.unmerged', 'support.follow_unmerges', followUndone),
]
