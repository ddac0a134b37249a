/**
 * Reads that are kept for a while. What is kept is used only while nothing it was made of was written since: the stamps of
 * `platform.read_stamps` are part of its key, and every writing transaction renews one, whichever process or statement it
 * comes from. So nobody reads what is no longer so, with Redis, without it, or with Redis away (docs/decisions/0029). What is
 * no longer so is not deleted; it is never asked for again, and its time ends.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Tx } from '../db/db.ts'
import type { Services } from '../services.ts'

export interface KeptRead {
  /** Among all reads, as the metrics tell it. */
  name: string
  ttlMs: number
  /** Kinds of `platform.note_write`. */
  madeOf: readonly string[]
}

/**
 * The kept answer to `input`, or a new one. It goes through JSON, so times may come back as text; and it must depend on
 * nothing but the workspace, the input and what the read is made of. Where it depends on who asks, who asks is part of the input.
 */
export async function readKept<T>(
  tx: Tx,
  { cache, metrics }: Pick<Services, 'cache' | 'metrics'>,
  { name, ttlMs, madeOf }: KeptRead,
  input: unknown,
  compute: () => Promise<T>,
): Promise<T> {
  // Read before what it vouches for: what is written in between is then kept under a stamp that nobody asks for.
  const state = await currentState(tx, madeOf)
  const asked = createHash('sha256')
    .update(JSON.stringify([input, state]))
    .digest('base64url')
  let outcome: 'hit' | 'miss' = 'hit'
  const answer = await cache.getOrSet(`${tx.workspaceId}:reads:${name}:${asked}`, ttlMs, () => {
    outcome = 'miss'
    return compute()
  })
  metrics.cachedReads.inc({ read: name, outcome })
  return answer
}

async function currentState(tx: Tx, kinds: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ stamp: string }>`
    select stamp from platform.read_stamps
    where workspace_id = ${tx.workspaceId} and kind = any(${kinds}::text[]) order by kind, writer`.execute(tx.sql)
  return rows.map(({ stamp }) => stamp)
}
