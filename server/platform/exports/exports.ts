/**
 * Exports of any kind of thing: who took what and when, which stays written, and a file that lies in the store for a week.
 * What is in it is told by its module.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '../db/db.ts'
import { NotFound } from '../errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '../http/paging.ts'
import { cancelJob } from '../jobs/jobs.ts'
import type { PersonalData } from '../privacy/personal-data.ts'
import type { Runtime } from '../services.ts'
import { extensions } from '../tables-out/table.ts'
import type { ExportRow, ExportTable, WithJob } from './tables.ts'

/** How long a file is kept; the row that says who took what stays. */
export const keptDays = 7

export interface ExportKind {
  /** A table that has the columns of `ExportTable`. */
  table: string
  /** Its own columns that are shown. */
  more: readonly string[]
}

export interface ExportsQuery {
  format?: ExportRow['format']
  limit?: number
  cursor?: string
  count?: 'exact'
}

type Place = Parameters<NonNullable<PersonalData['sweep']>>[0]

/** Which exports somebody may know of; `e` is the export. */
export type Seen = RawBuilder<boolean>
const all: Seen = sql<boolean>`true`

const shared =
  'workspace_id id format request job_id file_key file_name rows size_bytes created_by created_by_name created_at finished_at expires_at deleted_at'

export type ExportsRoom<Row extends ExportRow> = ReturnType<typeof keptExports<Row>>

export function keptExports<Row extends ExportRow>(kind: ExportKind) {
  // The builder knows tables by the types of their names; here the name is the module's to tell.
  const table = kind.table as 'exports'
  const rowsOf = (tx: Tx) => tx.sql.withTables<{ exports: ExportTable }>()
  const columns = sql.join([...shared.split(' '), ...kind.more].map((name) => sql.ref(`e.${name}`)))
  const withJobs = sql`
    select ${columns}, j.status as job_status, j.error as job_error, j.progress_done, j.progress_total
    from ${sql.table(table)} e
    left join platform.job_states j on j.workspace_id = e.workspace_id and j.id = e.job_id`

  async function getExport(tx: Tx, id: string, seen: Seen = all): Promise<WithJob<Row>> {
    const { rows } = await sql<WithJob<Row>>`
      ${withJobs} where e.workspace_id = ${tx.workspaceId}::uuid and e.id = ${id} and ${seen}`.execute(tx.sql)
    if (!rows[0]) throw new NotFound('export')
    return rows[0]
  }

  /** Newest first. */
  async function listExports<View>(tx: Tx, query: ExportsQuery, view: (row: WithJob<Row>) => View, seen: Seen = all) {
    const limit = query.limit ?? 50
    const created = { created_at: { expression: sql`e.created_at`, type: 'timestamptz' as const } }
    const sort = parseSort(undefined, created, '-created_at')
    const after = afterCursor(query.cursor, sort, sql`e.id`)
    const where = sql`e.workspace_id = ${tx.workspaceId}::uuid and ${seen}
      ${query.format ? sql`and e.format = ${query.format}` : sql``}`
    const { rows } = await sql<WithJob<Row> & { sort_key: string }>`
      select *, created_at::text as sort_key from (
        ${withJobs} where ${where} ${after ? sql`and ${after}` : sql``}
        order by ${orderBy(sort, sql`e.id`)} limit ${limit + 1}) as shown
      order by created_at desc, id desc`.execute(tx.sql)
    const total = await countRows(tx, sql`from ${sql.table(table)} e where ${where}`, query.count === 'exact')
    return { ...page(rows, limit, sort, view), total }
  }

  /**
   * Takes the file away (and stops one that is being made); who took what, and when, stays written. Answers the key of the
   * file, to be deleted after the commit; should that fail, the hourly clearing finds it.
   */
  async function deleteExport(tx: Tx, id: string, seen: Seen = all): Promise<string | null> {
    const row = await getExport(tx, id, seen)
    if (row.job_id) await cancelJob(tx, row.job_id)
    await rowsOf(tx)
      .updateTable(table)
      .set({ deleted_at: row.deleted_at ?? tx.now, expires_at: row.expires_at && tx.now })
      .where('id', '=', id)
      .execute()
    return row.file_key
  }

  /** For the job: from here on, what was forgotten until now is not read any more. */
  async function beginFile(tx: Tx, id: string): Promise<WithJob<Row>> {
    const row = await getExport(tx, id)
    if (row.deleted_at) throw new NotFound('export')
    await rowsOf(tx).updateTable(table).set({ expires_at: null }).where('id', '=', id).execute()
    return row
  }

  /** Answers whether the export is still wanted: neither deleted nor withdrawn since it began. */
  async function finishFile(
    tx: Tx,
    id: string,
    file: Pick<ExportRow, 'file_key' | 'rows' | 'size_bytes'>,
  ): Promise<boolean> {
    const expiresAt = new Date(tx.now.getTime() + keptDays * 86_400_000)
    const updated = await rowsOf(tx)
      .updateTable(table)
      .set({ ...file, finished_at: tx.now, expires_at: expiresAt })
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .where('expires_at', 'is', null)
      .returning('id')
      .executeTakeFirst()
    return updated !== undefined
  }

  /**
   * Somebody was erased: every file that may still name them is withdrawn, whoever asked for it, and so is one that is being
   * written.
   */
  async function withdrawExports(tx: Tx): Promise<number> {
    const { numAffectedRows } = await sql`
      update ${sql.table(table)} e set expires_at = ${tx.now}::timestamptz
      where e.workspace_id = ${tx.workspaceId}::uuid and (
        e.file_key is not null and e.expires_at > ${tx.now}::timestamptz
        or e.finished_at is null and e.expires_at is null and exists (
          select from platform.job_states j
          where j.workspace_id = e.workspace_id and j.id = e.job_id and j.status = 'running'))`.execute(tx.sql)
    return Number(numAffectedRows ?? 0)
  }

  /** The file first: a row without a file is harmless, a file that no row knows would stay for ever. */
  async function forgetExports({ db, files }: Pick<Runtime, 'db' | 'files'>, workspaceId: string): Promise<void> {
    const expired = await db.transaction(workspaceId, (tx) =>
      rowsOf(tx)
        .selectFrom(table)
        .select(['id', 'file_key'])
        .where('file_key', 'is not', null)
        .where('expires_at', '<=', tx.now)
        .limit(10_000)
        .execute(),
    )
    for (const { id, file_key: key } of expired) {
      if (key) await files.delete(key)
      await db.transaction(workspaceId, (tx) =>
        rowsOf(tx).updateTable(table).set({ file_key: null }).where('id', '=', id).execute(),
      )
    }
  }

  /** After an erasure's commit: what began to read before it, and the files themselves. */
  async function sweepExports({ db, services, workspaceId }: Place): Promise<void> {
    await db.transaction(workspaceId, withdrawExports)
    await forgetExports({ db, files: services.files }, workspaceId)
  }

  return { getExport, listExports, deleteExport, beginFile, finishFile, withdrawExports, forgetExports, sweepExports }
}

export function fileNameOf(thing: string, format: ExportRow['format'], now: Date): string {
  return `${thing}-${now.toISOString().slice(0, 10)}.${extensions[format]}`
}

/** Of one that is made by a job. */
export function statusOf(row: WithJob) {
  if (row.deleted_at) return 'deleted' as const
  if (row.expires_at && row.expires_at.getTime() <= Date.now()) return 'expired' as const
  return row.job_status ?? ('succeeded' as const)
}
