/** The recurring work behind the timeline and the facts. */
import { sql } from 'kysely'
import { every } from '#platform/module.ts'
import type { Runtime } from '#platform/services.ts'
import { listWorkspaceIds } from '#modules/accounts/index.ts'
import { repairFigures } from './figures.ts'

export const factTasks = [
  every('10 2 * * *', 'contacts.ensure_partitions', async (runtime) => void (await ensurePartitions(runtime))),
  every('50 2 * * *', 'contacts.update_contact_booking_stats', async (runtime) => void (await updateStats(runtime))),
  every('5 4 * * *', 'contacts.forget_removed_interactions', forgetRemoved),
]

/** Each partition in a transaction of its own; answers their months. A lock that is not to be had is asked for at the next try. */
export async function ensurePartitions({ db }: Pick<Runtime, 'db'>): Promise<string[]> {
  const months: string[] = []
  for (;;) {
    const { rows } = await db.transaction('system', (tx) =>
      sql<{ month: string | null }>`select contacts.ensure_partitions() as month`.execute(tx.sql),
    )
    const month = rows[0]?.month
    if (!month) return months
    months.push(month)
  }
}

/**
 * Every figure anew from its facts, in batches that hold their locks shortly. Nothing should be found: what is found was a
 * fault, so it is put right, and told by log and metric. Answers how many contacts that were.
 */
export async function updateStats(
  { db, log, metrics }: Pick<Runtime, 'db' | 'log' | 'metrics'>,
  batchSize = 10_000,
): Promise<number> {
  let repaired = 0
  for (const workspaceId of await listWorkspaceIds(db)) {
    for (let after: string | null = '00000000-0000-0000-0000-000000000000'; after;) {
      const from: string = after
      after = await db.transaction(workspaceId, async (tx) => {
        const { rows } = await sql<{ last: string | null }>`
          select max(id::text) as last from (
            select id from contacts.contacts where workspace_id = ${tx.workspaceId} and id > ${from}::uuid
            order by id limit ${batchSize}) as batch`.execute(tx.sql)
        const last = rows[0]?.last ?? null
        if (last) repaired += await repairFigures(tx, from, last)
        return last
      })
    }
  }
  if (repaired)
    log.warn({ contacts: repaired }, 'figures of contacts were not what their facts say, and were put right')
  metrics.figuresRepaired.inc(repaired)
  return repaired
}

/** What was taken off a timeline can be brought back for thirty days. */
async function forgetRemoved({ db }: Runtime): Promise<void> {
  for (const workspaceId of await listWorkspaceIds(db)) {
    await db.transaction(workspaceId, (tx) =>
      sql`
        delete from contacts.removed_interactions
        where workspace_id = ${tx.workspaceId} and removed_at < ${tx.now}::timestamptz - interval '30 days'`.execute(
        tx.sql,
      ),
    )
  }
}
