/** Row types of templates and of the sandbox inbox. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export interface TemplateTable {
  workspace_id: string
  id: string
  name: string
  subject: Generated<string>
  body_html: Generated<string>
  body_text: NullableText
  created_by: NullableText
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}
export type MessageTemplate = Selectable<TemplateTable>

export interface SandboxTable {
  workspace_id: string
  id: string
  sender: string
  recipient: string
  subject: string
  confidential: Generated<boolean>
  campaign_id: NullableText
  contact_id: NullableText
  raw: ColumnType<Buffer, Buffer, never>
  size_bytes: number
  received_at: GeneratedTime
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'communication.templates': TemplateTable
    'communication.sandbox_messages': SandboxTable
  }
}
