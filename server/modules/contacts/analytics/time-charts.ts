/** Charts that are mostly lines over time. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { interactionTypes } from '../interactions.ts'
import type { ChartQuery, Drawn, Item, Series } from './analytics.ts'
import { dailyCounts, sumDays, sumKinds, type DailyCounts } from './daily.ts'
import { addDays, changeOf, rate, toLevels, toPoints, type Period, type Span } from './days.ts'

/** New and deleted contacts, and how many there were at the end of each interval. */
export async function growth(query: ChartQuery): Promise<Drawn> {
  const { tx, period, matching } = query
  const span = { from: period.previous.from, to: period.to }
  const today = { from: addDays(period.to, 1), to: '2999-12-31' }
  const options = { timezone: period.timezone, matching }
  const created = sumKinds(await dailyCounts(tx, 'created', span, options))
  const later = sumDays(sumKinds(await dailyCounts(tx, 'created', today, options)))
  const deleted = matching ? new Map<string, number>() : await deletedByDay(tx, span.from, period.timezone)
  const total = await countContacts(query)
  const levels = new Map<string, number>()
  let level = total - later + sumDays(new Map([...deleted].filter(([day]) => day > period.to)))
  for (let day = period.to; day >= span.from; day = addDays(day, -1)) {
    levels.set(day, level)
    level += (deleted.get(day) ?? 0) - (created.get(day) ?? 0)
  }
  const all: Series = {
    key: 'total',
    total: levels.get(period.to) ?? 0,
    previous_total: levels.get(period.previous.to) ?? 0,
    change: changeOf(levels.get(period.to) ?? 0, levels.get(period.previous.to) ?? 0),
    data: toLevels(levels, period, period.interval),
    previous: toLevels(levels, period.previous, period.interval),
  }
  return {
    series: [toSeries('created', created, period), toSeries('deleted', deleted, period), all],
    figures: { contacts: total },
  }
}

/** The timeline by type: the most frequent first. */
export async function interactions({ tx, period, matching, limit }: ChartQuery): Promise<Drawn> {
  const counts = await dailyCounts(tx, 'interactions', bothSpans(period), { timezone: period.timezone, matching })
  const series = interactionTypes
    .filter((type) => counts.has(type))
    .map((type) => toSeries(type, counts.get(type)!, period))
    .filter(({ total, previous_total }) => total || previous_total)
    .toSorted((a, b) => b.total - a.total)
  return { series: [toSeries('all', sumKinds(counts), period), ...series.slice(0, limit)] }
}

const purposes = ['newsletter', 'marketing'] as const

/** Who said yes and who said no, by purpose. */
export async function subscriptions({ tx, period, matching }: ChartQuery): Promise<Drawn> {
  const counts = await dailyCounts(tx, 'consents', bothSpans(period), { timezone: period.timezone, matching })
  const kinds = purposes.flatMap((purpose) => [
    [`${purpose}_subscribed`, `${purpose} granted`] as const,
    [`${purpose}_unsubscribed`, `${purpose} withdrawn`] as const,
  ])
  return { series: kinds.map(([key, kind]) => toSeries(key, counts.get(kind) ?? new Map(), period)) }
}

export const lists = (query: ChartQuery): Promise<Drawn> => groups(query, 'list')
export const tags = (query: ChartQuery): Promise<Drawn> => groups(query, 'tag')

const groupParts = {
  list: { groups: 'contacts.lists', days: 'contacts.list_statistics', key: 'list_id', size: 'contact_count' },
  tag: { groups: 'contacts.tags', days: 'contacts.tag_statistics', key: 'tag_id', size: 'usage_count' },
} as const

/** The largest, and how all of them together grew. A filter does not narrow these down: they count memberships. */
async function groups({ tx, period, limit }: ChartQuery, kind: 'list' | 'tag'): Promise<Drawn> {
  const { groups: table, days, key, size } = groupParts[kind]
  const isThere = kind === 'list' ? sql`g.deleted_at is null` : sql`true`
  const { rows } = await sql<{ day: string; added: number; removed: number }>`
    select s.day, sum(s.added)::int as added, sum(s.removed)::int as removed
    from ${sql.table(days)} s where s.workspace_id = ${tx.workspaceId}
      and s.day between ${period.previous.from}::date and ${period.to}::date group by s.day`.execute(tx.sql)
  const { rows: top } = await sql<{
    id: string
    name: string
    size: number
    current: number
    previous: number
    all: number
  }>`
    select g.id, g.name, g.size, g.all,
      coalesce(sum(s.added - s.removed) filter (where s.day >= ${period.from}::date), 0)::int as current,
      coalesce(sum(s.added - s.removed) filter (where s.day < ${period.from}::date), 0)::int as previous
    from (
      select g.id, g.name, g.${sql.ref(size)} as size, sum(g.${sql.ref(size)}) over () as all
      from ${sql.table(table)} g where g.workspace_id = ${tx.workspaceId} and ${isThere}
      order by 3 desc, 2 limit ${limit}) g
    left join ${sql.table(days)} s on s.workspace_id = ${tx.workspaceId} and s.${sql.ref(key)} = g.id
      and s.day between ${period.previous.from}::date and ${period.to}::date
    group by g.id, g.name, g.size, g.all order by g.size desc, g.name`.execute(tx.sql)
  const added = new Map(rows.map((row) => [row.day, row.added]))
  const removed = new Map(rows.map((row) => [row.day, row.removed]))
  const items = top.map((group): Item => ({
    key: group.id,
    label: group.name,
    value: group.size,
    share: rate(group.size, Number(group.all)),
    current: group.current,
    previous: group.previous,
    change: changeOf(group.size, group.size - group.current),
  }))
  const all = Number(top[0]?.all ?? 0)
  const net = sumDays(toSpanDays(added, period)) - sumDays(toSpanDays(removed, period))
  return {
    series: [toSeries('added', added, period), toSeries('removed', removed, period)],
    items,
    figures: { memberships: all, growth_rate: rate(net, all - net) },
  }
}

/** Both periods are read at once, and parted here. */
export function toSeries(key: string, byDay: ReadonlyMap<string, number>, period: Period): Series {
  const data = toPoints(byDay, period, period.interval)
  const previous = toPoints(byDay, period.previous, period.interval)
  const sum = (points: { value: number }[]) => points.reduce((total, { value }) => total + value, 0)
  const [total, previous_total] = [sum(data), sum(previous)]
  return { key, total, previous_total, change: changeOf(total, previous_total), data, previous }
}

export function bothSpans(period: Period): Span {
  return { from: period.previous.from, to: period.to }
}

export function topKinds(counts: DailyCounts, span: Span, limit: number): string[] {
  const totals = [...counts].map(([kind, days]) => [kind, sumDays(toSpanDays(days, span))] as const)
  return totals
    .filter(([, total]) => total > 0)
    .toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([kind]) => kind)
}

function toSpanDays(days: ReadonlyMap<string, number>, { from, to }: Span): Map<string, number> {
  return new Map([...days].filter(([day]) => day >= from && day <= to))
}

export async function countContacts({ tx, matching }: Pick<ChartQuery, 'tx' | 'matching'>): Promise<number> {
  const from = matching ?? sql`from contacts.contact_rows c where c.deleted_at is null`
  const { rows } = await sql<{ count: number }>`select count(*) as count ${from}`.execute(tx.sql)
  return rows[0]!.count
}

/** Those that are deleted now, by the day on which they were: a narrow index. */
async function deletedByDay(tx: Tx, from: string, timezone: string): Promise<Map<string, number>> {
  const { rows } = await sql<{ day: string; count: number }>`
    select (c.deleted_at at time zone ${timezone})::date as day, count(*) as count from contacts.contact_rows c
    where c.deleted_at is not null and c.deleted_at >= (${from}::date::timestamp at time zone ${timezone}) group by 1`.execute(
    tx.sql,
  )
  return new Map(rows.map(({ day, count }) => [day, count]))
}
