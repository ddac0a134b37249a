/**
 * How a search of the house finds its page. A word that is seldom said is looked up in the trigram indexes; one that every other
 * ticket says would bring a million rows from there, so the page is read along its order instead (docs/decisions/0041).
 */
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { says } from '#platform/db/search.ts'
import { countMax, countRows, orderBy, type Sort } from '#platform/http/paging.ts'
import { isOfTheHouse } from './access.ts'
import { fromTickets, hasLabels, hasWord, plainConditions, wordsOf, type TicketFilter } from './ticket-filter.ts'
import type { Ticket } from './tables.ts'

export type Sorted = Ticket & { sort_key: string }

export interface SearchPlan {
  words: readonly string[]
  /** The one to look up; undefined where there is nothing to choose. */
  rarest?: string
  isCommon: boolean
}

/** From so many rows on that the planner expects of the rarest word. */
const commonFrom = 20_000
/** Tickets that are looked at for a page, and for the total. */
const pageWindow = 2_000
const countWindow = 6_000

export async function planSearch(tx: Tx, actor: Actor, filter: TicketFilter): Promise<SearchPlan> {
  const words = wordsOf(filter)
  if (!words.length || !isOfTheHouse(actor)) return { words, isCommon: false }
  let rarest: { word: string; rows: number } | undefined
  for (const word of words) {
    const rows = await expectedRows(tx, word)
    if (!rarest || rows < rarest.rows) rarest = { word, rows }
  }
  return { words, rarest: rarest!.word, isCommon: rarest!.rows >= commonFrom }
}

/** What the planner makes of its statistics: nothing is read. */
async function expectedRows(tx: Tx, word: string): Promise<number> {
  const isSaid = says(sql`search_text`, word)
  const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>`
    explain (format json) select from support.ticket_rows where ${isSaid}
    union all select from support.message_rows where ${isSaid}`.execute(tx.sql)
  return rows[0]!['QUERY PLAN'][0].Plan['Plan Rows']
}

/** Whether so few have the category with the tag that they are looked up; else they come soon enough along the order. */
export async function areLabelsRare(tx: Tx, filter: TicketFilter): Promise<boolean> {
  const labelled = hasLabels(filter)
  if (!labelled) return false
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select from support.ticket_rows t where t.deleted_at is null and ${labelled} limit ${sql.lit(pageWindow)}) as t`.execute(
    tx.sql,
  )
  return rows[0]!.count < pageWindow
}

interface Place {
  order: Sort
  after: RawBuilder<unknown> | null
  limit: number
  search: SearchPlan
}

/** Null where the page did not fill within the window, and there is more than the window. */
export async function readNear(
  tx: Tx,
  actor: Actor,
  filter: TicketFilter,
  { order, after, limit, search }: Place,
): Promise<Sorted[] | null> {
  const sorted = orderBy(order, sql`t.id`)
  const inWindow = sql`(
    select t.*, (${order.column.expression})::text as sort_key from support.ticket_rows t
    where ${both(plainConditions(actor, filter, tx.now))} ${after ? sql`and ${after}` : sql``}
    order by ${sorted} limit ${sql.lit(pageWindow)}) as t`
  const { rows } = await sql<Sorted>`
    select * from ${inWindow} where ${saysAll(actor, search)} order by ${sorted} limit ${limit + 1}`.execute(tx.sql)
  if (rows.length > limit) return rows
  const { rows: all } = await sql<{ count: number }>`select count(*) as count from ${inWindow}`.execute(tx.sql)
  return all[0]!.count < pageWindow ? rows : null
}

/**
 * Exactly where the window holds all tickets that there are, or where the number itself is asked for; else at least those of
 * the window.
 */
export async function countNear(
  tx: Tx,
  actor: Actor,
  filter: TicketFilter & { count?: 'exact' },
  search: SearchPlan,
): Promise<number | { at_least: number }> {
  if (filter.count === 'exact')
    return countRows(tx, fromTickets(actor, filter, tx.now, { rarest: search.rarest }), true)
  const { rows } = await sql<{ seen: number; found: number }>`
    select count(*) as seen, count(*) filter (where ${saysAll(actor, search)}) as found from (
      select t.* from support.ticket_rows t where ${both(plainConditions(actor, filter, tx.now))}
      order by t.created_at desc, t.id desc limit ${sql.lit(countWindow)}) as t`.execute(tx.sql)
  const { seen, found } = rows[0]!
  return seen < countWindow ? found : { at_least: Math.min(found, countMax) }
}

function saysAll(actor: Actor, { words }: SearchPlan): RawBuilder<unknown> {
  return both(words.map((word) => hasWord(actor, word)))
}

function both(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql.join(conditions, sql` and `)
}
