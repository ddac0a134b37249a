/**
 * Looks for duplicates among all contacts of a workspace, as a job. While the database reads one batch of contacts, a
 * thread prepares the one before and the keys of the one before that are stored; then the pairs are found slice by slice
 * of the keys, each slice with its cursor in one transaction. An interrupted scan reads the contacts again (nothing else
 * knows them) and goes on at its slice.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { refreshStatistics } from '#platform/db/statistics.ts'
import { Conflict } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { saveKeys, savePairs, seedOf } from './found.ts'
import { startFinding, type Finding } from './finding.ts'
import type { Keyed } from './finder.ts'
import { regroupAll } from './groups.ts'

export const scanJob: JobDefinition = { kind: 'contacts.find_duplicates', retryLimit: 3, concurrency: 1, run: scan }

const contactsPerBatch = 10_000
const slices = 32
const pairsPerStatement = 5_000

interface Progress {
  startedAt: string
  slice: number
  found: number
}

/** One at a time: a second one would find the same. */
export async function startScan(tx: Tx, createdBy: string | null): Promise<string> {
  await tx.sql
    .insertInto('contacts.duplicate_state')
    .values({ workspace_id: tx.workspaceId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { rows } = await sql<{ status: string | null }>`
    select j.status from contacts.duplicate_state s
    left join platform.job_states j on j.workspace_id = s.workspace_id and j.id = s.scan_job_id
    where s.workspace_id = ${tx.workspaceId} for update of s`.execute(tx.sql)
  if (rows[0]?.status === 'queued' || rows[0]?.status === 'running') {
    throw new Conflict('scan_running', 'A search for duplicates is under way. Wait for it, or cancel it first.')
  }
  const { rows: counted } = await sql<{ count: number }>`
    select count(*) as count from contacts.contact_rows c where c.deleted_at is null`.execute(tx.sql)
  const id = await tx.enqueue(scanJob.kind, {}, { createdBy, total: counted[0]!.count })
  await tx.sql.updateTable('contacts.duplicate_state').set({ scan_job_id: id }).execute()
  return id
}

async function scan(job: Job): Promise<object> {
  const state = (job.cursor as Progress | null) ?? { startedAt: new Date().toISOString(), slice: 0, found: 0 }
  await using finding = startFinding(seedOf(job.workspaceId))
  const people = await loadAll(job, finding, state)
  await job.transaction((tx) => saveTerms(tx, finding))
  const found = await findAll(job, finding, state, people)
  return job.transaction(async (tx) => {
    const outdated = await forgetOutdated(tx, state.startedAt)
    const groups = await regroupAll(tx)
    await tx.sql.updateTable('contacts.duplicate_state').set({ scanned_at: tx.now }).execute()
    return { contacts: people, found, outdated, groups }
  })
}

/** Three things at once, each a batch behind the other: reading, preparing, storing keys. */
async function loadAll(job: Job, finding: Finding, state: Progress): Promise<number> {
  let reading = readBatch(job, null)
  let storing: Promise<void> = Promise.resolve()
  let people = 0
  try {
    for (let batch = await reading; batch; batch = await reading) {
      reading = readBatch(job, batch.lastId)
      reading.catch(() => {}) // looked at in its turn
      const keyed = await finding.load(batch.contacts)
      people += keyed.ids.length
      await storing
      storing = store(job, keyed, state, people)
      storing.catch(() => {})
    }
    await storing
  } finally {
    await Promise.allSettled([reading, storing]) // never leave a batch on its way behind
  }
  return people
}

async function readBatch(job: Job, afterId: string | null): Promise<{ contacts: string; lastId: string } | null> {
  const { rows } = await job.transaction((tx) =>
    sql<{ contacts: string | null; last_id: string | null }>`
      select json_agg(json_build_array(
          c.id, c.email, c.first_name, c.last_name, c.phone, c.phone_key, c.company, c.custom_fields) order by c.id)::text as contacts,
        max(c.id::text) as last_id
      from (select * from contacts.contact_rows c
        where c.deleted_at is null ${afterId ? sql`and c.id > ${afterId}::uuid` : sql``}
        order by c.id limit ${contactsPerBatch}) c`.execute(tx.sql),
  )
  const row = rows[0]!
  return row.contacts && row.last_id ? { contacts: row.contacts, lastId: row.last_id } : null
}

async function store(job: Job, keyed: Keyed, state: Progress, people: number): Promise<void> {
  await job.transaction(async (tx) => {
    await saveKeys(tx, keyed)
    await refreshStatistics(tx, ['contacts.duplicate_keys'])
    await job.checkpoint(tx, { cursor: state, done: Math.round(people * loadingShare) })
  })
}

/** Of the progress that people see, measured at a million contacts. */
const loadingShare = 0.5

async function saveTerms(tx: Tx, finding: Finding): Promise<void> {
  const { terms, people } = await finding.terms()
  await sql`delete from contacts.duplicate_terms`.execute(tx.sql)
  await sql`
    insert into contacts.duplicate_terms (workspace_id, term, people)
    select ${tx.workspaceId}::uuid, n.term, n.people
    from jsonb_to_recordset(${JSON.stringify(terms)}::jsonb) as n(term text, people int)`.execute(tx.sql)
  await tx.sql.updateTable('contacts.duplicate_state').set({ people }).execute()
}

async function findAll(job: Job, finding: Finding, state: Progress, people: number): Promise<number> {
  let finds = finding.find(state.slice, slices)
  const confirmedAt = new Date(state.startedAt)
  let found = state.found
  for (let slice = state.slice; slice < slices; slice++) {
    const pairs = await finds
    // The next slice is compared while this one is written.
    finds = slice + 1 < slices ? finding.find(slice + 1, slices) : Promise.resolve([])
    finds.catch(() => {})
    await job.transaction(async (tx) => {
      for (let at = 0; at < pairs.length; at += pairsPerStatement) {
        found += await savePairs(tx, pairs.slice(at, at + pairsPerStatement), { by: 'scan', confirmedAt })
      }
      await job.checkpoint(tx, {
        cursor: { ...state, slice: slice + 1, found },
        done: Math.round(people * (loadingShare + (1 - loadingShare) * ((slice + 1) / slices))),
      })
    })
  }
  return found
}

/** Suggestions that this scan did not come to again, and that nobody has decided on: one of the two was changed. */
async function forgetOutdated(tx: Tx, startedAt: string): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from contacts.duplicate_pairs p using contacts.contacts a, contacts.contacts b
    where p.status = 'open' and p.confirmed_at < ${startedAt}::timestamptz
      and a.workspace_id = p.workspace_id and a.id = p.a and b.workspace_id = p.workspace_id and b.id = p.b
      and a.deleted_at is null and b.deleted_at is null`.execute(tx.sql)
  return Number(numAffectedRows ?? 0)
}
