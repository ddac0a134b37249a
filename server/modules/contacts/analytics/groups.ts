/**
 * How lists and tags stand and grow. Who came and went is counted by triggers, day by day; how active the members are is
 * written by the hourly task, and for small ones counted when somebody asks.
 */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import { NullableTimestamp, OneOf } from '#platform/http/shapes.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { getList } from '../lists.ts'
import { getTag } from '../tags.ts'
import {
  changeOf,
  dayIn,
  addDays,
  intervals,
  rate,
  toLevels,
  toPeriod,
  toPoints,
  type PeriodQuery,
  type Span,
} from './days.ts'
import type { GroupFigures } from './tables.ts'

export type GroupKind = 'list' | 'tag'

const parts = {
  list: {
    table: 'contacts.list_statistics',
    members: 'contacts.list_members',
    key: 'list_id',
    groups: 'contacts.lists',
  },
  tag: { table: 'contacts.tag_statistics', members: 'contacts.contact_tags', key: 'tag_id', groups: 'contacts.tags' },
} as const

const Count = Type.Integer()
const Point = Type.Object({
  date: Type.String({ format: 'date', description: 'The first day of the interval' }),
  added: Count,
  removed: Count,
  members: Type.Integer({ description: 'At the end of the interval' }),
})

export const GroupStats = Type.Object({
  members: Type.Integer({ description: 'Contacts, without the deleted ones' }),
  active: Count,
  inactive: Count,
  subscribed: Type.Integer({ description: 'To the newsletter or to marketing' }),
  subscription_rate: Type.Number({ description: 'From 0 to 1, as all rates' }),
  average_score: Type.Number(),
  levels: Type.Object({ low: Count, medium: Count, high: Count }),
  open_rate: Type.Number({ description: 'Of the members, those who ever opened a mail' }),
  click_rate: Type.Number({ description: 'Of the members, those who ever clicked a link' }),
  growth: Type.Object({
    from: Type.String({ format: 'date' }),
    to: Type.String({ format: 'date' }),
    interval: OneOf(intervals),
    timezone: Type.String(),
    added: Count,
    removed: Count,
    net: Type.Integer(),
    rate: Type.Unsafe<number | null>({
      type: ['number', 'null'],
      description: 'By how much it grew: 0.25 is a quarter more; null where nobody was in it before',
    }),
    previous: Type.Object({ added: Count, removed: Count, net: Type.Integer() }),
    series: Type.Array(Point),
  }),
  computed_at: NullableTimestamp,
})
export type GroupStats = Static<typeof GroupStats>

/** Up to here, figures are counted when they are asked for. */
const countedUpTo = 50_000

export async function groupStats(tx: Tx, kind: GroupKind, id: string, query: PeriodQuery): Promise<GroupStats> {
  const size = kind === 'list' ? (await getList(tx, id)).contact_count : (await getTag(tx, id)).usage_count
  const { timezone } = await getWorkspace(tx, tx.workspaceId)
  const figures = await figuresOf(tx, kind, id, size)
  const members = figures.members ?? 0
  return {
    members,
    active: figures.active ?? 0,
    inactive: members - (figures.active ?? 0),
    subscribed: figures.subscribed ?? 0,
    subscription_rate: rate(figures.subscribed ?? 0, members),
    average_score: Number(figures.average_score ?? 0),
    levels: { low: figures.low ?? 0, medium: figures.medium ?? 0, high: figures.high ?? 0 },
    open_rate: rate(figures.opened ?? 0, members),
    click_rate: rate(figures.clicked ?? 0, members),
    growth: await growthOf(tx, { kind, id, members }, query, timezone),
    computed_at: figures.computed_at,
  }
}

/** Writes how these stand today; one statement for any number of them. */
export async function recordFigures(tx: Tx, kind: GroupKind, ids: readonly string[]): Promise<void> {
  const { table, key } = parts[kind]
  await sql`
    insert into ${sql.table(table)} (workspace_id, ${sql.ref(key)}, day, ${figureNames})
    select ${tx.workspaceId}, id, contacts.local_day(${tx.workspaceId}), ${figureNames}
    from (${countFigures(tx, kind, ids)}) as counted
    on conflict (workspace_id, ${sql.ref(key)}, day) do update set ${sql.join(
      figures.map((name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`),
    )}`.execute(tx.sql)
}

/** Ids of the lists and tags that have figures, some hundreds at a time. */
export async function nextGroups(tx: Tx, kind: GroupKind, after: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from ${sql.table(parts[kind].groups)} where workspace_id = ${tx.workspaceId} and id > ${after}::uuid
      ${kind === 'list' ? sql`and deleted_at is null` : sql``}
    order by id limit 100`.execute(tx.sql)
  return rows.map(({ id }) => id)
}

const figures = [
  'members',
  'active',
  'subscribed',
  'opened',
  'clicked',
  'average_score',
  'low',
  'medium',
  'high',
  'computed_at',
] as const
const figureNames = sql.join(figures.map((name) => sql.ref(name)))

function countFigures(tx: Tx, kind: GroupKind, ids: readonly string[]): RawBuilder<unknown> {
  const { members, key } = parts[kind]
  return sql`
    select g.id, count(c.id)::int as members, count(c.id) filter (where c.is_active)::int as active,
      count(c.id) filter (where c.newsletter_subscribed or c.marketing_subscribed)::int as subscribed,
      count(c.id) filter (where c.total_emails_opened > 0)::int as opened,
      count(c.id) filter (where c.total_emails_clicked > 0)::int as clicked,
      coalesce(round(avg(c.engagement_score), 1), 0) as average_score,
      count(c.id) filter (where c.engagement_score < 11)::int as low,
      count(c.id) filter (where c.engagement_score between 11 and 50)::int as medium,
      count(c.id) filter (where c.engagement_score > 50)::int as high,
      ${tx.now}::timestamptz as computed_at
    from unnest(${[...ids]}::uuid[]) as g (id)
    left join ${sql.table(members)} m on m.workspace_id = ${tx.workspaceId} and m.${sql.ref(key)} = g.id
    left join contacts.contacts c on c.workspace_id = m.workspace_id and c.id = m.contact_id and c.deleted_at is null
    group by g.id`
}

async function figuresOf(tx: Tx, kind: GroupKind, id: string, size: number): Promise<GroupFigures> {
  const { table, key } = parts[kind]
  if (size > countedUpTo) {
    const { rows } = await sql<GroupFigures>`
      select ${figureNames} from ${sql.table(table)}
      where ${sql.ref(key)} = ${id} and computed_at is not null order by day desc limit 1`.execute(tx.sql)
    if (rows[0]) return rows[0]
  }
  const { rows } =
    await sql<GroupFigures>`select ${figureNames} from (${countFigures(tx, kind, [id])}) as counted`.execute(tx.sql)
  return rows[0]!
}

interface DayRow {
  day: string
  added: number
  removed: number
  members: number | null
}

async function growthOf(
  tx: Tx,
  group: { kind: GroupKind; id: string; members: number },
  query: PeriodQuery,
  timezone: string,
): Promise<GroupStats['growth']> {
  const period = toPeriod(query, timezone, tx.now)
  const { table, key } = parts[group.kind]
  const today = dayIn(timezone, tx.now)
  const { rows } = await sql<DayRow>`
    select day, added, removed, members from ${sql.table(table)}
    where ${sql.ref(key)} = ${group.id} and day >= ${period.previous.from}::date order by day`.execute(tx.sql)
  const flows = { added: new Map<string, number>(), removed: new Map<string, number>() }
  for (const row of rows) {
    flows.added.set(row.day, row.added)
    flows.removed.set(row.day, row.removed)
  }
  const levels = levelsOf(rows, group.members, { from: addDays(period.from, -1), to: today })
  const now = sumSpan(flows, period)
  const added = toPoints(flows.added, period, period.interval)
  const removed = toPoints(flows.removed, period, period.interval)
  const members = toLevels(levels, period, period.interval)
  return {
    from: period.from,
    to: period.to,
    interval: period.interval,
    timezone,
    ...now,
    rate: changeOf((levels.get(addDays(period.from, -1)) ?? 0) + now.net, levels.get(addDays(period.from, -1)) ?? 0),
    previous: sumSpan(flows, period.previous),
    series: added.map(({ date, value }, index) => ({
      date,
      added: value,
      removed: removed[index]!.value,
      members: members[index]!.value,
    })),
  }
}

/** From today backwards: a day's end is what the task wrote of it, or else the next day's begin. */
function levelsOf(rows: DayRow[], members: number, span: Span): Map<string, number> {
  const byDay = new Map(rows.map((row) => [row.day, row]))
  const levels = new Map<string, number>()
  let level = members
  for (let day = span.to; day >= span.from; day = addDays(day, -1)) {
    const row = byDay.get(day)
    const end = day === span.to ? members : (row?.members ?? level)
    levels.set(day, Math.max(0, end))
    level = end - (row?.added ?? 0) + (row?.removed ?? 0)
  }
  return levels
}

function sumSpan(flows: { added: Map<string, number>; removed: Map<string, number> }, { from, to }: Span) {
  const sum = (days: Map<string, number>) =>
    [...days].filter(([day]) => day >= from && day <= to).reduce((total, [, count]) => total + count, 0)
  const added = sum(flows.added)
  const removed = sum(flows.removed)
  return { added, removed, net: added - removed }
}
