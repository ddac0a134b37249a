/** Each hour: the figures of tickets to which something happened, and how the workspace stands. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { elapsed, type Calendar } from '../sla/calendar.ts'
import './tables.ts'
import { keyOf, readCalendarVersions, type CalendarVersion } from '../sla/calendar-versions.ts'

export const statisticsTasks = [
  every('10 * * * *', 'support.count_tickets', async (runtime) => {
    for (const workspaceId of await listWorkspaceIds(runtime.db)) {
      await countTickets(runtime, workspaceId).catch((error: Error) => {
        runtime.log.error({ err: error, workspace_id: workspaceId }, 'the tickets of a workspace could not be counted')
      })
    }
  }),
]

const batchSize = 500
/** Entries of the ledger after which a ticket's figures are others. */
const telling = [
  'created',
  'first_response',
  'status',
  'escalated',
  'satisfaction',
  'deadline',
  'merged',
  'unmerged',
  'restored',
]
/** Transactions that began before the last count and ended after it; none is let live for so long. */
const overlapMs = 3_600_000

/** In short transactions: nobody waits for figures. */
export async function countTickets({ db }: Pick<Runtime, 'db'>, workspaceId: string): Promise<void> {
  const since = await db.transaction(workspaceId, readSince)
  let after: string | undefined = '00000000-0000-0000-0000-000000000000'
  while (after) {
    const from: string = after
    after = await db.transaction(workspaceId, async (tx) => {
      const ids = await nextTickets(tx, since, from)
      if (ids.length) await writeFigures(tx, ids)
      return ids.at(-1)
    })
  }
  await db.transaction(workspaceId, writeWorkspace)
}

async function readSince(tx: Tx): Promise<Date> {
  const row = await tx.sql
    .selectFrom('support.workspace_statistics')
    .select('counted_to')
    .where('workspace_id', '=', tx.workspaceId)
    .executeTakeFirst()
  return new Date((row?.counted_to.getTime() ?? overlapMs) - overlapMs)
}

/** A deadline's entry is dated when it was due, so the ledger's own time does not find it: the notice of it does. */
async function nextTickets(tx: Tx, since: Date, after: string): Promise<string[]> {
  const { rows } = await sql<{ ticket_id: string }>`
    select ticket_id from support.ticket_events
      where workspace_id = ${tx.workspaceId} and type = any(${telling}::text[]) and at >= ${since}::timestamptz
        and ticket_id > ${after}::uuid
    union
    select ticket_id from support.sla_breaches
      where workspace_id = ${tx.workspaceId} and noticed_at >= ${since}::timestamptz and ticket_id > ${after}::uuid
    order by ticket_id limit ${batchSize}`.execute(tx.sql)
  return rows.map(({ ticket_id }) => ticket_id)
}

interface Life {
  id: string
  created_at: Date
  first_response_at: Date | null
  ended_at: Date | null
  escalated_at: Date | null
  is_late: boolean
  satisfaction_rating: number | null
  satisfaction_at: Date | null
  calendar: CalendarVersion | null
}

async function writeFigures(tx: Tx, ids: string[]): Promise<void> {
  const { rows } = await sql<Life>`
    select t.id, t.created_at, t.first_response_at, coalesce(t.resolved_at, t.closed_at) as ended_at, t.escalated_at,
      t.satisfaction_rating, t.satisfaction_at, c.state -> 'terms' -> 'calendar' as calendar,
      exists (select from support.sla_breaches b where b.workspace_id = t.workspace_id and b.ticket_id = t.id) as is_late
    from support.tickets t
    left join support.ticket_clocks c on c.workspace_id = t.workspace_id and c.ticket_id = t.id
    where t.workspace_id = ${tx.workspaceId} and t.id = any(${ids}::uuid[])`.execute(tx.sql)
  const usual = await usualCalendar(tx)
  const named = [...rows.flatMap(({ calendar }) => calendar ?? []), ...(usual ? [usual] : [])]
  const calendars = await readCalendarVersions(tx, named)
  const figures = rows.map((life) => {
    const version = life.calendar ?? usual
    return toFigures(life, (version && calendars.get(keyOf(version))) ?? null)
  })
  await sql`
    insert into support.ticket_figures as f (workspace_id, ticket_id, opened_at, answered_at, ended_at, first_response_ms,
      first_response_business_ms, resolution_ms, resolution_business_ms, escalated_at, is_late, rating, rated_at)
    select ${tx.workspaceId}::uuid, r.* from jsonb_to_recordset(${JSON.stringify(figures)}::jsonb) as r(ticket_id uuid,
      opened_at timestamptz, answered_at timestamptz, ended_at timestamptz, first_response_ms bigint,
      first_response_business_ms bigint, resolution_ms bigint, resolution_business_ms bigint, escalated_at timestamptz,
      is_late boolean, rating int, rated_at timestamptz)
    on conflict (workspace_id, ticket_id) do update set (answered_at, ended_at, first_response_ms,
        first_response_business_ms, resolution_ms, resolution_business_ms, escalated_at, is_late, rating, rated_at) =
      (excluded.answered_at, excluded.ended_at, excluded.first_response_ms, excluded.first_response_business_ms,
        excluded.resolution_ms, excluded.resolution_business_ms, excluded.escalated_at, excluded.is_late, excluded.rating,
        excluded.rated_at)`.execute(tx.sql)
}

/** Of a ticket of which nothing is promised: the oldest calendar that the workspace has, if it has any. */
async function usualCalendar(tx: Tx): Promise<CalendarVersion | undefined> {
  return tx.sql
    .selectFrom('support.calendars')
    .select(['id', 'version'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('deleted_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
}

function toFigures(life: Life, calendar: Calendar | null) {
  const { created_at: openedAt, first_response_at: answeredAt, ended_at: endedAt } = life
  const passed = (until: Date | null): number | null => until && until.getTime() - openedAt.getTime()
  const business = (until: Date | null): number | null =>
    until && calendar && elapsed(calendar, openedAt.getTime(), until.getTime())
  return {
    ticket_id: life.id,
    opened_at: openedAt,
    answered_at: answeredAt,
    ended_at: endedAt,
    first_response_ms: passed(answeredAt),
    first_response_business_ms: business(answeredAt),
    resolution_ms: passed(endedAt),
    resolution_business_ms: business(endedAt),
    escalated_at: life.escalated_at,
    is_late: life.is_late,
    rating: life.satisfaction_rating,
    rated_at: life.satisfaction_at,
  }
}

async function writeWorkspace(tx: Tx): Promise<void> {
  const recent = sql`f.workspace_id = ${tx.workspaceId} and t.deleted_at is null and t.merged_into is null`
  const since = sql`${tx.now}::timestamptz - interval '30 days'`
  const figures = sql`support.ticket_figures f join support.tickets t on t.workspace_id = f.workspace_id and t.id = f.ticket_id`
  const there = sql`support.tickets where workspace_id = ${tx.workspaceId} and deleted_at is null and merged_into is null`
  await sql`
    insert into support.workspace_statistics as w
    select ${tx.workspaceId}::uuid, ${tx.now}::timestamptz,
      (select coalesce(jsonb_object_agg(status, count), '{}') from (
        select status, count(*) as count from ${there} group by 1) as s),
      (select coalesce(jsonb_object_agg(priority, count), '{}') from (
        select priority, count(*) as count from ${there} and status not in ('resolved', 'closed') group by 1) as p),
      opened.*, answered.*, ended.*, rated.*,
      coalesce((select array_agg(load) from (
        select sum(support.ticket_weight(priority)) as load from ${there}
          and status in ('assigned', 'in_progress', 'waiting_customer') and assigned_to is not null
        group by assigned_to) as l), '{}')
    from
      (select count(*), count(f.escalated_at), count(*) filter (where f.is_late) from ${figures}
       where ${recent} and f.opened_at >= ${since}) as opened,
      (select count(*), coalesce(sum(f.first_response_ms), 0) from ${figures} where ${recent} and f.answered_at >= ${since}) as answered,
      (select count(*), coalesce(sum(f.resolution_ms), 0) from ${figures} where ${recent} and f.ended_at >= ${since}) as ended,
      (select count(*), coalesce(sum(f.rating), 0) from ${figures} where ${recent} and f.rated_at >= ${since}) as rated
    on conflict (workspace_id) do update set (counted_to, by_status, by_priority, opened, escalated, late, answered,
        first_response_ms_sum, ended, resolution_ms_sum, rated, rating_sum, loads) =
      (excluded.counted_to, excluded.by_status, excluded.by_priority, excluded.opened, excluded.escalated, excluded.late,
        excluded.answered, excluded.first_response_ms_sum, excluded.ended, excluded.resolution_ms_sum, excluded.rated,
        excluded.rating_sum, excluded.loads)`.execute(tx.sql)
}
