/** Row types of canned replies. */
import type { Generated, GeneratedAlways, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { Visibility } from '#platform/saved-views/sharing.ts'

export interface CannedReplyTable {
  workspace_id: string
  id: string
  owner_id: string
  owner_name: Generated<string>
  shortcut: string
  title: string
  content: string
  /** BCP 47; null is for all languages. */
  language: NullableText
  category: NullableText
  tags: Generated<string[]>
  tag_keys: GeneratedAlways<string[]>
  visibility: Generated<Visibility>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
  search_text: GeneratedAlways<string>
}
export type CannedReply = Selectable<CannedReplyTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.canned_replies': CannedReplyTable
  }
}
