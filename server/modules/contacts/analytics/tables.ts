/** Row types of the figures by day. */
import type { Generated } from 'kysely'

export type DailyMetric = 'interactions' | 'created' | 'consents'

/** How a list or a tag stood on a day; the figures are null until the task has looked on that day. */
export interface GroupFigures {
  members: number | null
  active: number | null
  subscribed: number | null
  opened: number | null
  clicked: number | null
  average_score: string | null
  low: number | null
  medium: number | null
  high: number | null
  computed_at: Date | null
}

interface GroupDay extends GroupFigures {
  workspace_id: string
  /** `YYYY-MM-DD`, in the time zone of the workspace. */
  day: string
  added: Generated<number>
  removed: Generated<number>
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.statistics_state': {
      workspace_id: string
      timezone: string
      rolled_to: string
      counted_to: string
      computed_at: Generated<Date>
    }
    'contacts.daily_statistics': {
      workspace_id: string
      metric: DailyMetric
      day: string
      kind: string
      count: number
    }
    'contacts.changed_days': { workspace_id: string; id: Generated<string>; days: string[] }
    'contacts.list_statistics': GroupDay & { list_id: string }
    'contacts.tag_statistics': GroupDay & { tag_id: string }
    'contacts.workspace_statistics': {
      workspace_id: string
      contacts: number
      subscribed: number
      unsubscribed: number
      score_sum: string
      list_members: number
      list_members_before: number
      tag_uses: number
      tags_unused: number
      tags_to_10: number
      tags_to_100: number
      tags_to_1000: number
      tags_over_1000: number
      computed_at: Date
    }
  }
}
