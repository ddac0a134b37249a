/** Asks for the job that takes open tickets over to what is promised now. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'

export const reapplyKind = 'support.reapply_sla'

export async function startReapplying(tx: Tx, actor: Actor): Promise<string> {
  return tx.enqueue(reapplyKind, {}, { createdBy: actor.id })
}
