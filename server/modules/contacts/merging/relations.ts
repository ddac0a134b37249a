/**
 * How each table that names a contact follows a merge. One table, read by the merge and by its undoing; a test compares it
 * with the schema, so that a new table cannot be forgotten.
 */
export type Relation =
  /** Every row goes to the survivor, and back. */
  | { how: 'move'; key: string; type: 'uuid' | 'text' }
  /** A row goes to the survivor unless that has the same; what it has already is dropped, and made again by an undo. */
  | {
      how: 'unless_there'
      key: string
      type: 'uuid' | 'text'
      /** What a row consists of besides workspace and contact. */
      columns: readonly string[]
      /** The table that the key leads to: it counts its rows, and may be gone when they come back. */
      parent: string | null
    }
  /** Nothing is to be done, for the reason given. */
  | { how: 'stays'; why: string }

export const relations: Record<string, Relation> = {
  'contacts.interactions': { how: 'move', key: 'id', type: 'uuid' },
  'contacts.removed_interactions': { how: 'move', key: 'id', type: 'uuid' },
  'contacts.notes': { how: 'move', key: 'id', type: 'uuid' },
  'contacts.orders': { how: 'move', key: 'id', type: 'uuid' },
  'contacts.bookings': { how: 'move', key: 'id', type: 'uuid' },
  'contacts.ticket_facts': { how: 'move', key: 'ticket_key', type: 'text' },
  'contacts.opening_figures': { how: 'move', key: 'id', type: 'uuid' },
  'contacts.outside_users': { how: 'move', key: 'user_key', type: 'text' },
  'contacts.contact_tags': {
    how: 'unless_there',
    key: 'tag_id',
    type: 'uuid',
    columns: ['tag_id', 'tagged_at', 'tagged_by'],
    parent: 'contacts.tags',
  },
  // Those of dynamic lists too: the reaction to `contact.merged` judges the survivor by their rules (`dynamic-lists.ts`).
  'contacts.list_members': {
    how: 'unless_there',
    key: 'list_id',
    type: 'uuid',
    columns: ['list_id', 'added_at', 'added_by'],
    parent: 'contacts.lists',
  },
  'contacts.contact_addresses': {
    how: 'unless_there',
    key: 'email_key',
    type: 'text',
    columns: ['email', 'added_at'],
    parent: null,
  },
  'contacts.consents': {
    how: 'stays',
    why: 'a ledger tells under which record somebody said something; it is read for the survivor and its merged records together',
  },
  'contacts.avatars': {
    how: 'stays',
    why: 'files lie under the id of their record, whose picture the survivor may show',
  },
  'contacts.custom_values': { how: 'stays', why: 'follows custom_fields by a trigger' },
  'contacts.duplicate_keys': { how: 'stays', why: 'made of the record itself, and asked of living ones only' },
  'contacts.duplicate_groups': {
    how: 'stays',
    why: 'made anew by the reactions to contact.merged and contact.unmerged',
  },
  'contacts.import_changes': { how: 'stays', why: 'what an import did to this record, for its undoing' },
  'contacts.exports': { how: 'stays', why: 'who was chosen for a file that has been written' },
  'contacts.operation_changes': { how: 'stays', why: 'what an operation did to this record, for its undoing' },
  'contacts.merge_records': { how: 'stays', why: 'what this record was before a merge' },
  'contacts.merge_moves': { how: 'stays', why: 'whose a row was before a merge' },
}

/**
 * How each column of the contact's own row follows: `chosen` by the caller, `consent` by the stricter rule, `sum`, `latest`,
 * `derived` from facts and clocks, or `own` to each record.
 */
export const columns = {
  email: 'chosen',
  first_name: 'chosen',
  last_name: 'chosen',
  company: 'chosen',
  job_title: 'chosen',
  phone: 'chosen',
  phone_key: 'chosen',
  gender: 'chosen',
  avatar_url: 'chosen',
  language: 'chosen',
  timezone: 'chosen',
  source: 'chosen',
  is_active: 'chosen',
  custom_fields: 'chosen',
  notes: 'chosen',
  user_id: 'chosen',
  status: 'consent',
  newsletter_subscribed: 'consent',
  marketing_subscribed: 'consent',
  tracking_allowed: 'consent',
  subscribed_at: 'consent',
  unsubscribed_at: 'consent',
  total_emails_opened: 'sum',
  total_emails_clicked: 'sum',
  total_purchases: 'sum',
  last_email_opened_at: 'latest',
  last_email_clicked_at: 'latest',
  last_engaged_at: 'latest',
  engagement_score: 'derived',
  total_orders: 'derived',
  returned_orders: 'derived',
  total_appointments: 'derived',
  cancelled_appointments: 'derived',
  total_bookings: 'derived',
  total_tickets: 'derived',
  open_tickets: 'derived',
  first_order_date: 'derived',
  last_order_date: 'derived',
  first_appointment_date: 'derived',
  last_appointment_date: 'derived',
  last_booking_date: 'derived',
  lifetime_value: 'derived',
  email_key: 'derived',
  search_text: 'derived',
  name_key: 'derived',
  company_key: 'derived',
  workspace_id: 'own',
  id: 'own',
  import_id: 'own',
  version: 'own',
  created_at: 'own',
  updated_at: 'own',
  deleted_at: 'own',
  merged_into: 'own',
  merged_at: 'own',
} as const satisfies Record<string, 'chosen' | 'consent' | 'sum' | 'latest' | 'derived' | 'own'>

export function columnsThat(follow: (typeof columns)[keyof typeof columns]): string[] {
  return Object.entries(columns).flatMap(([name, how]) => (how === follow ? [name] : []))
}
