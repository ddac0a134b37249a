// The shapes of the API that the web application uses, in one file. They follow the HTTP contract word for word.

/** A record as the server sent it, with its ETag kept beside it for the next change. */
export type Kept<T> = T & { etag?: string }

export type Page<T> = { data: T[]; next_cursor: string | null; total?: Total }
export type Total = number | { at_least: number }

export type Role = 'owner' | 'admin' | 'marketer' | 'agent' | 'viewer' | 'customer'
export type Language = 'en' | 'fr' | 'ro'
export type Theme = 'light' | 'dark' | 'auto'

export type Session = {
  user: {
    id: string
    email: string | null
    full_name: string
    language: Language
    timezone?: string | null
    theme?: Theme
    two_factor_enabled: boolean
  }
  workspace: { id: string; name: string; slug?: string; timezone?: string | null; currency?: string | null }
  workspaces: { id: string; name: string; role: Role }[]
  role: Role
  permissions: string[]
  csrf_token: string
}
export type OwnSession = {
  id: string
  created_at: string
  last_seen_at: string
  user_agent: string | null
  ip: string | null
  current: boolean
}
export type Member = {
  user_id: string
  email: string
  full_name: string
  role: Role
  created_at?: string
  last_seen_at?: string | null
  two_factor_enabled?: boolean
}
export type Invitation = {
  id: string
  email: string
  role: Role
  created_at: string
  expires_at: string
  invited_by?: string | null
}
export type ApiKey = {
  id: string
  name: string
  role: Role
  ending: string
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  key?: string
}
export type Workspace = {
  id: string
  name: string
  slug?: string
  language: Language
  timezone: string
  country: string
  currency: string
  mail_from: string | null
  mail_from_name: string | null
  postal_address: string | null
}

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled'
export type Job = {
  id: string
  kind: string
  status: JobStatus
  progress: { done: number; total: number | null; rate: number | null } | null
  result: Record<string, unknown> | null
  error: unknown
  created_at: string
}

export type ContactStatus = 'active' | 'unsubscribed' | 'bounced' | 'complained'
export type EngagementLevel = 'low' | 'medium' | 'high'
export type Contact = {
  id: string
  email: string
  first_name: string | null
  last_name: string | null
  full_name: string | null
  company: string | null
  job_title: string | null
  phone: string | null
  gender: string | null
  language: string | null
  timezone: string | null
  source: string | null
  status: ContactStatus
  is_active: boolean
  newsletter_subscribed: boolean
  marketing_subscribed: boolean
  subscribed_at: string | null
  unsubscribed_at: string | null
  last_email_opened_at: string | null
  last_email_clicked_at: string | null
  total_emails_opened: number
  total_emails_clicked: number
  engagement_score: number
  engagement_level: EngagementLevel
  custom_fields: Record<string, unknown>
  notes: string | null
  tags: string[]
  lists: { id: string; name: string }[]
  total_orders: number
  total_appointments: number
  total_bookings: number
  last_order_date: string | null
  last_booking_date: string | null
  lifetime_value: string | number | null
  created_at: string
  updated_at: string
  deleted_at: string | null
}
export type Interaction = {
  id: string
  interaction_type: string
  description: string
  metadata: Record<string, unknown> | null
  /** About a ticket that whoever reads may not see. */
  is_hidden: boolean
  occurred_at: string
  actor: { id?: string; name?: string | null } | string | null
  contact_id?: string
  /** In lists. */
  contact_name?: string
  booking_id?: string | null
  campaign_id?: string | null
}
export type Note = { id: string; content: string; created_at: string; created_by_name: string }
export type Consent = {
  id: string
  purpose: 'newsletter' | 'marketing' | 'tracking' | 'transactional'
  decision: 'granted' | 'withdrawn' | 'pending'
  source: string | null
  wording: string | null
  ip: string | null
  recorded_at: string
  actor: { name?: string | null } | string | null
}
export type ContactStats = {
  total: number
  active: number
  subscribed: number
  average_score: number
  new_last_30_days: number
  by_status: Partial<Record<ContactStatus, number>>
  top_companies: { company: string; count: number }[]
  growth: { date: string; created: number }[]
}
export type List = {
  id: string
  name: string
  description: string
  type: string
  color: string | null
  contact_count: number
  is_active: boolean
  created_at: string
  version?: number
}
export type Tag = {
  id: string
  name: string
  slug?: string
  color: string | null
  description?: string | null
  contact_count: number
  priority?: number | null
  version?: number
}

export type ImportColumn = {
  index: number
  header: string | null
  samples: string[]
  suggested_field: string | null
  confidence: number
}
export type ImportPreview = {
  upload_id: string
  file_name: string
  size_bytes: number
  encoding: string
  delimiter: string
  has_header: boolean
  columns: ImportColumn[]
  rows_previewed: number
  sample_rows: string[][]
}
export type Duplicates = 'skip' | 'update' | 'merge'
export type ImportRequest = {
  upload_id: string
  mapping: Record<string, string | null>
  encoding?: string
  delimiter?: string
  has_header?: boolean
  duplicates: Duplicates
  list_id?: string
  tags?: string[]
  consent?: { newsletter?: boolean; marketing?: boolean; source: string; wording: string }
  dry_run?: boolean
}
export type Import = {
  id: string
  status: JobStatus | 'undone'
  file_name: string
  rows: number
  created: number
  updated: number
  merged: number
  skipped: number
  failed: number
  bytes_done: number
  bytes_total: number
  rate: number | null
  started_at: string | null
  finished_at: string | null
  created_at?: string
  undone_at?: string | null
  job_id: string | null
  dry_run: boolean
  duplicates: Duplicates
}

export type Template = {
  id: string
  name: string
  subject: string
  body_html: string
  body_text: string | null
  created_at: string
  updated_at: string
  version?: number
}
export type RenderError = { pointer: string; line: number | null; detail: string }
export type Rendered = {
  subject: string
  html: string
  text: string
  errors?: RenderError[]
  headers?: Record<string, string>
}

export type CampaignStatus = 'draft' | 'scheduled' | 'active' | 'paused' | 'completed' | 'canceled'
export type Audience = { list_ids?: string[]; tags?: string[]; filter?: Record<string, unknown> }
export type Category = 'marketing' | 'newsletter' | 'transactional'
export type Channel = {
  type: 'email'
  config: { subject?: string; from_email?: string; from_name?: string; text_template?: string }
  content_template?: string
  schedule?: { send_at?: string | null; timezone?: string | null }
}
export type DeliveryState = 'queued' | 'claimed' | 'handed_over' | 'sent' | 'retry' | 'failed' | 'skipped'
export type CampaignCounts = Partial<
  Record<DeliveryState | 'total' | 'opened' | 'opened_machine' | 'clicked' | 'clicked_machine' | 'unsubscribed', number>
>
export type Campaign = {
  id: string
  name: string
  description?: string | null
  category: Category
  status: CampaignStatus
  target_audience: Audience
  channels: Channel[]
  counts?: CampaignCounts
  audience_size?: number | null
  can?: Record<string, boolean>
  created_at: string
  updated_at?: string
  launched_at?: string | null
  completed_at?: string | null
  scheduled_at?: string | null
  pause_reason?: string | null
  version?: number
}
export type AudienceSize = { size: number; sendable: number; skipped_by_reason: Record<string, number> }
export type Delivery = {
  contact_id: string
  email: string
  full_name: string | null
  state: DeliveryState
  reason: string | null
  code: number | null
  response: string | null
  attempts: number
  next_attempt_at: string | null
  sent_at: string | null
  opened_at: string | null
  clicked_at: string | null
  opens: number
  clicks: number
}
export type CampaignLink = { url: string; clicks: number; unique_clicks: number }

export type SandboxRow = {
  id: string
  to: string | string[]
  from: string
  subject: string
  received_at: string
  size_bytes: number
  campaign_id: string | null
}
export type SandboxMessage = SandboxRow & {
  headers: { name: string; value: string }[]
  html: string | null
  text: string | null
  raw_url: string
}
