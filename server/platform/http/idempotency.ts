/**
 * `Idempotency-Key`: the first answer is stored in the same transaction as what it answers, so a retry after a lost
 * reply, or after a crash, gets that answer and does nothing again. Kept 24 h, per workspace, route and caller, and
 * sealed: an answer may hold a key that is shown once, or somebody's address.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Seal } from '../crypto/seal.ts'
import type { Tx } from '../db/db.ts'
import { Conflict, Invalid } from '../errors.ts'

const purpose = 'idempotency'

/** A reply as it went out; `body` is text, JSON unless a header says otherwise. */
export class StoredReply {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
  constructor(status: number, headers: Record<string, string>, body: string) {
    this.status = status
    this.headers = headers
    this.body = body
  }
}

export async function answerOnce(
  tx: Tx,
  seal: Seal,
  request: { route: string; key: string; input: unknown },
  run: () => Promise<StoredReply>,
): Promise<StoredReply> {
  const { route, key } = request
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw Invalid.at('Idempotency-Key', 'format', 'Use 1 to 255 printable ASCII characters.')
  }
  const place = `${tx.workspaceId} ${route} ${key}`
  const bodyHash = createHash('sha256').update(JSON.stringify(request.input)).digest('hex')
  const lock = await sql<{ held: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${place}, 0)) as held`.execute(tx.sql)
  if (!lock.rows[0]?.held) {
    throw new Conflict('idempotency_in_progress', 'The first request with this Idempotency-Key is still running.', {
      retryAfterSeconds: 1,
    })
  }
  const stored = await tx.sql
    .selectFrom('platform.idempotency_keys')
    .select(['body_hash', 'status', 'headers', 'body'])
    .where('route', '=', route)
    .where('key', '=', key)
    .where('created_at', '>', new Date(tx.now.getTime() - 86_400_000))
    .executeTakeFirst()
  if (stored) {
    if (stored.body_hash !== bodyHash) {
      throw new Invalid('idempotency_key_reused', 'This Idempotency-Key came before with another body. Use a new key.')
    }
    const headers = { ...(stored.headers as Record<string, string>), 'idempotent-replayed': 'true' }
    const body = seal.unseal(purpose, stored.body, place)
    if (body === null)
      throw new Conflict('idempotency_unreadable', 'The first answer to this key cannot be read any more.')
    return new StoredReply(stored.status, headers, body)
  }
  const reply = await run()
  const sealed = seal.seal(purpose, reply.body, place)
  const row = { status: reply.status, headers: JSON.stringify(reply.headers), body: sealed, body_hash: bodyHash }
  await tx.sql
    .insertInto('platform.idempotency_keys')
    .values({ workspace_id: tx.workspaceId, route, key, ...row })
    .onConflict((conflict) =>
      conflict.columns(['workspace_id', 'route', 'key']).doUpdateSet({ ...row, created_at: tx.now }),
    )
    .execute()
  return reply
}
