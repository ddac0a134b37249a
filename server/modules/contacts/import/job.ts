/**
 * The import itself: the file is read as a stream, and while the database merges one batch the next is read. A batch,
 * its failed rows, its counts and the place where the next one begins are one transaction, so that an import that is
 * killed at any instant goes on exactly there: no row is lost, none counted twice.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql, type Selectable } from 'kysely'
import { systemActor, type Actor } from '#platform/actor.ts'
import { NotFound } from '#platform/errors.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { ensureTags } from '../tags.ts'
import { createBatcher, type Batch } from './batch.ts'
import { customReaders } from './custom.ts'
import { createDryRun } from './dry-run.ts'
import { keepFailed } from './errors-file.ts'
import { readRecords, type Read } from './formats/stream.ts'
import { mergeBatch } from './merge/merge.ts'
import { nothing, type MergePlan, type Outcome } from './merge/plan.ts'
import { createRowReader } from './rows.ts'
import { requireScanned } from './scanning.ts'
import type { ImportTable } from './tables.ts'
import { openFile } from './uploads.ts'

export type Import = Selectable<ImportTable>

export const importJob: JobDefinition = { kind: 'contacts.import', retryLimit: 5, concurrency: 2, run: runImport }

/** Large enough that statements cost more than round trips, small enough that nobody waits long for a lock. */
const rowsPerBatch = 5_000
/** About a millisecond's work. */
const recordsPerTurn = 100

async function runImport(job: Job): Promise<object> {
  const importId = String(job.data.import_id)
  await requireScanned(job.runtime, job.transaction, await job.transaction((tx) => uploadOf(tx, importId)))
  const started = await job.transaction((tx) => begin(tx, importId))
  const plan = createRowReader({
    header: started.header,
    targets: started.targets,
    readings: started.readings,
    tags: started.tags,
    customReader: await job.transaction(customReaders),
  })
  const { duplicates, possible_duplicates: possibleDuplicates } = started
  const batcher = createBatcher({ ...plan, duplicates, possibleDuplicates, rowsMax: rowsPerBatch })
  const merging = planOf(started, plan.columns)
  const total = typeof job.data.lines === 'number' ? job.data.lines - (started.has_header ? 1 : 0) : 0
  const rehearsal = started.dry_run ? createDryRun(job, started, merging, plan.tagNames) : null
  const save = rehearsal
    ? (batch: Batch) => rehearsal.save(batch)
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
  const more = rehearsal ? { differences: rehearsal.differences } : {}
  return { ...(await job.transaction((tx) => finish(tx, job, state))), ...more }
}

function planOf(started: Import, columns: MergePlan['columns']): MergePlan {
  return {
    importId: started.id,
    fileName: started.file_name,
    duplicates: started.duplicates,
    policy: started.policy,
    columns,
    listId: started.list_id,
    consent: started.consent,
    createdBy: started.created_by,
    createdByName: started.created_by_name,
  }
}

/** The records that are not yet done, and then one null. */
async function* recordsOf(job: Job, started: Import): AsyncGenerator<{ record: Read['record'] | null; bytes: number }> {
  const source = await openFile(job.runtime.files, started.file_key)
  const from = { offset: started.next_offset, line: started.next_line }
  let bytesRead = 0
  let read = 0
  try {
    for await (const { record, bytes } of readRecords(source, started, from, started.bytes_total)) {
      bytesRead = bytes
      yield { record, bytes }
      // The batch on its way gets its turn often, or each of its statements would wait for the reading.
      if (++read % recordsPerTurn === 0) await nextTurn()
    }
  } finally {
    source.destroy()
  }
  yield { record: null, bytes: bytesRead }
}

async function uploadOf(tx: Tx, importId: string) {
  const upload = await tx.sql
    .selectFrom('contacts.imports as i')
    .innerJoin('contacts.import_uploads as u', (join) =>
      join.onRef('u.workspace_id', '=', 'i.workspace_id').onRef('u.id', '=', 'i.upload_id'),
    )
    .select(['u.id', 'u.file_key', 'u.scan'])
    .where('i.id', '=', importId)
    .executeTakeFirst()
  if (!upload) throw new NotFound('import')
  return upload
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
    const { text, waves, refusals } = batch
    const outcome: Outcome = text ? await mergeBatch(tx, job.runtime, plan, { text, waves, refusals, tagIds }) : nothing
    const next = await count(tx, state, batch, outcome)
    const cursor = { offset: next.next_offset, line: next.next_line }
    await job.checkpoint(tx, { cursor, done: next.rows, total: Math.max(total, next.rows) })
    tx.notify('import', { id: state.id, ...countsOf(next) })
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
      possible_duplicates: batch.possibleDuplicates,
      undeclared_consents: eb('undeclared_consents', '+', outcome.undeclaredConsents),
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
    .set((eb) => ({
      finished_at: tx.now,
      bytes_done: eb.ref('bytes_total'),
      ...(state.dry_run ? { ...counts, possible_duplicates: state.possible_duplicates } : {}),
    }))
    .where('id', '=', state.id)
    .execute()
  await job.checkpoint(tx, { done: state.rows, total: state.rows })
  tx.notify('import', { id: state.id, ...counts })
  return { import_id: state.id, ...counts, possible_duplicates: state.possible_duplicates }
}

export function countsOf({ rows, created, updated, merged, skipped, failed }: Import) {
  return { rows, created, updated, merged, skipped, failed }
}
