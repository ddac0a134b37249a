/**
 * Counts by day and kind: of entries of the timeline, of contacts made, of decisions in the consent ledger. Days that have
 * ended are read from `contacts.daily_statistics`, today is counted; with a filter, everything is counted.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { addDays, type Span } from './days.ts'
import type { DailyMetric } from './tables.ts'

/** By kind, by day. */
export type DailyCounts = Map<string, Map<string, number>>

export interface CountOptions {
  timezone: string
  /** `from contacts.contact_rows c where …`: only what concerns these contacts. */
  matching?: RawBuilder<unknown> | null
  /** Only these kinds. */
  kinds?: readonly string[]
}

export async function dailyCounts(
  tx: Tx,
  metric: DailyMetric,
  span: Span,
  options: CountOptions,
): Promise<DailyCounts> {
  const countedTo = options.matching ? null : await countedUntil(tx, options.timezone)
  const kept = countedTo === null ? null : { from: span.from, to: addDays(countedTo, -1) }
  const open = { from: countedTo !== null && countedTo > span.from ? countedTo : span.from, to: span.to }
  const rows = [
    ...(kept && kept.from <= kept.to
      ? await readKept(tx, metric, { ...kept, to: least(kept.to, span.to) }, options)
      : []),
    ...(open.from <= open.to ? await countOpen(tx, metric, open, options) : []),
  ]
  const counts: DailyCounts = new Map()
  for (const { kind, day, count } of rows) {
    const days = counts.get(kind) ?? new Map<string, number>()
    counts.set(kind, days.set(day, (days.get(day) ?? 0) + count))
  }
  return counts
}

/** All kinds in one. */
export function sumKinds(counts: DailyCounts): Map<string, number> {
  const sum = new Map<string, number>()
  for (const days of counts.values()) for (const [day, count] of days) sum.set(day, (sum.get(day) ?? 0) + count)
  return sum
}

export function sumDays(days: ReadonlyMap<string, number> | undefined): number {
  return [...(days?.values() ?? [])].reduce((sum, count) => sum + count, 0)
}

/** Counts afresh, by `day` and `kind`, as a query. */
export function countDays(metric: DailyMetric, span: Span, { timezone, matching }: CountOptions): RawBuilder<unknown> {
  const from = sql`(${span.from}::date::timestamp at time zone ${timezone})`
  const until = sql`((${span.to}::date + 1)::timestamp at time zone ${timezone})`
  const about = (column: string) =>
    matching ? sql`and exists (select ${matching} and c.id = ${sql.ref(column)})` : sql``
  const dayOf = (column: string) => sql`(${sql.ref(column)} at time zone ${timezone})::date`
  switch (metric) {
    case 'interactions':
      return sql`
        select ${dayOf('i.occurred_at')} as day, i.interaction_type as kind, count(*) as count
        from contacts.interactions i
        where i.workspace_id = platform.workspace_id() and i.occurred_at >= ${from} and i.occurred_at < ${until} ${about('i.contact_id')}
        group by 1, 2`
    case 'created':
      // Whoever was deleted since was made all the same; that was later than the day, so the index by deletion finds them.
      return sql`
        select day, kind, count(*) as count from (
          select ${dayOf('k.created_at')} as day, coalesce(k.source, '') as kind from contacts.contact_rows k
          where k.deleted_at is null and k.created_at >= ${from} and k.created_at < ${until} ${about('k.id')}
          union all
          select ${dayOf('k.created_at')}, coalesce(k.source, '') from contacts.contact_rows k
          where k.deleted_at is not null and k.deleted_at >= ${from} and k.created_at >= ${from} and k.created_at < ${until}
            ${about('k.id')}) as made
        group by 1, 2`
    case 'consents':
      return sql`
        select ${dayOf('k.recorded_at')} as day, k.purpose || ' ' || k.decision as kind, count(*) as count
        from contacts.consents k
        where k.workspace_id = platform.workspace_id() and k.recorded_at >= ${from} and k.recorded_at < ${until} ${about('k.contact_id')}
        group by 1, 2`
    default:
      return metric satisfies never
  }
}

interface Row {
  kind: string
  day: string
  count: number
}

/** Null as long as nothing is kept, or what is kept are days of another time zone. */
async function countedUntil(tx: Tx, timezone: string): Promise<string | null> {
  const state = await tx.sql
    .selectFrom('contacts.statistics_state')
    .select('counted_to')
    .where('workspace_id', '=', tx.workspaceId)
    .where('timezone', '=', timezone)
    .executeTakeFirst()
  return state?.counted_to ?? null
}

async function readKept(tx: Tx, metric: DailyMetric, span: Span, { kinds }: CountOptions): Promise<Row[]> {
  let query = tx.sql
    .selectFrom('contacts.daily_statistics')
    .select(['kind', 'day', 'count'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('metric', '=', metric)
    .where('day', '>=', span.from)
    .where('day', '<=', span.to)
  if (kinds) query = query.where('kind', 'in', [...kinds])
  return query.execute()
}

async function countOpen(tx: Tx, metric: DailyMetric, span: Span, options: CountOptions): Promise<Row[]> {
  const { rows } = await sql<Row>`select day, kind, count from (${countDays(metric, span, options)}) as counted
    ${options.kinds ? sql`where kind = any(${[...options.kinds]}::text[])` : sql``}`.execute(tx.sql)
  return rows
}

function least(one: string, other: string): string {
  return one < other ? one : other
}
