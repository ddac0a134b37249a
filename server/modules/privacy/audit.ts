/**
 * Who asked for whose data, and what became of it: a ledger that no erasure touches, because it names no subject. Each
 * entry is sealed with the one before it under a key that is not in the database.
 */
import { sql, type Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import type { Services } from '#platform/services.ts'
import type { AuditTable } from './tables.ts'

export type AuditEntry = Selectable<AuditTable>

export type AuditAction = 'export.requested' | 'export.made' | 'delete.previewed' | 'delete.requested' | 'delete.done'

export interface NewEntry {
  action: AuditAction
  subjectHash: string
  requestId: string | null
  details?: object
}

type Keys = Pick<Services, 'tokens'>
type Who = Pick<Actor, 'kind' | 'id' | 'name'>

/** Entries of one workspace are written one after the other: two at once would both follow the same one. */
export async function audit(tx: Tx, services: Keys, actor: Who, entry: NewEntry): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`privacy.audit ${tx.workspaceId}`}, 0))`.execute(tx.sql)
  const last = await tx.sql
    .selectFrom('privacy.audit_entries')
    .select(['number', 'hash'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  const row = {
    workspace_id: tx.workspaceId,
    number: (last?.number ?? 0) + 1,
    id: newId(),
    action: entry.action,
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: actor.name,
    subject_hash: entry.subjectHash,
    request_id: entry.requestId,
    details: { ...entry.details },
    created_at: tx.now,
  }
  await tx.sql
    .insertInto('privacy.audit_entries')
    .values({ ...row, details: JSON.stringify(row.details), hash: chain(services, last?.hash ?? '', row) })
    .execute()
}

export interface Verification {
  intact: boolean
  entries: number
  /** The first entry that is not what was written, or that does not follow the one before. */
  broken_at: number | null
}

/** Walks the whole ledger. What was cut off at its end is seen by whoever remembers how long it was. */
export async function verifyAudit(tx: Tx, services: Keys): Promise<Verification> {
  let [entries, before] = [0, '']
  for (;;) {
    const rows = await tx.sql
      .selectFrom('privacy.audit_entries')
      .selectAll()
      .where('number', '>', entries)
      .orderBy('number')
      .limit(1_000)
      .execute()
    for (const { hash, ...row } of rows) {
      if (row.number !== entries + 1 || hash !== chain(services, before, row)) {
        return { intact: false, entries, broken_at: row.number }
      }
      entries = row.number
      before = hash
    }
    if (rows.length < 1_000) return { intact: true, entries, broken_at: null }
  }
}

export interface AuditQuery {
  limit?: number
  cursor?: string
  count?: 'exact'
  action?: string
}

/** Newest first. */
export async function listAudit<View>(tx: Tx, query: AuditQuery, view: (entry: AuditEntry) => View) {
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, '-created_at')
  const after = afterCursor(query.cursor, sort, sql`id`)
  const from = sql`from privacy.audit_entries where workspace_id = platform.workspace_id()
    ${query.action ? sql`and action = ${query.action}` : sql``}`
  const { rows } = await sql<AuditEntry & { sort_key: string }>`
    select *, created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

function chain(services: Keys, before: string, row: Omit<AuditEntry, 'hash'>): string {
  const content = [
    before,
    row.workspace_id,
    row.number,
    row.id,
    row.action,
    row.actor_kind,
    row.actor_id,
    row.actor_name,
    row.subject_hash,
    row.request_id,
    sorted(row.details),
    row.created_at.toISOString(),
  ]
  return services.tokens.fingerprint('privacy.audit', JSON.stringify(content)).toString('hex')
}

/** The database keeps an object, and not the order of its keys. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}
