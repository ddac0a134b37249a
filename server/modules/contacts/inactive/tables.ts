/** The row type of the policy for inactive contacts. */
import type { Generated, Selectable } from 'kysely'
import type { GeneratedTime, NullableText, NullableTime } from '#platform/db/tables.ts'

export const inactiveActions = ['deactivate', 'delete', 'tag'] as const
export type InactiveAction = (typeof inactiveActions)[number]

export interface InactivePolicyTable {
  workspace_id: string
  enabled: Generated<boolean>
  inactive_days: Generated<number>
  action: Generated<InactiveAction>
  tag: NullableText
  exclude_tags: Generated<string[]>
  exclude_lists: Generated<string[]>
  exclude_with_orders: Generated<boolean>
  exclude_with_bookings: Generated<boolean>
  exclude_subscribed: Generated<boolean>
  last_job_id: NullableText
  last_run_at: NullableTime
  version: Generated<number>
  created_at: GeneratedTime
  updated_at: GeneratedTime
}
export type InactivePolicy = Selectable<InactivePolicyTable>

declare module '#platform/db/tables.ts' {
  interface Tables {
    'contacts.inactive_policies': InactivePolicyTable
  }
}
