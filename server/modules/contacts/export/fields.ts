/** What can stand in an export: every field of a contact, what is gathered beside it, and how each is written down. */
import type { CellKind } from '#platform/tables-out/table.ts'
import { engagementLevel, type ContactRow } from '../contact-view.ts'
import { joinFullName } from '../names.ts'
import type { Contact } from '../tables.ts'

/** Latest decision of each purpose, with its time. */
export interface ConsentState {
  decision: string
  recorded_at: Date
}

export interface ExportRow extends ContactRow {
  consents: Record<string, ConsentState | undefined>
}

/** Gathered for a whole batch, and only where a field asks for it. */
export type Gathered = 'tags' | 'lists' | 'consents'

export interface ExportField {
  label: string
  kind: CellKind
  /** Columns of the contact that it is made of. */
  columns: readonly (keyof Contact)[]
  gathers?: Gathered
  /** The value as the API shows it. */
  value(row: ExportRow): unknown
}

function plain(column: keyof Contact, label: string, kind: CellKind = 'text'): ExportField {
  return { label, kind, columns: [column], value: (row) => row[column] }
}

function consent(purpose: string, label: string, part: keyof ConsentState): ExportField {
  return {
    label,
    kind: part === 'recorded_at' ? 'time' : 'text',
    columns: [],
    gathers: 'consents',
    value: (row) => row.consents[purpose]?.[part] ?? null,
  }
}

/** In the order of a whole export. */
export const exportFields: Record<string, ExportField> = {
  id: plain('id', 'Id'),
  email: plain('email', 'Email'),
  first_name: plain('first_name', 'First Name'),
  last_name: plain('last_name', 'Last Name'),
  full_name: { label: 'Full Name', kind: 'text', columns: ['first_name', 'last_name'], value: joinFullName },
  company: plain('company', 'Company'),
  job_title: plain('job_title', 'Job Title'),
  phone: plain('phone', 'Phone'),
  gender: plain('gender', 'Gender'),
  avatar_url: plain('avatar_url', 'Avatar URL'),
  language: plain('language', 'Language'),
  timezone: plain('timezone', 'Time Zone'),
  source: plain('source', 'Source'),
  status: plain('status', 'Status'),
  is_active: plain('is_active', 'Is Active', 'yes_no'),
  newsletter_subscribed: plain('newsletter_subscribed', 'Newsletter', 'yes_no'),
  marketing_subscribed: plain('marketing_subscribed', 'Marketing', 'yes_no'),
  tracking_allowed: plain('tracking_allowed', 'Tracking Allowed', 'yes_no'),
  newsletter_consent: consent('newsletter', 'Newsletter Consent', 'decision'),
  newsletter_consent_at: consent('newsletter', 'Newsletter Consent Date', 'recorded_at'),
  marketing_consent: consent('marketing', 'Marketing Consent', 'decision'),
  marketing_consent_at: consent('marketing', 'Marketing Consent Date', 'recorded_at'),
  tracking_consent: consent('tracking', 'Tracking Consent', 'decision'),
  tracking_consent_at: consent('tracking', 'Tracking Consent Date', 'recorded_at'),
  subscribed_at: plain('subscribed_at', 'Subscribed At', 'time'),
  unsubscribed_at: plain('unsubscribed_at', 'Unsubscribed At', 'time'),
  last_email_opened_at: plain('last_email_opened_at', 'Last Email Opened', 'time'),
  last_email_clicked_at: plain('last_email_clicked_at', 'Last Email Clicked', 'time'),
  last_engaged_at: plain('last_engaged_at', 'Last Engaged', 'time'),
  total_emails_opened: plain('total_emails_opened', 'Emails Opened', 'number'),
  total_emails_clicked: plain('total_emails_clicked', 'Emails Clicked', 'number'),
  engagement_score: plain('engagement_score', 'Engagement Score', 'number'),
  engagement_level: {
    label: 'Engagement Level',
    kind: 'text',
    columns: ['engagement_score'],
    value: (row) => engagementLevel(row.engagement_score),
  },
  notes: plain('notes', 'Notes'),
  tags: { label: 'Tags', kind: 'text', columns: [], gathers: 'tags', value: (row) => row.tags },
  lists: { label: 'Lists', kind: 'text', columns: [], gathers: 'lists', value: (row) => row.lists },
  user_id: plain('user_id', 'User Id'),
  total_orders: plain('total_orders', 'Total Orders', 'number'),
  returned_orders: plain('returned_orders', 'Returned Orders', 'number'),
  total_appointments: plain('total_appointments', 'Total Appointments', 'number'),
  cancelled_appointments: plain('cancelled_appointments', 'Cancelled Appointments', 'number'),
  total_bookings: plain('total_bookings', 'Total Bookings', 'number'),
  first_order_date: plain('first_order_date', 'First Order Date', 'time'),
  last_order_date: plain('last_order_date', 'Last Order Date', 'time'),
  first_appointment_date: plain('first_appointment_date', 'First Appointment Date', 'time'),
  last_appointment_date: plain('last_appointment_date', 'Last Appointment Date', 'time'),
  last_booking_date: plain('last_booking_date', 'Last Booking Date', 'time'),
  total_tickets: plain('total_tickets', 'Total Tickets', 'number'),
  open_tickets: plain('open_tickets', 'Open Tickets', 'number'),
  lifetime_value: plain('lifetime_value', 'Lifetime Value', 'money'),
  created_at: plain('created_at', 'Created At', 'time'),
  updated_at: plain('updated_at', 'Updated At', 'time'),
  deleted_at: plain('deleted_at', 'Deleted At', 'time'),
  custom_fields: plain('custom_fields', 'Custom Fields'),
}

export const exportableNames = Object.keys(exportFields)

/** Document 5's columns, in its order. */
export const defaultNames =
  'first_name last_name email phone company job_title notes tags total_bookings last_booking_date'.split(' ')

export const customPrefix = 'custom_fields.'

/** One custom field as a column of its own. */
export function customField(key: string): ExportField {
  return {
    label: key,
    kind: 'text',
    columns: ['custom_fields'],
    value: (row) => (Object.hasOwn(row.custom_fields, key) ? row.custom_fields[key] : null),
  }
}
