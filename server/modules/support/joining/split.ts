/**
 * Some messages become a ticket of their own, of the same requester and linked to the old one. It is taken back by merging the
 * new ticket into the old one: nothing is said in it but what came from there.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { checkVersion, Conflict, Invalid } from '#platform/errors.ts'
import { visibleMessages } from '../access.ts'
import { record, tell } from '../ticket-events.ts'
import type { Ticket } from '../tables.ts'
import { openTicket } from '../opening.ts'
import { lockTicket } from '../tickets.ts'
import { linkTickets } from './links.ts'

export const splitMax = 200

export interface SplitRequest {
  message_ids: string[]
  subject: string
}

/** Whatever else the old ticket has stays there; files go with their messages. */
export async function splitTicket(
  tx: Tx,
  actor: Actor,
  ticketId: string,
  { message_ids, subject }: SplitRequest,
  { services, ifVersion }: { services: Pick<Services, 'config'>; ifVersion?: number | undefined },
): Promise<Ticket> {
  const ticket = await lockTicket(tx, actor, ticketId)
  checkVersion(ticket.version, ifVersion)
  const ids = [...new Set(message_ids.map((id) => id.toLowerCase()))]
  await requireMessages(tx, actor, ticket, ids, message_ids)
  // Whoever the new ticket is given to by itself, it is made and linked.
  const asOwner: Actor = { ...actor, role: 'owner', scopes: null }
  const opened = await openBeside(tx, asOwner, ticket, subject, services)
  await sql`
    update support.messages set ticket_id = ${opened.id}::uuid
    where workspace_id = ${tx.workspaceId}::uuid and id = any(${ids}::uuid[])`.execute(tx.sql)
  await sql`
    update support.attachments set ticket_id = ${opened.id}::uuid
    where workspace_id = ${tx.workspaceId}::uuid and message_id = any(${ids}::uuid[])`.execute(tx.sql)
  const split = await noteWords(tx, opened)
  await linkTickets(tx, asOwner, opened.id, { ticket_id: ticket.id, kind: 'related' })
  const data = { message_ids: ids }
  await record(tx, actor, ticket.id, [{ type: 'split', to: opened.id, data }])
  const clocks = await record(tx, actor, opened.id, [{ type: 'split', from: ticket.id, data }])
  await tell(tx, 'ticket.split', ticket, { new_ticket_id: opened.id, message_ids: ids })
  tx.notify('ticket', { id: opened.id })
  return { ...split, ...clocks }
}

async function requireMessages(tx: Tx, actor: Actor, ticket: Ticket, ids: string[], asked: string[]): Promise<void> {
  const { rows } = await sql<{ id: string; is_foreign: boolean }>`
    select m.id, exists (select from support.tickets c where c.workspace_id = m.workspace_id and c.id = m.came_from
      and c.contact_id is distinct from ${ticket.contact_id}::uuid) as is_foreign
    from support.messages m
    where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = ${ticket.id}::uuid and m.id = any(${ids}::uuid[])
      and m.deleted_at is null and ${visibleMessages(actor)}`.execute(tx.sql)
  const found = new Map(rows.map((row) => [row.id, row]))
  const missing = asked.findIndex((id) => !found.has(id.toLowerCase()))
  if (missing >= 0) {
    throw Invalid.at(`/message_ids/${missing}`, 'not_found', 'There is no such message in this ticket.')
  }
  if (rows.some(({ is_foreign }) => is_foreign)) {
    throw new Conflict(
      'different_requesters',
      'Some of these messages came with a merge, from another requester’s ticket. Undo that merge instead.',
    )
  }
}

/** Opened by the program for the old ticket's requester, with or without an account; the agent decides who has it. */
async function openBeside(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  subject: string,
  services: Pick<Services, 'config'>,
): Promise<Ticket> {
  const { priority, category, contact_id, contact_email, contact_name } = ticket
  const requester = {
    ...(contact_id ? { contact_id } : {}),
    ...(contact_email ? { contact_email } : {}),
    contact_name,
  }
  if (!contact_id && !contact_email) {
    throw new Conflict('no_requester', 'The requester of this ticket was erased; nothing can be opened for nobody.')
  }
  const fields = { subject, description: '', priority, category, source: ticket.source, ...requester }
  return openTicket(tx, actor, fields, services, {
    sameRequesterAs: ticket,
    language: ticket.language,
  })
}

/** Since when somebody waits here: since the first word of the requester that nobody of the house answered after. */
async function noteWords(tx: Tx, { id }: Ticket): Promise<Ticket> {
  const { rows } = await sql<Ticket>`
    update support.tickets t set last_message_at = w.last_at, waiting_since = w.waiting_since
    from (
      select max(m.created_at) as last_at, min(m.created_at) filter (where m.author_kind = 'requester'
        and m.created_at > coalesce((select max(a.created_at) from support.messages a
          where a.workspace_id = ${tx.workspaceId}::uuid and a.ticket_id = ${id}::uuid and a.author_kind = 'house'
            and not a.is_internal), '-infinity'::timestamptz)) as waiting_since
      from support.messages m where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = ${id}::uuid) as w
    where t.workspace_id = ${tx.workspaceId}::uuid and t.id = ${id}::uuid returning t.*`.execute(tx.sql)
  return rows[0]!
}
