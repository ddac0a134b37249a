/**
 * Charts about contacts, each in one shape: series over time, each beside the period before, and items that are ranked.
 * Without a filter every answer comes from figures by day or from a narrow index; with one, the contacts that match are gone
 * through.
 */
import { Type, type Static } from 'typebox'
import type { RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { NullableText, OneOf, Timestamp } from '#platform/http/shapes.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { fromMatching, type ContactFilter } from '../contact-query.ts'
import { intervals, toPeriod, type Period, type PeriodQuery } from './days.ts'
import { bookingConversion, companies, engagement, industries, sources } from './people-charts.ts'
import { growth, interactions, lists, subscriptions, tags } from './time-charts.ts'

const charts = {
  growth,
  interactions,
  companies,
  industries,
  booking_conversion: bookingConversion,
  engagement,
  tags,
  lists,
  subscriptions,
  sources,
} satisfies Record<string, Chart>
export const metrics = Object.keys(charts) as (keyof typeof charts)[]

const Change = Type.Unsafe<number | null>({
  type: ['number', 'null'],
  description: 'Against the period before: 0.25 is a quarter more; null where there was nothing',
})
const Point = Type.Object({ date: Type.String({ format: 'date' }), value: Type.Number() })

export const Series = Type.Object({
  key: Type.String(),
  total: Type.Number({ description: 'Of a level (such as all contacts), the last value' }),
  previous_total: Type.Number(),
  change: Change,
  data: Type.Array(Point),
  previous: Type.Array(Point),
})
export type Series = Static<typeof Series>

export const Item = Type.Object({
  key: Type.String(),
  label: Type.String(),
  value: Type.Number(),
  share: Type.Number({ description: 'Of all that is counted, from 0 to 1' }),
  current: Type.Number({ description: 'What came in this period' }),
  previous: Type.Number({ description: 'What came in the period before' }),
  change: Change,
})
export type Item = Static<typeof Item>

export const Analytics = Type.Object({
  metric: OneOf(metrics as [keyof typeof charts, ...(keyof typeof charts)[]]),
  from: Type.String({ format: 'date' }),
  to: Type.String({ format: 'date' }),
  interval: OneOf(intervals),
  timezone: Type.String({ description: 'Whose days these are: that of the workspace' }),
  previous: Type.Object({ from: Type.String({ format: 'date' }), to: Type.String({ format: 'date' }) }),
  series: Type.Array(Series),
  items: Type.Array(Item),
  figures: Type.Record(Type.String(), Type.Number(), {
    description: 'Single numbers of this metric; rates from 0 to 1',
  }),
  field: Type.Unsafe<string | null>({ ...NullableText, description: 'The custom field that industries are read from' }),
  computed_at: Timestamp,
})
export type Analytics = Static<typeof Analytics>

export interface ChartQuery {
  tx: Tx
  period: Period
  /** `from contacts.contact_rows c where …`, or null for all contacts. */
  matching: RawBuilder<unknown> | null
  limit: number
}
export interface Drawn {
  series?: Series[]
  items?: Item[]
  figures?: Record<string, number>
  field?: string | null
}
export type Chart = (query: ChartQuery) => Promise<Drawn>

export interface AnalyticsQuery extends PeriodQuery, ContactFilter {
  metric: keyof typeof charts
  limit?: number
}

export async function analyse(tx: Tx, query: AnalyticsQuery): Promise<Analytics> {
  const { metric, limit = 10, from, to, interval, ...filter } = query
  const { timezone } = await getWorkspace(tx, tx.workspaceId)
  const asked = { ...(from ? { from } : {}), ...(to ? { to } : {}), ...(interval ? { interval } : {}) }
  const period = toPeriod(asked, timezone, tx.now)
  const matching = Object.keys(filter).length ? await fromMatching(tx, filter, 'whole') : null
  const drawn = await charts[metric]({ tx, period, matching, limit })
  return {
    metric,
    from: period.from,
    to: period.to,
    interval: period.interval,
    timezone,
    previous: period.previous,
    series: drawn.series ?? [],
    items: drawn.items ?? [],
    figures: drawn.figures ?? {},
    field: drawn.field ?? null,
    computed_at: tx.now.toISOString(),
  }
}

/** Figures over a million contacts take some hundred milliseconds: in large workspaces they are kept for a minute. */
export async function analyseKept(
  tx: Tx,
  services: Pick<Services, 'cache'>,
  query: AnalyticsQuery,
): Promise<Analytics> {
  const key = `${tx.workspaceId}:contacts:analytics:${JSON.stringify(Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
  const kept = await services.cache.get<Analytics>(key)
  if (kept) return kept
  const startedAt = performance.now()
  const analytics = await analyse(tx, query)
  if (performance.now() - startedAt > slowMs) await services.cache.set(key, analytics, 60_000)
  return analytics
}

/** What is counted faster than this is counted each time. */
const slowMs = 150
