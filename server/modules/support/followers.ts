/** Colleagues who want to hear of a ticket, or were called into it. Only being called in by another opens it to an agent. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { nameOf } from '#modules/accounts/index.ts'
import { personOf } from './access.ts'
import { requireAgents } from './agents.ts'
import { tell } from './ticket-events.ts'
import type { Ticket } from './tables.ts'

export interface Follower {
  user_id: string
  name: string
  was_called: boolean
  followed_at: Date
}

/** Following twice changes nothing; who follows already and is called in, was called in from then on. */
export async function addFollowers(tx: Tx, actor: Actor, ticket: Ticket, userIds: string[]): Promise<void> {
  const own = personOf(actor)
  await sql`
    insert into support.followers as f (workspace_id, ticket_id, user_id, was_called, followed_at)
    select ${tx.workspaceId}::uuid, ${ticket.id}::uuid, id, id is distinct from ${own}::uuid, ${tx.now}::timestamptz
    from (select distinct unnest(${userIds}::uuid[]) as id order by id) as called
    on conflict (workspace_id, ticket_id, user_id) do update set was_called = true
    where excluded.was_called and not f.was_called`.execute(tx.sql)
}

export async function removeFollower(tx: Tx, ticket: Ticket, userId: string): Promise<void> {
  await tx.sql
    .deleteFrom('support.followers')
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticket.id)
    .where('user_id', '=', userId)
    .execute()
}

export async function listFollowers(tx: Tx, ticket: Ticket): Promise<Follower[]> {
  const rows = await tx.sql
    .selectFrom('support.followers')
    .select(['user_id', 'was_called', 'followed_at'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticket.id)
    .orderBy('followed_at')
    .orderBy('user_id')
    .execute()
  const names = await nameOf(
    tx,
    rows.map((row) => row.user_id),
  )
  return rows.map((row) => ({ ...row, name: names.get(row.user_id) ?? '' }))
}

/** They follow from then on, and see the ticket, whoever has it. */
export async function mentionColleagues(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  messageId: string,
  userIds: string[],
): Promise<void> {
  const ids = [...(await requireAgents(tx, userIds, '/mentions')).keys()]
  await tx.sql
    .insertInto('support.mentions')
    .values(ids.map((id) => ({ workspace_id: tx.workspaceId, message_id: messageId, user_id: id })))
    .execute()
  await addFollowers(tx, actor, ticket, ids)
  await tell(tx, 'ticket.mentioned', ticket, { message_id: messageId, user_ids: ids })
}
