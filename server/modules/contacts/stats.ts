/**
 * Numbers for the dashboard, counted from narrow indexes (a million contacts take some hundred milliseconds). What is
 * counted quickly is counted each time; only large workspaces see numbers that are up to a minute old, and their time.
 */
import { sql } from 'kysely'
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
  average_score: Type.Number(),
  new_last_30_days: Count,
  by_status: Type.Object({ active: Count, unsubscribed: Count, bounced: Count, complained: Count }),
  by_engagement_level: Type.Object({ low: Count, medium: Count, high: Count }),
  groups: Type.Object({ total: Count, memberships: Count }),
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
      'average_score', round(scores.average, 1),
      'new_last_30_days', recent.count,
      'by_status', jsonb_build_object(
        'active', scores.total - coalesce((select sum(count) from statuses), 0),
        'unsubscribed', coalesce((select count from statuses where status = 'unsubscribed'), 0),
        'bounced', coalesce((select count from statuses where status = 'bounced'), 0),
        'complained', coalesce((select count from statuses where status = 'complained'), 0)),
      'by_engagement_level', jsonb_build_object(
        'low', scores.total - scores.medium - scores.high, 'medium', scores.medium, 'high', scores.high),
      'groups', (select jsonb_build_object('total', count(*), 'memberships', coalesce(sum(contact_count), 0))
        from contacts.lists where deleted_at is null),
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
