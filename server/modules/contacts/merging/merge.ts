/**
 * Makes several records of one person into one: the primary survives, the duplicates are deleted and point to it, and what
 * belonged to them goes along. What everything was is kept, so that `undo.ts` can put it back.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { checkVersion, Invalid } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { readSubjects, type ConsentSubject } from '../consent.ts'
import { contactData, publishContacts } from '../contact-events.ts'
import type { ContactColumns } from '../contact-fields.ts'
import type { ContactRow } from '../contact-view.ts'
import { emailTaken, getContact } from '../contacts.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { refreshFigures, takeTurn } from '../facts/figures.ts'
import { customFieldDefinitions } from '../fields/fields.ts'
import { recordInteractions } from '../interactions.ts'
import { userId } from '../membership.ts'
import { recordOperation } from '../operations/record.ts'
import { scoreSql } from '../score.ts'
import type { Contact } from '../tables.ts'
import { mergeConsent, type MergedConsent } from './consent.ts'
import { rememberDynamicLists } from './dynamic-lists.ts'
import { planFields, type Choices, type Conflict } from './fields.ts'
import { moveRows } from './moving.ts'
import { columnsThat } from './relations.ts'
import { alreadyMerged } from './survivors.ts'

/** More than this many records of one person are somebody's test data. */
export const duplicatesMax = 100

export interface MergeRequest {
  primary_id: string
  /** Where two of them differ, the earlier one counts. */
  duplicate_ids: string[]
  fields?: Choices
}

export interface MergeOutcome {
  mergeId: string
  contact: ContactRow
  conflicts: Conflict[]
  consents: ConsentChoice[]
  moved: Record<string, number>
}

export interface ConsentChoice {
  purpose: 'newsletter' | 'marketing' | 'tracking'
  values: { contact_id: string; value: boolean }[]
  chosen: boolean
}

/** Two merges that share a contact take turns, by the locks on the contacts; the second finds it merged, and is refused. */
export async function mergeContacts(
  tx: Tx,
  actor: Actor,
  request: MergeRequest,
  { services, ifVersion }: { services: Services; ifVersion?: number | undefined },
): Promise<MergeOutcome> {
  const primaryId = request.primary_id.toLowerCase()
  const duplicateIds = request.duplicate_ids.map((id) => id.toLowerCase())
  await takeTurn(tx)
  const records = await lockRecords(tx, primaryId, duplicateIds)
  checkVersion(records[0]!.version, ifVersion)
  const { country } = await getWorkspace(tx, tx.workspaceId)
  const plan = planFields(records, request.fields ?? {}, { country, definitions: await customFieldDefinitions(tx) })
  const subjects = await readSubjects(tx, services, records)
  const owner = ownerOf(subjects, plan.columns.email!)
  const consent = mergeConsent(subjects, owner)

  const mergeId = await keepRecords(tx, actor, request, { primaryId, duplicateIds })
  await retire(tx, mergeId, primaryId, duplicateIds)
  await rememberDynamicLists(tx, mergeId, primaryId)
  const moved = await moveRows(tx, { mergeId, primaryId, duplicateIds })
  await writeSurvivor(tx, records, plan.columns, { consent, owner })
  await keepKeys(tx, mergeId, records, plan.columns)
  await settleSurvivor(tx, services, mergeId, primaryId, moved)
  const counts = { contacts: records.length, ...moved }
  const contactIds = [primaryId, ...duplicateIds]
  await recordOperation(tx, actor, { kind: 'merge', action: 'merge', subjectId: mergeId, contactIds, counts })
  const contact = await announce(tx, actor, { mergeId, before: records[0]!, duplicates: records.slice(1) })
  return { mergeId, contact, conflicts: plan.conflicts, consents: consentsOf(subjects, consent), moved }
}

/** What a merge would do, found out by doing it and taking it back: nothing of it stays, and nobody hears of it. */
export async function previewMerge(
  tx: Tx,
  actor: Actor,
  request: MergeRequest,
  services: Services,
): Promise<MergeOutcome> {
  await tx.rawQuery('savepoint preview')
  const outcome = await mergeContacts(tx, actor, request, { services })
  await tx.rawQuery('rollback to savepoint preview')
  return outcome
}

/** The primary first, then the duplicates as they were named. */
async function lockRecords(tx: Tx, primaryId: string, duplicateIds: string[]): Promise<Contact[]> {
  const own = duplicateIds.indexOf(primaryId)
  if (own >= 0) throw Invalid.at(`/duplicate_ids/${own}`, 'same_contact', 'A contact cannot be merged into itself.')
  const twice = duplicateIds.findIndex((id, index) => duplicateIds.indexOf(id) !== index)
  if (twice >= 0) throw Invalid.at(`/duplicate_ids/${twice}`, 'named_twice', 'This contact is named twice.')
  const rows = await tx.sql
    .selectFrom('contacts.contacts')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', sql<string>`any(${[primaryId, ...duplicateIds]}::uuid[])`)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  return [primaryId, ...duplicateIds].map((id, index) => {
    const row = byId.get(id)
    const pointer = index ? `/duplicate_ids/${index - 1}` : '/primary_id'
    if (row?.merged_into) throw alreadyMerged(pointer, row.merged_into)
    if (!row || row.deleted_at) throw Invalid.at(pointer, 'not_found', 'There is no such contact here.')
    return row
  })
}

function ownerOf(subjects: ConsentSubject[], email: string): ConsentSubject {
  return subjects.find((subject) => subject.email.toLowerCase() === email.toLowerCase()) ?? subjects[0]!
}

async function keepRecords(
  tx: Tx,
  actor: Actor,
  request: MergeRequest,
  { primaryId, duplicateIds }: { primaryId: string; duplicateIds: string[] },
): Promise<string> {
  const id = newId()
  // By the clock, and not by the transaction's beginning: what was said while this waited for the locks was said before.
  await sql`
    insert into contacts.merges (workspace_id, id, primary_id, duplicate_ids, fields, created_by, created_by_name, created_at)
    values (${tx.workspaceId}, ${id}, ${primaryId}, ${duplicateIds}::uuid[], ${JSON.stringify(request.fields ?? {})},
      ${userId(actor)}, ${actor.name}, clock_timestamp())`.execute(tx.sql)
  await sql`
    insert into contacts.merge_records (workspace_id, merge_id, contact_id, before)
    select workspace_id, ${id}::uuid, id, to_jsonb(c) from contacts.contacts c
    where workspace_id = ${tx.workspaceId} and id = any(${[primaryId, ...duplicateIds]}::uuid[])`.execute(tx.sql)
  return id
}

/** Whoever was merged into one of the duplicates earlier points to the new survivor from now on. */
async function retire(tx: Tx, mergeId: string, primaryId: string, duplicateIds: string[]): Promise<void> {
  const mergedAt = sql`(select created_at from contacts.merges where workspace_id = ${tx.workspaceId} and id = ${mergeId})`
  await sql`
    with earlier as materialized (
      select id, merged_into, merged_at from contacts.contacts
      where workspace_id = ${tx.workspaceId} and merged_into = any(${duplicateIds}::uuid[]) order by id for no key update),
    noted as (
      insert into contacts.merge_moves (workspace_id, merge_id, table_name, row_key, contact_id, action, content)
      select ${tx.workspaceId}::uuid, ${mergeId}::uuid, 'contacts.contacts', id::text, merged_into, 'moved',
        jsonb_build_object('merged_at', merged_at)
      from earlier)
    update contacts.contacts c set merged_into = ${primaryId}, merged_at = ${mergedAt}
    from earlier where c.workspace_id = ${tx.workspaceId} and c.id = earlier.id`.execute(tx.sql)
  await sql`
    update contacts.contacts set deleted_at = ${mergedAt}, merged_into = ${primaryId}, merged_at = ${mergedAt}
    where workspace_id = ${tx.workspaceId} and id = any(${duplicateIds}::uuid[])`.execute(tx.sql)
}

async function writeSurvivor(
  tx: Tx,
  records: Contact[],
  columns: ContactColumns,
  { consent, owner }: { consent: MergedConsent; owner: ConsentSubject },
): Promise<void> {
  const [primary] = records as [Contact]
  const ownerRecord = records.find(({ id }) => id === owner.id)!
  const leftAt = records.flatMap(({ unsubscribed_at }) => unsubscribed_at ?? []).toSorted((a, b) => +b - +a)[0]
  const hasLess =
    consent.status !== owner.status ||
    Object.entries(consent.flags).some(([name, flag]) => flag !== owner.flags[name as 'newsletter'])
  const sums = columnsThat('sum').map((name) => [
    name,
    sum(records.map((record) => Number(record[name as 'total_purchases']))),
  ])
  const latest = columnsThat('latest').map((name) => [
    name,
    newest(records.map((record) => record[name as 'last_engaged_at'])),
  ])
  await orRefuse(
    tx.sql
      .updateTable('contacts.contacts')
      .set({
        ...columns,
        ...Object.fromEntries([...sums, ...latest]),
        newsletter_subscribed: consent.flags.newsletter,
        marketing_subscribed: consent.flags.marketing,
        tracking_allowed: consent.flags.tracking,
        status: consent.status,
        subscribed_at: ownerRecord.subscribed_at,
        unsubscribed_at: hasLess ? (leftAt ?? null) : ownerRecord.unsubscribed_at,
      })
      .where('id', '=', primary.id)
      .execute(),
    emailTaken,
  )
}

/** What others know the person by and the record does not show any more: addresses, and ids of users. */
async function keepKeys(tx: Tx, mergeId: string, records: Contact[], columns: ContactColumns): Promise<void> {
  const primaryId = records[0]!.id
  const emails = [...new Map(records.map(({ email }) => [email.toLowerCase(), email]))]
    .filter(([key]) => key !== columns.email!.toLowerCase())
    .map(([, email]) => email)
  await sql`
    with added as (
      insert into contacts.contact_addresses (workspace_id, contact_id, email)
      select ${tx.workspaceId}::uuid, ${primaryId}::uuid, email from unnest(${emails}::text[]) as email
      on conflict do nothing returning email_key)
    insert into contacts.merge_moves (workspace_id, merge_id, table_name, row_key, contact_id, action)
    select ${tx.workspaceId}::uuid, ${mergeId}::uuid, 'contacts.contact_addresses', email_key, ${primaryId}::uuid, 'added' from added`.execute(
    tx.sql,
  )
  const users = [...new Set(records.flatMap(({ user_id }) => user_id ?? []))].filter((id) => id !== columns.user_id)
  await sql`
    with added as (
      insert into contacts.outside_users (workspace_id, user_key, contact_id)
      select ${tx.workspaceId}::uuid, user_key, ${primaryId}::uuid from unnest(${users}::text[]) as user_key
      on conflict do nothing returning user_key)
    insert into contacts.merge_moves (workspace_id, merge_id, table_name, row_key, contact_id, action)
    select ${tx.workspaceId}::uuid, ${mergeId}::uuid, 'contacts.outside_users', user_key, ${primaryId}::uuid, 'added' from added`.execute(
    tx.sql,
  )
}

/** Figures and score follow from what the contact has now; then its record is as an undo expects to find it. */
async function settleSurvivor(
  tx: Tx,
  services: Services,
  mergeId: string,
  primaryId: string,
  moved: Record<string, number>,
): Promise<void> {
  await refreshFigures(tx, [primaryId], { quiet: true })
  await sql`
    update contacts.contacts c set engagement_score = ${scoreSql(services.config.engagement, tx.now)}
    where c.workspace_id = ${tx.workspaceId} and c.id = ${primaryId}`.execute(tx.sql)
  await sql`
    update contacts.merge_records r set after = to_jsonb(c) from contacts.contacts c
    where r.workspace_id = ${tx.workspaceId} and r.merge_id = ${mergeId} and r.contact_id = ${primaryId}
      and c.workspace_id = r.workspace_id and c.id = r.contact_id`.execute(tx.sql)
  await tx.sql
    .updateTable('contacts.merges')
    .set({ moved: JSON.stringify(moved) })
    .where('id', '=', mergeId)
    .execute()
}

async function announce(
  tx: Tx,
  actor: Actor,
  { mergeId, before, duplicates }: { mergeId: string; before: Contact; duplicates: Contact[] },
): Promise<ContactRow> {
  const contact = await getContact(tx, before.id)
  const merged_ids = duplicates.map(({ id }) => id)
  await recordInteractions(tx, [
    {
      contactId: contact.id,
      type: 'contact_merged',
      description: duplicates.map(({ email }) => email).join(', '),
      metadata: { merge_id: mergeId, merged_ids },
      actor,
    },
  ])
  await publishContacts(tx, 'updated', [contact], { changed: changedBetween(before, contact) })
  const data = { ...contactData(contact), primary_id: contact.id, merged_ids, merge_id: mergeId }
  await tx.publishAll(['contact.merged', 'customer.merged'].map((event) => ({ event, subject: contact.id, data })))
  return contact
}

/** Tags and lists may have come along. */
export function changedBetween(before: Contact, after: Contact): string[] {
  const shown = ['chosen', 'consent', 'sum', 'latest', 'derived'] as const
  const names = shown
    .flatMap((how) => columnsThat(how))
    .filter((name) => !/_key$|^search_text$/.test(name)) as (keyof Contact)[]
  return [...names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])), 'tags', 'lists']
}

function consentsOf(subjects: ConsentSubject[], { flags }: MergedConsent): ConsentChoice[] {
  return (['newsletter', 'marketing', 'tracking'] as const).map((purpose) => ({
    purpose,
    values: subjects.map((subject) => ({ contact_id: subject.id, value: subject.flags[purpose] })),
    chosen: flags[purpose],
  }))
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function newest(times: (Date | null)[]): Date | null {
  return times.reduce((latest, time) => (time && (!latest || time > latest) ? time : latest), null)
}
