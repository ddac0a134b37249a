/** Groups of suggested contacts, kept beside the pairs: made anew where pairs come or go, and as a whole after a scan. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { groupsOf, type Link } from './clusters.ts'

interface OpenPair {
  a: string
  b: string
  weight: number
  probability: number
}

/** Contacts that a change can reach through pairs; further away, the next scan sees to it. */
const reachMost = 500

/** After pairs of these contacts came, went, or changed. */
export async function regroup(tx: Tx, contactIds: string[]): Promise<void> {
  const near = await pairedWith(tx, contactIds)
  const touched = new Set(near)
  const pairs = new Map<string, OpenPair>()
  for (let frontier = near; frontier.length && touched.size <= Math.max(reachMost, near.length);) {
    const next: string[] = []
    for (const pair of await openPairsOf(tx, frontier)) {
      pairs.set(`${pair.a}${pair.b}`, pair)
      for (const id of [pair.a, pair.b]) {
        if (touched.has(id)) continue
        touched.add(id)
        next.push(id)
      }
    }
    frontier = next
  }
  await forgetGroups(tx, [...touched])
  await saveGroups(tx, [...pairs.values()])
}

/** All groups of the workspace, from all of its open pairs. */
export async function regroupAll(tx: Tx): Promise<number> {
  const { rows } = await sql<OpenPair>`
    select p.a, p.b, p.weight::float8 as weight, p.probability from contacts.duplicate_pairs p ${bothThere} and p.status = 'open'`.execute(
    tx.sql,
  )
  await sql`delete from contacts.duplicate_groups`.execute(tx.sql)
  await sql`update contacts.duplicate_pairs set group_id = null where group_id is not null`.execute(tx.sql)
  return saveGroups(tx, rows)
}

/** To be continued with `and`. */
export const bothThere = sql`
  join contacts.contacts ca on ca.workspace_id = p.workspace_id and ca.id = p.a
  join contacts.contacts cb on cb.workspace_id = p.workspace_id and cb.id = p.b
  where ca.deleted_at is null and cb.deleted_at is null`

/** They themselves, and the other side of each of their pairs, though it be closed by now: its group may have been theirs. */
async function pairedWith(tx: Tx, ids: string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select unnest(${ids}::uuid[]) as id
    union select b from contacts.duplicate_pairs where a = any(${ids}::uuid[])
    union select a from contacts.duplicate_pairs where b = any(${ids}::uuid[])`.execute(tx.sql)
  return rows.map(({ id }) => id)
}

async function openPairsOf(tx: Tx, ids: string[]): Promise<OpenPair[]> {
  const { rows } = await sql<OpenPair>`
    select p.a, p.b, p.weight::float8 as weight, p.probability from contacts.duplicate_pairs p ${bothThere}
      and p.status = 'open' and (p.a = any(${ids}::uuid[]) or p.b = any(${ids}::uuid[]))
    limit 5000`.execute(tx.sql)
  return rows
}

/** A group is named after one of its contacts, so that one whose last pair is gone is found as well. */
async function forgetGroups(tx: Tx, contactIds: string[]): Promise<void> {
  await sql`
    with old as materialized (
      select distinct group_id from contacts.duplicate_pairs
      where group_id is not null and (a = any(${contactIds}::uuid[]) or b = any(${contactIds}::uuid[]))),
    freed as (
      update contacts.duplicate_pairs set group_id = null where group_id in (select group_id from old))
    delete from contacts.duplicate_groups
    where id in (select group_id from old) or id = any(${contactIds}::uuid[])`.execute(tx.sql)
}

async function saveGroups(tx: Tx, pairs: OpenPair[]): Promise<number> {
  const ids = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))].toSorted()
  const place = new Map(ids.map((id, index) => [id, index]))
  const links = pairs.map(({ a, b, weight }): Link => ({ a: place.get(a)!, b: place.get(b)!, strength: weight }))
  const group = groupsOf(ids.length, links)
  const members = Map.groupBy(ids, (_, index) => group[index]!)
  const strongest = new Map<number, OpenPair>()
  for (const pair of pairs) {
    const number = group[place.get(pair.a)!]!
    if (number !== group[place.get(pair.b)!]) continue
    if (pair.weight > (strongest.get(number)?.weight ?? Number.NEGATIVE_INFINITY)) strongest.set(number, pair)
  }
  const rows = [...strongest].map(([number, { weight, probability }]) => {
    const contact_ids = members.get(number)!
    return { id: contact_ids[0]!, contact_ids, weight, probability }
  })
  if (!rows.length) return 0
  await sql`
    with n as materialized (
      select n.id, n.weight, n.probability, (select array_agg(e::uuid order by e) from jsonb_array_elements_text(n.contact_ids) as e) as contact_ids
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(id uuid, weight numeric, probability real, contact_ids jsonb)),
    made as (
      insert into contacts.duplicate_groups (workspace_id, id, contact_ids, weight, probability)
      select ${tx.workspaceId}::uuid, id, contact_ids, weight, probability from n
      on conflict (workspace_id, id) do update set contact_ids = excluded.contact_ids, weight = excluded.weight, probability = excluded.probability),
    member as (select n.id as group_id, unnest(n.contact_ids) as contact_id from n)
    update contacts.duplicate_pairs p set group_id = one.group_id
    from member one join member other on other.group_id = one.group_id
    where p.workspace_id = ${tx.workspaceId}::uuid and p.status = 'open' and p.a = one.contact_id and p.b = other.contact_id`.execute(
    tx.sql,
  )
  return rows.length
}
