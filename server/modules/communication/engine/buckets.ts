/** Token buckets in the database, shared by all workers: a second's worth at most is saved up. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'

/** Takes up to `wanted` tokens and answers how many it got; locks the bucket until the transaction ends. */
export async function takeTokens(tx: Tx, key: string, wanted: number, ratePerSecond: number): Promise<number> {
  await sql`
    insert into communication.buckets (workspace_id, key, tokens, filled_at)
    values (${tx.workspaceId}, ${key}, ${ratePerSecond}, clock_timestamp()) on conflict do nothing`.execute(tx.sql)
  const { rows } = await sql<{ tokens: number }>`
    select least(${ratePerSecond}::float8,
      tokens + extract(epoch from clock_timestamp() - filled_at) * ${ratePerSecond}::float8) as tokens
    from communication.buckets where workspace_id = ${tx.workspaceId} and key = ${key} for update`.execute(tx.sql)
  const available = rows[0]?.tokens ?? 0
  const taken = Math.max(0, Math.min(wanted, Math.floor(available)))
  await sql`
    update communication.buckets set tokens = ${available - taken}, filled_at = clock_timestamp()
    where workspace_id = ${tx.workspaceId} and key = ${key}`.execute(tx.sql)
  return taken
}
