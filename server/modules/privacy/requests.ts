/** Requests about a person's data: made, found again, looked at. */
import { sql, type Selectable } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import type { Asked, Person } from '#platform/privacy/personal-data.ts'
import type { Services } from '#platform/services.ts'
import { audit } from './audit.ts'
import { findPerson, hashesOf, hashOf, strangerOf } from './subject.ts'
import type { RequestKind, RequestTable } from './tables.ts'

export type Request = Selectable<RequestTable>

const purpose = 'privacy.subject'

/**
 * Asks for a copy or an erasure; the work is a job. Asked again while the same is under way, or after an erasure that left
 * nobody to find, it answers with the request that is there.
 */
export async function makeRequest(
  tx: Tx,
  actor: Actor,
  kind: RequestKind,
  asked: Asked,
  services: Services,
): Promise<Request> {
  const person = await findPerson(tx, services, asked)
  const meant = person ?? (kind === 'delete' ? strangerOf(asked) : null)
  const hashes = meant ? hashesOf(services, tx.workspaceId, meant) : [hashOf(services, tx.workspaceId, asked)]
  // Two who ask at once are asked one after the other, whichever way each of them names the person.
  await sql`
    select pg_advisory_xact_lock(hashtextextended(key, 0))
    from (select distinct 'privacy.request ' || hash as key from unnest(${hashes}::text[]) as hash order by 1) as keys
  `.execute(tx.sql)
  const earlier = await findRequest(tx, kind, hashes, person === null)
  if (earlier) return earlier
  if (!meant) throw new NotFound('person')
  return addRequest(tx, actor, kind, meant, services)
}

export async function addRequest(
  tx: Tx,
  actor: Actor,
  kind: RequestKind,
  person: Person,
  services: Services,
  { withJob } = { withJob: true },
): Promise<Request> {
  const id = newId()
  const hashes = hashesOf(services, tx.workspaceId, person)
  const jobId = withJob ? await tx.enqueue(`privacy.${kind}`, { request_id: id }, { createdBy: actor.id }) : null
  const request = await tx.sql
    .insertInto('privacy.requests')
    .values({
      workspace_id: tx.workspaceId,
      id,
      kind,
      asked_by: actor.kind === 'user' ? actor.id : null,
      asked_by_name: actor.name,
      subject_hashes: hashes,
      sealed: services.seal.seal(purpose, JSON.stringify(person), id),
      contacts: person.contactIds.length,
      job_id: jobId,
      created_at: tx.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await audit(tx, services, actor, { action: `${kind}.requested`, subjectHash: hashes[0] ?? '', requestId: id })
  return request
}

/** Under way; where nobody is left, the erasure that did it, even if it stopped before its last file. */
async function findRequest(tx: Tx, kind: RequestKind, hashes: string[], doneToo: boolean): Promise<Request | null> {
  const { rows } = await sql<Request>`
    select r.* from privacy.requests r
    left join platform.job_states j on j.workspace_id = r.workspace_id and j.id = r.job_id
    where r.kind = ${kind} and r.subject_hashes && ${hashes}::text[] and r.job_id is not null
      and (j.status in ('queued', 'running') or ${doneToo && kind === 'delete'})
    order by r.created_at desc limit 1`.execute(tx.sql)
  return rows[0] ?? null
}

export async function getRequest(tx: Tx, id: string): Promise<Request> {
  const row = await tx.sql.selectFrom('privacy.requests').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new NotFound('request')
  return row
}

export async function lockRequest(tx: Tx, id: string): Promise<Request> {
  const row = await tx.sql
    .selectFrom('privacy.requests')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw new NotFound('request')
  return row
}

/** Null when the work is done, and nobody has to know any more. */
export function unsealPerson(services: Pick<Services, 'seal'>, request: Request): Person | null {
  if (!request.sealed) return null
  const text = services.seal.unseal(purpose, request.sealed, request.id)
  if (text === null) throw new Error('the request was sealed under another key')
  return JSON.parse(text) as Person
}

export interface RequestRow extends Request {
  status: string | null
  error: string | null
}

export interface RequestsQuery {
  kind?: RequestKind
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** Newest first. */
export async function listRequests<View>(tx: Tx, query: RequestsQuery, view: (row: RequestRow) => View) {
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`r.created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, '-created_at')
  const after = afterCursor(query.cursor, sort, sql`r.id`)
  const from = sql`from privacy.requests r where r.workspace_id = platform.workspace_id()
    ${query.kind ? sql`and r.kind = ${query.kind}` : sql``}`
  const { rows } = await sql<RequestRow & { sort_key: string }>`
    select r.*, j.status, j.error
    from (select r.*, r.created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
          order by ${orderBy(sort, sql`r.id`)} limit ${limit + 1}) r
    left join platform.job_states j on j.workspace_id = r.workspace_id and j.id = r.job_id
    order by ${orderBy(sort, sql`r.id`)}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

export async function showRequest(tx: Tx, id: string): Promise<RequestRow> {
  const { rows } = await sql<RequestRow>`
    select r.*, j.status, j.error from privacy.requests r
    left join platform.job_states j on j.workspace_id = r.workspace_id and j.id = r.job_id
    where r.workspace_id = platform.workspace_id() and r.id = ${id}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('request')
  return rows[0]
}
