/**
 * Figures of tickets over a period, of those alone that whoever asks may see. How many there are in which state is counted
 * when asked; times and rates are as of the last hourly count.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import type { Services } from '#platform/services.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { personOf, visibleTo } from '../access.ts'
import { agentsAmong, allAgents } from '../assignment/agents.ts'
import { readThrough } from '../cached-reads.ts'
import { priorities, ticketStatuses, type Priority, type TicketStatus } from '../tables.ts'

/** Seconds; null where nothing was counted. */
export interface Times {
  count: number
  mean: number | null
  median: number | null
  p90: number | null
}

export interface Period {
  /** Days of the workspace's time zone, the last one included. */
  from: string
  to: string
  timezone: string
}

const daysMax = 3_660
const dayMs = 86_400_000

/** The thirty days until today unless something else is asked for. */
export async function periodOf(tx: Tx, asked: { from?: string; to?: string }): Promise<Period> {
  const { timezone } = await getWorkspace(tx, tx.workspaceId)
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' }).format(tx.now)
  const to = asked.to ?? today
  const from = asked.from ?? new Date(Date.parse(to) - 29 * dayMs).toISOString().slice(0, 10)
  if (from > to) throw Invalid.at('?from', 'too_large', 'The first day lies after the last one.')
  if ((Date.parse(to) - Date.parse(from)) / dayMs >= daysMax || from < '1970-01-01') {
    throw Invalid.at('?from', 'too_long', 'Ask for at most ten years at once, from 1970 on.')
  }
  return { from, to, timezone }
}

/** The figures of the period are kept for a while; how things stand, and who works on them, is asked for anew. */
export async function ticketStatistics(
  tx: Tx,
  actor: Actor,
  period: Period,
  services: Pick<Services, 'cache' | 'metrics'>,
) {
  const { ended, ...figures } = await readThrough(tx, services, actor, 'ticket_statistics', period, () =>
    countPeriod(tx, actor, period),
  )
  return { ...figures, now: await countNow(tx, actor), agents: await agentsOf(tx, actor, ended) }
}

/** Of the tickets that this actor may see. */
function figuresOf(tx: Tx, actor: Actor, period: Period) {
  const inPeriod = (column: string): RawBuilder<boolean> => sql<boolean>`(
    ${sql.ref(`f.${column}`)} >= (${period.from}::date)::timestamp at time zone ${period.timezone}
    and ${sql.ref(`f.${column}`)} < (${period.to}::date + 1)::timestamp at time zone ${period.timezone})`
  const counted = sql`support.ticket_figures f join support.tickets t on t.workspace_id = f.workspace_id and t.id = f.ticket_id
    where f.workspace_id = ${tx.workspaceId} and t.deleted_at is null and t.merged_into is null and ${visibleTo(actor)}`
  return { counted, inPeriod }
}

async function countPeriod(tx: Tx, actor: Actor, period: Period) {
  const { counted, inPeriod } = figuresOf(tx, actor, period)
  return {
    ...period,
    computed_at: await countedTo(tx),
    ...(await countOpened(tx, counted, inPeriod('opened_at'))),
    first_response: {
      calendar: await timesOf(tx, counted, inPeriod('answered_at'), 'first_response_ms'),
      business: await timesOf(tx, counted, inPeriod('answered_at'), 'first_response_business_ms'),
    },
    resolution: {
      calendar: await timesOf(tx, counted, inPeriod('ended_at'), 'resolution_ms'),
      business: await timesOf(tx, counted, inPeriod('ended_at'), 'resolution_business_ms'),
    },
    satisfaction: await satisfactionOf(tx, counted, inPeriod('rated_at')),
    days: await countDays(tx, counted, period, inPeriod),
    ended: await countEnded(tx, counted, inPeriod('ended_at')),
  }
}

async function countedTo(tx: Tx): Promise<Date | null> {
  const row = await tx.sql
    .selectFrom('support.workspace_statistics')
    .select('counted_to')
    .where('workspace_id', '=', tx.workspaceId)
    .executeTakeFirst()
  return row?.counted_to ?? null
}

async function countNow(tx: Tx, actor: Actor) {
  const { rows } = await sql<{
    status: TicketStatus
    priority: Priority
    count: number
    waiting: number
    late: number
  }>`
    select t.status, t.priority, count(*) as count, count(*) filter (where t.assigned_to is null) as waiting,
      count(*) filter (where t.due_at < ${tx.now}::timestamptz) as late
    from support.tickets t
    where t.workspace_id = ${tx.workspaceId} and t.deleted_at is null and t.merged_into is null and ${visibleTo(actor)}
    group by 1, 2`.execute(tx.sql)
  const sumOf = (wanted: (row: (typeof rows)[number]) => boolean, value: 'count' | 'waiting' | 'late' = 'count') =>
    rows.filter(wanted).reduce((sum, row) => sum + row[value], 0)
  const isLive = ({ status }: { status: TicketStatus }): boolean => status !== 'resolved' && status !== 'closed'
  return {
    by_status: Object.fromEntries(ticketStatuses.map((status) => [status, sumOf((row) => row.status === status)])),
    by_priority: Object.fromEntries(
      priorities.map((priority) => [priority, sumOf((row) => isLive(row) && row.priority === priority)]),
    ),
    unassigned: sumOf(isLive, 'waiting'),
    overdue: sumOf(isLive, 'late'),
  }
}

/** Rates are of the tickets that were opened in the period, whenever they escalated. */
async function countOpened(tx: Tx, counted: RawBuilder<unknown>, when: RawBuilder<boolean>) {
  const { rows } = await sql<{ opened: number; escalated: number; late: number }>`
    select count(*) as opened, count(f.escalated_at) as escalated, count(*) filter (where f.is_late) as late
    from ${counted} and ${when}`.execute(tx.sql)
  const { opened, escalated, late } = rows[0]!
  const rate = (part: number): number | null => (opened ? part / opened : null)
  return { opened, escalated, late, escalation_rate: rate(escalated), late_rate: rate(late) }
}

async function timesOf(
  tx: Tx,
  counted: RawBuilder<unknown>,
  when: RawBuilder<boolean>,
  column: 'first_response_ms' | 'first_response_business_ms' | 'resolution_ms' | 'resolution_business_ms',
): Promise<Times> {
  const value = sql.ref(`f.${column}`)
  const { rows } = await sql<{ count: number; mean: string | null; median: number | null; p90: number | null }>`
    select count(${value}) as count, avg(${value}) as mean, percentile_cont(0.5) within group (order by ${value}) as median,
      percentile_cont(0.9) within group (order by ${value}) as p90
    from ${counted} and ${when}`.execute(tx.sql)
  const { count, ...times } = rows[0]!
  const seconds = (ms: string | number | null): number | null => (ms === null ? null : Math.round(Number(ms)) / 1_000)
  return { count, mean: seconds(times.mean), median: seconds(times.median), p90: seconds(times.p90) }
}

async function satisfactionOf(tx: Tx, counted: RawBuilder<unknown>, when: RawBuilder<boolean>) {
  const { rows } = await sql<{ rating: number; count: number }>`
    select f.rating, count(*) as count from ${counted} and ${when} and f.rating is not null group by 1`.execute(tx.sql)
  const countOf = (rating: number): number => rows.find((row) => row.rating === rating)?.count ?? 0
  const count = rows.reduce((sum, row) => sum + row.count, 0)
  const sum = rows.reduce((total, row) => total + row.rating * row.count, 0)
  const ratings = Object.fromEntries([1, 2, 3, 4, 5].map((rating) => [String(rating), countOf(rating)]))
  return { count, mean: count ? sum / count : null, ratings }
}

interface Ended {
  agent_id: string
  count: number
  rating: number | null
}

async function countEnded(tx: Tx, counted: RawBuilder<unknown>, when: RawBuilder<boolean>): Promise<Ended[]> {
  const { rows } = await sql<Ended>`
    select t.assigned_to as agent_id, count(*) as count, avg(f.rating)::float8 as rating
    from ${counted} and ${when} and t.assigned_to is not null group by 1`.execute(tx.sql)
  return rows
}

/** Agents see their own line; admins see everybody's. */
async function agentsOf(tx: Tx, actor: Actor, ended: readonly Ended[]) {
  const seesAll = actor.role === 'owner' || actor.role === 'admin'
  const byId = new Map(ended.map((row) => [row.agent_id, row]))
  const own = personOf(actor)
  const agents = seesAll ? await allAgents(tx) : await agentsAmong(tx, own ? [own] : [])
  return agents.map(({ user_id, name, presence, capacity, load, open_tickets }) => {
    const { count = 0, rating = null } = byId.get(user_id) ?? {}
    return { user_id, name, presence, capacity, load, open_tickets, ended: count, satisfaction_mean: rating }
  })
}

/** Days on which nothing happened are left out. */
async function countDays(
  tx: Tx,
  counted: RawBuilder<unknown>,
  { timezone }: Period,
  inPeriod: (column: string) => RawBuilder<boolean>,
): Promise<{ day: string; opened: number; ended: number; escalated: number }[]> {
  const part = (column: 'opened_at' | 'ended_at' | 'escalated_at') => sql`
    select (${sql.ref(`f.${column}`)} at time zone ${timezone})::date as day, ${column} as what
    from ${counted} and ${inPeriod(column)}`
  const { rows } = await sql<{ day: string; opened: number; ended: number; escalated: number }>`
    select day, count(*) filter (where what = 'opened_at') as opened, count(*) filter (where what = 'ended_at') as ended,
      count(*) filter (where what = 'escalated_at') as escalated
    from (${part('opened_at')} union all ${part('ended_at')} union all ${part('escalated_at')}) as each
    group by 1 order by 1`.execute(tx.sql)
  return rows
}
