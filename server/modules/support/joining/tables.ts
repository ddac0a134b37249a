/** Row types of merges, links and presence. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { NullableText, NullableTime } from '#platform/db/tables.ts'

export interface TicketMergeTable {
  workspace_id: string
  id: string
  survivor_id: string
  duplicate_ids: string[]
  created_at: Date
  created_by: NullableText
  created_by_name: Generated<string>
  undone_at: NullableTime
  undone_by: NullableText
  undone_by_name: Generated<string>
  kept: Generated<number>
}
export type TicketMerge = Selectable<TicketMergeTable>

export const linkKinds = ['related', 'duplicate_of', 'blocks', 'causes', 'may_belong_to'] as const
export type LinkKind = (typeof linkKinds)[number]

export interface TicketLinkTable {
  workspace_id: string
  id: string
  from_id: string
  to_id: string
  kind: LinkKind
  created_by: NullableText
  created_at: Date
}
export type TicketLink = Selectable<TicketLinkTable>

export const presenceStates = ['viewing', 'typing'] as const
export type PresenceState = (typeof presenceStates)[number]

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.ticket_merges': TicketMergeTable
    'support.ticket_merge_rows': {
      workspace_id: string
      merge_id: string
      table_name: 'tickets' | 'messages' | 'followers'
      row_id: string
      ticket_id: string
      action: 'moved' | 'added' | 'changed'
      content: ColumnType<Record<string, unknown>, string | undefined, string>
    }
    'support.ticket_links': TicketLinkTable
    'support.ticket_presence': {
      workspace_id: string
      ticket_id: string
      user_id: string
      state: PresenceState
      since: Date
      seen_at: Date
    }
  }
}
