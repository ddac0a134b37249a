/**
 * What the platform itself keeps of people without knowing it: the payloads of events, kept 30 days, and the orders and
 * results of jobs, kept 90. They are copies of what modules know, so a copy for the person has nothing of them.
 */
import { sql } from 'kysely'
import type { Tx } from '../db/db.ts'
import type { PersonalData, Person } from './personal-data.ts'
import { eraseMails, sweepMails } from '../mail-in/personal-data.ts'
import { mentions, patternsOf, tracesOf, withoutMentions, withoutWords } from './scrub.ts'

export const platformTraces: PersonalData = {
  tables: ['platform.outbox', 'platform.jobs', 'platform.inbound_mails'],
  async *export() {},
  async erase(tx, person) {
    return {
      'platform.outbox': await scrubEvents(tx, person),
      'platform.jobs': await scrubJobs(tx, person),
      'platform.inbound_mails': await eraseMails(tx, person),
    }
  },
  async sweep(place) {
    return { 'platform.inbound_mails': await sweepMails(place) }
  },
}

const batchSize = 100

interface EventRow {
  seq: string
  subject: string
  is_bundle: boolean
  data: unknown
}

/** One pass over the workspace's events; what another transaction is writing meanwhile needs another pass. */
async function scrubEvents(tx: Tx, person: Person): Promise<number> {
  const texts = [...person.contactIds, ...person.userIds, ...tracesOf(person)]
  let scrubbed = 0
  for (let after = '0'; texts.length;) {
    const { rows } = await sql<EventRow>`
      select seq::text as seq, subject, is_bundle, data from platform.outbox
      where workspace_id = ${tx.workspaceId} and seq > ${after}::bigint
        and (lower(subject) = any(${texts}::text[]) or lower(data::text) like any(${patternsOf(texts)}::text[]))
      order by seq limit ${batchSize}`.execute(tx.sql)
    if (!rows.length) return scrubbed
    after = rows.at(-1)!.seq
    const changed = rows.flatMap((row) => scrubEvent(row, person, texts))
    scrubbed += changed.length
    await sql`
      update platform.outbox o set data = e.data, subject = e.subject, error = case when o.error is null then null else 'erased' end
      from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) as e(seq bigint, subject text, data jsonb)
      where o.workspace_id = ${tx.workspaceId} and o.seq = e.seq`.execute(tx.sql)
  }
  return scrubbed
}

/** In a bundle only the events of the person are emptied. What is empty already is left alone. */
function scrubEvent(row: EventRow, person: Person, texts: string[]): EventRow[] {
  const isMeant = (subject: string, data: unknown): boolean =>
    texts.includes(subject.toLowerCase()) || mentions(data, texts)
  const data =
    row.is_bundle && Array.isArray(row.data)
      ? row.data.map((each: { subject: string; data: unknown }) =>
          isMeant(each.subject, each.data) ? { ...each, data: withoutWords(each.data, person) } : each,
        )
      : withoutWords(row.data, person)
  const subject = tracesOf(person).includes(row.subject.toLowerCase()) ? '' : row.subject
  const isSame = subject === row.subject && JSON.stringify(data) === JSON.stringify(row.data)
  return isSame ? [] : [{ ...row, subject, data }]
}

interface JobRow {
  id: string
  data: unknown
  cursor: unknown
  result: unknown
  error: string | null
}

/** Orders of many people lose what mentions this one: a search for the address, a refusal that repeats it. */
async function scrubJobs(tx: Tx, person: Person): Promise<number> {
  const texts = [...person.userIds, ...tracesOf(person)]
  if (!texts.length) return 0
  const { rows } = await sql<JobRow>`
    select id, data, cursor, result, error from platform.jobs
    where workspace_id = ${tx.workspaceId}
      and lower(concat(data::text, cursor::text, result::text, error)) like any(${patternsOf(texts)}::text[])`.execute(
    tx.sql,
  )
  const scrubbed = rows.map((row) => withoutMentions(row, texts))
  await sql`
    update platform.jobs j set data = e.data, cursor = e.cursor, result = e.result, error = e.error
    from jsonb_to_recordset(${JSON.stringify(scrubbed)}::jsonb)
      as e(id uuid, data jsonb, cursor jsonb, result jsonb, error text)
    where j.workspace_id = ${tx.workspaceId} and j.id = e.id`.execute(tx.sql)
  return rows.length
}
