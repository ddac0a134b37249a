/** Counts what a bulk action would do, by the judgement that the action itself goes by. Writes nothing. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { actions } from './actions.ts'
import type { Applied, BulkPlan } from './action.ts'
import { countMeant, fromMeant, type BulkAction } from './request.ts'

export interface DryRun {
  matched: number
  would_change: number
  unchanged: number
  refused: Record<string, number>
  /** Of `contact_ids`, those that name nobody whom the action could mean. */
  not_found: number
}

export async function rehearse(tx: Tx, actor: Actor, bulk: BulkAction, services: Services): Promise<DryRun> {
  const asked = new Set(bulk.contact_ids?.map((id) => id.toLowerCase())).size
  const found = (matched: number) => ({ matched, not_found: Math.max(0, asked - matched) })
  if (bulk.action === 'export') {
    const matched = await countMeant(tx, bulk)
    return { ...found(matched), would_change: 0, unchanged: matched, refused: {} }
  }
  const plan = await actions[bulk.action].plan({ tx, actor, params: bulk.params ?? {}, services })
  const { rows } = await sql<{ outcome: string; count: number }>`
    select outcome, count(*) as count from (select ${plan.outcome} as outcome ${await fromMeant(tx, bulk, 'whole')}) as judged
    group by outcome`.execute(tx.sql)
  const counts = Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]))
  const { change = 0, same = 0, ...refused } = counts
  const matched = rows.reduce((sum, { count }) => sum + count, 0)
  if (!plan.rehearse || !change) return { ...found(matched), would_change: change, unchanged: same, refused }
  const applied = await rehearseAll(tx, bulk, plan)
  const refusedToo = addCounts(refused, applied.refused ?? {})
  const left = change - applied.changed - sum(applied.refused ?? {})
  return { ...found(matched), would_change: applied.changed, unchanged: same + left, refused: refusedToo }
}

const batchSize = 5_000

async function rehearseAll(tx: Tx, bulk: BulkAction, plan: BulkPlan): Promise<Applied> {
  const from = await fromMeant(tx, bulk, 'page')
  let all: Required<Applied> = { changed: 0, refused: {} }
  for (let after: string | undefined = '00000000-0000-0000-0000-000000000000'; after;) {
    const { rows }: { rows: { id: string }[] } = await sql<{ id: string }>`
      select c.id ${from} and c.id > ${after}::uuid and ${plan.outcome} = 'change' order by c.id limit ${batchSize}`.execute(
      tx.sql,
    )
    const applied = rows.length ? await plan.rehearse!(rows.map(({ id }) => id)) : { changed: 0 }
    all = { changed: all.changed + applied.changed, refused: addCounts(all.refused, applied.refused ?? {}) }
    after = rows.at(-1)?.id
  }
  return all
}

export function addCounts(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const both = { ...a }
  for (const [name, count] of Object.entries(b)) both[name] = (both[name] ?? 0) + count
  return both
}

export function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
