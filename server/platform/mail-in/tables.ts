/** Row types of received mail. */
import type { Generated } from 'kysely'
import type { GeneratedTime, NullableJson, NullableText, NullableTime } from '../db/tables.ts'

declare module '../db/tables.ts' {
  interface Tables {
    'platform.mail_addresses': MailAddressTable
    'platform.inbound_mails': InboundMailTable
    'platform.mail_queue': {
      workspace_id: string
      mail_id: string
      not_before: GeneratedTime
      attempts: Generated<number>
    }
  }
}

export type MailPurpose = 'tickets' | 'bounces'

export interface MailAddressTable {
  workspace_id: string
  id: string
  address: string
  purpose: MailPurpose
  created_at: GeneratedTime
}

export type InboundState = 'received' | 'handled' | 'ignored' | 'quarantined' | 'erased'

export interface InboundMailTable {
  workspace_id: string
  id: string
  state: Generated<InboundState>
  door: 'smtp' | 'imap'
  raw: Buffer | null
  file_key: NullableText
  size_bytes: number
  sha256: string
  dedupe_key: string
  message_id: NullableText
  envelope_from: NullableText
  recipients: string[]
  client: NullableJson
  from_address: NullableText
  subject: NullableText
  kind: NullableText
  outcome: NullableText
  attempts: Generated<number>
  error: NullableText
  received_at: GeneratedTime
  handled_at: NullableTime
}
