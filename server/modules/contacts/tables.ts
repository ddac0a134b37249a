/** Row types of the schema `contacts`. */
import type { ColumnType, Generated, GeneratedAlways, Selectable } from 'kysely'
import type { GeneratedTime, Json, NullableText, NullableTime } from '#platform/db/tables.ts'

export type ContactStatus = 'active' | 'unsubscribed' | 'bounced' | 'complained'
export type Gender = 'male' | 'female' | 'other'

export interface ContactTable {
  workspace_id: string
  id: string
  email: string
  email_key: GeneratedAlways<string>
  first_name: Generated<string>
  last_name: Generated<string>
  company: NullableText
  job_title: NullableText
  phone: NullableText
  phone_key: NullableText
  gender: ColumnType<Gender | null, Gender | null | undefined, Gender | null>
  avatar_url: NullableText
  language: Generated<string>
  timezone: NullableText
  source: NullableText
  status: Generated<ContactStatus>
  is_active: Generated<boolean>
  newsletter_subscribed: Generated<boolean>
  marketing_subscribed: Generated<boolean>
  /** Open tracking needs its own consent. */
  tracking_allowed: Generated<boolean>
  subscribed_at: NullableTime
  unsubscribed_at: NullableTime
  last_email_opened_at: NullableTime
  last_email_clicked_at: NullableTime
  last_engaged_at: NullableTime
  total_emails_opened: Generated<number>
  total_emails_clicked: Generated<number>
  total_purchases: Generated<number>
  engagement_score: Generated<number>
  custom_fields: ColumnType<Record<string, unknown>, string | undefined, string>
  notes: Generated<string>
  user_id: NullableText
  total_orders: Generated<number>
  returned_orders: Generated<number>
  total_appointments: Generated<number>
  cancelled_appointments: Generated<number>
  total_bookings: Generated<number>
  first_order_date: NullableTime
  last_order_date: NullableTime
  first_appointment_date: NullableTime
  last_appointment_date: NullableTime
  last_booking_date: NullableTime
  /** Exact decimal as text. */
  lifetime_value: Generated<string>
  import_id: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
  search_text: GeneratedAlways<string>
  name_key: GeneratedAlways<string>
  company_key: GeneratedAlways<string>
  total_tickets: Generated<number>
  open_tickets: Generated<number>
  /** Who this one is now; such a contact is deleted. */
  merged_into: NullableText
  merged_at: NullableTime
}
export type Contact = Selectable<ContactTable>

export interface ListTable {
  workspace_id: string
  id: string
  name: string
  description: Generated<string>
  type: Generated<'static' | 'dynamic'>
  criteria: ColumnType<unknown, string | null | undefined, string | null>
  color: Generated<string>
  contact_count: Generated<number>
  is_active: Generated<boolean>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
  last_refreshed_at: NullableTime
  refresh_job_id: NullableText
}

export interface TagTable {
  workspace_id: string
  id: string
  name: string
  slug: string
  color: Generated<string>
  description: NullableText
  priority: Generated<number>
  usage_count: Generated<number>
  created_by: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}

export interface InteractionTable {
  workspace_id: string
  id: string
  contact_id: string
  interaction_type: string
  description: Generated<string>
  metadata: ColumnType<Record<string, unknown>, string | undefined, string>
  occurred_at: GeneratedTime
  recorded_at: GeneratedTime
  actor_id: NullableText
  actor_name: Generated<string>
  booking_id: NullableText
  campaign_id: NullableText
  source_key: NullableText
  edited_at: NullableTime
}

export type ConsentPurpose = 'newsletter' | 'marketing' | 'tracking' | 'transactional'
export type ConsentDecision = 'granted' | 'withdrawn' | 'pending'

export interface ConsentTable {
  workspace_id: string
  id: string
  contact_id: string
  purpose: ConsentPurpose
  decision: ConsentDecision
  source: string
  wording: Generated<string>
  wording_sha256: Generated<string>
  ip: NullableText
  user_agent: NullableText
  evidence: Json
  actor_id: NullableText
  actor_name: Generated<string>
  recorded_at: GeneratedTime
}

export type SuppressionReason = 'hard_bounce' | 'complaint' | 'unsubscribe' | 'erasure' | 'manual'

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.contacts': ContactTable
    /** The same rows, readable by every index; see the migration. Read only. */
    'contacts.contact_rows': ContactTable
    'contacts.lists': ListTable
    'contacts.list_members': {
      workspace_id: string
      list_id: string
      contact_id: string
      added_at: GeneratedTime
      added_by: NullableText
    }
    'contacts.tags': TagTable
    'contacts.contact_tags': {
      workspace_id: string
      tag_id: string
      contact_id: string
      tagged_at: GeneratedTime
      tagged_by: NullableText
    }
    'contacts.notes': {
      workspace_id: string
      id: string
      contact_id: string
      content: string
      created_by: NullableText
      created_by_name: Generated<string>
      created_at: GeneratedTime
    }
    'contacts.interactions': InteractionTable
    'contacts.interaction_sources': { workspace_id: string; source_hash: string }
    'contacts.consents': ConsentTable
    'contacts.suppressions': {
      workspace_id: string
      address_hash: Buffer
      reason: SuppressionReason
      created_at: GeneratedTime
    }
    'contacts.public_requests': {
      workspace_id: string
      id: string
      kind: 'subscribe' | 'unsubscribe'
      email: string
      details: ColumnType<Record<string, unknown>, string, never>
      created_at: GeneratedTime
    }
    'contacts.confirmation_mails': {
      workspace_id: string
      address_hash: Buffer
      kind: string
      request_id: string
      sent_at: GeneratedTime
    }
  }
}
