/** Row types of the schema `support`. */
import type { ColumnType, Generated, GeneratedAlways, Selectable, Updateable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export const ticketStatuses = ['open', 'assigned', 'in_progress', 'waiting_customer', 'resolved', 'closed'] as const
export type TicketStatus = (typeof ticketStatuses)[number]
export const priorities = ['low', 'normal', 'high', 'urgent'] as const
export type Priority = (typeof priorities)[number]
export const ticketSources = ['web', 'email', 'phone', 'chat'] as const
export type TicketSource = (typeof ticketSources)[number]
/** Who did something: the person whose ticket it is, somebody of the house (or a key of it), or Rapport itself. */
export type AuthorKind = 'requester' | 'house' | 'program'

export interface TicketTable {
  workspace_id: string
  id: string
  ticket_number: string
  contact_id: NullableText
  user_id: NullableText
  assigned_to: NullableText
  subject: string
  description: string
  status: Generated<TicketStatus>
  priority: Generated<Priority>
  priority_rank: GeneratedAlways<number>
  category: NullableText
  source: Generated<TicketSource>
  contact_email: Generated<string>
  contact_name: Generated<string>
  /** BCP 47: in which language Rapport writes to the requester. */
  language: Generated<string>
  first_response_at: NullableTime
  resolved_at: NullableTime
  closed_at: NullableTime
  resolution_notes: NullableText
  internal_notes: NullableText
  satisfaction_rating: ColumnType<number | null, number | null | undefined, number | null>
  satisfaction_comment: NullableText
  satisfaction_at: NullableTime
  satisfaction_asked_at: NullableTime
  opens_by_number: Generated<boolean>
  /** Merge of contacts → whose the ticket was before it. */
  former_contacts: ColumnType<Record<string, string>, string | undefined, string>
  tags: Generated<string[]>
  tag_keys: GeneratedAlways<string[]>
  metadata: ColumnType<Record<string, unknown>, string | undefined, string>
  first_response_due_at: NullableTime
  next_response_due_at: NullableTime
  resolution_due_at: NullableTime
  due_at: GeneratedAlways<Date | null>
  /** From when a promise that can still be kept is at risk. */
  at_risk_at: NullableTime
  first_response_breached_at: NullableTime
  next_response_breached_at: NullableTime
  resolution_breached_at: NullableTime
  is_escalated: Generated<boolean>
  escalated_at: NullableTime
  last_message_at: Date
  waiting_since: NullableTime
  reopened_count: Generated<number>
  follow_up_of: NullableText
  merged_into: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
  search_text: GeneratedAlways<string>
}
export type Ticket = Selectable<TicketTable>
export type TicketUpdate = Updateable<TicketTable>

export interface MessageTable {
  workspace_id: string
  id: string
  ticket_id: string
  user_id: NullableText
  author_kind: AuthorKind
  author_name: Generated<string>
  author_email: Generated<string>
  content: string
  is_internal: Generated<boolean>
  source: Generated<TicketSource>
  /** The ticket in which it was said, where that was merged into this one. */
  came_from: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  edited_at: NullableTime
  deleted_at: NullableTime
  search_text: GeneratedAlways<string>
}
export type TicketMessage = Selectable<MessageTable>

export interface TicketEventTable {
  workspace_id: string
  seq: GeneratedAlways<number>
  ticket_id: string
  type: string
  at: Date
  actor_kind: AuthorKind
  actor_id: NullableText
  from_value: NullableText
  to_value: NullableText
  data: ColumnType<Record<string, unknown>, string | undefined, never>
}
export type TicketEvent = Selectable<TicketEventTable>

export type ScanState = 'not_scanned' | 'clean' | 'pending' | 'infected'

export interface AttachmentTable {
  workspace_id: string
  id: string
  ticket_id: string
  message_id: NullableText
  user_id: NullableText
  author_kind: AuthorKind
  file_name: string
  file_key: string
  file_type: 'image' | 'pdf' | 'document' | 'text'
  mime_type: string
  size_bytes: number
  sha256: string
  scan: ScanState
  created_at: GeneratedTime
  updated_at: GeneratedTime
}
export type Attachment = Selectable<AttachmentTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.tickets': TicketTable
    'support.messages': MessageTable
    /** The same rows, readable by every index; see the migration. Read only. */
    'support.ticket_rows': TicketTable
    'support.message_rows': MessageTable
    'support.message_versions': {
      workspace_id: string
      message_id: string
      version: number
      content: string
      what: 'edited' | 'deleted'
      ended_at: Date
      ended_by: NullableText
      ended_by_name: Generated<string>
    }
    'support.message_reads': { workspace_id: string; message_id: string; reader_id: string; read_at: Date }
    'support.mentions': { workspace_id: string; message_id: string; user_id: string }
    'support.followers': {
      workspace_id: string
      ticket_id: string
      user_id: string
      was_called: boolean
      followed_at: Date
    }
    'support.ticket_events': TicketEventTable
    'support.attachments': AttachmentTable
    'support.ticket_tokens': {
      workspace_id: string
      token_hash: Buffer
      ticket_id: string
      vouched: Generated<boolean>
      created_at: GeneratedTime
    }
  }
}
