/**
 * Numbers for the dashboard, counted from narrow indexes (a million contacts take some hundred milliseconds). What is
 * counted quickly is counted each time; only large workspaces see numbers that are up to a minute old, and their time.
 */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { Timestamp } from '#platform/http/shapes.ts'

const Count = Type.Integer()

export const ContactStats = Type.Object({
  total: Count,
  active: Count,
  inactive: Count,
  subscribed: Count,
  subscription_rate: Type.Number({ description: 'Subscribed to anything, of all; from 0 to 1, as all rates' }),
  unsubscription_rate: Type.Number({ description: 'With the status unsubscribed, of all' }),
  average_score: Type.Number(),
  new_last_30_days: Count,
  by_status: Type.Object({ active: Count, unsubscribed: Count, bounced: Count, complained: Count }),
  by_engagement_level: Type.Object({ low: Count, medium: Count, high: Count }),
  groups: Type.Object({
    total: Count,
    memberships: Count,
    added_last_30_days: Count,
    removed_last_30_days: Count,
    growth_rate: Type.Number({ description: 'By how much memberships grew in 30 days' }),
  }),
  tags: Type.Object({
    total: Count,
    uses: Count,
    top: Type.Array(Type.Object({ name: Type.String(), count: Count })),
    distribution: Type.Array(Type.Object({ contacts: Type.String(), tags: Count }), {
      description: 'How many tags are on how many contacts',
    }),
  }),
  bulk_operations: Type.Object(
    {
      total: Count,
      succeeded: Count,
      failed: Count,
      contacts: Count,
      average_seconds: Type.Number(),
      contacts_per_second: Type.Number(),
    },
    { description: 'Of the last 30 days' },
  ),
  top_companies: Type.Array(Type.Object({ company: Type.String(), count: Count })),
  recent_interactions: Type.Array(
    Type.Object({ interaction_type: Type.String(), count: Count }, { description: 'Of the last 30 days' }),
  ),
  bookings: Type.Object({
    total: Count,
    contacts_with_bookings: Count,
    average_per_contact: Type.Number({ description: 'Over the contacts that booked at all' }),
  }),
  growth: Type.Array(Type.Object({ date: Type.String({ format: 'date' }), created: Count }), {
    description: 'Contacts made on each of the last 30 days, UTC, the oldest first',
  }),
  computed_at: Timestamp,
})
export type ContactStats = Static<typeof ContactStats>

/** Above this many contacts the numbers are kept for a minute. */
const keepFrom = 50_000
const keepMs = 60_000

export async function contactStats(tx: Tx, services: Pick<Services, 'cache'>): Promise<ContactStats> {
  const key = `${tx.workspaceId}:contacts:stats`
  const kept = await services.cache.get<ContactStats>(key)
  if (kept) return kept
  const stats = await computeStats(tx)
  if (stats.total >= keepFrom) await services.cache.set(key, stats, keepMs)
  return stats
}

export async function computeStats(tx: Tx): Promise<ContactStats> {
  const { rows } = await sql<{ stats: Omit<ContactStats, 'computed_at'> }>`
    with scores as materialized (
      select count(*) as total, coalesce(avg(engagement_score), 0) as average,
        count(*) filter (where engagement_score >= 51) as high,
        count(*) filter (where engagement_score between 11 and 50) as medium
      from contacts.contact_rows where deleted_at is null),
    statuses as materialized (
      select status, count(*) as count from contacts.contact_rows
      where deleted_at is null and status <> 'active' group by status),
    inactive as materialized (
      select count(*) as count from contacts.contact_rows where deleted_at is null and not is_active),
    subscribed as materialized (
      select count(*) as count from contacts.contact_rows
      where deleted_at is null and (newsletter_subscribed or marketing_subscribed)),
    days as materialized (
      select (created_at at time zone 'UTC')::date as date, count(*) as created from contacts.contact_rows
      where deleted_at is null and created_at >= date_trunc('day', now() - interval '29 days') group by 1),
    recent as materialized (
      select count(*) as count from contacts.contact_rows
      where deleted_at is null and created_at >= now() - interval '30 days'),
    booked as materialized (
      select count(*) as contacts, coalesce(sum(total_bookings), 0) as bookings from contacts.contact_rows
      where deleted_at is null and total_bookings > 0)
    select jsonb_build_object(
      'total', scores.total,
      'active', scores.total - inactive.count,
      'inactive', inactive.count,
      'subscribed', subscribed.count,
      'subscription_rate', ${rate(sql`subscribed.count`, sql`scores.total`)},
      'unsubscription_rate', ${rate(sql`coalesce((select count from statuses where status = 'unsubscribed'), 0)`, sql`scores.total`)},
      'average_score', round(scores.average, 1),
      'new_last_30_days', recent.count,
      'by_status', jsonb_build_object(
        'active', scores.total - coalesce((select sum(count) from statuses), 0),
        'unsubscribed', coalesce((select count from statuses where status = 'unsubscribed'), 0),
        'bounced', coalesce((select count from statuses where status = 'bounced'), 0),
        'complained', coalesce((select count from statuses where status = 'complained'), 0)),
      'by_engagement_level', jsonb_build_object(
        'low', scores.total - scores.medium - scores.high, 'medium', scores.medium, 'high', scores.high),
      'groups', ${groups},
      'tags', ${tags},
      'bulk_operations', ${bulkOperations},
      'top_companies', ${topCompanies},
      'recent_interactions', ${recentInteractions},
      'bookings', jsonb_build_object('total', booked.bookings, 'contacts_with_bookings', booked.contacts,
        'average_per_contact', case when booked.contacts = 0 then 0 else round(booked.bookings::numeric / booked.contacts, 1) end),
      'growth', (select jsonb_agg(jsonb_build_object('date', day::date, 'created', coalesce(days.created, 0)) order by day)
        from generate_series(
          date_trunc('day', now() at time zone 'UTC') - interval '29 days', date_trunc('day', now() at time zone 'UTC'),
          interval '1 day') as day left join days on days.date = day::date)) as stats
    from scores, inactive, subscribed, recent, booked`.execute(tx.sql)
  return { ...rows[0]!.stats, computed_at: tx.now.toISOString() }
}

function rate(part: RawBuilder<unknown>, whole: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`coalesce(round((${part})::numeric / nullif(${whole}, 0), 4), 0)`
}

const groups = sql`(
  select jsonb_build_object('total', l.total, 'memberships', l.memberships,
    'added_last_30_days', s.added, 'removed_last_30_days', s.removed,
    'growth_rate', ${rate(sql`s.added - s.removed`, sql`l.memberships - s.added + s.removed`)})
  from (select count(*) as total, coalesce(sum(contact_count), 0) as memberships from contacts.lists where deleted_at is null) as l,
    (select coalesce(sum(d.added), 0) as added, coalesce(sum(d.removed), 0) as removed
     from contacts.list_statistics d join contacts.lists l using (workspace_id)
     where l.id = d.list_id and l.deleted_at is null and d.day > contacts.local_day(platform.workspace_id()) - 30) as s)`

const tags = sql`(
  select jsonb_build_object('total', count(*), 'uses', coalesce(sum(usage_count), 0),
    'top', coalesce((
      select jsonb_agg(jsonb_build_object('name', name, 'count', usage_count) order by usage_count desc, name)
      from (select name, usage_count from contacts.tags where usage_count > 0 order by usage_count desc, id limit 10) as top), '[]'),
    'distribution', jsonb_build_array(
      jsonb_build_object('contacts', '0', 'tags', count(*) filter (where usage_count = 0)),
      jsonb_build_object('contacts', '1-10', 'tags', count(*) filter (where usage_count between 1 and 10)),
      jsonb_build_object('contacts', '11-100', 'tags', count(*) filter (where usage_count between 11 and 100)),
      jsonb_build_object('contacts', '101-1000', 'tags', count(*) filter (where usage_count between 101 and 1000)),
      jsonb_build_object('contacts', '1001+', 'tags', count(*) filter (where usage_count > 1000))))
  from contacts.tags)`

const bulkOperations = sql`(
  select jsonb_build_object('total', count(*), 'succeeded', count(*) filter (where status = 'succeeded'),
    'failed', count(*) filter (where status = 'failed'), 'contacts', coalesce(sum(progress_done), 0),
    'average_seconds', coalesce(round(avg(seconds) filter (where status = 'succeeded'), 1), 0),
    'contacts_per_second', coalesce(round(sum(progress_done) filter (where status = 'succeeded')
      / nullif(sum(seconds) filter (where status = 'succeeded'), 0), 1), 0))
  from (
    select status, progress_done, extract(epoch from finished_at - created_at) as seconds
    from platform.job_states where kind = 'contacts.bulk' and created_at >= now() - interval '30 days') as run)`

/** Grouped by the folded name, as the index has it; shown in one of its spellings. */
const topCompanies = sql`coalesce((
  select jsonb_agg(jsonb_build_object('company', spelling.company, 'count', top.count) order by top.count desc, top.key)
  from (
    select company_key as key, count(*) as count from contacts.contact_rows
    where deleted_at is null and company_key > ''
    group by 1 order by 2 desc, 1 limit 10) as top,
  lateral (
    select company from contacts.contact_rows
    where deleted_at is null and company_key = top.key limit 1) as spelling), '[]')`

const recentInteractions = sql`coalesce((
  select jsonb_agg(jsonb_build_object('interaction_type', interaction_type, 'count', count) order by count desc, interaction_type)
  from (
    select interaction_type, count(*) as count from contacts.interactions
    where occurred_at >= now() - interval '30 days' and occurred_at <= now()
    group by interaction_type) as recent), '[]')`
