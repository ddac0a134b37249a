/**
 * What one ticket has to do with another. A link of a merged ticket is the survivor's, as long as the merge stands; it stays
 * where it was made, so that an undo finds it there. Whoever does not see the other ticket does not see the link.
 */
import './tables.ts'
import { sql, type RawBuilder } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, Invalid, NotFound, RapportError } from '#platform/errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { newId } from '#platform/ids.ts'
import { isOfTheHouse, visibleTo } from '../access.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { MergedTicket } from '../merged.ts'
import { record, tell } from '../ticket-events.ts'
import { getTicket, lockTicket } from '../tickets.ts'
import type { Ticket, TicketStatus } from '../tables.ts'
import type { LinkKind } from './tables.ts'

/** How a link reads from either end; the first is as it was made. */
const readings: Record<LinkKind, [string, string]> = {
  related: ['related', 'related'],
  duplicate_of: ['duplicate_of', 'duplicated_by'],
  blocks: ['blocks', 'blocked_by'],
  causes: ['causes', 'caused_by'],
  may_belong_to: ['may_belong_to', 'may_include'],
}
export const relations = [...new Set(Object.values(readings).flat())]

export interface LinkedTicket {
  id: string
  kind: LinkKind
  relation: string
  created_at: Date
  ticket: { id: string; ticket_number: string; subject: string; status: TicketStatus }
}

interface Row {
  id: string
  kind: LinkKind
  is_from: boolean
  created_at: Date
  other_id: string
  ticket_number: string
  subject: string
  status: TicketStatus
  sort_key: string
}

export interface LinksQuery {
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** In the order in which they were made. */
export async function listLinks(tx: Tx, actor: Actor, ticketId: string, query: LinksQuery) {
  await getTicket(tx, actor, ticketId)
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`l.created_at`, type: 'timestamptz' as const } }
  const order = parseSort(undefined, byTime, 'created_at')
  const after = afterCursor(query.cursor, order, sql`l.id`)
  const from = fromLinks(tx, actor, ticketId)
  const { rows } = await sql<Row>`
    select l.*, l.created_at::text as sort_key, t.id as other_id, t.ticket_number, t.subject, t.status
    ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(order, sql`l.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = !after && rows.length <= limit ? rows.length : await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, order, toLinked), total }
}

/** Linking what is linked so already is refused, in whichever direction. */
export async function linkTickets(
  tx: Tx,
  actor: Actor,
  ticketId: string,
  { ticket_id, kind }: { ticket_id: string; kind: LinkKind },
): Promise<LinkedTicket> {
  const [fromId, toId] = [ticketId.toLowerCase(), ticket_id.toLowerCase()]
  if (fromId === toId) throw Invalid.at('/ticket_id', 'itself', 'A ticket has no link to itself. Name another one.')
  const ticket = await lockTicket(tx, actor, fromId)
  await requireOther(tx, actor, toId)
  const id = newId()
  await orRefuse(
    tx.sql
      .insertInto('support.ticket_links')
      .values({
        workspace_id: tx.workspaceId,
        id,
        from_id: fromId,
        to_id: toId,
        kind,
        created_by: isOfTheHouse(actor) ? actor.id : null,
        created_at: tx.now,
      })
      .execute(),
    {
      ticket_link_once: () =>
        new Conflict('link_exists', 'These tickets are linked so already, in this direction or the other.'),
    },
  )
  await note(tx, actor, ticket, { link: { id, kind, ticket_id: toId } })
  return (await findLink(tx, actor, fromId, id))!
}

/** From either end. */
export async function unlinkTickets(tx: Tx, actor: Actor, ticketId: string, linkId: string): Promise<void> {
  const ticket = await lockTicket(tx, actor, ticketId)
  const link = await findLink(tx, actor, ticketId, linkId)
  if (!link) throw new NotFound('link')
  await tx.sql
    .deleteFrom('support.ticket_links')
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', linkId)
    .execute()
  await note(tx, actor, ticket, { unlink: { id: link.id, kind: link.kind, ticket_id: link.ticket.id } })
}

async function requireOther(tx: Tx, actor: Actor, id: string): Promise<void> {
  try {
    await getTicket(tx, actor, id)
  } catch (error) {
    if (error instanceof MergedTicket) {
      throw Invalid.at('/ticket_id', 'merged', `This ticket was merged into ${error.survivorId}. Name that one.`)
    }
    if (error instanceof RapportError) throw Invalid.at('/ticket_id', 'not_found', 'There is no such ticket here.')
    throw error
  }
}

async function findLink(tx: Tx, actor: Actor, ticketId: string, linkId: string): Promise<LinkedTicket | null> {
  const { rows } = await sql<Row>`
    select l.*, t.id as other_id, t.ticket_number, t.subject, t.status
    ${fromLinks(tx, actor, ticketId)} and l.id = ${linkId}::uuid`.execute(tx.sql)
  return rows[0] ? toLinked(rows[0]) : null
}

/** Both directions, by an index each; `t` is the other ticket, or what it was merged into. */
function fromLinks(tx: Tx, actor: Actor, ticketId: string): RawBuilder<unknown> {
  const own = sql`array(select ${ticketId}::uuid union all
    select d.id from support.tickets d where d.workspace_id = ${tx.workspaceId}::uuid and d.merged_into = ${ticketId}::uuid)`
  return sql`from (
      select k.id, k.kind, k.created_at, true as is_from, k.to_id as named_id from support.ticket_links k
      where k.workspace_id = ${tx.workspaceId}::uuid and k.from_id = any(${own})
      union all
      select k.id, k.kind, k.created_at, false, k.from_id from support.ticket_links k
      where k.workspace_id = ${tx.workspaceId}::uuid and k.to_id = any(${own})) as l
    join support.tickets n on n.workspace_id = ${tx.workspaceId}::uuid and n.id = l.named_id
    join support.tickets t on t.workspace_id = n.workspace_id and t.id = coalesce(n.merged_into, n.id)
    where t.id <> ${ticketId}::uuid and t.deleted_at is null and ${visibleTo(actor)}`
}

function toLinked(row: Row): LinkedTicket {
  const { id, kind, created_at, other_id, ticket_number, subject, status } = row
  const relation = readings[kind][row.is_from ? 0 : 1]
  return { id, kind, relation, created_at, ticket: { id: other_id, ticket_number, subject, status } }
}

async function note(tx: Tx, actor: Actor, ticket: Ticket, data: Record<string, unknown>): Promise<void> {
  await record(tx, actor, ticket.id, [{ type: 'changed', data: { fields: ['links'], ...data } }])
  await tell(tx, 'ticket.updated', ticket, { changed: ['links'] })
}
