/**
 * Takes a merge back: every record and relation becomes what it was. What was changed since the merge stays with the survivor,
 * and is told; a "no" that was said since counts for all of them.
 */
import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import { recordConsent, type ConsentEntry } from '../consent.ts'
import { contactData, publishContacts } from '../contact-events.ts'
import type { ContactRow } from '../contact-view.ts'
import { getContact } from '../contacts.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { refreshFigures, takeTurn } from '../facts/figures.ts'
import { recordInteractions } from '../interactions.ts'
import { userId } from '../membership.ts'
import { scoreSql } from '../score.ts'
import type { ConsentPurpose } from '../tables.ts'
import { rejoinDynamicLists } from './dynamic-lists.ts'
import { giveRowsBack } from './moving.ts'
import { columnsThat } from './relations.ts'
import type { Kept, Merge } from './tables.ts'

/** As long as what everything was before is kept. */
export const undoDays = 30

export interface Unmerged {
  merge: Merge
  contact: ContactRow
  restored: ContactRow[]
}

type Row = Record<string, unknown>

export async function undoMerge(tx: Tx, actor: Actor, mergeId: string, services: Services): Promise<Unmerged> {
  await takeTurn(tx)
  const merge = await lockMerge(tx, mergeId)
  const { primary_id, duplicate_ids } = merge
  const before = await recordsBefore(tx, mergeId)
  const since = await withdrawnSince(tx, merge)
  const now = await survivorNow(tx, primary_id)
  const kept: Kept[] = []
  const restored = unmergedColumns(before.primary.before, before.primary.after, now, kept)
  keepWhatWasSaid(restored, now, since)
  await restorePrimary(tx, primary_id, restored)
  await restoreDuplicates(tx, duplicate_ids, before.duplicates)
  kept.push(...(await giveRowsBack(tx, mergeId, primary_id)))
  await pointBack(tx, merge)
  await settle(tx, services, [primary_id, ...duplicate_ids])
  await passOn(tx, services, merge, since)
  await rejoinDynamicLists(tx, mergeId, primary_id)
  const { rows } = await sql<Merge>`
    update contacts.merges set undone_at = ${tx.now}, undone_by = ${userId(actor)}, undone_by_name = ${actor.name},
      kept = ${JSON.stringify(kept)}
    where workspace_id = ${tx.workspaceId} and id = ${mergeId} returning *`.execute(tx.sql)
  await noteInLog(tx, actor, mergeId)
  await forget(tx, mergeId)
  return announce(tx, actor, rows[0]!)
}

/** The contacts are locked with it, in the order of their ids. */
async function lockMerge(tx: Tx, id: string): Promise<Merge> {
  const merge = await tx.sql
    .selectFrom('contacts.merges')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!merge) throw new NotFound('merge')
  if (merge.undone_at) throw new Conflict('already_undone', 'This merge has been undone already.')
  if (+merge.created_at < +tx.now - undoDays * 86_400_000) {
    throw new Conflict('too_late', `A merge can be undone for ${undoDays} days.`)
  }
  const ids = [merge.primary_id, ...merge.duplicate_ids]
  await sql`
    select from contacts.contacts where workspace_id = ${tx.workspaceId} and id = any(${ids}::uuid[])
    order by id for no key update`.execute(tx.sql)
  await requireLast(tx, merge)
  return merge
}

/** Merges are taken back in the opposite order: a later one was made of what this one had made. */
async function requireLast(tx: Tx, { id, primary_id }: Merge): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select m.id from contacts.merges own, contacts.merge_records r, contacts.merges m
    where own.workspace_id = ${tx.workspaceId} and own.id = ${id}
      and r.workspace_id = own.workspace_id and r.contact_id = ${primary_id}
      and m.workspace_id = r.workspace_id and m.id = r.merge_id and m.created_at > own.created_at and m.undone_at is null
    order by m.created_at desc limit 1`.execute(tx.sql)
  if (!rows[0]) return
  throw new Conflict(
    'merged_again',
    `The contact was merged again since, by the merge ${rows[0].id}. Undo that one first, then this one.`,
    { more: { merge_id: rows[0].id } },
  )
}

interface Records {
  primary: { before: Row; after: Row }
  duplicates: Map<string, Row>
}

async function recordsBefore(tx: Tx, mergeId: string): Promise<Records> {
  const rows = await tx.sql.selectFrom('contacts.merge_records').selectAll().where('merge_id', '=', mergeId).execute()
  const primary = rows.find(({ after }) => after)
  if (!primary) throw new Conflict('too_late', 'What the contacts were before this merge is not kept any more.')
  return {
    primary: { before: primary.before, after: primary.after as Row },
    duplicates: new Map(rows.filter(({ after }) => !after).map((row) => [row.contact_id, row.before])),
  }
}

async function survivorNow(tx: Tx, id: string): Promise<Row> {
  const { rows } = await sql<{ row: Row }>`
    select to_jsonb(c) as row from contacts.contacts c where workspace_id = ${tx.workspaceId} and id = ${id}`.execute(
    tx.sql,
  )
  return rows[0]!.row
}

const comparedColumns = [...columnsThat('chosen'), ...columnsThat('consent'), ...columnsThat('latest')].filter(
  (name) => name !== 'custom_fields' && name !== 'phone_key',
)

/** What the merge had changed and nobody has changed since; counters lose what the merge had added. */
export function unmergedColumns(before: Row, after: Row, now: Row, kept: Kept[]): Row {
  const columns: Row = {}
  for (const name of comparedColumns) {
    if (isDeepStrictEqual(before[name], after[name])) continue
    if (isDeepStrictEqual(now[name], after[name])) columns[name] = before[name]
    else if (!isDeepStrictEqual(now[name], before[name])) kept.push({ what: name, reason: 'changed_since', count: 1 })
  }
  if ('phone' in columns) columns.phone_key = before.phone_key
  for (const name of columnsThat('sum')) {
    columns[name] = Math.max(0, Number(now[name]) - (Number(after[name]) - Number(before[name])))
  }
  columns.custom_fields = unmergedCustom(before, after, now, kept)
  return columns
}

function unmergedCustom(before: Row, after: Row, now: Row, kept: Kept[]): Row {
  const [was, became, is] = [before, after, now].map(({ custom_fields }) => custom_fields as Row) as [Row, Row, Row]
  const custom = new Map(Object.entries(is))
  for (const key of new Set([...Object.keys(was), ...Object.keys(became)])) {
    if (isDeepStrictEqual(own(was, key), own(became, key))) continue
    if (!isDeepStrictEqual(own(is, key), own(became, key))) {
      if (!isDeepStrictEqual(own(is, key), own(was, key))) {
        kept.push({ what: `custom_fields.${key}`, reason: 'changed_since', count: 1 })
      }
    } else if (Object.hasOwn(was, key)) custom.set(key, was[key])
    else custom.delete(key)
  }
  return Object.fromEntries(custom)
}

function own(fields: Row, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined
}

interface Withdrawal {
  purpose: ConsentPurpose
  source: ConsentEntry['source']
}

/** By the ledger: who said no once more, after a no that the merge had brought along, has changed no flag. */
async function withdrawnSince(tx: Tx, { id, primary_id }: Merge): Promise<Withdrawal[]> {
  const { rows } = await sql<Withdrawal & { decision: string }>`
    select distinct on (k.purpose) k.purpose, k.source, k.decision
    from contacts.consents k join contacts.merges m on m.workspace_id = k.workspace_id and m.id = ${id}
    where k.workspace_id = ${tx.workspaceId} and k.contact_id = ${primary_id} and k.recorded_at > m.created_at
      and k.decision <> 'pending'
    order by k.purpose, k.recorded_at desc, k.id desc`.execute(tx.sql)
  return rows.filter(({ decision }) => decision === 'withdrawn')
}

function keepWhatWasSaid(columns: Row, now: Row, since: Withdrawal[]): void {
  if (!since.length) return
  for (const { purpose } of since) {
    if (purpose === 'tracking') delete columns.tracking_allowed
    else if (purpose !== 'transactional') delete columns[`${purpose}_subscribed`]
  }
  if (since.every(({ purpose }) => purpose === 'tracking')) return
  if (now.status === 'active') return
  delete columns.status
  delete columns.unsubscribed_at
}

async function restorePrimary(tx: Tx, id: string, columns: Row): Promise<void> {
  const names = Object.keys(columns)
  const set = sql.join(names.map((name) => sql`${sql.ref(name)} = r.${sql.ref(name)}`))
  await orRefuse(
    sql`
      update contacts.contacts c set ${set} from jsonb_populate_record(null::contacts.contacts, ${JSON.stringify(columns)}::jsonb) as r
      where c.workspace_id = ${tx.workspaceId} and c.id = ${id}`.execute(tx.sql),
    addressTaken(columns.email),
  )
}

/** They have waited as they were: only what the merge had written is taken back. */
async function restoreDuplicates(tx: Tx, ids: string[], before: Map<string, Row>): Promise<void> {
  for (const id of ids) {
    await orRefuse(
      tx.sql
        .updateTable('contacts.contacts')
        .set({ deleted_at: null, merged_into: null, merged_at: null })
        .where('id', '=', id)
        .execute(),
      addressTaken(before.get(id)?.email),
    )
  }
}

function addressTaken(email: unknown) {
  return {
    contacts_email: () =>
      new Conflict(
        'email_taken',
        `Another contact has the address ${String(email)} by now. Give that contact another address, or merge it first, then undo this merge.`,
      ),
  }
}

/** Those who had been merged into one of the duplicates earlier. */
async function pointBack(tx: Tx, { id, primary_id }: Merge): Promise<void> {
  await sql`
    update contacts.contacts c set merged_into = m.contact_id, merged_at = (m.content ->> 'merged_at')::timestamptz
    from contacts.merge_moves m
    where m.workspace_id = ${tx.workspaceId} and m.merge_id = ${id} and m.table_name = 'contacts.contacts'
      and c.workspace_id = m.workspace_id and c.id = m.row_key::uuid and c.merged_into = ${primary_id}`.execute(tx.sql)
}

async function settle(tx: Tx, services: Services, ids: string[]): Promise<void> {
  await refreshFigures(tx, ids, { quiet: true })
  const score = scoreSql(services.config.engagement, tx.now)
  await sql`
    update contacts.contacts c set engagement_score = ${score}
    where c.workspace_id = ${tx.workspaceId} and c.id = any(${ids}::uuid[]) and c.engagement_score <> ${score}`.execute(
    tx.sql,
  )
}

/** The person said no while they were one; as several they still mean it. */
async function passOn(tx: Tx, services: Services, merge: Merge, since: Withdrawal[]): Promise<void> {
  await recordConsent(
    tx,
    services,
    merge.duplicate_ids.flatMap((contactId) =>
      since.map(({ purpose, source }) => ({
        contactId,
        purpose,
        decision: 'withdrawn' as const,
        source,
        evidence: { merge_id: merge.id, said_as: merge.primary_id },
      })),
    ),
  )
}

/** The log of operations has the merge too: whichever of the two is asked to undo it. */
async function noteInLog(tx: Tx, actor: Actor, mergeId: string): Promise<void> {
  await tx.sql
    .updateTable('contacts.operations')
    .set({ undone_at: tx.now, undone_by: userId(actor), undone_by_name: actor.name })
    .where('workspace_id', '=', tx.workspaceId)
    .where('subject_id', '=', mergeId)
    .where('kind', '=', 'merge')
    .where('undone_at', 'is', null)
    .execute()
}

async function forget(tx: Tx, mergeId: string): Promise<void> {
  await tx.sql.deleteFrom('contacts.merge_moves').where('merge_id', '=', mergeId).execute()
  await tx.sql.deleteFrom('contacts.merge_records').where('merge_id', '=', mergeId).execute()
}

async function announce(tx: Tx, actor: Actor, merge: Merge): Promise<Unmerged> {
  const contact = await getContact(tx, merge.primary_id, { deletedToo: true })
  const restored: ContactRow[] = []
  for (const id of merge.duplicate_ids) restored.push(await getContact(tx, id))
  await recordInteractions(tx, [
    {
      contactId: contact.id,
      type: 'contact_unmerged',
      description: restored.map(({ email }) => email).join(', '),
      metadata: { merge_id: merge.id, merged_ids: merge.duplicate_ids },
      actor,
    },
  ])
  await publishContacts(tx, 'updated', [contact])
  await publishContacts(tx, 'updated', restored, { changed: ['deleted_at'] })
  const ids = { primary_id: contact.id, merged_ids: merge.duplicate_ids, merge_id: merge.id }
  const data = { ...contactData(contact), ...ids }
  await tx.publishAll(['contact.unmerged', 'customer.unmerged'].map((event) => ({ event, subject: contact.id, data })))
  return { merge, contact, restored }
}
