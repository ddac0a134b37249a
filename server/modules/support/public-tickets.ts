/**
 * Tickets of people without an account. Opening one answers a token, which is the only way back to it: 128 random bits under
 * our own signature, kept here as a hash alone. Nothing is sent to the address that was typed, because anybody can type it.
 * Missing, wrong and foreign tokens look the same, and are found out by the signature before any ticket is looked up.
 */
import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import { hashSecret } from '#platform/crypto/random.ts'
import { packUuids, unpackUuids } from '#platform/crypto/tokens.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import type { Services } from '#platform/services.ts'
import { resolveContacts } from '#modules/contacts/index.ts'
import { addMessage } from './messages.ts'
import type { Ticket, TicketMessage } from './tables.ts'
import { openTicket } from './tickets.ts'

const purpose = 'support.ticket'
/** A token opens a closed ticket for so long. */
const lastingDays = 90

export interface PublicTicket {
  email: string
  name?: string
  subject: string
  description: string
  category?: string
  language: string
}

export interface Opened {
  ticket: Ticket
  token: string
}

export function anonymous(workspaceId: string): Actor {
  return { kind: 'public', id: null, workspaceId, role: 'customer', scopes: [], email: null, name: '' }
}

export async function openPublicTicket(tx: Tx, services: Services, input: PublicTicket): Promise<Opened> {
  const actor = anonymous(tx.workspaceId)
  const { email, name, language, ...words } = input
  // Only a new contact takes what the form says: anybody may have typed it.
  const [known] = await resolveContacts(tx, actor, [{ email, source: 'ticket' }], { create: false })
  if (!known) {
    const person = { email, source: 'ticket', language, ...(name ? { full_name: name } : {}) }
    await resolveContacts(tx, actor, [person])
  }
  const byNumber = services.config.tickets.publicAccess === 'number'
  const ticket = await openTicket(
    tx,
    actor,
    { ...words, contact_email: email, ...(name ? { contact_name: name } : {}) },
    services,
    { isPublic: true, language, ...(byNumber ? { numberSuffix: unguessable() } : {}) },
  )
  return { ticket, token: await issueToken(tx, services, ticket.id) }
}

/** The ticket that the token, or where tickets open so its number, is for; held until the transaction ends when `hold`. */
export async function findPublicTicket(
  tx: Tx,
  services: Services,
  asked: { address: string; token: string | null },
  { hold = false } = {},
): Promise<Ticket> {
  const { address, token } = asked
  const holder = token === null ? null : readToken(services, token)
  if (token !== null && holder?.workspaceId !== tx.workspaceId) throw new NotFound('ticket')
  const key = holder
    ? sql`n.id = (select k.ticket_id from support.ticket_tokens k
        where k.workspace_id = ${tx.workspaceId}::uuid and k.token_hash = ${hashSecret(token!)})
        and (n.id::text = lower(${address}) or n.ticket_number = ${address}
          or t.id::text = lower(${address}) or t.ticket_number = ${address})`
    : sql`n.ticket_number = ${address} and n.opens_by_number and ${services.config.tickets.publicAccess === 'number'}`
  const { rows } = await sql<Ticket>`
    select t.* from support.tickets n
    join support.tickets t on t.workspace_id = n.workspace_id and t.id = coalesce(n.merged_into, n.id)
    where n.workspace_id = ${tx.workspaceId}::uuid and n.deleted_at is null and t.deleted_at is null and ${key}
      and ${leadsOn}
      and (t.closed_at is null or t.closed_at > ${tx.now}::timestamptz - make_interval(days => ${lastingDays}))
    ${hold ? sql`for no key update of t` : sql``}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('ticket')
  return rows[0]
}

/**
 * A merged ticket leads to its survivor for the same contact alone. No token opens what belongs to an account, unless its own
 * ticket does: a token proves no address.
 */
const leadsOn = sql<boolean>`(n.merged_into is null or (t.contact_id = n.contact_id
  and (t.user_id is null or t.user_id = n.user_id)))`

export interface PublicMessages {
  messages: Pick<TicketMessage, 'id' | 'author_kind' | 'author_name' | 'content' | 'created_at'>[]
  hasMore: boolean
}

/** Public ones alone, the newest 200, oldest first. */
export async function publicMessages(tx: Tx, ticket: Ticket): Promise<PublicMessages> {
  const rows = await tx.sql
    .selectFrom('support.messages')
    .select(['id', 'author_kind', 'author_name', 'content', 'created_at'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', ticket.id)
    .where('is_internal', '=', false)
    .where('deleted_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(201)
    .execute()
  return { messages: rows.slice(0, 200).toReversed(), hasMore: rows.length > 200 }
}

/**
 * Whoever holds the token speaks as the requester, and no mailbox vouches for it: hence a name and no address. A ticket
 * that follows the old one has a token of its own.
 */
export async function addPublicMessage(
  tx: Tx,
  services: Services,
  asked: { address: string; token: string | null },
  content: string,
): Promise<{ message: TicketMessage; ticket: Ticket; newToken: string | null }> {
  const ticket = await findPublicTicket(tx, services, asked, { hold: true })
  const author = { kind: 'requester' as const, name: ticket.contact_name, email: '' }
  const said = await addMessage(tx, anonymous(tx.workspaceId), ticket, { content }, services, { author })
  const newToken = said.ticket.id === ticket.id ? null : await issueToken(tx, services, said.ticket.id)
  return { ...said, newToken }
}

/** Says the workspace that a token is for, without looking anything up; null when it is not one of ours. */
export function readToken(
  services: Pick<Services, 'tokens'>,
  token: string,
): { workspaceId: string; ticketId: string } | null {
  const payload = services.tokens.open(purpose, token)
  const ids = payload && payload.length === 48 ? unpackUuids(payload.subarray(0, 32), 2) : null
  return ids ? { workspaceId: ids[0]!, ticketId: ids[1]! } : null
}

async function issueToken(tx: Tx, services: Services, ticketId: string): Promise<string> {
  const payload = Buffer.concat([packUuids(tx.workspaceId, ticketId), randomBytes(16)])
  const token = services.tokens.sign(purpose, payload)
  await tx.sql
    .insertInto('support.ticket_tokens')
    .values({ workspace_id: tx.workspaceId, token_hash: hashSecret(token), ticket_id: ticketId })
    .execute()
  return token
}

/** 80 random bits in letters and digits that nobody mistakes for each other. */
function unguessable(): string {
  const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  return [...randomBytes(16)].map((byte) => letters[byte & 31]).join('')
}
