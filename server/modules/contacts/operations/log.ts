/** Reads the log: what was done, by whom, to whom, and what was there before. */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { getContact } from '../contacts.ts'
import { joinFullName } from '../names.ts'
import type { Image, Operation, OperationKind } from './tables.ts'

export interface OperationRow extends Operation {
  job_status: string | null
  undo_status: string | null
}

export interface LogQuery {
  kind?: OperationKind
  contact_id?: string
  actor?: string
  since?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** An import counts for itself, and knows when it was undone by its own door. */
const operations = sql`
  select o.workspace_id, o.id, o.kind, o.action, o.actor_kind, o.actor_id, o.actor_name, o.facts, o.subject_id, o.job_id,
    o.undo_job_id, o.undo_of, o.created_at, o.undoable_until, o.undone_by, o.undone_by_name,
    coalesce(o.undone_at, i.undone_at) as undone_at, j.status as job_status, u.status as undo_status,
    case when i.id is null then o.contacts else (i.created + i.updated + i.merged)::int end as contacts,
    case when i.id is null then o.counts else jsonb_build_object('rows', i.rows, 'created', i.created, 'updated', i.updated,
      'merged', i.merged, 'skipped', i.skipped, 'failed', i.failed) end as counts
  from contacts.operations o
  left join contacts.imports i on o.kind = 'import' and i.workspace_id = o.workspace_id and i.id = o.subject_id
  left join platform.job_states j on j.workspace_id = o.workspace_id and j.id = o.job_id
  left join platform.job_states u on u.workspace_id = o.workspace_id and u.id = coalesce(o.undo_job_id, i.undo_job_id)`

/** Newest first. */
export async function listOperations<View>(tx: Tx, query: LogQuery, view: (row: OperationRow) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(
    undefined,
    { created_at: { expression: sql`o.created_at`, type: 'timestamptz' } },
    '-created_at',
  )
  const after = afterCursor(query.cursor, sort, sql`o.id`)
  const where = sql.join(conditionsOf(tx, query), sql` and `)
  const { rows } = await sql<OperationRow & { sort_key: string }>`
    select *, created_at::text as sort_key from (
      ${operations} where ${where} ${after ? sql`and ${after}` : sql``} order by ${orderBy(sort, sql`o.id`)} limit ${limit + 1}) as shown
    order by created_at desc, id desc`.execute(tx.sql)
  const total = await countRows(tx, sql`from contacts.operations o where ${where}`, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

/** The operations that touched one contact; a deleted one has a history too. */
export async function contactHistory<View>(tx: Tx, id: string, query: LogQuery, view: (row: OperationRow) => View) {
  await getContact(tx, id, { deletedToo: true })
  return listOperations(tx, { ...query, contact_id: id }, view)
}

function conditionsOf(tx: Tx, { kind, contact_id: contactId, actor, since }: LogQuery): RawBuilder<boolean>[] {
  const conditions = [sql<boolean>`o.workspace_id = ${tx.workspaceId}`]
  if (kind) conditions.push(sql`o.kind = ${kind}`)
  if (actor) conditions.push(sql`o.actor_id = ${actor}::uuid`)
  if (since) conditions.push(sql`o.created_at >= ${since}::timestamptz`)
  // An import keeps whom it touched in tables of its own.
  if (contactId) {
    conditions.push(sql`o.id in (
      select k.operation_id from contacts.operation_changes k
      where k.workspace_id = ${tx.workspaceId} and k.contact_id = ${contactId}::uuid
      union
      select i.id from contacts.operations i where i.workspace_id = ${tx.workspaceId} and i.subject_id in (
        select c.import_id from contacts.import_changes c where c.workspace_id = ${tx.workspaceId} and c.contact_id = ${contactId}::uuid
        union
        select c.import_id from contacts.contacts c where c.workspace_id = ${tx.workspaceId} and c.id = ${contactId}::uuid))`)
  }
  return conditions
}

export async function getOperation(tx: Tx, id: string): Promise<OperationRow> {
  const { rows } =
    await sql<OperationRow>`${operations} where o.workspace_id = ${tx.workspaceId} and o.id = ${id}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('operation')
  return rows[0]
}

export interface ContactChangeRow {
  contact: { id: string; full_name: string; email: string; deleted: boolean }
  fields: { field: string; id?: string; name?: string | null; before: unknown; after: unknown }[]
}

/** How many contacts an operation is shown with. */
export const shownMax = 20

/** The first of those that it changed, in the order of their ids. */
export async function firstChanges(tx: Tx, operationId: string): Promise<ContactChangeRow[]> {
  const { rows } = await sql<{
    id: string
    email: string
    first_name: string
    last_name: string
    deleted: boolean
    before: Image
    after: Image
  }>`
    select c.id, c.email, c.first_name, c.last_name, c.deleted_at is not null as deleted, k.before, k.after
    from contacts.operation_changes k
    join contacts.contacts c on c.workspace_id = k.workspace_id and c.id = k.contact_id
    where k.workspace_id = ${tx.workspaceId} and k.operation_id = ${operationId}
    order by k.contact_id limit ${shownMax}`.execute(tx.sql)
  const names = await namesOf(tx, rows)
  return rows.map(({ before, after, id, email, deleted, ...name }) => ({
    contact: { id, full_name: joinFullName(name), email, deleted },
    fields: Object.keys(before)
      .filter((field) => field !== 'phone_key')
      .toSorted()
      .map((field) => {
        const place = /^(tag|list):(.+)$/.exec(field)
        const label = place ? { field: `${place[1]}s`, id: place[2]!, name: names.get(field) ?? null } : { field }
        return { ...label, before: before[field], after: after[field] }
      }),
  }))
}

/** By `tag:<id>` and `list:<id>`; what is gone has none. */
async function namesOf(tx: Tx, rows: { before: Image }[]): Promise<Map<string, string>> {
  const keys = [...new Set(rows.flatMap(({ before }) => Object.keys(before)))].filter((key) => /^(tag|list):/.test(key))
  if (!keys.length) return new Map()
  const ids = keys.map((key) => key.slice(key.indexOf(':') + 1))
  const { rows: found } = await sql<{ key: string; name: string }>`
    select 'tag:' || id as key, name from contacts.tags where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[])
    union all
    select 'list:' || id, name from contacts.lists where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[])`.execute(
    tx.sql,
  )
  return new Map(found.map(({ key, name }) => [key, name]))
}
