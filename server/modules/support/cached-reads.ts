/** Reads that are kept for as long as document 3 says, while nothing that they are made of is written, and for who asked. */
import type { Actor } from '#platform/actor.ts'
import { readKept } from '#platform/cache/kept-reads.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'

type Kind = 'tickets' | 'ticket_reads' | 'ticket_files' | 'ticket_figures'

const minutes = 60_000

/** For how long, and of what each is made: migration 0009. */
export const cachedReads = {
  ticket_list: { ttlMs: 3 * minutes, madeOf: ['tickets'] },
  ticket: { ttlMs: 1 * minutes, madeOf: ['tickets', 'ticket_reads', 'ticket_files'] },
  ticket_statistics: { ttlMs: 5 * minutes, madeOf: ['tickets', 'ticket_figures'] },
  ticket_attachments: { ttlMs: 10 * minutes, madeOf: ['tickets', 'ticket_files'] },
} as const satisfies Record<string, { ttlMs: number; madeOf: readonly Kind[] }>
export type CachedRead = keyof typeof cachedReads

/** What one may see depends on who one is and what one may: nobody is told what was kept for another. */
export function readThrough<T>(
  tx: Tx,
  services: Pick<Services, 'cache' | 'metrics'>,
  actor: Actor,
  read: CachedRead,
  input: unknown,
  compute: () => Promise<T>,
): Promise<T> {
  const who = [actor.kind, actor.id, actor.role, actor.scopes]
  return readKept(tx, services, { name: read, ...cachedReads[read] }, [who, input], compute)
}
