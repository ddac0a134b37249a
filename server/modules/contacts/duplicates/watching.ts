/**
 * Contacts that come or change are looked at as they do: a few of them at once, in the reaction itself; many (an import)
 * by a job, to which the reaction only tells since when.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { when } from '#platform/module.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { Conflict } from '#platform/errors.ts'
import { savePairs } from './found.ts'
import { regroup } from './groups.ts'
import { lookAround } from './looking.ts'
import { startScan } from './scan.ts'

/** Looked at in the reaction itself: about a tenth of a second. */
const atOnceMost = 50

/** What the model looks at; a change of anything else is none to it. */
const identifying = new Set(['first_name', 'last_name', 'email', 'phone', 'company', 'custom_fields', 'deleted_at'])

export const duplicateReactions = [
  when('contact.created', 'contacts.look_for_duplicates', noteChanged),
  when('contact.updated', 'contacts.look_for_duplicates', noteChanged),
  when('contact.deleted', 'contacts.regroup_duplicates', async (tx, events) => regroup(tx, idsOf(events))),
  when('contact.merged', 'contacts.close_duplicates', closeMerged),
  when('contact.unmerged', 'contacts.open_duplicates', openUnmerged),
]

async function noteChanged(tx: Tx, events: Event[]): Promise<void> {
  const relevant = events.filter(({ data: { changed } }) => !Array.isArray(changed) || changed.some(isIdentifying))
  const ids = idsOf(relevant)
  if (ids.length <= atOnceMost) {
    await lookAt(tx, ids)
    return
  }
  const since = relevant.reduce(
    (least, { timestamp }) => (timestamp < least ? timestamp : least),
    relevant[0]!.timestamp,
  )
  await lookLater(tx, since)
}

/** Suggestions about these contacts, as they are now; those that do not hold any more, and nobody decided on, go. */
export async function lookAt(tx: Tx, contactIds: string[]): Promise<number> {
  if (!contactIds.length) return 0
  const pairs = await lookAround(tx, contactIds)
  const found = await savePairs(tx, pairs, { by: 'change' })
  const { rows: gone } = await sql<{ a: string; b: string }>`
    delete from contacts.duplicate_pairs p using contacts.contacts a, contacts.contacts b
    where (p.a = any(${contactIds}::uuid[]) or p.b = any(${contactIds}::uuid[]))
      and p.status = 'open' and p.confirmed_at <> ${tx.now}
      and a.workspace_id = p.workspace_id and a.id = p.a and a.deleted_at is null
      and b.workspace_id = p.workspace_id and b.id = p.b and b.deleted_at is null
    returning p.a, p.b`.execute(tx.sql)
  await regroup(tx, [...new Set([...contactIds, ...[...pairs, ...gone].flatMap(({ a, b }) => [a, b])])])
  return found
}

/**
 * One job waits at a time: it begins at the earliest change that nobody has looked at, and a little before, for clocks.
 * The state is locked by a statement of its own: one that wrote it as well would not see what was there.
 */
async function lookLater(tx: Tx, since: string): Promise<void> {
  await tx.sql
    .insertInto('contacts.duplicate_state')
    .values({ workspace_id: tx.workspaceId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { rows } = await sql<{ is_waiting: boolean }>`
    select check_from is not null as is_waiting from contacts.duplicate_state
    where workspace_id = ${tx.workspaceId} for update`.execute(tx.sql)
  await sql`
    update contacts.duplicate_state set check_from = least(check_from, ${since}::timestamptz - interval '1 minute')
    where workspace_id = ${tx.workspaceId}`.execute(tx.sql)
  if (!rows[0]?.is_waiting) await tx.enqueue(checkJob.kind, {})
}

export const checkJob: JobDefinition = { kind: 'contacts.check_duplicates', retryLimit: 5, concurrency: 1, run: check }

const contactsPerBatch = 100
/** Where more than this share of the contacts is new, looking through everybody is quicker. */
const scanShare = 0.1
const scanLeast = 5_000
/** An import is looked at from its first batch on, when nobody knows yet how many will come: so it is asked again. */
const askAgainEvery = 2_000

interface Place {
  at: string
  id: string
  done: number
  found: number
}

async function check(job: Job): Promise<object> {
  const begun = (job.cursor as Place | null) ?? (await job.transaction((tx) => begin(tx, job)))
  if (!begun) return { scan: true }
  let place = begun
  for (;;) {
    const reached = place
    if (reached.done && reached.done % askAgainEvery === 0) {
      const { isScan } = await job.transaction((tx) => leaveToScan(tx, reached))
      if (isScan) return { scan: true, contacts: reached.done, found: reached.found }
    }
    const next = await job.transaction(async (tx) => {
      const batch = await changedAfter(tx, place)
      const last = batch.at(-1)
      if (!last) return null
      const found = await lookAt(
        tx,
        batch.map(({ id }) => id),
      )
      const reached = { at: last.at, id: last.id, done: place.done + batch.length, found: place.found + found }
      await job.checkpoint(tx, { cursor: reached, done: reached.done })
      return reached
    })
    if (!next) return { contacts: place.done, found: place.found }
    place = next
  }
}

/** Null where a scan has taken over. */
async function begin(tx: Tx, job: Job): Promise<Place | null> {
  const { rows } = await sql<{ check_from: string | null }>`
    select check_from::text from contacts.duplicate_state for update`.execute(tx.sql)
  const since = rows[0]?.check_from
  await tx.sql.updateTable('contacts.duplicate_state').set({ check_from: null }).execute()
  const place = { at: since ?? tx.now.toISOString(), id: '00000000-0000-0000-0000-000000000000', done: 0, found: 0 }
  const { isScan, count } = await leaveToScan(tx, place)
  if (isScan) return null
  await job.checkpoint(tx, { cursor: place, total: count })
  return place
}

/** How many are left behind `place`, and whether they are so many that a scan has been started for them. */
async function leaveToScan(tx: Tx, place: Place): Promise<{ isScan: boolean; count: number }> {
  const { rows } = await sql<{ count: number; people: number }>`
    select count(*) as count, coalesce((select people from contacts.duplicate_state), 0) as people
    from contacts.contact_rows c
    where c.deleted_at is null and (c.updated_at, c.id) > (${place.at}::timestamptz, ${place.id}::uuid)`.execute(tx.sql)
  const { count, people } = rows[0]!
  if (count <= scanLeast || count <= scanShare * people) return { isScan: false, count }
  try {
    await startScan(tx, null)
    return { isScan: true, count }
  } catch (error) {
    if (!(error instanceof Conflict)) throw error // the scan under way may have read them already, or not
    return { isScan: false, count }
  }
}

async function changedAfter(tx: Tx, { at, id }: Place): Promise<{ id: string; at: string }[]> {
  const { rows } = await sql<{ id: string; at: string }>`
    select c.id, c.updated_at::text as at from contacts.contact_rows c
    where c.deleted_at is null and (c.updated_at, c.id) > (${at}::timestamptz, ${id}::uuid)
    order by c.updated_at, c.id limit ${contactsPerBatch}`.execute(tx.sql)
  return rows
}

/** What was suggested has been done. */
async function closeMerged(tx: Tx, events: Event[]): Promise<void> {
  await moveStatus(tx, events, 'open', 'merged')
}

async function openUnmerged(tx: Tx, events: Event[]): Promise<void> {
  await moveStatus(tx, events, 'merged', 'open')
}

async function moveStatus(tx: Tx, events: Event[], from: 'open' | 'merged', to: 'open' | 'merged'): Promise<void> {
  for (const { data } of events) {
    const ids = [data.primary_id, ...(Array.isArray(data.merged_ids) ? data.merged_ids : [])].map(String)
    await sql`
      update contacts.duplicate_pairs set status = ${to}, group_id = null
      where status = ${from} and a = any(${ids}::uuid[]) and b = any(${ids}::uuid[])`.execute(tx.sql)
    await regroup(tx, ids)
  }
}

function isIdentifying(field: unknown): boolean {
  return identifying.has(String(field))
}

function idsOf(events: Event[]): string[] {
  return [...new Set(events.map(({ data }) => String(data.contact_id)))]
}
