/**
 * Which ticket a mail belongs to. The signed address or a signed message id names one; ids of the person's own mails do so
 * among that person's tickets alone; a subject never does. Naming a ticket is not enough: the sender must be its requester.
 * Our signature went to the requester's mailbox alone, and proves it unless the sender's domain disowns the mail; the ids of
 * one's own mails prove nothing, so that there the domain must vouch for it. Everybody else opens a ticket of their own, and
 * sees nothing of the other; for the house the two are linked.
 */
import './mail-tables.ts'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { openMailToken, tokensInMessageIds } from '#platform/mail-in/address-token.ts'
import type { InboundMail } from '#platform/mail-in/handler.ts'
import { systemActor } from '#platform/actor.ts'
import { resolveContacts } from '#modules/contacts/index.ts'
import type { Ticket } from '../tables.ts'

export interface Thread {
  ticket: Ticket
  /** False: the mail names this ticket, and may not speak in it. */
  mayJoin: boolean
}

export async function findThread(tx: Tx, services: Services, mail: InboundMail): Promise<Thread | null> {
  const ids = [...mail.inReplyTo, ...mail.references.toReversed()]
  const signed = await liveTicket(tx, idsBySignature(tx, services, mail, ids))
  const ticket = signed ?? (await liveTicket(tx, await idsByOwnMails(tx, mail, ids)))
  if (!ticket) return null
  const isBelieved = signed ? mail.sender !== 'fail' : mail.sender === 'pass'
  return { ticket, mayJoin: isBelieved && (await isRequester(tx, mail, ticket)) }
}

/** Of a report about a mail of ours: the ticket that it went out for. Nobody joins anything by this. */
export async function ticketOfReport(
  tx: Tx,
  services: Services,
  mail: InboundMail,
  returnedIds: readonly string[],
): Promise<Ticket | null> {
  return liveTicket(tx, idsBySignature(tx, services, mail, returnedIds))
}

function idsBySignature(tx: Tx, services: Services, mail: InboundMail, ids: readonly string[]): string[] {
  const tags = mail.destinations.flatMap(({ tag }) => tag ?? [])
  const tokens = [...tags, ...tokensInMessageIds(ids)]
  return tokens.flatMap((token) => openMailToken(services, 'ticket', tx.workspaceId, token) ?? [])
}

async function idsByOwnMails(tx: Tx, mail: InboundMail, ids: readonly string[]): Promise<string[]> {
  if (!ids.length || !mail.from) return []
  const rows = await tx.sql
    .selectFrom('support.ticket_mails')
    .select('ticket_id')
    .where('workspace_id', '=', tx.workspaceId)
    .where('mail_id', 'in', ids)
    .where('email', '=', mail.from.address.toLowerCase())
    .orderBy('created_at', 'desc')
    .limit(5)
    .execute()
  return rows.map(({ ticket_id }) => ticket_id)
}

/** The first of them that is still there, or what it was merged into. */
async function liveTicket(tx: Tx, ids: readonly string[]): Promise<Ticket | null> {
  if (!ids.length) return null
  const { rows } = await sql<Ticket>`
    select t.* from unnest(${ids}::uuid[]) with ordinality as named(id, place), lateral (
      select * from support.tickets where workspace_id = ${tx.workspaceId}::uuid and id = named.id limit 1) n, lateral (
      select * from support.tickets
      where workspace_id = ${tx.workspaceId}::uuid and id = coalesce(n.merged_into, n.id) and deleted_at is null limit 1) t
    order by named.place limit 1`.execute(tx.sql)
  return rows[0] ?? null
}

/** By the address of the ticket, or of the contact that it belongs to, who may have another one by now. */
async function isRequester(tx: Tx, mail: InboundMail, ticket: Ticket): Promise<boolean> {
  const email = mail.from?.address.toLowerCase()
  if (!email) return false
  if (email === ticket.contact_email.toLowerCase()) return true
  if (!ticket.contact_id) return false
  const actor = systemActor(tx.workspaceId)
  const [known] = await resolveContacts(tx, actor, [{ email, source: 'ticket' }], { create: false })
  return known?.contactId === ticket.contact_id
}
