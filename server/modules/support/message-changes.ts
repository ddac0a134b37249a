/** Messages that are changed after they were said: what they said before stays in their history. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Forbidden, NotFound } from '#platform/errors.ts'
import { isOfTheHouse, personOf } from './access.ts'
import { getMessage } from './messages.ts'
import { getTicket, lockTicket } from './tickets.ts'
import type { Ticket, TicketMessage } from './tables.ts'

/** Its author alone puts other words into a message; what it said before stays in its history. */
export async function editMessage(
  tx: Tx,
  actor: Actor,
  place: { ticketId: string; id: string },
  content: string,
  ifVersion: number | undefined,
): Promise<TicketMessage> {
  const ticket = await lockTicket(tx, actor, place.ticketId)
  const message = await getMessage(tx, actor, ticket.id, place.id)
  checkVersion(message.version, ifVersion)
  if (!isAuthor(actor, message)) throw new Forbidden('not_the_author', 'Only its author can change a message.')
  requireUnended(actor, ticket)
  if (message.content === content) return message
  await keepVersion(tx, actor, message, 'edited')
  return tx.sql
    .updateTable('support.messages')
    .set({ content, edited_at: tx.now })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', message.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Its author, or an admin. The words go into the history, which only the house can read. */
export async function deleteMessage(
  tx: Tx,
  actor: Actor,
  place: { ticketId: string; id: string },
  ifVersion: number | undefined,
): Promise<void> {
  const ticket = await lockTicket(tx, actor, place.ticketId)
  const message = await getMessage(tx, actor, ticket.id, place.id)
  checkVersion(message.version, ifVersion)
  const isAdmin = isOfTheHouse(actor) && actor.role !== 'agent'
  if (!isAuthor(actor, message) && !isAdmin) {
    throw new Forbidden('not_the_author', 'Only its author, or an admin, can delete a message.')
  }
  requireUnended(actor, ticket)
  await keepVersion(tx, actor, message, 'deleted')
  await tx.sql
    .updateTable('support.messages')
    .set({ content: '', deleted_at: tx.now })
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', message.id)
    .execute()
}

/** Of deleted ones too: that is where their words are. */
export async function listVersions(tx: Tx, actor: Actor, ticketId: string, id: string) {
  await getTicket(tx, actor, ticketId)
  const message = await tx.sql
    .selectFrom('support.messages')
    .select('id')
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticketId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!message) throw new NotFound('message')
  return tx.sql
    .selectFrom('support.message_versions')
    .select(['version', 'content', 'what', 'ended_at', 'ended_by_name'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('message_id', '=', id)
    .orderBy('version')
    .execute()
}

async function keepVersion(tx: Tx, actor: Actor, message: TicketMessage, what: 'edited' | 'deleted'): Promise<void> {
  await tx.sql
    .insertInto('support.message_versions')
    .values({
      workspace_id: tx.workspaceId,
      message_id: message.id,
      version: message.version,
      content: message.content,
      what,
      ended_at: tx.now,
      ended_by: personOf(actor),
      ended_by_name: actor.name,
    })
    .execute()
}

function isAuthor(actor: Actor, message: TicketMessage): boolean {
  const person = personOf(actor)
  return person !== null && person === message.user_id
}

/** What was said when a matter was settled is what was settled. */
function requireUnended(actor: Actor, ticket: Ticket): void {
  if (ticket.status !== 'closed' || isOfTheHouse(actor)) return
  throw new Conflict('ticket_closed', 'This ticket is closed; its messages stay as they are. Write a new one instead.')
}
