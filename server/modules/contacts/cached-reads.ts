/** Reads that are kept for as long as document 1 says, while nothing that they are made of is written. */
import { readKept } from '#platform/cache/kept-reads.ts'
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

/** Whoever asks is told the same. */
export function readThrough<T>(
  tx: Tx,
  services: Pick<Services, 'cache' | 'metrics'>,
  read: CachedRead,
  input: unknown,
  compute: () => Promise<T>,
): Promise<T> {
  return readKept(tx, services, { name: read, ...cachedReads[read] }, input, compute)
}
