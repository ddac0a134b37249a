/** The catalogue: all that a rule may ask of a contact. The builder of the web application shows it as it stands here. */
import { sql } from 'kysely'
import { engagementLevels, genders, levelFrom, statuses, type EngagementLevel } from '../contact-view.ts'
import { boolean, c, choice, code, id, number, text, time } from './columns.ts'
import { consent } from './consent-fields.ts'
import type { ChoiceField, Field, MembershipField, PresenceField, Sql } from './field.ts'
import { canonicalLanguage, email, fullName, phone } from './person-fields.ts'

const engagementLevel: ChoiceField = {
  ...choice('engagement', 'engagement_level', engagementLevels),
  shown: sql`case when c.engagement_score >= ${levelFrom.high}::int then 'high'
    when c.engagement_score >= ${levelFrom.medium}::int then 'medium' else 'low' end`,
  isOneOf: (values) =>
    sql<boolean>`(${sql.join(
      values.map((level) => inBand(level as EngagementLevel)),
      sql` or `,
    )})`,
}

export function inBand(level: EngagementLevel): Sql<boolean> {
  if (level === 'high') return sql<boolean>`c.engagement_score >= ${levelFrom.high}`
  if (level === 'medium') {
    return sql<boolean>`(c.engagement_score >= ${levelFrom.medium} and c.engagement_score < ${levelFrom.high})`
  }
  return sql<boolean>`c.engagement_score < ${levelFrom.medium}`
}

const avatar: PresenceField = {
  type: 'presence',
  name: 'avatar_url',
  group: 'person',
  shown: c('avatar_url'),
  empty: sql<boolean>`c.avatar_url is null`,
}

const tagNames = sql`coalesce((
  select jsonb_agg(t.name order by t.name) from contacts.contact_tags ct
  join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
  where ct.workspace_id = c.workspace_id and ct.contact_id = c.id), '[]')`
const listNames = sql`coalesce((
  select jsonb_agg(l.name order by l.name) from contacts.list_members m
  join contacts.lists l on l.workspace_id = m.workspace_id and l.id = m.list_id
  where m.workspace_id = c.workspace_id and m.contact_id = c.id and l.deleted_at is null), '[]')`

const tags: MembershipField = {
  type: 'tags',
  name: 'tags',
  group: 'membership',
  shown: tagNames,
  empty: sql<boolean>`not exists (
    select from contacts.contact_tags ct where ct.workspace_id = c.workspace_id and ct.contact_id = c.id)`,
}
const lists: MembershipField = {
  type: 'lists',
  name: 'lists',
  group: 'membership',
  shown: listNames,
  empty: sql<boolean>`not exists (
    select from contacts.list_members m join contacts.lists l on l.workspace_id = m.workspace_id and l.id = m.list_id
    where m.workspace_id = c.workspace_id and m.contact_id = c.id and l.deleted_at is null)`,
}

const known: Field[] = [
  email,
  text('person', 'first_name', { searched: true }),
  text('person', 'last_name', { searched: true }),
  fullName,
  text('person', 'company', { folded: sql<string>`c.company_key`, searched: true }),
  text('person', 'job_title', { isOneOf: (values) => isOneOfPresent(c('job_title'), values) }),
  phone,
  choice('person', 'gender', genders, true),
  code('language', canonicalLanguage, false),
  code('timezone', (value) => value, true),
  avatar,
  text('person', 'notes'),
  tags,
  lists,
  choice('subscription', 'status', statuses),
  boolean('subscription', 'newsletter_subscribed'),
  boolean('subscription', 'marketing_subscribed'),
  boolean('subscription', 'tracking_allowed'),
  time('subscription', 'subscribed_at'),
  time('subscription', 'unsubscribed_at'),
  ...(['newsletter', 'marketing', 'tracking'] as const).flatMap(consent),
  number('engagement', 'engagement_score'),
  engagementLevel,
  number('engagement', 'total_emails_opened'),
  number('engagement', 'total_emails_clicked'),
  time('engagement', 'last_email_opened_at', { indexed: true }),
  time('engagement', 'last_email_clicked_at'),
  time('engagement', 'last_engaged_at'),
  number('activity', 'total_purchases'),
  number('activity', 'total_orders'),
  number('activity', 'returned_orders'),
  number('activity', 'total_appointments'),
  number('activity', 'cancelled_appointments'),
  number('activity', 'total_bookings'),
  number('activity', 'total_tickets'),
  number('activity', 'open_tickets'),
  number('activity', 'lifetime_value', 'numeric'),
  time('activity', 'first_order_date'),
  time('activity', 'last_order_date'),
  time('activity', 'first_appointment_date'),
  time('activity', 'last_appointment_date'),
  time('activity', 'last_booking_date', { indexed: true }),
  text('record', 'source', { isOneOf: (values) => isOneOfPresent(c('source'), values) }),
  boolean('record', 'is_active'),
  time('record', 'created_at', { always: true }),
  time('record', 'updated_at', { always: true }),
  id('id', false),
  id('user_id', true),
  id('import_id', true),
]

/** As the partial indexes of these columns have it. */
function isOneOfPresent(column: Sql, values: string[]): Sql<boolean> {
  return values.length === 1
    ? sql<boolean>`(${column} is not null and platform.fold(${column}) = platform.fold(${values[0]}))`
    : sql<boolean>`(${column} is not null and platform.fold(${column}) = any(array(
        select platform.fold(value) from unnest(${values}::text[]) as value)))`
}

/** Document words that mean the same. */
const aliases: Record<string, string> = { tag: 'tags', list: 'lists' }

export const fields: ReadonlyMap<string, Field> = new Map(known.map((field) => [field.name, field]))

export function findField(name: string): Field | undefined {
  return fields.get(Object.hasOwn(aliases, name) ? aliases[name]! : name)
}
