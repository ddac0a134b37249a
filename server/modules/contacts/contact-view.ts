/** The contact as clients see it: one shape for lists, single records and changes. */
import { Type, type Static } from 'typebox'
import { Id, JsonObject, NullableId, NullableText, NullableTimestamp, OneOf, Timestamp } from '#platform/http/shapes.ts'
import { joinFullName } from './names.ts'
import type { Contact } from './tables.ts'

export const statuses = ['active', 'unsubscribed', 'bounced', 'complained'] as const
export const genders = ['male', 'female', 'other'] as const
export const engagementLevels = ['low', 'medium', 'high'] as const
export type EngagementLevel = (typeof engagementLevels)[number]

/** Lowest score of each band: 0–10 low, 11–50 medium, from 51 high. */
export const levelFrom = { medium: 11, high: 51 } as const

export function engagementLevel(score: number): EngagementLevel {
  if (score >= levelFrom.high) return 'high'
  return score >= levelFrom.medium ? 'medium' : 'low'
}

export const contactFields = {
  id: Id,
  email: Type.String(),
  first_name: Type.String(),
  last_name: Type.String(),
  full_name: Type.String(),
  company: NullableText,
  job_title: NullableText,
  phone: NullableText,
  gender: Type.Unsafe<(typeof genders)[number] | null>({ type: ['string', 'null'], enum: [...genders, null] }),
  avatar_url: NullableText,
  language: Type.String({ description: 'BCP 47' }),
  timezone: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'IANA name, such as Europe/Paris' }),
  source: NullableText,
  status: OneOf(statuses),
  is_active: Type.Boolean(),
  newsletter_subscribed: Type.Boolean(),
  marketing_subscribed: Type.Boolean(),
  tracking_allowed: Type.Boolean({ description: 'Whether opens may be recorded' }),
  subscribed_at: NullableTimestamp,
  unsubscribed_at: NullableTimestamp,
  last_email_opened_at: NullableTimestamp,
  last_email_clicked_at: NullableTimestamp,
  last_engaged_at: NullableTimestamp,
  total_emails_opened: Type.Integer(),
  total_emails_clicked: Type.Integer(),
  engagement_score: Type.Integer(),
  engagement_level: OneOf(engagementLevels),
  custom_fields: JsonObject,
  notes: Type.String(),
  tags: Type.Array(Type.String(), { description: 'Names' }),
  lists: Type.Array(Type.Object({ id: Id, name: Type.String() })),
  user_id: NullableId,
  total_orders: Type.Integer(),
  total_appointments: Type.Integer(),
  total_bookings: Type.Integer(),
  total_tickets: Type.Integer(),
  open_tickets: Type.Integer(),
  last_order_date: NullableTimestamp,
  last_appointment_date: NullableTimestamp,
  last_booking_date: NullableTimestamp,
  lifetime_value: Type.String({ description: 'Exact decimal, in the currency of the workspace' }),
  created_at: Timestamp,
  updated_at: Timestamp,
  deleted_at: NullableTimestamp,
}

export const ContactView = Type.Object(contactFields, { $id: 'Contact' })
export type ContactView = Static<typeof ContactView>

/** A row with what the list queries gather beside it. */
export interface ContactRow extends Contact {
  tags: string[]
  lists: { id: string; name: string }[]
}

export function viewContact(row: ContactRow): ContactView {
  return {
    id: row.id,
    email: row.email,
    first_name: row.first_name,
    last_name: row.last_name,
    full_name: joinFullName(row),
    company: row.company,
    job_title: row.job_title,
    phone: row.phone,
    gender: row.gender,
    avatar_url: row.avatar_url,
    language: row.language,
    timezone: row.timezone,
    source: row.source,
    status: row.status,
    is_active: row.is_active,
    newsletter_subscribed: row.newsletter_subscribed,
    marketing_subscribed: row.marketing_subscribed,
    tracking_allowed: row.tracking_allowed,
    subscribed_at: row.subscribed_at,
    unsubscribed_at: row.unsubscribed_at,
    last_email_opened_at: row.last_email_opened_at,
    last_email_clicked_at: row.last_email_clicked_at,
    last_engaged_at: row.last_engaged_at,
    total_emails_opened: row.total_emails_opened,
    total_emails_clicked: row.total_emails_clicked,
    engagement_score: row.engagement_score,
    engagement_level: engagementLevel(row.engagement_score),
    custom_fields: row.custom_fields,
    notes: row.notes,
    tags: row.tags,
    lists: row.lists,
    user_id: row.user_id,
    total_orders: row.total_orders,
    total_appointments: row.total_appointments,
    total_bookings: row.total_bookings,
    total_tickets: row.total_tickets,
    open_tickets: row.open_tickets,
    last_order_date: row.last_order_date,
    last_appointment_date: row.last_appointment_date,
    last_booking_date: row.last_booking_date,
    lifetime_value: row.lifetime_value,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deleted_at: row.deleted_at,
  }
}
