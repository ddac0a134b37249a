/** Which contact has which tag. Whole sets at a time; callers keep to batches of some thousands, because each change is an event. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Invalid, NotFound } from '#platform/errors.ts'
import { contactData, publishMany, type ContactFacts } from './contact-events.ts'
import { recordInteractions } from './interactions.ts'
import { countUnknown, userId, type Changed } from './membership.ts'
import { asOperation } from './operations/record.ts'
import { getTag, lockTag, type Tag } from './tags.ts'

interface Tagged extends ContactFacts {
  tag_id: string
  tag_name: string
}

export async function applyTag(tx: Tx, actor: Actor, tagId: string, contactIds: string[]): Promise<Changed> {
  const tag = await lockTag(tx, tagId)
  const tagged = await asOperation(tx, actor, editOf('add_tag', tag), () => tagContacts(tx, actor, [tagId], contactIds))
  return { changed: tagged.length, not_found: await countUnknown(tx, contactIds) }
}

export async function removeTag(tx: Tx, actor: Actor, tagId: string, contactIds: string[]): Promise<Changed> {
  const tag = await lockTag(tx, tagId)
  const untagged = await asOperation(tx, actor, editOf('remove_tag', tag), () =>
    untagContacts(tx, actor, [tagId], contactIds),
  )
  return { changed: untagged.length, not_found: await countUnknown(tx, contactIds) }
}

function editOf(action: string, tag: Tag) {
  return { kind: 'edit' as const, action, facts: { tag_id: tag.id, tag: tag.name } }
}

/** A tag that is there already stays as it is, without an event. */
export async function tagContacts(tx: Tx, actor: Actor, tagIds: string[], contactIds: string[]): Promise<Tagged[]> {
  if (!tagIds.length || !contactIds.length) return []
  const { rows } = await sql<Tagged>`
    with tag as materialized (
      -- Locked in the order of their ids: the counters of the tags are about to change.
      select id, name from contacts.tags where id = any(${tagIds}::uuid[]) order by id for no key update),
    added as (
      insert into contacts.contact_tags (workspace_id, tag_id, contact_id, tagged_by)
      select c.workspace_id, tag.id, c.id, ${userId(actor)}::uuid
      from tag, contacts.contacts c
      where c.id = any(${contactIds}::uuid[]) and c.deleted_at is null
      on conflict do nothing returning tag_id, contact_id)
    select added.tag_id, tag.name as tag_name, c.id, c.email, c.first_name, c.last_name
    from added join tag on tag.id = added.tag_id join contacts.contacts c on c.id = added.contact_id`.execute(tx.sql)
  await publishTagged(tx, ['tag.applied', 'customer.tag.added'], rows)
  await recordInteractions(
    tx,
    rows.map((row) => timelineEntry(row, 'tag_added', actor)),
  )
  return rows
}

export async function untagContacts(tx: Tx, actor: Actor, tagIds: string[], contactIds: string[]): Promise<Tagged[]> {
  if (!tagIds.length || !contactIds.length) return []
  const { rows } = await sql<Tagged>`
    with tag as materialized (
      select id, name from contacts.tags where id = any(${tagIds}::uuid[]) order by id for no key update),
    removed as (
      delete from contacts.contact_tags ct using tag
      where ct.tag_id = tag.id and ct.contact_id = any(${contactIds}::uuid[]) returning ct.tag_id, ct.contact_id)
    select removed.tag_id, tag.name as tag_name, c.id, c.email, c.first_name, c.last_name
    from removed join tag on tag.id = removed.tag_id join contacts.contacts c on c.id = removed.contact_id`.execute(
    tx.sql,
  )
  await publishTagged(tx, ['tag.removed', 'customer.tag.removed'], rows)
  await recordInteractions(
    tx,
    rows.map((row) => timelineEntry(row, 'tag_removed', actor)),
  )
  return rows
}

/** Whoever had the tag loses it, and each loss is an event; then the tag itself goes. */
export async function deleteTag(tx: Tx, actor: Actor, id: string, ifVersion: number | undefined): Promise<void> {
  const tag = await lockTag(tx, id)
  checkVersion(tag.version, ifVersion)
  for await (const contactIds of holdersOf(tx, id)) await untagContacts(tx, actor, [id], contactIds)
  await tx.sql.deleteFrom('contacts.tags').where('id', '=', id).execute()
}

/** Everybody who has the tag gets the target instead, and the tag goes. Answers the target. */
export async function mergeTag(tx: Tx, actor: Actor, id: string, targetId: string): Promise<Tag> {
  if (id === targetId) throw Invalid.at('/target_tag_id', 'same_tag', 'A tag cannot be merged into itself.')
  // Both are locked in the order of their ids, so that two opposite merges do not wait for each other.
  for (const each of [id, targetId].toSorted()) {
    await lockTag(tx, each).catch((error: Error) => {
      if (each === targetId && error instanceof NotFound) {
        throw Invalid.at('/target_tag_id', 'not_found', 'There is no such tag here.')
      }
      throw error
    })
  }
  for await (const contactIds of holdersOf(tx, id)) {
    await tagContacts(tx, actor, [targetId], contactIds)
    await untagContacts(tx, actor, [id], contactIds)
  }
  await tx.sql.deleteFrom('contacts.tags').where('id', '=', id).execute()
  return getTag(tx, targetId)
}

const batchSize = 5_000

/** Each batch is gone from the tag before the next one is read, so the head of the index is always the next. */
async function* holdersOf(tx: Tx, tagId: string): AsyncGenerator<string[]> {
  for (;;) {
    const rows = await tx.sql
      .selectFrom('contacts.contact_tags')
      .select('contact_id')
      .where('tag_id', '=', tagId)
      .orderBy('contact_id')
      .limit(batchSize)
      .execute()
    if (!rows.length) return
    yield rows.map((row) => row.contact_id)
  }
}

async function publishTagged(tx: Tx, events: string[], rows: Tagged[]): Promise<void> {
  await publishMany(
    tx,
    rows.flatMap((row) =>
      events.map((event) => ({
        event,
        subject: row.id,
        data: { tag_id: row.tag_id, tag: row.tag_name, label: row.tag_name, ...contactData(row) },
      })),
    ),
  )
}

function timelineEntry(row: Tagged, type: 'tag_added' | 'tag_removed', actor: Actor) {
  return {
    contactId: row.id,
    type,
    description: row.tag_name,
    metadata: { tag_id: row.tag_id, tag: row.tag_name },
    actor,
  }
}
