/**
 * Several tickets become one. What was said in the duplicates goes on in the survivor, and they are closed; what each row was
 * before is remembered by its id, so that `undo.ts` puts it back. Mails stay where they came in: they lead to the survivor by
 * `merged_into`. Where the requesters differ, the other's words are for the house alone, and the other takes no part.
 */
import './tables.ts'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { isOfTheHouse } from '../access.ts'
import { MergedTicket } from '../merged.ts'
import { record, tell } from '../ticket-events.ts'
import { isEnded } from '../ticket-status.ts'
import type { Ticket } from '../tables.ts'
import { cleanTags } from '../ticket-tags.ts'
import { lockTicket } from '../tickets.ts'

/** More tickets than this about one thing are a wave, not duplicates. */
export const duplicatesMax = 50

export interface MergeRequest {
  duplicate_ids: string[]
  /** Says that the tickets are of different people, and are to be merged nevertheless. */
  different_requesters?: boolean
}

export interface Merged {
  ticket: Ticket
  mergeId: string
}

/** The tickets are held in the order of their ids: of two merges that share one, the second finds it merged. */
export async function mergeTickets(
  tx: Tx,
  actor: Actor,
  survivorId: string,
  { duplicate_ids, different_requesters = false }: MergeRequest,
  ifVersion?: number,
): Promise<Merged> {
  const ids = [...new Set(duplicate_ids.map((id) => id.toLowerCase()))]
  const { survivor, duplicates } = await holdTickets(tx, actor, survivorId.toLowerCase(), ids)
  checkVersion(survivor.version, ifVersion)
  if (isEnded(survivor.status)) {
    throw new Conflict('ticket_ended', `The ticket is ${survivor.status}. Reopen it, or merge into one that is not.`)
  }
  const foreign = duplicates.filter((duplicate) => !hasSameRequester(survivor, duplicate))
  if (foreign.length && !different_requesters) refuseForeign(foreign, duplicate_ids)
  const mergeId = await beginMerge(tx, actor, survivor.id, ids)
  const foreignIds = foreign.map(({ id }) => id)
  await rememberTickets(tx, mergeId, survivor, ids)
  await moveMessages(tx, mergeId, survivor.id, { ids, foreignIds })
  await moveAttachments(tx, mergeId, survivor.id, { duplicates, foreignIds })
  await addFollowersOf(tx, mergeId, survivor.id, ids)
  const merged = await writeSurvivor(tx, mergeId, survivor, { duplicates, foreignIds })
  await closeDuplicates(tx, actor, mergeId, survivor.id, duplicates)
  const clocks = await record(tx, actor, survivor.id, [
    { type: 'joined', data: { merge_id: mergeId, ticket_ids: ids } },
  ])
  await tell(tx, 'ticket.merged', merged, { merge_id: mergeId, merged_ids: ids })
  return { ticket: { ...merged, ...clocks }, mergeId }
}

/** By the contact, the account, or the address; nobody is the same as somebody who was erased. */
function hasSameRequester(one: Ticket, other: Ticket): boolean {
  return (
    (one.contact_id !== null && one.contact_id === other.contact_id) ||
    (one.user_id !== null && one.user_id === other.user_id) ||
    (one.contact_email !== '' && one.contact_email.toLowerCase() === other.contact_email.toLowerCase())
  )
}

async function holdTickets(tx: Tx, actor: Actor, survivorId: string, ids: string[]) {
  if (ids.includes(survivorId)) {
    throw Invalid.at('/duplicate_ids', 'itself', 'A ticket cannot be merged into itself. Leave it out.')
  }
  const held = new Map<string, Ticket>()
  for (const id of [survivorId, ...ids].toSorted()) {
    if (id === survivorId) held.set(id, await lockTicket(tx, actor, id))
    else held.set(id, await lockDuplicate(tx, actor, id, `/duplicate_ids/${ids.indexOf(id)}`))
  }
  return { survivor: held.get(survivorId)!, duplicates: ids.map((id) => held.get(id)!) }
}

async function lockDuplicate(tx: Tx, actor: Actor, id: string, pointer: string): Promise<Ticket> {
  try {
    return await lockTicket(tx, actor, id)
  } catch (error) {
    if (error instanceof NotFound) throw Invalid.at(pointer, 'not_found', 'There is no such ticket here.')
    if (!(error instanceof MergedTicket)) throw error
    const detail = `This ticket was merged into ${error.survivorId} already. Name that one, or undo the merge.`
    throw new Conflict('merged', detail, {
      errors: [{ pointer, code: 'merged', detail }],
      more: { merged_into: error.survivorId },
    })
  }
}

function refuseForeign(foreign: Ticket[], asked: string[]): never {
  const named = asked.map((id) => id.toLowerCase())
  const detail = 'This ticket is of another requester than the one that would survive.'
  throw new Conflict(
    'different_requesters',
    'These tickets are of different people. Send "different_requesters": true to merge them nevertheless: the other then ' +
      'takes no part, and what the other said is for the help desk alone.',
    {
      errors: foreign.map(({ id }) => ({
        pointer: `/duplicate_ids/${named.indexOf(id)}`,
        code: 'different_requesters',
        detail,
      })),
    },
  )
}

async function beginMerge(tx: Tx, actor: Actor, survivorId: string, ids: string[]): Promise<string> {
  const id = newId()
  await tx.sql
    .insertInto('support.ticket_merges')
    .values({
      workspace_id: tx.workspaceId,
      id,
      survivor_id: survivorId,
      duplicate_ids: ids,
      created_at: tx.now,
      created_by: isOfTheHouse(actor) ? actor.id : null,
      created_by_name: actor.name,
    })
    .execute()
  return id
}

/** Of the duplicates how they stood, of those that were merged into them before where they pointed, and of the survivor what will change. */
async function rememberTickets(tx: Tx, mergeId: string, survivor: Ticket, ids: string[]): Promise<void> {
  await sql`
    insert into support.ticket_merge_rows (workspace_id, merge_id, table_name, row_id, ticket_id, action, content)
    select t.workspace_id, ${mergeId}::uuid, 'tickets', t.id, t.id, 'moved',
      jsonb_build_object('status', t.status, 'closed_at', t.closed_at, 'waiting_since', t.waiting_since)
    from support.tickets t where t.workspace_id = ${tx.workspaceId}::uuid and t.id = any(${ids}::uuid[])
    union all
    select t.workspace_id, ${mergeId}::uuid, 'tickets', t.id, t.merged_into, 'moved', '{}'
    from support.tickets t where t.workspace_id = ${tx.workspaceId}::uuid and t.merged_into = any(${ids}::uuid[])
    union all
    select t.workspace_id, ${mergeId}::uuid, 'tickets', t.id, t.id, 'changed',
      jsonb_build_object('waiting_since', t.waiting_since, 'last_message_at', t.last_message_at)
    from support.tickets t where t.workspace_id = ${tx.workspaceId}::uuid and t.id = ${survivor.id}::uuid`.execute(
    tx.sql,
  )
}

interface Sources {
  ids: string[]
  foreignIds: string[]
}

/** With their readers, versions and mentions, which hang on the message. */
async function moveMessages(tx: Tx, mergeId: string, survivorId: string, { ids, foreignIds }: Sources): Promise<void> {
  await sql`
    with moved as (
      update support.messages m set ticket_id = ${survivorId}::uuid, came_from = coalesce(m.came_from, m.ticket_id),
        is_internal = m.is_internal or m.ticket_id = any(${foreignIds}::uuid[])
      from support.messages before
      where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = any(${ids}::uuid[])
        and before.workspace_id = m.workspace_id and before.id = m.id
      returning m.workspace_id, m.id, before.ticket_id, before.is_internal, before.came_from)
    insert into support.ticket_merge_rows (workspace_id, merge_id, table_name, row_id, ticket_id, action, content)
    select workspace_id, ${mergeId}::uuid, 'messages', id, ticket_id, 'moved',
      jsonb_build_object('is_internal', is_internal, 'came_from', came_from)
    from moved`.execute(tx.sql)
}

/**
 * The description of a duplicate is the first thing that its requester said: in the survivor it stands as a message, which
 * has the files that belonged to the ticket itself.
 */
async function moveAttachments(
  tx: Tx,
  mergeId: string,
  survivorId: string,
  { duplicates, foreignIds }: { duplicates: Ticket[]; foreignIds: string[] },
): Promise<void> {
  for (const duplicate of duplicates) {
    const { rows } = await sql`
      select from support.attachments where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${duplicate.id}::uuid
        and message_id is null limit 1`.execute(tx.sql)
    const opening =
      duplicate.description.trim() || rows.length
        ? await addOpening(tx, mergeId, survivorId, duplicate, foreignIds.includes(duplicate.id))
        : null
    await sql`
      update support.attachments set ticket_id = ${survivorId}::uuid, message_id = coalesce(message_id, ${opening}::uuid)
      where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${duplicate.id}::uuid`.execute(tx.sql)
  }
}

async function addOpening(
  tx: Tx,
  mergeId: string,
  survivorId: string,
  duplicate: Ticket,
  isForeign: boolean,
): Promise<string> {
  const id = newId()
  await tx.sql
    .insertInto('support.messages')
    .values({
      workspace_id: tx.workspaceId,
      id,
      ticket_id: survivorId,
      user_id: duplicate.user_id,
      author_kind: 'requester',
      author_name: duplicate.contact_name,
      author_email: duplicate.contact_email,
      content: duplicate.description.trim() || duplicate.subject || '…',
      is_internal: isForeign,
      source: duplicate.source,
      came_from: duplicate.id,
      created_at: duplicate.created_at,
      updated_at: duplicate.created_at,
    })
    .execute()
  await tx.sql
    .insertInto('support.ticket_merge_rows')
    .values({
      workspace_id: tx.workspaceId,
      merge_id: mergeId,
      table_name: 'messages',
      row_id: id,
      ticket_id: duplicate.id,
      action: 'added',
    })
    .execute()
  return id
}

/** They follow the survivor too; whoever was called into a duplicate was called into what it became. */
async function addFollowersOf(tx: Tx, mergeId: string, survivorId: string, ids: string[]): Promise<void> {
  await sql`
    with wanted as (
      select workspace_id, user_id, bool_or(was_called) as was_called, min(followed_at) as followed_at
      from support.followers where workspace_id = ${tx.workspaceId}::uuid and ticket_id = any(${ids}::uuid[])
      group by workspace_id, user_id),
    before as (
      select f.user_id from support.followers f
      where f.workspace_id = ${tx.workspaceId}::uuid and f.ticket_id = ${survivorId}::uuid),
    written as (
      insert into support.followers as f (workspace_id, ticket_id, user_id, was_called, followed_at)
      select workspace_id, ${survivorId}::uuid, user_id, was_called, followed_at from wanted
      on conflict (workspace_id, ticket_id, user_id) do update set was_called = true
      where excluded.was_called and not f.was_called
      returning f.workspace_id, f.user_id)
    insert into support.ticket_merge_rows (workspace_id, merge_id, table_name, row_id, ticket_id, action)
    select w.workspace_id, ${mergeId}::uuid, 'followers', w.user_id, ${survivorId}::uuid,
      case when w.user_id in (select user_id from before) then 'changed' else 'added' end
    from written w`.execute(tx.sql)
}

/** Tags that came along are remembered by their places in the duplicate, which changes no more. */
async function writeSurvivor(
  tx: Tx,
  mergeId: string,
  survivor: Ticket,
  { duplicates, foreignIds }: { duplicates: Ticket[]; foreignIds: string[] },
): Promise<Ticket> {
  let tags = survivor.tags
  for (const { id, tags: theirs } of duplicates) {
    const places = theirs.flatMap((tag, place) => (cleanTags([...tags, tag]).length > tags.length ? [place] : []))
    if (!places.length) continue
    tags = cleanTags([...tags, ...theirs])
    await sql`
      update support.ticket_merge_rows set content = content || jsonb_build_object('tags_added', ${places}::int[])
      where workspace_id = ${tx.workspaceId}::uuid and merge_id = ${mergeId}::uuid and table_name = 'tickets'
        and row_id = ${id}::uuid`.execute(tx.sql)
  }
  const { rows } = await sql<Ticket>`
    update support.tickets t set tags = ${tags}::text[],
      last_message_at = greatest(t.last_message_at, d.last_message_at),
      waiting_since = least(t.waiting_since, d.waiting_since)
    from (select max(last_message_at) as last_message_at,
        min(waiting_since) filter (where not id = any(${foreignIds}::uuid[])) as waiting_since
      from support.tickets where workspace_id = ${tx.workspaceId}::uuid
        and id = any(${duplicates.map(({ id }) => id)}::uuid[])) as d
    where t.workspace_id = ${tx.workspaceId}::uuid and t.id = ${survivor.id}::uuid
    returning t.*`.execute(tx.sql)
  return rows[0]!
}

/** Their clocks stand from here on, in the ledger, so that an undo lets them go on where they stood. */
async function closeDuplicates(
  tx: Tx,
  actor: Actor,
  mergeId: string,
  survivorId: string,
  duplicates: Ticket[],
): Promise<void> {
  await sql`
    update support.tickets set merged_into = ${survivorId}::uuid
    where workspace_id = ${tx.workspaceId}::uuid and merged_into = any(${duplicates.map(({ id }) => id)}::uuid[])`.execute(
    tx.sql,
  )
  for (const before of duplicates) {
    const closed = await tx.sql
      .updateTable('support.tickets')
      .set({
        status: 'closed',
        closed_at: before.closed_at ?? tx.now,
        waiting_since: null,
        merged_into: survivorId,
      })
      .where('workspace_id', '=', tx.workspaceId)
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    const isMoved = before.status !== 'closed'
    await record(tx, actor, before.id, [
      { type: 'merged', to: survivorId, data: { merge_id: mergeId } },
      ...(isMoved ? [{ type: 'status', from: before.status, to: 'closed', data: { move: 'merge' } } as const] : []),
    ])
    if (!isMoved) continue
    await tell(tx, 'ticket.closed', closed, { closed_at: closed.closed_at, merged_into: survivorId })
  }
}
