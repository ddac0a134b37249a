/** Keeps what a comparison found. What people said of a pair stands: a dismissed pair stays dismissed, however alike it becomes. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import type { FoundPair, Keyed } from './finder.ts'

/** Keys of different workspaces must not meet in the index: the id's own bits begin each hash. */
export function seedOf(workspaceId: string): number {
  return Number.parseInt(workspaceId.slice(-8), 16) | 0
}

export async function saveKeys(tx: Tx, { ids, keys }: Keyed): Promise<void> {
  // A contact may have been erased since it was read.
  await sql`
    insert into contacts.duplicate_keys as k (workspace_id, contact_id, keys)
    select ${tx.workspaceId}::uuid, n.id, n.keys::int[]
    from unnest(${ids}::uuid[], ${keys}::text[]) as n(id, keys)
    where exists (select from contacts.contacts c where c.workspace_id = ${tx.workspaceId}::uuid and c.id = n.id)
    on conflict (workspace_id, contact_id) do update set keys = excluded.keys where k.keys <> excluded.keys`.execute(
    tx.sql,
  )
}

/** Answers how many were not known before. `confirmedAt`: a scan's beginning, so that its clock alone decides. */
export async function savePairs(
  tx: Tx,
  pairs: FoundPair[],
  { by, confirmedAt = tx.now }: { by: 'scan' | 'change'; confirmedAt?: Date },
): Promise<number> {
  if (!pairs.length) return 0
  const rows = pairs.map((pair) => ({ id: newId(), ...pair }))
  const { rows: saved } = await sql<{ is_new: boolean }>`
    insert into contacts.duplicate_pairs as p
      (workspace_id, id, a, b, weight, probability, reasons, found_by, found_at, confirmed_at)
    select ${tx.workspaceId}::uuid, n.id, n.a, n.b, n.weight, n.probability, n.reasons, ${by}, ${tx.now}, ${confirmedAt}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as n(id uuid, a uuid, b uuid, weight numeric, probability real, reasons jsonb)
    where exists (select from contacts.contacts c where c.workspace_id = ${tx.workspaceId}::uuid and c.id = n.a)
      and exists (select from contacts.contacts c where c.workspace_id = ${tx.workspaceId}::uuid and c.id = n.b)
    order by n.a, n.b
    on conflict (workspace_id, a, b) do update
      set weight = excluded.weight, probability = excluded.probability, reasons = excluded.reasons, confirmed_at = greatest(p.confirmed_at, excluded.confirmed_at)
    returning p.xmax = 0 as is_new`.execute(tx.sql)
  return saved.filter((row) => row.is_new).length
}
