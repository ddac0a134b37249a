/** A canned reply as it would be said in one ticket, by one person. Nothing is sent by it. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { RapportError } from '#platform/errors.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { getContact } from '#modules/contacts/index.ts'
import type { Ticket } from '../tables.ts'
import { getTicket } from '../tickets.ts'
import { getReply } from './replies.ts'
import { render, type Values, type VariableName } from './variables.ts'

export async function previewReply(
  tx: Tx,
  actor: Actor,
  ticketId: string,
  replyId: string,
): Promise<{ content: string; missing: VariableName[] }> {
  const ticket = await getTicket(tx, actor, ticketId)
  const reply = await getReply(tx, actor, replyId)
  return render(reply.content, await valuesFor(tx, actor, ticket))
}

async function valuesFor(tx: Tx, actor: Actor, ticket: Ticket): Promise<Values> {
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const contact = await requesterOf(tx, ticket)
  return {
    'contact.first_name': contact?.first_name ?? '',
    'contact.last_name': contact?.last_name ?? '',
    'contact.full_name': contact ? `${contact.first_name} ${contact.last_name}`.trim() : ticket.contact_name,
    'contact.email': contact?.email ?? ticket.contact_email,
    'contact.company': contact?.company ?? '',
    'contact.phone': contact?.phone ?? '',
    'ticket.ticket_number': ticket.ticket_number,
    'ticket.subject': ticket.subject,
    'ticket.category': ticket.category ?? '',
    'agent.name': actor.name,
    'agent.email': actor.email ?? '',
    'workspace.name': workspace.name,
  }
}

/** Erased, deleted and merged ones leave what the ticket itself says of its requester. */
async function requesterOf(tx: Tx, { contact_id: id }: Ticket) {
  if (!id) return null
  try {
    return await getContact(tx, id)
  } catch (error) {
    if (error instanceof RapportError) return null
    throw error
  }
}
