/**
 * Tickets of people without an account. Opening one answers a token, which is the only way back to it: 128 random bits under
 * our own signature, kept here as a hash alone. Nothing is sent to the address that was typed, because anybody can type it.
 * Missing, wrong and foreign tokens look the same, and are found out by the signature before any ticket is looked up.
 */
import { randomBytes } from 'node:crypto'
import { sql, type RawBuilder } from 'kysely'
import { systemActor, type Actor } from '#platform/actor.ts'
import { hashSecret } from '#platform/crypto/random.ts'
import { packUuids, unpackUuids } from '#platform/crypto/tokens.ts'
import type { Tx } from '#platform/db/db.ts'
import { Conflict, NotFound } from '#platform/errors.ts'
import type { Services } from '#platform/services.ts'
import { resolveContacts } from '#modules/contacts/index.ts'
import { requireHouse } from '../access.ts'
import { addMessage } from '../messages.ts'
import type { Ticket, TicketMessage } from '../tables.ts'
import { openTicket } from '../opening.ts'
import { record, tell } from '../ticket-events.ts'
import { lockTicket } from '../tickets.ts'

const purpose = 'support.ticket'

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

export interface Asked {
  address: string
  token: string | null
}

export interface Found {
  /** Whose token or number it is. */
  own: Ticket
  /** What goes on: the same, or what it was merged into. */
  live: Ticket
  /** The house gave this token, and answers for it. */
  vouched: boolean
}

/**
 * The ticket that the token, or where tickets open so its number, is for; what goes on is held until the transaction ends when
 * `hold`. A token proves no address: it opens no longer once whoever has the address speaks, by mail or from an account, unless
 * the house gave it. Of a merged ticket it opens that one as it was, and never the survivor: words go on to there, if it is of
 * the same contact and of no account.
 */
export async function findPublicTicket(
  tx: Tx,
  services: Services,
  asked: Asked,
  { hold = false } = {},
): Promise<Found> {
  const { address, token } = asked
  const holder = token === null ? null : readToken(services, token)
  if (token !== null && holder?.workspaceId !== tx.workspaceId) throw new NotFound('ticket')
  const issued = sql`from support.ticket_tokens k
    where k.workspace_id = ${tx.workspaceId}::uuid and k.token_hash = ${holder ? hashSecret(token!) : null}`
  const key = holder
    ? sql`n.id = (select k.ticket_id ${issued} and (k.vouched or not ${ownerSpoke(tx, sql`k.ticket_id`)}))
        and (n.id::text = lower(${address}) or n.ticket_number = ${address})`
    : sql`n.ticket_number = ${address} and n.opens_by_number and ${services.config.tickets.publicAccess === 'number'}
        and not ${ownerSpoke(tx, sql`n.id`)}`
  const { publicDays } = services.config.tickets
  const { rows } = await sql<Ticket & { own_id: string; vouched: boolean }>`
    select t.*, n.id as own_id, coalesce((select k.vouched ${issued}), false) as vouched from support.tickets n
    join support.tickets t on t.workspace_id = n.workspace_id and t.id = coalesce(n.merged_into, n.id)
    where n.workspace_id = ${tx.workspaceId}::uuid and n.deleted_at is null and t.deleted_at is null and ${key}
      and ${leadsOn}
      and (t.closed_at is null or t.closed_at > ${tx.now}::timestamptz - make_interval(days => ${publicDays}))
    ${hold ? sql`for no key update of t` : sql``}`.execute(tx.sql)
  if (!rows[0]) throw new NotFound('ticket')
  const { own_id: ownId, vouched, ...live } = rows[0]
  return { live, own: ownId === live.id ? live : await readMerged(tx, ownId), vouched }
}

/** Whether the ticket, or what was merged into it, has words that a mailbox or an account stands for. */
function ownerSpoke(tx: Tx, id: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`exists (select from support.messages m
    where m.workspace_id = ${tx.workspaceId}::uuid and (m.ticket_id = ${id} or m.came_from = ${id})
      and m.author_kind = 'requester' and not m.is_internal and (m.source = 'email' or m.user_id is not null))`
}

const leadsOn = sql<boolean>`(n.merged_into is null or (t.contact_id = n.contact_id
  and (t.user_id is null or t.user_id = n.user_id)))`

async function readMerged(tx: Tx, id: string): Promise<Ticket> {
  const found = tx.sql.selectFrom('support.tickets').selectAll().where('workspace_id', '=', tx.workspaceId)
  return found.where('id', '=', id).executeTakeFirstOrThrow()
}

export interface PublicMessages {
  messages: Pick<TicketMessage, 'id' | 'author_kind' | 'author_name' | 'content' | 'created_at'>[]
  hasMore: boolean
}

/** Public ones alone, the newest 200, oldest first. What was said in another ticket and came by a merge may be another's. */
export async function publicMessages(tx: Tx, { own, live, vouched }: Found): Promise<PublicMessages> {
  const rows = await tx.sql
    .selectFrom('support.messages')
    .select(['id', 'author_kind', 'author_name', 'content', 'created_at'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('ticket_id', '=', live.id)
    .$if(own.id !== live.id, (said) => said.where('came_from', '=', own.id))
    .$if(own.id === live.id && !vouched, (said) => said.where('came_from', 'is', null))
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
  asked: Asked,
  content: string,
): Promise<{ message: TicketMessage; ticket: Ticket; newToken: string | null }> {
  const { own, live, vouched } = await findPublicTicket(tx, services, asked, { hold: true })
  const author = { kind: 'requester' as const, name: own.contact_name, email: '' }
  const isMerged = own.id !== live.id
  const options = { author, cameFrom: isMerged ? own.id : null }
  const said = await addMessage(tx, anonymous(tx.workspaceId), live, { content }, services, options)
  if (isMerged) return { message: said.message, ticket: own, newToken: null }
  const newToken = said.ticket.id === own.id ? null : await issueToken(tx, services, said.ticket.id, vouched)
  return { ...said, newToken }
}

/**
 * By the requester, who shows the present token: another one, and the present one is dead from this moment. So are a number
 * that opened the ticket, and what led on to it from merged ones.
 */
export async function replaceOwnToken(tx: Tx, services: Services, asked: Asked & { token: string }): Promise<Opened> {
  const { own } = await findPublicTicket(tx, services, asked)
  const ticket = await lockTicket(tx, systemActor(tx.workspaceId), own.id, { deletedToo: true })
  // Of two that replace it at once, the second one's is dead by now.
  const { vouched } = await findPublicTicket(tx, services, asked)
  return replaceToken(tx, services, anonymous(tx.workspaceId), { ticket, vouched })
}

/** By the house; only of tickets that were opened without an account. */
export async function replaceTokenOf(tx: Tx, services: Services, actor: Actor, id: string): Promise<Opened> {
  requireHouse(actor)
  const ticket = await lockTicket(tx, actor, id)
  const { rows } = await sql`
    select from support.ticket_tokens
    where workspace_id = ${tx.workspaceId}::uuid and ticket_id = ${ticket.id}::uuid limit 1`.execute(tx.sql)
  if (rows.length) return replaceToken(tx, services, actor, { ticket, vouched: true })
  throw new Conflict('no_access_token', 'This ticket was not opened without an account: no token opens it.')
}

async function replaceToken(
  tx: Tx,
  services: Services,
  actor: Actor,
  { ticket, vouched }: { ticket: Ticket; vouched: boolean },
): Promise<Opened> {
  await sql`
    delete from support.ticket_tokens k using support.tickets t
    where k.workspace_id = ${tx.workspaceId}::uuid and t.workspace_id = k.workspace_id and t.id = k.ticket_id
      and (t.id = ${ticket.id}::uuid or t.merged_into = ${ticket.id}::uuid)`.execute(tx.sql)
  const { rows } = await sql<Ticket>`
    update support.tickets t set opens_by_number = false
    where t.workspace_id = ${tx.workspaceId}::uuid and (t.id = ${ticket.id}::uuid or t.merged_into = ${ticket.id}::uuid and t.opens_by_number)
    returning t.*`.execute(tx.sql)
  const token = await issueToken(tx, services, ticket.id, vouched)
  await record(tx, actor, ticket.id, [{ type: 'changed', data: { fields: ['access_token'] } }])
  const changed = rows.find(({ id }) => id === ticket.id)!
  await tell(tx, 'ticket.updated', changed, { changed: ['access_token'] })
  return { ticket: changed, token }
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

async function issueToken(tx: Tx, services: Services, ticketId: string, vouched = false): Promise<string> {
  const payload = Buffer.concat([packUuids(tx.workspaceId, ticketId), randomBytes(16)])
  const token = services.tokens.sign(purpose, payload)
  await tx.sql
    .insertInto('support.ticket_tokens')
    .values({ workspace_id: tx.workspaceId, token_hash: hashSecret(token), ticket_id: ticketId, vouched })
    .execute()
  return token
}

/** 80 random bits in letters and digits that nobody mistakes for each other. */
function unguessable(): string {
  const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  return [...randomBytes(16)].map((byte) => letters[byte & 31]).join('')
}
