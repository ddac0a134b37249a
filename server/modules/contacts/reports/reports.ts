/** Reports that are kept under a name: the workspace's own, for everybody to read. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import type { Definition } from './definition.ts'
import { planReport } from './plan.ts'
import type { Report } from './tables.ts'

export interface ReportInput extends Definition {
  name?: string
  description?: string
}

const sortColumns: Record<string, SortColumn> = {
  name: { expression: sql`lower(r.name)`, type: 'text' },
  created_at: { expression: sql`r.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`r.updated_at`, type: 'timestamptz' },
}

export interface ReportsQuery {
  search?: string
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export async function listReports<View>(tx: Tx, query: ReportsQuery, view: (report: Report) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'name')
  const after = afterCursor(query.cursor, sort, sql`r.id`)
  const from = sql`from contacts.reports r
    where r.workspace_id = ${tx.workspaceId} and ${query.deleted ? sql`r.deleted_at is not null` : sql`r.deleted_at is null`}
      ${query.search ? sql`and platform.fold(r.name) like platform.contains_pattern(${query.search})` : sql``}`
  const { rows } = await sql<Report & { sort_key: string }>`
    select r.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`r.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

export async function getReport(tx: Tx, id: string): Promise<Report> {
  const report = await tx.sql
    .selectFrom('contacts.reports')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (!report) throw new NotFound('report')
  return report
}

export async function createReport(tx: Tx, actor: Actor, input: ReportInput & { name: string }): Promise<Report> {
  const { name, description = '', ...definition } = input
  await planReport(tx, definition, { isKept: false })
  return orRefuse(
    tx.sql
      .insertInto('contacts.reports')
      .values({
        workspace_id: tx.workspaceId,
        id: newId(),
        name: name.trim(),
        description,
        definition: JSON.stringify(definition),
        created_by: actor.id,
        created_by_name: actor.name,
        created_at: tx.now,
        updated_at: tx.now,
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(name.trim()),
  )
}

/** Each part of the definition that is named takes the place of the one there was; naming nothing changes nothing. */
export async function updateReport(
  tx: Tx,
  id: string,
  input: ReportInput,
  ifVersion: number | undefined,
): Promise<Report> {
  const report = await lockReport(tx, id)
  checkVersion(report.version, ifVersion)
  if (!Object.keys(input).length) return report
  const { name, description, ...parts } = input
  const definition = { ...report.definition, ...parts }
  if (Object.keys(parts).length) await planReport(tx, definition, { isKept: false })
  return orRefuse(
    tx.sql
      .updateTable('contacts.reports')
      .set({
        ...(name === undefined ? {} : { name: name.trim() }),
        ...(description === undefined ? {} : { description }),
        definition: JSON.stringify(definition),
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(name?.trim() ?? report.name),
  )
}

/** Its schedules rest with it. */
export async function deleteReport(tx: Tx, id: string, ifVersion: number | undefined): Promise<void> {
  const report = await lockReport(tx, id)
  checkVersion(report.version, ifVersion)
  await tx.sql.updateTable('contacts.reports').set({ deleted_at: tx.now }).where('id', '=', id).execute()
}

/** Restoring a report that is there changes nothing. */
export async function restoreReport(tx: Tx, id: string): Promise<Report> {
  const report = await lockReport(tx, id, { deletedToo: true })
  if (!report.deleted_at) return report
  return orRefuse(
    tx.sql
      .updateTable('contacts.reports')
      .set({ deleted_at: null })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(report.name),
  )
}

async function lockReport(tx: Tx, id: string, { deletedToo = false } = {}): Promise<Report> {
  const report = await tx.sql
    .selectFrom('contacts.reports')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!report || (report.deleted_at && !deletedToo)) throw new NotFound('report')
  return report
}

function nameTaken(name: string) {
  const detail = `There is a report called “${name}” already.`
  const errors = [{ pointer: '/name', code: 'name_taken', detail }]
  return { reports_name: () => new Conflict('name_taken', detail, { errors }) }
}
