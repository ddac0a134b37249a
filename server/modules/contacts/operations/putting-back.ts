/** One batch of an undo: puts back what nobody has changed since, set by set, with the events and entries of any other change. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { forgetAvatar } from '../avatar-files.ts'
import { emailTaken } from '../contacts.ts'
import { publishContacts, type ContactFacts } from '../contact-events.ts'
import { deleteContacts, restoreContacts } from '../contact-removal.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { recordInteractions } from '../interactions.ts'
import { deleteMembers, insertMembers } from '../membership.ts'
import { tagContacts, untagContacts } from '../tagging.ts'
import { takeBackConsent } from './consent-back.ts'
import type { Image, Operation } from './tables.ts'
import { weigh, type Left, type Weighed } from './weighing.ts'

/** What became of one field of one contact; `id` is that of the tag or list. */
export interface FieldOutcome {
  contact_id: string
  field: string
  id?: string
  outcome: 'restored' | 'left'
  reason?: Left
}

export interface Outcome {
  /** Contacts; they add up to those of the batch. */
  restored: number
  left: number
  gone: number
  fields: FieldOutcome[]
}

interface Subject {
  id: string
  email: string
  weighed: Weighed
}

/** The contacts are some of those that the operation changed; call it within the operation that is the undo. */
export async function putBackBatch(
  tx: Tx,
  actor: Actor,
  operation: Pick<Operation, 'id'>,
  contactIds: string[],
  services: Services,
): Promise<Outcome> {
  const { subjects, gone } = await weighBatch(tx, operation.id, contactIds)
  const fields: FieldOutcome[] = subjects.flatMap(({ id, weighed }) =>
    weighed.left.map((each) => ({ contact_id: id, field: each.field, outcome: 'left' as const, reason: each.reason })),
  )
  fields.push(...(await putBackDeletions(tx, actor, subjects)))
  fields.push(...(await putBackColumns(tx, actor, operation.id, subjects)))
  fields.push(...(await putBackPlaces(tx, actor, subjects)))
  const wishes = subjects
    .filter(({ weighed }) => weighed.consent.length || weighed.status)
    .map(({ id, email, weighed: { consent, status } }) => ({ contactId: id, email, consent, status }))
  const consent = await takeBackConsent(tx, actor, operation.id, wishes, services)
  fields.push(
    ...consent.restored.map(({ contactId, field }) => ({ contact_id: contactId, field, outcome: 'restored' as const })),
    ...consent.left.map(({ contactId, ...rest }) => ({ contact_id: contactId, ...rest, outcome: 'left' as const })),
  )
  const left = new Set(fields.filter(({ outcome }) => outcome === 'left').map(({ contact_id }) => contact_id)).size
  return { restored: subjects.length - left, left, gone, fields }
}

/** A contact that was deleted since is gone, unless deleting it is what is undone. */
async function weighBatch(tx: Tx, operationId: string, contactIds: string[]) {
  const { rows } = await sql<{ id: string; email: string; before: Image; after: Image; now: Image }>`
    select c.id, c.email, k.before, k.after, to_jsonb(c) as now
    from contacts.operation_changes k
    join contacts.contacts c on c.workspace_id = k.workspace_id and c.id = k.contact_id
    where k.workspace_id = ${tx.workspaceId} and k.operation_id = ${operationId} and k.contact_id = any(${contactIds}::uuid[])
    order by c.id for no key update of c`.execute(tx.sql)
  const there = rows.filter(({ before, now }) => now.deleted_at === null || 'deleted_at' in before)
  const subjects = there.map(({ id, email, before, after, now }): Subject => ({
    id,
    email,
    weighed: weigh(before, after, now),
  }))
  return { subjects, gone: contactIds.length - there.length }
}

async function putBackDeletions(tx: Tx, actor: Actor, subjects: Subject[]): Promise<FieldOutcome[]> {
  const deleted = subjects.flatMap(({ id, weighed: { deletedAt } }) => (deletedAt ? [{ id, at: deletedAt }] : []))
  const present = subjects.filter(({ weighed }) => weighed.deletedAt === null).map(({ id }) => id)
  const done = new Set<string>()
  if (deleted.length) {
    const again = await deleteContacts(
      tx,
      actor,
      deleted.map(({ id }) => id),
    )
    for (const { id } of again) done.add(id)
    // At the time that it was deleted at before: an earlier deletion, undone after this, knows it by that.
    await sql`
      update contacts.contacts c set deleted_at = d.at
      from jsonb_to_recordset(${JSON.stringify(deleted)}::jsonb) as d(id uuid, at timestamptz)
      where c.workspace_id = ${tx.workspaceId} and c.id = d.id`.execute(tx.sql)
  }
  if (present.length) for (const { id } of await restoreContacts(tx, actor, present)) done.add(id)
  return [...deleted.map(({ id }) => id), ...present].map((id) => ({
    contact_id: id,
    field: 'deleted_at',
    ...(done.has(id) ? { outcome: 'restored' as const } : { outcome: 'left' as const, reason: 'email_taken' as const }),
  }))
}

/** What may be written back; `contacts.operation_changes` knows no other names. */
const columnNames = [
  'email',
  'first_name',
  'last_name',
  'company',
  'job_title',
  'phone',
  'phone_key',
  'gender',
  'avatar_url',
  'language',
  'timezone',
  'source',
  'is_active',
  'notes',
  'user_id',
  'custom_fields',
]

async function putBackColumns(tx: Tx, actor: Actor, operationId: string, subjects: Subject[]): Promise<FieldOutcome[]> {
  const outcomes: FieldOutcome[] = []
  const taken = await takenAddresses(tx, subjects)
  const changes = subjects.flatMap(({ id, weighed: { columns } }) => {
    const kept = { ...columns }
    if (taken.has(id)) {
      delete kept.email
      outcomes.push({ contact_id: id, field: 'email', outcome: 'left', reason: 'email_taken' })
    }
    return Object.keys(kept).length ? [{ id, columns: kept }] : []
  })
  if (!changes.length) return outcomes
  const set = columnNames.map(
    (name) => `${name} = case when r.columns ? '${name}' then (old).${name} else c.${name} end`,
  )
  const update = tx.rawQuery<ContactFacts>(
    `update contacts.contacts c set ${set.join(', ')}
     from jsonb_to_recordset($2::jsonb) as r(id uuid, columns jsonb),
       lateral jsonb_populate_record(null::contacts.contacts, r.columns) as old
     where c.workspace_id = $1 and c.id = r.id
     returning c.id, c.email, c.first_name, c.last_name`,
    [tx.workspaceId, JSON.stringify(changes)],
  )
  const facts = new Map((await orRefuse(update, emailTaken)).rows.map((row) => [row.id, row]))
  for (const { id } of changes.filter(({ columns }) => 'avatar_url' in columns)) await forgetAvatar(tx, id)
  const fieldsOf = (columns: object) => Object.keys(columns).filter((name) => name !== 'phone_key')
  for (const same of Map.groupBy(changes, ({ columns }) => fieldsOf(columns).join(' ')).values()) {
    const changed = fieldsOf(same[0]!.columns)
    await publishContacts(
      tx,
      'updated',
      same.map(({ id }) => facts.get(id)!),
      { changed },
    )
    await recordInteractions(
      tx,
      same.map(({ id }) => ({
        contactId: id,
        type: 'contact_updated' as const,
        metadata: { changed, operation_id: operationId, undone: true },
        actor,
      })),
    )
    for (const { id } of same) {
      for (const field of changed) outcomes.push({ contact_id: id, field, outcome: 'restored' })
    }
  }
  return outcomes
}

/** Contacts whose former address is another's by now. Who takes it in this very moment is met by the unique index. */
async function takenAddresses(tx: Tx, subjects: Subject[]): Promise<Set<string>> {
  const wanted = subjects.filter(({ weighed }) => 'email' in weighed.columns)
  if (!wanted.length) return new Set()
  const { rows } = await sql<{ id: string }>`
    select asked.id from unnest(${wanted.map(({ id }) => id)}::uuid[], ${wanted.map(({ weighed }) => weighed.columns.email)}::text[]) as asked(id, email)
    where exists (select from contacts.contact_rows c where c.email_key = lower(asked.email) and c.deleted_at is null and c.id <> asked.id)`.execute(
    tx.sql,
  )
  return new Set(rows.map(({ id }) => id))
}

const places = {
  tag: { table: 'contacts.contact_tags', column: 'tag_id', put: tagContacts, take: untagContacts, gone: 'tag_gone' },
  list: {
    table: 'contacts.list_members',
    column: 'list_id',
    put: insertMembers,
    take: deleteMembers,
    gone: 'list_gone',
  },
} as const

/** In the order of their ids, because the counters of tags and lists are locked as they change. */
async function putBackPlaces(tx: Tx, actor: Actor, subjects: Subject[]): Promise<FieldOutcome[]> {
  const outcomes: FieldOutcome[] = []
  const wishes = subjects.flatMap(({ id: contactId, weighed }) =>
    weighed.places.map((place) => ({ contactId, ...place })),
  )
  const groups = Map.groupBy(wishes, ({ kind, id, belongs }) => `${kind}:${id}:${belongs}`)
  for (const [, group] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const { kind, id, belongs } = group[0]!
    const { table, column, put, take, gone } = places[kind]
    const contactIds = group.map(({ contactId }) => contactId)
    await (belongs ? put : take)(tx, actor, [id], contactIds)
    const { rows } = await sql<{ contact_id: string }>`
      select contact_id from ${sql.table(table)}
      where workspace_id = ${tx.workspaceId} and ${sql.ref(column)} = ${id}::uuid and contact_id = any(${contactIds}::uuid[])`.execute(
      tx.sql,
    )
    const inside = new Set(rows.map((row) => row.contact_id))
    for (const contactId of contactIds) {
      const outcome =
        inside.has(contactId) === belongs
          ? { outcome: 'restored' as const }
          : { outcome: 'left' as const, reason: gone as Left }
      outcomes.push({ contact_id: contactId, field: `${kind}s`, id, ...outcome })
    }
  }
  return outcomes
}
