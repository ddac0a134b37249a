/**
 * Reads that are kept for a while, for as long as document 1 says. What is kept is used only while nothing it was made of was
 * written since: the stamps of `read_stamps` are part of its key, and every writing transaction renews one, whichever
 * process or statement it comes from. So nobody reads what is no longer so, with Redis, without it, or with Redis away
 * (docs/decisions/0029). What is no longer so is not deleted; it is never asked for again, and its time ends.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'

type Kind = 'contacts' | 'timeline' | 'lists' | 'tags'

const minutes = 60_000

/** For how long, and of what each is made. Document 5 asks for searches to be kept as well, and leaves open how long. */
export const cachedReads = {
  lists: { ttlMs: 5 * minutes, madeOf: ['lists'] },
  tags: { ttlMs: 10 * minutes, madeOf: ['tags'] },
  popular_tags: { ttlMs: 30 * minutes, madeOf: ['tags'] },
  contact: { ttlMs: 2 * minutes, madeOf: ['contacts', 'timeline', 'lists', 'tags'] },
  contact_search: { ttlMs: 1 * minutes, madeOf: ['contacts', 'lists', 'tags'] },
} as const satisfies Record<string, { ttlMs: number; madeOf: readonly Kind[] }>
export type CachedRead = keyof typeof cachedReads

/**
 * The kept answer to `input`, or a new one. It goes through JSON, so times may come back as text; and it must depend on
 * nothing but the workspace, the input and what the read is made of: least of all on who asks.
 */
export async function readThrough<T>(
  tx: Tx,
  { cache, metrics }: Pick<Services, 'cache' | 'metrics'>,
  read: CachedRead,
  input: unknown,
  compute: () => Promise<T>,
): Promise<T> {
  const { ttlMs, madeOf } = cachedReads[read]
  // Read before what it vouches for: what is written in between is then kept under a stamp that nobody asks for.
  const state = await currentState(tx, madeOf)
  const asked = createHash('sha256')
    .update(JSON.stringify([input, state]))
    .digest('base64url')
  let outcome: 'hit' | 'miss' = 'hit'
  const answer = await cache.getOrSet(`${tx.workspaceId}:contacts:${read}:${asked}`, ttlMs, () => {
    outcome = 'miss'
    return compute()
  })
  metrics.cachedReads.inc({ read, outcome })
  return answer
}

async function currentState(tx: Tx, kinds: readonly Kind[]): Promise<string[]> {
  const { rows } = await sql<{ stamp: string }>`
    select stamp from contacts.read_stamps
    where workspace_id = ${tx.workspaceId} and kind = any(${kinds}::text[]) order by kind, slot`.execute(tx.sql)
  return rows.map(({ stamp }) => stamp)
}
