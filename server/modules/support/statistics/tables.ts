/** Row types of the figures of tickets. Times between two instants are in milliseconds. */
import type { NullableTime } from '#platform/db/tables.ts'

export interface TicketFiguresTable {
  workspace_id: string
  ticket_id: string
  opened_at: Date
  answered_at: NullableTime
  ended_at: NullableTime
  first_response_ms: number | null
  first_response_business_ms: number | null
  resolution_ms: number | null
  resolution_business_ms: number | null
  escalated_at: NullableTime
  is_late: boolean
  rating: number | null
  rated_at: NullableTime
}

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.ticket_figures': TicketFiguresTable
    'support.workspace_statistics': {
      workspace_id: string
      counted_to: Date
      by_status: Json
      by_priority: Json
      opened: number
      escalated: number
      late: number
      answered: number
      first_response_ms_sum: string
      ended: number
      resolution_ms_sum: string
      rated: number
      rating_sum: number
      loads: string[]
    }
  }
}
