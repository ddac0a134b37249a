/**
 * Takes a merge back: every message returns to the ticket in which it was said, and every ticket to the status that it had.
 * What was said in the survivor since stays there, and so does what somebody has moved on or deleted meanwhile.
 */
import './tables.ts'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import { isOfTheHouse, visibleTo } from '../access.ts'
import { record, tell } from '../ticket-events.ts'
import { isEnded } from '../ticket-status.ts'
import type { Ticket } from '../tables.ts'
import { getTicket } from '../tickets.ts'
import type { TicketMerge } from './tables.ts'

export const undoDays = 30

export interface Unmerged {
  merge: TicketMerge
  ticket: Ticket
  /** Those that the actor may see, now that they are tickets of their own again. */
  restored: Ticket[]
}

export async function undoTicketMerge(tx: Tx, actor: Actor, mergeId: string): Promise<Unmerged> {
  const merge = await lockMerge(tx, actor, mergeId)
  await giveMessagesBack(tx, merge)
  await giveFollowersBack(tx, merge)
  await restoreSurvivor(tx, merge)
  const restored = await restoreDuplicates(tx, actor, merge)
  const kept = await countKept(tx, merge)
  const undone = await tx.sql
    .updateTable('support.ticket_merges')
    .set({
      undone_at: tx.now,
      undone_by: isOfTheHouse(actor) ? actor.id : null,
      undone_by_name: actor.name,
      kept,
    })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', mergeId)
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx.sql
    .deleteFrom('support.ticket_merge_rows')
    .where('workspace_id', '=', tx.workspaceId)
    .where('merge_id', '=', mergeId)
    .execute()
  const ids = merge.duplicate_ids
  await record(tx, actor, merge.survivor_id, [{ type: 'parted', data: { merge_id: mergeId, ticket_ids: ids } }])
  const ticket = await getTicket(tx, actor, merge.survivor_id, { deletedToo: true })
  await tell(tx, 'ticket.unmerged', ticket, { merge_id: mergeId, merged_ids: ids })
  const { rows } = await sql<{ id: string }>`
    select t.id from support.tickets t
    where t.workspace_id = ${tx.workspaceId}::uuid and t.id = any(${ids}::uuid[]) and ${visibleTo(actor)}`.execute(
    tx.sql,
  )
  const seen = new Set(rows.map((row) => row.id))
  return { merge: undone, ticket, restored: restored.filter((each) => seen.has(each.id)) }
}

/** A merge is there for whoever sees its survivor. The tickets are held with it, in the order of their ids. */
async function lockMerge(tx: Tx, actor: Actor, id: string): Promise<TicketMerge> {
  const merge = await tx.sql
    .selectFrom('support.ticket_merges')
    .selectAll()
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!merge) throw new NotFound('merge')
  await requireSurvivor(tx, actor, merge)
  if (merge.undone_at) throw new Conflict('already_undone', 'This merge has been undone already.')
  if (+merge.created_at < +tx.now - undoDays * 86_400_000) {
    throw new Conflict('too_late', `A merge can be undone for ${undoDays} days.`)
  }
  await sql`
    select from support.tickets where workspace_id = ${tx.workspaceId}::uuid
      and id = any(${[merge.survivor_id, ...merge.duplicate_ids]}::uuid[])
    order by id for no key update`.execute(tx.sql)
  await requireLast(tx, merge)
  return merge
}

async function requireSurvivor(tx: Tx, actor: Actor, { survivor_id }: TicketMerge): Promise<void> {
  try {
    await getTicket(tx, actor, survivor_id, { deletedToo: true })
  } catch (error) {
    if (error instanceof NotFound) throw new NotFound('merge')
    throw error
  }
}

/** Merges are taken back in the opposite order: a later one was made of what this one had made. */
async function requireLast(tx: Tx, { id, survivor_id }: TicketMerge): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select m.id from support.ticket_merge_rows r
    join support.ticket_merges m on m.workspace_id = r.workspace_id and m.id = r.merge_id
    where r.workspace_id = ${tx.workspaceId}::uuid and r.row_id = ${survivor_id}::uuid and r.table_name = 'tickets'
      and m.undone_at is null and m.id > ${id}::uuid
    order by m.id desc limit 1`.execute(tx.sql)
  if (!rows[0]) return
  throw new Conflict(
    'merged_again',
    `The ticket was merged again since, by the merge ${rows[0].id}. Undo that one first, then this one.`,
    { more: { merge_id: rows[0].id } },
  )
}

/** Their files go with them, also those that were added since; the message that a description had become is no more. */
async function giveMessagesBack(tx: Tx, { id, survivor_id }: TicketMerge): Promise<void> {
  const ofThis = sql`r.workspace_id = ${tx.workspaceId}::uuid and r.merge_id = ${id}::uuid and r.table_name = 'messages'`
  await sql`
    update support.attachments a set ticket_id = r.ticket_id,
      message_id = case when r.action = 'added' then null else a.message_id end
    from support.ticket_merge_rows r, support.messages m
    where ${ofThis} and m.workspace_id = r.workspace_id and m.id = r.row_id and m.ticket_id = ${survivor_id}::uuid
      and a.workspace_id = r.workspace_id and a.message_id = r.row_id`.execute(tx.sql)
  await sql`
    delete from support.messages m using support.ticket_merge_rows r
    where ${ofThis} and r.action = 'added' and m.workspace_id = r.workspace_id and m.id = r.row_id
      and m.ticket_id = ${survivor_id}::uuid`.execute(tx.sql)
  await sql`
    update support.messages m set ticket_id = r.ticket_id, came_from = (r.content ->> 'came_from')::uuid,
      is_internal = (r.content ->> 'is_internal')::boolean
    from support.ticket_merge_rows r
    where ${ofThis} and r.action = 'moved' and m.workspace_id = r.workspace_id and m.id = r.row_id
      and m.ticket_id = ${survivor_id}::uuid`.execute(tx.sql)
}

/** Moved on by a split, or removed, since the merge. */
async function countKept(tx: Tx, { id }: TicketMerge): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from support.ticket_merge_rows r
    where r.workspace_id = ${tx.workspaceId}::uuid and r.merge_id = ${id}::uuid and r.table_name = 'messages'
      and r.action = 'moved' and not exists (select from support.messages m
        where m.workspace_id = r.workspace_id and m.id = r.row_id and m.ticket_id = r.ticket_id)`.execute(tx.sql)
  return Number(rows[0]!.count)
}

async function giveFollowersBack(tx: Tx, { id, survivor_id }: TicketMerge): Promise<void> {
  const ofThis = sql`r.workspace_id = ${tx.workspaceId}::uuid and r.merge_id = ${id}::uuid and r.table_name = 'followers'
    and f.workspace_id = r.workspace_id and f.ticket_id = ${survivor_id}::uuid and f.user_id = r.row_id`
  await sql`
    delete from support.followers f using support.ticket_merge_rows r where ${ofThis} and r.action = 'added'`.execute(
    tx.sql,
  )
  await sql`
    update support.followers f set was_called = false from support.ticket_merge_rows r
    where ${ofThis} and r.action = 'changed'`.execute(tx.sql)
}

/** Tags that came with the merge go; the times go back where nothing was said since. */
async function restoreSurvivor(tx: Tx, { id, survivor_id, created_at }: TicketMerge): Promise<void> {
  await sql`
    update support.tickets t set
      tags = array(select tag from unnest(t.tags) with ordinality as own(tag, position)
        where platform.fold(tag) <> all(array(
          select platform.fold(d.tags[place::int + 1]) from support.ticket_merge_rows r
          join support.tickets d on d.workspace_id = r.workspace_id and d.id = r.row_id,
          jsonb_array_elements_text(r.content -> 'tags_added') as added(place)
          where r.workspace_id = ${tx.workspaceId}::uuid and r.merge_id = ${id}::uuid and r.table_name = 'tickets'
            and d.tags[place::int + 1] is not null))
        order by position),
      last_message_at = case when t.last_message_at > ${created_at}::timestamptz then t.last_message_at
        else (b.content ->> 'last_message_at')::timestamptz end,
      waiting_since = case when t.waiting_since is null or t.waiting_since > ${created_at}::timestamptz then t.waiting_since
        else (b.content ->> 'waiting_since')::timestamptz end
    from support.ticket_merge_rows b
    where b.workspace_id = ${tx.workspaceId}::uuid and b.merge_id = ${id}::uuid and b.table_name = 'tickets'
      and b.row_id = ${survivor_id}::uuid and t.workspace_id = b.workspace_id and t.id = b.row_id`.execute(tx.sql)
}

async function restoreDuplicates(
  tx: Tx,
  actor: Actor,
  { id, duplicate_ids, survivor_id }: TicketMerge,
): Promise<Ticket[]> {
  await sql`
    update support.tickets t set merged_into = r.ticket_id from support.ticket_merge_rows r
    where r.workspace_id = ${tx.workspaceId}::uuid and r.merge_id = ${id}::uuid and r.table_name = 'tickets'
      and r.ticket_id <> r.row_id and t.workspace_id = r.workspace_id and t.id = r.row_id
      and t.merged_into = ${survivor_id}::uuid`.execute(tx.sql)
  const { rows } = await sql<Ticket>`
    update support.tickets t set merged_into = null, status = r.content ->> 'status',
      closed_at = (r.content ->> 'closed_at')::timestamptz, waiting_since = (r.content ->> 'waiting_since')::timestamptz
    from support.ticket_merge_rows r
    where r.workspace_id = ${tx.workspaceId}::uuid and r.merge_id = ${id}::uuid and r.table_name = 'tickets'
      and r.row_id = any(${duplicate_ids}::uuid[]) and t.workspace_id = r.workspace_id and t.id = r.row_id
    returning t.*`.execute(tx.sql)
  const byId = new Map(rows.map((row) => [row.id, row]))
  const restored: Ticket[] = []
  for (const ticket of duplicate_ids.flatMap((duplicate) => byId.get(duplicate) ?? [])) {
    const isMoved = ticket.status !== 'closed'
    const back = { type: 'status', from: 'closed', to: ticket.status, data: { move: 'unmerge' } } as const
    const clocks = await record(tx, actor, ticket.id, [
      { type: 'unmerged', from: survivor_id, data: { merge_id: id } },
      ...(isMoved ? [back] : []),
    ])
    if (isMoved && !isEnded(ticket.status)) await tell(tx, 'ticket.reopened', ticket, { reopened_at: tx.now })
    restored.push({ ...ticket, ...clocks })
  }
  return restored
}
