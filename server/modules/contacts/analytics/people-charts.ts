/** Charts that rank or part people. */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { customFieldExpression } from '../fields/conditions.ts'
import { customFieldDefinitions } from '../fields/fields.ts'
import type { CustomField } from '../fields/tables.ts'
import type { ChartQuery, Drawn, Item } from './analytics.ts'
import { dailyCounts } from './daily.ts'
import { changeOf, rate, type Period } from './days.ts'
import { bothSpans, countContacts, topKinds, toSeries } from './time-charts.ts'

/** The largest companies, under one of their spellings. */
export async function companies(query: ChartQuery): Promise<Drawn> {
  return ranked(query, { key: sql`c.company_key`, label: sql`c.company`, isSet: sql`c.company_key > ''` })
}

/** Where contacts came from, and the most frequent sources over time. */
export async function sources(query: ChartQuery): Promise<Drawn> {
  const { tx, period, matching } = query
  const column = sql`c.source`
  const drawn = await ranked(query, { key: column, label: column, isSet: sql`c.source is not null` })
  const counts = await dailyCounts(tx, 'created', bothSpans(period), { timezone: period.timezone, matching })
  const series = topKinds(counts, period, 5).map((kind) => toSeries(kind || 'none', counts.get(kind)!, period))
  return { ...drawn, series }
}

const industryKeys = [
  'industry',
  'industrie',
  'industria',
  'secteur',
  'sector',
  'sector_activity',
  'domeniu',
  'branche',
]

/** By the custom field that names an industry, in one of our languages; without such a field there is nothing to tell. */
export async function industries(query: ChartQuery): Promise<Drawn> {
  const fields = await customFieldDefinitions(query.tx)
  const field = industryKeys
    .flatMap((key) => fields.filter((each) => each.key === key))
    .find(({ type }) => type === 'text' || type === 'choice')
  if (!field) return { items: [], figures: { contacts: await countContacts(query) }, field: null }
  const value = customFieldExpression(field)
  const drawn = await ranked(query, {
    key: sql`platform.fold(${value})`,
    label: value,
    isSet: sql`c.custom_fields ? ${field.key}::text and ${value} > ''`,
  })
  return {
    ...drawn,
    items: (drawn.items ?? []).map((item) => ({ ...item, label: choiceLabel(field, item.label) })),
    field: field.key,
  }
}

const bookingTypes = ['booking_created', 'booking_completed', 'booking_cancelled'] as const

/** Of the people who booked in the period, how many came and how many cancelled; and of all contacts, how many ever booked. */
export async function bookingConversion(query: ChartQuery): Promise<Drawn> {
  const { tx, period, matching } = query
  const { rows } = await sql<{ type: string; current: number; previous: number; entries: number }>`
    select i.interaction_type as type,
      count(distinct i.contact_id) filter (where i.occurred_at >= ${startOf(period)}) as current,
      count(distinct i.contact_id) filter (where i.occurred_at < ${startOf(period)}) as previous,
      count(*) filter (where i.occurred_at >= ${startOf(period)}) as entries
    from contacts.interactions i
    where i.workspace_id = platform.workspace_id()
      and i.interaction_type in ('booking_created', 'booking_completed', 'booking_cancelled')
      and i.occurred_at >= ${startOf({ ...period, from: period.previous.from })} and i.occurred_at < ${endOf(period)}
      ${matching ? sql`and exists (select ${matching} and c.id = i.contact_id)` : sql``}
    group by 1`.execute(tx.sql)
  const byType = new Map(rows.map((row) => [row.type, row]))
  const booked = byType.get('booking_created')?.current ?? 0
  const items = bookingTypes.map((type): Item => {
    const { current = 0, previous = 0 } = byType.get(type) ?? {}
    return {
      key: type,
      label: type,
      value: current,
      share: rate(current, booked),
      current,
      previous,
      change: changeOf(current, previous),
    }
  })
  const contacts = await countContacts(query)
  const ever = await countBooked(query)
  const counts = await dailyCounts(tx, 'interactions', bothSpans(period), {
    timezone: period.timezone,
    matching,
    kinds: bookingTypes,
  })
  return {
    items,
    series: bookingTypes.map((type) => toSeries(type, counts.get(type) ?? new Map(), period)),
    figures: {
      contacts,
      contacts_with_bookings: ever,
      booking_rate: rate(ever, contacts),
      completion_rate: rate(byType.get('booking_completed')?.current ?? 0, booked),
      cancellation_rate: rate(byType.get('booking_cancelled')?.current ?? 0, booked),
    },
  }
}

const engagementKinds = ['email_opened', 'email_clicked', 'form_submitted', 'purchase'] as const

/** Levels, who is switched off, who did anything in the period; opens, clicks, forms and purchases over time. */
export async function engagement(query: ChartQuery): Promise<Drawn> {
  const { tx, period, matching } = query
  const from = matching ?? sql`from contacts.contact_rows c where c.deleted_at is null`
  const { rows } = await sql<{ total: number; low: number; medium: number; high: number; average: string }>`
    select count(*) as total, count(*) filter (where c.engagement_score < 11) as low,
      count(*) filter (where c.engagement_score between 11 and 50) as medium,
      count(*) filter (where c.engagement_score > 50) as high, coalesce(round(avg(c.engagement_score), 1), 0) as average
    ${from}`.execute(tx.sql)
  const { total, low, medium, high, average } = rows[0]!
  const inactive = await countWhere(tx, from, sql`not c.is_active`)
  const engaged = (since: RawBuilder<unknown>, until: RawBuilder<unknown>) =>
    countWhere(
      tx,
      from,
      sql`c.last_engaged_at is not null and c.last_engaged_at >= ${since} and c.last_engaged_at < ${until}`,
    )
  const current = await engaged(startOf(period), endOf(period))
  const counts = await dailyCounts(tx, 'interactions', bothSpans(period), {
    timezone: period.timezone,
    matching,
    kinds: engagementKinds,
  })
  const parts = { low, medium, high, active: total - inactive, inactive }
  return {
    items: Object.entries(parts).map(([key, value]) => {
      const share = rate(value, total)
      return { key, label: key, value, share, current: value, previous: value, change: null }
    }),
    series: engagementKinds.map((kind) => toSeries(kind, counts.get(kind) ?? new Map(), period)),
    figures: {
      contacts: total,
      average_score: Number(average),
      engaged: current,
      engaged_rate: rate(current, total),
    },
  }
}

interface Ranking {
  key: RawBuilder<unknown>
  label: RawBuilder<unknown>
  isSet: RawBuilder<unknown>
}

/** The most frequent values. Their newcomers are counted for these few alone, along the index of each value. */
async function ranked(query: ChartQuery, { key, label, isSet }: Ranking): Promise<Drawn> {
  const { tx, period, matching, limit } = query
  const from = matching ?? sql`from contacts.contact_rows c where c.deleted_at is null`
  const { rows } = await sql<{ key: string; value: number; all: number }>`
    select key, value, sum(value) over ()::bigint as all
    from (select ${key} as key, count(*) as value ${from} and ${isSet} group by 1) as counted
    order by value desc, key limit ${limit}`.execute(tx.sql)
  const items: Item[] = []
  for (const { key: found, value, all } of rows) {
    const details = await sql<{ label: string; current: number; previous: number }>`
      select (select ${label} ${from} and ${isSet} and ${key} = ${found} limit 1) as label, newcomers.*
      from (
        select count(*) filter (where c.created_at >= ${startOf(period)}) as current,
          count(*) filter (where c.created_at < ${startOf(period)}) as previous
        ${from} and ${isSet} and ${key} = ${found}
          and c.created_at >= ${startOf({ ...period, from: period.previous.from })} and c.created_at < ${endOf(period)}) as newcomers`.execute(
      tx.sql,
    )
    const { label: name, current, previous } = details.rows[0]!
    const share = rate(value, all)
    items.push({ key: found, label: name, value, share, current, previous, change: changeOf(current, previous) })
  }
  return { items, figures: { contacts: await countContacts(query), counted: rows[0]?.all ?? 0 } }
}

async function countBooked({ tx, matching }: ChartQuery): Promise<number> {
  const from = matching ?? sql`from contacts.contact_rows c where c.deleted_at is null`
  return countWhere(tx, from, sql`c.total_bookings > 0`)
}

async function countWhere(tx: Tx, from: RawBuilder<unknown>, condition: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count ${from} and ${condition}`.execute(tx.sql)
  return rows[0]!.count
}

function choiceLabel({ choices }: CustomField, value: string): string {
  return choices.find((choice) => choice.value === value)?.label ?? value
}

function startOf({ from, timezone }: Pick<Period, 'from' | 'timezone'>): RawBuilder<unknown> {
  return sql`(${from}::date::timestamp at time zone ${timezone})`
}

function endOf({ to, timezone }: Pick<Period, 'to' | 'timezone'>): RawBuilder<unknown> {
  return sql`((${to}::date + 1)::timestamp at time zone ${timezone})`
}
