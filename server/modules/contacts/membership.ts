/**
 * Who is in which list. Every change is one statement over any number of contacts; ids that are not of this workspace, or
 * deleted, match nothing and are told as not found. Callers keep to batches of some thousands: each new member is an event.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { contactData, publishMany, type ContactFacts } from './contact-events.ts'
import { recordInteractions } from './interactions.ts'
import { getList, lockList, requireStatic, type List } from './lists.ts'
import { asOperation } from './operations/record.ts'

export interface Changed {
  /** Contacts for which something changed. */
  changed: number
  /** Ids that name no contact here. */
  not_found: number
}

interface Member extends ContactFacts {
  list_id: string
  list_name: string
}

/** Adding somebody twice changes nothing. */
export async function addToList(tx: Tx, actor: Actor, listId: string, contactIds: string[]): Promise<Changed> {
  const list = await lockList(tx, listId)
  requireStatic(list)
  const added = await asOperation(tx, actor, editOf('add_to_list', list), () =>
    insertMembers(tx, actor, [listId], contactIds),
  )
  return { changed: added.length, not_found: await countUnknown(tx, contactIds) }
}

export async function removeFromList(tx: Tx, actor: Actor, listId: string, contactIds: string[]): Promise<Changed> {
  const list = await lockList(tx, listId)
  requireStatic(list)
  const removed = await asOperation(tx, actor, editOf('remove_from_list', list), () =>
    deleteMembers(tx, actor, [listId], contactIds),
  )
  return { changed: removed.length, not_found: await countUnknown(tx, contactIds) }
}

/** Makes the list hold exactly these contacts. */
export async function syncList(
  tx: Tx,
  actor: Actor,
  listId: string,
  contactIds: string[],
): Promise<{ added: number; removed: number; contact_count: number; not_found: number }> {
  const list = await lockList(tx, listId)
  requireStatic(list)
  const { rows } = await sql<{ contact_id: string }>`
    select contact_id from contacts.list_members
    where list_id = ${listId} and not contact_id = any(${contactIds}::uuid[])`.execute(tx.sql)
  const surplus = rows.map((row) => row.contact_id)
  const { removed, added } = await asOperation(tx, actor, editOf('sync_list', list), async () => ({
    removed: await deleteMembers(tx, actor, [listId], surplus),
    added: await insertMembers(tx, actor, [listId], contactIds),
  }))
  const { contact_count } = await getList(tx, listId)
  return {
    added: added.length,
    removed: removed.length,
    contact_count,
    not_found: await countUnknown(tx, contactIds),
  }
}

function editOf(action: string, list: List) {
  return { kind: 'edit' as const, action, facts: { list_id: list.id, list: list.name } }
}

/** Lists that are deleted, dynamic or not of this workspace match nothing. */
export async function insertMembers(tx: Tx, actor: Actor, listIds: string[], contactIds: string[]): Promise<Member[]> {
  if (!listIds.length || !contactIds.length) return []
  const { rows } = await sql<Member>`
    with list as materialized (
      -- Locked in the order of their ids: the counters of the lists are about to change.
      select id, name from contacts.lists
      where id = any(${listIds}::uuid[]) and deleted_at is null and type = 'static' order by id for no key update),
    added as (
      insert into contacts.list_members (workspace_id, list_id, contact_id, added_by)
      select c.workspace_id, list.id, c.id, ${userId(actor)}::uuid
      from list, contacts.contacts c
      where c.id = any(${contactIds}::uuid[]) and c.deleted_at is null
      on conflict do nothing returning list_id, contact_id)
    select added.list_id, list.name as list_name, c.id, c.email, c.first_name, c.last_name
    from added join list on list.id = added.list_id join contacts.contacts c on c.id = added.contact_id`.execute(tx.sql)
  await publishMany(
    tx,
    rows.map((row) => ({
      event: 'list.contact.added',
      subject: row.id,
      data: { list_id: row.list_id, list_name: row.list_name, ...contactData(row) },
    })),
  )
  await recordInteractions(
    tx,
    rows.map((row) => timelineEntry(row, 'list_added', actor)),
  )
  return rows
}

export async function deleteMembers(tx: Tx, actor: Actor, listIds: string[], contactIds: string[]): Promise<Member[]> {
  if (!listIds.length || !contactIds.length) return []
  const { rows } = await sql<Member>`
    with list as materialized (
      select id, name from contacts.lists
      where id = any(${listIds}::uuid[]) and type = 'static' order by id for no key update),
    removed as (
      delete from contacts.list_members m using list
      where m.list_id = list.id and m.contact_id = any(${contactIds}::uuid[]) returning m.list_id, m.contact_id)
    select removed.list_id, list.name as list_name, c.id, c.email, c.first_name, c.last_name
    from removed join list on list.id = removed.list_id join contacts.contacts c on c.id = removed.contact_id`.execute(
    tx.sql,
  )
  await publishMany(
    tx,
    rows.map((row) => ({
      event: 'list.contact.removed',
      subject: row.id,
      data: { list_id: row.list_id, list_name: row.list_name, ...contactData(row) },
    })),
  )
  await recordInteractions(
    tx,
    rows.map((row) => timelineEntry(row, 'list_removed', actor)),
  )
  return rows
}

/** How many of these ids name no contact that this workspace still has. */
export async function countUnknown(tx: Tx, contactIds: string[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (select distinct unnest(${contactIds}::uuid[]) as id) as asked
    where not exists (select from contacts.contacts c where c.id = asked.id and c.deleted_at is null)`.execute(tx.sql)
  return rows[0]!.count
}

/** A key or service acts too, but "added by" names people. */
export function userId(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.id : null
}

function timelineEntry(member: Member, type: 'list_added' | 'list_removed', actor: Actor) {
  return {
    contactId: member.id,
    type,
    description: member.list_name,
    metadata: { list_id: member.list_id, list_name: member.list_name },
    actor,
  }
}
