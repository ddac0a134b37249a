/**
 * Keeps `contacts.daily_statistics` true: each hour the days that have ended are counted once, and earlier ones again when
 * something was written about them since. Safe to repeat, and to be interrupted anywhere.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { countDays } from './daily.ts'
import { addDays, dayIn, toSpans, type Span } from './days.ts'
import type { DailyMetric } from './tables.ts'

const metrics: DailyMetric[] = ['interactions', 'created', 'consents']

/** A day is closed an hour after its end: transactions that began in it have ended by then. */
const closingMs = 3_600_000
const yearsMax = 30

type InTx = <T>(run: (tx: Tx) => Promise<T>) => Promise<T>

export async function rollUp(inTx: InTx): Promise<void> {
  const { spans, rolledTo } = await inTx(openSpans)
  for (const span of spans) await inTx((tx) => refreshSpan(tx, span))
  await inTx(async (tx) => {
    await tx.sql
      .updateTable('contacts.statistics_state')
      .set({ counted_to: rolledTo, computed_at: tx.now })
      .where('workspace_id', '=', tx.workspaceId)
      .where('rolled_to', '=', rolledTo)
      .execute()
  })
}

/** What is to be counted. The state moves first: from then on, writers note the days that they change. */
async function openSpans(tx: Tx): Promise<{ spans: Span[]; rolledTo: string }> {
  const { timezone } = await getWorkspace(tx, tx.workspaceId)
  const rolledTo = dayIn(timezone, new Date(tx.now.getTime() - closingMs))
  const state = await tx.sql
    .selectFrom('contacts.statistics_state')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .forUpdate()
    .executeTakeFirst()
  const isNew = state?.timezone !== timezone
  // Days of another time zone are other days: all of them are counted anew.
  if (isNew) await tx.sql.deleteFrom('contacts.daily_statistics').where('workspace_id', '=', tx.workspaceId).execute()
  const first = isNew ? ((await firstDay(tx, timezone, rolledTo)) ?? rolledTo) : state.rolled_to
  const countedTo = isNew ? first : state.counted_to
  await sql`
    insert into contacts.statistics_state (workspace_id, timezone, rolled_to, counted_to)
    values (${tx.workspaceId}, ${timezone}, ${rolledTo}::date, ${countedTo}::date)
    on conflict (workspace_id) do update
    set timezone = excluded.timezone, rolled_to = excluded.rolled_to, counted_to = excluded.counted_to`.execute(tx.sql)
  // Noted rather than remembered here: a worker that dies now leaves nothing uncounted.
  if (first < rolledTo) await noteDays(tx, daysOf({ from: first, to: addDays(rolledTo, -1) }))
  const oldest = addDays(rolledTo, -yearsMax * 366)
  await sql`
    delete from contacts.changed_days
    where not exists (select from unnest(days) as day where day >= ${oldest}::date)`.execute(tx.sql)
  const { rows } = await sql<{ day: string }>`
    select distinct day from contacts.changed_days, unnest(days) as day
    where day < ${rolledTo}::date and day >= ${oldest}::date`.execute(tx.sql)
  return { spans: toSpans(rows.map(({ day }) => day)), rolledTo }
}

async function noteDays(tx: Tx, days: string[]): Promise<void> {
  await sql`insert into contacts.changed_days (workspace_id, days) values (${tx.workspaceId}, ${days}::date[])`.execute(
    tx.sql,
  )
}

/** The notes go first and the counting comes after: what is noted meanwhile is counted the next time. */
async function refreshSpan(tx: Tx, span: Span): Promise<void> {
  const state = await tx.sql
    .selectFrom('contacts.statistics_state')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .forUpdate()
    .executeTakeFirst()
  if (!state || span.to >= state.rolled_to) return
  await strikeOff(tx, span)
  for (const metric of metrics) {
    await sql`
      delete from contacts.daily_statistics
      where workspace_id = ${tx.workspaceId} and metric = ${metric} and day between ${span.from}::date and ${span.to}::date`.execute(
      tx.sql,
    )
    await sql`
      insert into contacts.daily_statistics (workspace_id, metric, day, kind, count)
      select ${tx.workspaceId}, ${metric}, day, kind, count
      from (${countDays(metric, span, { timezone: state.timezone })}) as counted`.execute(tx.sql)
  }
}

/** Notes lose the days of the span; those that have none left go. */
async function strikeOff(tx: Tx, { from, to }: Span): Promise<void> {
  await sql`
    update contacts.changed_days set days = array(
      select day from unnest(days) as day where day < ${from}::date or day > ${to}::date)
    where exists (select from unnest(days) as day where day between ${from}::date and ${to}::date)`.execute(tx.sql)
  await sql`delete from contacts.changed_days where days = '{}'`.execute(tx.sql)
}

/** The oldest day that has anything, or null. */
async function firstDay(tx: Tx, timezone: string, rolledTo: string): Promise<string | null> {
  const { rows } = await sql<{ day: string | null }>`
    select greatest((least(
      (select min(occurred_at) from contacts.interactions where workspace_id = platform.workspace_id()),
      (select min(created_at) from contacts.contact_rows where deleted_at is null),
      (select min(created_at) from contacts.contact_rows where deleted_at is not null),
      (select min(recorded_at) from contacts.consents where workspace_id = platform.workspace_id())) at time zone ${timezone})::date,
      ${addDays(rolledTo, -yearsMax * 365)}::date) as day
    where exists (select from contacts.contact_rows)`.execute(tx.sql)
  return rows[0]?.day ?? null
}

function daysOf({ from, to }: Span): string[] {
  const days: string[] = []
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day)
  return days
}
