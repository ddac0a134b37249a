/** The conversation of a ticket: what is said, by whom, and what a word of either side does to the ticket. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { Conflict, Forbidden, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { isOfTheHouse, kindOf, personOf, visibleMessages } from './access.ts'
import { mentionColleagues } from './followers.ts'
import { moveTicket } from './moves.ts'
import { record, tell, type LedgerEntry } from './ticket-events.ts'
import { openTicket } from './opening.ts'
import { getTicket, lockTicket } from './tickets.ts'
import { isEnded } from './ticket-status.ts'
import type { AuthorKind, Ticket, TicketMessage, TicketSource, TicketUpdate } from './tables.ts'

export interface NewMessage {
  content: string
  is_internal?: boolean
  /** What an answer of the house leads to; `in_progress` unless told otherwise. */
  status?: 'in_progress' | 'waiting_customer' | 'resolved'
  /** Colleagues to call in, by their ids. */
  mentions?: string[]
  /** The last message that the author has seen, null for none: who answers meanwhile is not talked past. */
  if_last_message_id?: string | null
}

/** What callers inside the program know of the author beyond the actor. */
export interface MessageOptions {
  /** Where the actor has no account: the requester by mail or by the public page, or a program. */
  author?: { kind: AuthorKind; name: string; email: string }
  source?: TicketSource
  /** The merged ticket that it was said to. */
  cameFrom?: string | null
}

export interface Said {
  message: TicketMessage
  /** As it is now. Another one than was written to, where that one had been closed for too long. */
  ticket: Ticket
}

/** For doors: finds and holds the ticket, as far as this actor may see it. */
export async function postMessage(
  tx: Tx,
  actor: Actor,
  ticketId: string,
  input: NewMessage,
  services: Pick<Services, 'config'>,
): Promise<Said> {
  const ticket = await lockTicket(tx, actor, ticketId)
  if (input.if_last_message_id !== undefined) await requireLastSeen(tx, actor, ticket, input.if_last_message_id)
  return addMessage(tx, actor, ticket, input, services)
}

/** The ticket is held, so that nobody answers between this question and the answer. */
async function requireLastSeen(tx: Tx, actor: Actor, ticket: Ticket, seenId: string | null): Promise<void> {
  const { rows } = await sql<Pick<TicketMessage, 'id' | 'author_name'>>`
    select m.id, m.author_name from support.messages m
    where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = ${ticket.id}::uuid and m.deleted_at is null
      and ${visibleMessages(actor)}
    order by m.created_at desc, m.id desc limit 1`.execute(tx.sql)
  const lastId = rows[0]?.id ?? null
  if (lastId === (seenId?.toLowerCase() ?? null)) return
  throw new Conflict(
    'answered_meanwhile',
    'Somebody wrote in this ticket meanwhile. Read it, then send your answer again with the last_message_id of this reply.',
    { more: { last_message_id: lastId } },
  )
}

/**
 * The caller holds the ticket. The requester's word brings a ticket back that had ended, within the days that
 * REOPEN_WINDOW_DAYS gives; later it opens a new one that follows it. A public word of the house is its answer.
 */
export async function addMessage(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  input: NewMessage,
  services: Pick<Services, 'config'>,
  options: MessageOptions = {},
): Promise<Said> {
  const isInternal = input.is_internal ?? false
  const author = options.author ?? authorOf(actor, ticket, isInternal)
  requireLeave(actor, author.kind, input)
  if (author.kind === 'requester' && isOver(tx, ticket, services)) {
    return startFollowUp(tx, actor, ticket, input, services, options)
  }
  const message = await tx.sql
    .insertInto('support.messages')
    .values({
      workspace_id: tx.workspaceId,
      id: newId(),
      ticket_id: ticket.id,
      user_id: author.kind === 'program' ? null : personOf(actor),
      author_kind: author.kind,
      author_name: author.name,
      author_email: author.email,
      content: input.content,
      is_internal: isInternal,
      source: options.source ?? 'web',
      came_from: options.cameFrom ?? null,
      created_at: tx.now,
      updated_at: tx.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const after = await noteWord(tx, actor, ticket, message)
  await tellMessage(tx, after, message)
  if (input.mentions?.length) await mentionColleagues(tx, actor, after, message.id, input.mentions)
  return { message, ticket: await followWord(tx, actor, after, message, input.status) }
}

export async function getMessage(tx: Tx, actor: Actor, ticketId: string, id: string): Promise<TicketMessage> {
  await getTicket(tx, actor, ticketId)
  const { rows } = await sql<TicketMessage>`
    select m.* from support.messages m
    where m.id = ${id} and m.ticket_id = ${ticketId} and m.deleted_at is null and ${visibleMessages(actor)}`.execute(
    tx.sql,
  )
  if (!rows[0]) throw new NotFound('message')
  return rows[0]
}

/** Somebody of the house who asks for help is the requester of that ticket, unless they work on it themselves. */
function authorOf(actor: Actor, ticket: Ticket, isInternal: boolean): NonNullable<MessageOptions['author']> {
  const person = personOf(actor)
  const asksForHelp = person !== null && person === ticket.user_id && person !== ticket.assigned_to && !isInternal
  return { kind: asksForHelp ? 'requester' : kindOf(actor), name: actor.name, email: actor.email ?? '' }
}

function requireLeave(actor: Actor, kind: AuthorKind, input: NewMessage): void {
  if (kind !== 'requester') return
  if (input.is_internal) throw new Forbidden('internal', 'Internal notes are for those who work at the help desk.')
  const named = (['status', 'mentions'] as const).find((name) => input[name] !== undefined)
  if (named && !isOfTheHouse(actor)) {
    throw Invalid.at(`/${named}`, 'not_yours', `Only the help desk may set ${named}. Leave it out.`)
  }
}

function isOver(tx: Tx, ticket: Ticket, { config }: Pick<Services, 'config'>): boolean {
  const endedAt = ticket.closed_at ?? ticket.resolved_at
  if (!isEnded(ticket.status) || !endedAt) return false
  return tx.now.getTime() - endedAt.getTime() > config.tickets.reopenWindowDays * 86_400_000
}

/** The first word of the new ticket is the message itself, so that nothing stands there twice. */
async function startFollowUp(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  input: NewMessage,
  services: Pick<Services, 'config'>,
  options: MessageOptions,
): Promise<Said> {
  const fields = { subject: ticket.subject, description: '', priority: ticket.priority, category: ticket.category }
  const requester = {
    ...(ticket.contact_id ? { contact_id: ticket.contact_id } : {}),
    contact_email: ticket.contact_email,
    contact_name: ticket.contact_name,
  }
  const asSystem: Actor = { ...actor, kind: 'system', role: 'owner', scopes: null }
  const followUp = await openTicket(tx, asSystem, { ...fields, ...requester }, services, { followUpOf: ticket })
  return addMessage(tx, actor, followUp, input, services, { ...options, cameFrom: null })
}

/** What the record knows of the conversation: who waits for whom, and since when. */
async function noteWord(tx: Tx, actor: Actor, ticket: Ticket, message: TicketMessage): Promise<Ticket> {
  const { id, is_internal, author_kind } = message
  const entries: LedgerEntry[] = [{ type: 'message', data: { message_id: id, is_internal, author_kind } }]
  const set: TicketUpdate = { last_message_at: tx.now }
  if (author_kind === 'requester') set.waiting_since = ticket.waiting_since ?? tx.now
  if (author_kind === 'house' && !is_internal) {
    set.waiting_since = null
    if (!ticket.first_response_at) {
      set.first_response_at = tx.now
      entries.push({ type: 'first_response', data: { message_id: id } })
    }
  }
  await record(tx, actor, ticket.id, entries)
  return tx.sql
    .updateTable('support.tickets')
    .set(set)
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', ticket.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Of an internal note, everybody outside hears that there is one, and not a word of it. */
async function tellMessage(tx: Tx, ticket: Ticket, message: TicketMessage): Promise<void> {
  const { id: message_id, is_internal, author_kind, source, content } = message
  await tell(tx, 'ticket.message.new', ticket, {
    message_id,
    is_internal,
    author_kind,
    message_source: source,
    ...(is_internal ? {} : { content, author_name: message.author_name }),
  })
}

async function followWord(
  tx: Tx,
  actor: Actor,
  ticket: Ticket,
  { author_kind, is_internal }: TicketMessage,
  status: NewMessage['status'],
): Promise<Ticket> {
  if (author_kind === 'requester') return moveTicket(tx, actor, ticket, isEnded(ticket.status) ? 'reopen' : 'answer')
  if (status === 'resolved') return moveTicket(tx, actor, ticket, 'resolve')
  if (status) return moveTicket(tx, actor, ticket, status === 'in_progress' ? 'start' : 'ask')
  const begins = author_kind === 'house' && !is_internal && ['open', 'assigned'].includes(ticket.status)
  // A key answers too, but cannot have a ticket.
  return begins && (ticket.assigned_to || personOf(actor)) ? moveTicket(tx, actor, ticket, 'start') : ticket
}
