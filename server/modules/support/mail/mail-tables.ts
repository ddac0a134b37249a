/** Row types of mailboxes and mails. */
import type { Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export interface MailboxTable {
  workspace_id: string
  id: string
  address_id: string
  address: string
  purpose: Generated<'tickets' | 'bounces'>
  name: string
  signature: Generated<string>
  auto_acknowledge: Generated<boolean>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}
export type MailboxRow = Selectable<MailboxTable>

export interface TicketMailTable {
  workspace_id: string
  id: string
  ticket_id: string
  message_id: NullableText
  direction: 'in' | 'out'
  mail_id: NullableText
  email: string
  mailbox_id: NullableText
  subject: Generated<string>
  html: NullableText
  sender: NullableText
  state: 'received' | 'queued' | 'sent' | 'failed'
  reason: NullableText
  created_at: GeneratedTime
  sent_at: NullableTime
  files_kept_at: NullableTime
}
export type TicketMail = Selectable<TicketMailTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.mailboxes': MailboxTable
    'support.ticket_mails': TicketMailTable
  }
}
