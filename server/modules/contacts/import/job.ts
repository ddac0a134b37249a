/**
 * The import itself: the file is read as a stream, and while the database merges one batch the next is read. A batch,
 * its failed rows, its counts and the place where the next one begins are one transaction, so that an import that is
 * killed at any instant goes on exactly there: no row is lost, none counted twice.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql, type Selectable } from 'kysely'
import { systemActor, type Actor } from '#platform/actor.ts'
import { Invalid, NotFound } from '#platform/errors.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { ensureTags } from '../tags.ts'
import { createBatcher, type Batch } from './batch.ts'
import { isSeparatorLine } from './detect.ts'
import { createDryRun } from './dry-run.ts'
import { decode } from './encoding.ts'
import { keepFailed } from './errors-file.ts'
import { mergeBatch, type MergePlan, type Outcome } from './merge.ts'
import { createSplitter, type CsvRecord } from './records.ts'
import { createRowReader } from './rows.ts'
import type { ImportTable } from './tables.ts'

export type Import = Selectable<ImportTable>

export const importJob: JobDefinition = { kind: 'contacts.import', retryLimit: 5, concurrency: 2, run: runImport }

/** Large enough that statements cost more than round trips, small enough that nobody waits long for a lock. */
const rowsPerBatch = 5_000
/** About a millisecond's work. */
const recordsPerTurn = 100

async function runImport(job: Job): Promise<object> {
  const started = await job.transaction((tx) => begin(tx, String(job.data.import_id)))
  const plan = createRowReader({
    header: started.header,
    targets: started.targets,
    dateOrders: started.date_orders,
    country: started.country as never,
    tags: started.tags,
  })
  const batcher = createBatcher({ ...plan, duplicates: started.duplicates, rowsMax: rowsPerBatch })
  const merging: MergePlan = {
    importId: started.id,
    fileName: started.file_name,
    duplicates: started.duplicates,
    columns: plan.columns,
    listId: started.list_id,
    consent: started.consent,
    createdBy: started.created_by,
    createdByName: started.created_by_name,
  }
  const total = typeof job.data.lines === 'number' ? job.data.lines - (started.has_header ? 1 : 0) : 0
  const save = started.dry_run
    ? createDryRun(job, started, merging, plan.tagNames)
    : (batch: Batch, row: Import) => saveBatch(job, row, merging, plan.tagNames, batch, total)

  let state = started
  let saving: Promise<Import> = Promise.resolve(started)
  try {
    for await (const { record, bytes } of recordsOf(job, started)) {
      const batch = record ? batcher.add(record, bytes) : batcher.close(bytes)
      if (!batch) continue
      state = await saving
      saving = save(batch, state)
      saving.catch(() => {}) // looked at when the next batch is ready
    }
  } finally {
    await saving.catch(() => {}) // never leave a batch on its way behind
  }
  state = await saving
  return job.transaction((tx) => finish(tx, job, state))
}

/** The records that are not yet done, and then one null. */
async function* recordsOf(job: Job, started: Import): AsyncGenerator<{ record: CsvRecord | null; bytes: number }> {
  const source = await job.runtime.files.get(started.file_key)
  if (!source) throw new Invalid('file_gone', 'The file of this import is not there any more. Upload it again.')
  const from = { offset: started.next_offset, line: started.next_line }
  const splitter = createSplitter({ delimiter: started.delimiter, newline: started.newline }, from)
  let toSkip = from.offset
  let headerPending = started.has_header && from.offset === 0
  let bytesRead = 0
  let read = 0
  try {
    for await (const { text, bytes, isLast } of decode(source, started.encoding)) {
      bytesRead = bytes
      const fresh = toSkip >= text.length ? '' : toSkip > 0 ? text.slice(toSkip) : text
      toSkip = Math.max(0, toSkip - text.length)
      for (const record of splitter.read(fresh, isLast)) {
        if (isSeparatorLine(record)) continue
        if (headerPending) headerPending = false
        else yield { record, bytes }
        // The batch on its way gets its turn often, or each of its statements would wait for the reading.
        if (++read % recordsPerTurn === 0) await nextTurn()
      }
    }
  } finally {
    source.destroy()
  }
  yield { record: null, bytes: bytesRead }
}

async function begin(tx: Tx, id: string): Promise<Import> {
  const row = await tx.sql
    .updateTable('contacts.imports')
    .set((eb) => ({ started_at: eb.fn.coalesce('started_at', eb.val(tx.now)) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw new NotFound('import')
  return row
}

async function saveBatch(
  job: Job,
  state: Import,
  plan: MergePlan,
  tagNames: readonly string[],
  batch: Batch,
  total: number,
): Promise<Import> {
  return job.transaction(async (tx) => {
    await holdPlace(tx, state)
    await keepFailed(tx, state.id, batch)
    const tagIds = await tagIdsOf(tx, state, tagNames.slice(0, batch.tagCount))
    const outcome: Outcome = batch.text
      ? await mergeBatch(tx, job.runtime, plan, { text: batch.text, waves: batch.waves, tagIds })
      : { created: 0, changed: 0, untouched: 0 }
    const next = await count(tx, state, batch, outcome)
    const cursor = { offset: next.next_offset, line: next.next_line }
    await job.checkpoint(tx, { cursor, done: next.rows, total: Math.max(total, next.rows) })
    await tx.notify('import', { id: state.id, ...countsOf(next) })
    return next
  })
}

/**
 * One batch at a time in a workspace, so that two imports that meet the same people do not wait for each other in
 * circles; and never a batch that another attempt has done already.
 */
async function holdPlace(tx: Tx, state: Import): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('contacts.import ' || ${tx.workspaceId}, 0))`.execute(tx.sql)
  const row = await tx.sql
    .selectFrom('contacts.imports')
    .select('next_offset')
    .where('id', '=', state.id)
    .forUpdate()
    .executeTakeFirst()
  if (row?.next_offset !== state.next_offset) throw new Error('another attempt at this import went on; this one ends')
}

/** The ids of the tags in the order of their names, those made on the fly included. */
async function tagIdsOf(tx: Tx, state: Import, names: readonly string[]): Promise<string[]> {
  if (!names.length) return []
  const find = async () => {
    const { rows } = await sql<{ id: string | null }>`
      select t.id from unnest(${[...names]}::text[]) with ordinality as n(name, place)
      left join contacts.tags t on t.workspace_id = ${tx.workspaceId} and lower(t.name) = lower(n.name) order by n.place`.execute(
      tx.sql,
    )
    return rows.map((row) => row.id)
  }
  const known = await find()
  const missing = names.filter((_, index) => known[index] === null)
  if (!missing.length) return known as string[]
  await ensureTags(tx, importer(state), missing)
  return (await find()) as string[]
}

export function importer(state: Import): Actor {
  const system = systemActor(state.workspace_id)
  return state.created_by ? { ...system, kind: 'user', id: state.created_by, name: state.created_by_name } : system
}

async function count(tx: Tx, state: Import, batch: Batch, outcome: Outcome): Promise<Import> {
  const changed = state.duplicates === 'merge' ? 'merged' : 'updated'
  return tx.sql
    .updateTable('contacts.imports')
    .set((eb) => ({
      rows: eb('rows', '+', batch.rows),
      created: eb('created', '+', outcome.created),
      [changed]: eb(changed, '+', outcome.changed),
      skipped: eb('skipped', '+', outcome.untouched + batch.repeated),
      failed: eb('failed', '+', batch.failed.length),
      next_offset: batch.end.offset,
      next_line: batch.end.line,
      bytes_done: batch.bytesDone,
    }))
    .where('id', '=', state.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

async function finish(tx: Tx, job: Job, state: Import): Promise<object> {
  const counts = countsOf(state)
  await tx.sql
    .updateTable('contacts.imports')
    .set((eb) => ({ finished_at: tx.now, bytes_done: eb.ref('bytes_total'), ...(state.dry_run ? counts : {}) }))
    .where('id', '=', state.id)
    .execute()
  await job.checkpoint(tx, { done: state.rows, total: state.rows })
  await tx.notify('import', { id: state.id, ...counts })
  return { import_id: state.id, ...counts }
}

export function countsOf({ rows, created, updated, merged, skipped, failed }: Import) {
  return { rows, created, updated, merged, skipped, failed }
}
