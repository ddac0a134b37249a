/** Row types of what is promised of tickets. */
import type { ColumnType, Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'
import type { Calendar } from './calendar.ts'
import type { ClockName } from './clocks.ts'
import type { Conditions, Targets } from './policy.ts'

type JsonOf<T> = ColumnType<T, string, string>

export interface CalendarTable {
  workspace_id: string
  id: string
  name: string
  timezone: string
  hours: JsonOf<Calendar['hours']>
  holidays: ColumnType<Calendar['holidays'], string | undefined, string>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}
export type CalendarRow = Selectable<CalendarTable>

export interface PolicyTable {
  workspace_id: string
  id: string
  name: string
  description: Generated<string>
  position: Generated<number>
  is_active: Generated<boolean>
  conditions: ColumnType<Conditions, string | undefined, string>
  targets: JsonOf<Targets>
  calendar_id: NullableText
  pause_while_waiting: Generated<boolean>
  warn_at_percent: Generated<number>
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
  deleted_at: NullableTime
}
export type PolicyRow = Selectable<PolicyTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'support.calendars': CalendarTable
    'support.calendar_versions': {
      workspace_id: string
      calendar_id: string
      version: number
      timezone: string
      hours: JsonOf<Calendar['hours']>
      holidays: JsonOf<Calendar['holidays']>
      recorded_at: Date
    }
    'support.sla_policies': PolicyTable
    'support.ticket_clocks': {
      workspace_id: string
      ticket_id: string
      seq: number
      state: JsonOf<unknown>
      policy_id: NullableText
      next_due_at: NullableTime
    }
    'support.sla_breaches': {
      workspace_id: string
      ticket_id: string
      clock: ClockName
      breached_at: Date
      policy_id: NullableText
      noticed_at: Date
    }
  }
}
