/** What every bulk action is: a row of the table in `actions.ts`. */
import type { RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import type { Params } from './request.ts'

/** By reason, how many contacts. */
export type Refused = Record<string, number>

export interface Applied {
  changed: number
  refused?: Refused
}

export interface Context {
  tx: Tx
  actor: Actor
  params: Params
  services: Services
}

export interface BulkPlan {
  /** What the log's label is made of. */
  facts: object
  /**
   * Of each contact `c`: 'change', 'same', or the reason why not. The dry run counts by it and the job goes by it, so that
   * they agree.
   */
  outcome: RawBuilder<string>
  /** Set-based and safe to repeat; of contacts whose outcome is 'change'. */
  apply(ids: string[]): Promise<Applied>
  /** Where SQL alone cannot judge: what `apply` would answer. */
  rehearse?(ids: string[]): Promise<Applied>
}

export interface BulkActionKind {
  /** Throws `Invalid` where the parameters will not do. */
  check(context: Context): Promise<void> | void
  plan(context: Context): Promise<BulkPlan> | BulkPlan
}
