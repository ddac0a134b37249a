/** Tickets and messages as clients see them: whole for the house, and for requesters without what is the house's own. */
import { sql } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import {
  Id,
  JsonObject,
  NullableId,
  NullableInteger,
  NullableText,
  NullableTimestamp,
  OneOf,
  Timestamp,
} from '#platform/http/shapes.ts'
import { nameOf } from '#modules/accounts/index.ts'
import { isOfTheHouse, visibleMessages } from './access.ts'
import { readerOf } from './reading.ts'
import { possibleMoves, ticketMoves } from './ticket-status.ts'
import { priorities, ticketSources, ticketStatuses, type Ticket, type TicketMessage } from './tables.ts'

const houseOnly = 'For those who work at the help desk alone'

export const ticketFields = {
  id: Id,
  ticket_number: Type.String(),
  contact_id: Type.Optional(NullableId),
  user_id: NullableId,
  assigned_to: Type.Optional(NullableId),
  assigned_to_name: Type.Optional(NullableText),
  subject: Type.String(),
  description: Type.String(),
  status: OneOf(ticketStatuses),
  priority: OneOf(priorities),
  category: NullableText,
  source: OneOf(ticketSources),
  contact_email: Type.String(),
  contact_name: Type.String(),
  first_response_at: NullableTimestamp,
  resolved_at: NullableTimestamp,
  closed_at: NullableTimestamp,
  resolution_notes: NullableText,
  satisfaction_rating: NullableInteger,
  satisfaction_comment: NullableText,
  follow_up_of: NullableId,
  last_message_at: Timestamp,
  created_at: Timestamp,
  updated_at: Timestamp,
  internal_notes: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], description: houseOnly })),
  tags: Type.Optional(Type.Array(Type.String(), { description: houseOnly })),
  metadata: Type.Optional(Type.Unsafe<Record<string, unknown>>({ ...JsonObject, description: houseOnly })),
  first_response_due_at: Type.Optional(NullableTimestamp),
  next_response_due_at: Type.Optional(NullableTimestamp),
  resolution_due_at: Type.Optional(NullableTimestamp),
  due_at: Type.Optional(
    Type.Unsafe<Date | null>({ type: ['string', 'null'], format: 'date-time', description: 'The next of the three' }),
  ),
  at_risk_at: Type.Optional(
    Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When the warning comes, or came, of the first of them that can still be kept',
    }),
  ),
  first_response_breached_at: Type.Optional(NullableTimestamp),
  next_response_breached_at: Type.Optional(NullableTimestamp),
  resolution_breached_at: Type.Optional(NullableTimestamp),
  is_escalated: Type.Optional(Type.Boolean()),
  escalated_at: Type.Optional(NullableTimestamp),
  waiting_since: Type.Optional(
    Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'Since when the requester waits for an answer',
    }),
  ),
  reopened_count: Type.Optional(Type.Integer()),
  merged_into: Type.Optional(NullableId),
  deleted_at: Type.Optional(NullableTimestamp),
  moves: Type.Array(OneOf(ticketMoves), { description: 'What may be done with its status now, by whoever asks' }),
}
export const TicketView = Type.Object(ticketFields, { $id: 'Ticket' })
export type TicketView = Static<typeof TicketView>

export const MessageView = Type.Object(
  {
    id: Id,
    ticket_id: Id,
    user_id: NullableId,
    author_kind: OneOf(['requester', 'house', 'program']),
    author_name: Type.String(),
    author_email: NullableText,
    content: Type.String(),
    is_internal: Type.Boolean(),
    source: OneOf(ticketSources),
    is_read: Type.Boolean({ description: 'By whoever asks; their own messages always are' }),
    read_at: NullableTimestamp,
    mentions: Type.Optional(Type.Array(Id, { description: 'Colleagues who were called in by it' })),
    edited_at: NullableTimestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'TicketMessage' },
)
export type MessageView = Static<typeof MessageView>

/** All but the name of the agent, which is of another record: `nameAgents` adds it. */
export function viewUnnamed(actor: Actor, ticket: Ticket): TicketView {
  if (!isOfTheHouse(actor)) return viewForRequester(ticket)
  return {
    ...viewForRequester(ticket),
    contact_id: ticket.contact_id,
    assigned_to: ticket.assigned_to,
    internal_notes: ticket.internal_notes,
    tags: ticket.tags,
    metadata: ticket.metadata,
    first_response_due_at: ticket.first_response_due_at,
    next_response_due_at: ticket.next_response_due_at,
    resolution_due_at: ticket.resolution_due_at,
    due_at: ticket.due_at,
    at_risk_at: ticket.at_risk_at,
    first_response_breached_at: ticket.first_response_breached_at,
    next_response_breached_at: ticket.next_response_breached_at,
    resolution_breached_at: ticket.resolution_breached_at,
    is_escalated: ticket.is_escalated,
    escalated_at: ticket.escalated_at,
    waiting_since: ticket.waiting_since,
    reopened_count: ticket.reopened_count,
    merged_into: ticket.merged_into,
    deleted_at: ticket.deleted_at,
    moves: possibleMoves(ticket.status),
  }
}

/** A whole page at once: names of agents come in one query, and nobody else's view has them. */
export async function nameAgents<View extends Pick<TicketView, 'assigned_to'>>(tx: Tx, views: View[]): Promise<View[]> {
  const agents = views.flatMap((view) => view.assigned_to ?? [])
  const names = await nameOf(tx, agents)
  return views.map((view) =>
    view.assigned_to === undefined
      ? view
      : { ...view, assigned_to_name: view.assigned_to ? (names.get(view.assigned_to) ?? '') : null },
  )
}

export async function viewTicket(tx: Tx, actor: Actor, ticket: Ticket): Promise<TicketView> {
  const [view] = await nameAgents(tx, [viewUnnamed(actor, ticket)])
  return view!
}

/** Named one by one, so that a new column is nobody's until somebody says so. */
function viewForRequester(ticket: Ticket): TicketView {
  return {
    id: ticket.id,
    ticket_number: ticket.ticket_number,
    user_id: ticket.user_id,
    subject: ticket.subject,
    description: ticket.description,
    status: ticket.status,
    priority: ticket.priority,
    category: ticket.category,
    source: ticket.source,
    contact_email: ticket.contact_email,
    contact_name: ticket.contact_name,
    first_response_at: ticket.first_response_at,
    resolved_at: ticket.resolved_at,
    closed_at: ticket.closed_at,
    resolution_notes: ticket.resolution_notes,
    satisfaction_rating: ticket.satisfaction_rating,
    satisfaction_comment: ticket.satisfaction_comment,
    follow_up_of: ticket.follow_up_of,
    last_message_at: ticket.last_message_at,
    created_at: ticket.created_at,
    updated_at: ticket.updated_at,
    moves: ticket.status === 'closed' ? [] : ['close'],
  }
}

interface MessageRow extends TicketMessage {
  read_at: Date | null
  mentions: string[]
  sort_key: string
}

export interface ThreadQuery {
  limit?: number
  cursor?: string
  sort?: 'created_at' | '-created_at'
  count?: 'exact'
}

/** The thread, oldest first unless told otherwise; only what this actor may read. The caller has found the ticket. */
export async function listMessages(tx: Tx, actor: Actor, ticketId: string, query: ThreadQuery) {
  const limit = query.limit ?? 50
  const byTime = { created_at: { expression: sql`m.created_at`, type: 'timestamptz' as const } }
  const order = parseSort(query.sort, byTime, 'created_at')
  const after = afterCursor(query.cursor, order, sql`m.id`)
  const from = sql`from support.messages m
    where m.workspace_id = ${tx.workspaceId}::uuid and m.ticket_id = ${ticketId}::uuid and m.deleted_at is null
      and ${visibleMessages(actor)}`
  const { rows } = await sql<MessageRow>`
    select m.*, m.created_at::text as sort_key, ${readAndCalled(actor)} ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(order, sql`m.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = !after && rows.length <= limit ? rows.length : await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, order, (row) => toMessageView(actor, row)), total }
}

export async function viewMessage(tx: Tx, actor: Actor, message: TicketMessage): Promise<MessageView> {
  const { rows } = await sql<Pick<MessageRow, 'read_at' | 'mentions'>>`
    select ${readAndCalled(actor)} from support.messages m where m.id = ${message.id}`.execute(tx.sql)
  return toMessageView(actor, { ...message, ...rows[0]!, sort_key: '' })
}

function readAndCalled(actor: Actor) {
  return sql`(
    select r.read_at from support.message_reads r
    where r.workspace_id = m.workspace_id and r.message_id = m.id and r.reader_id = ${readerOf(actor)}::uuid) as read_at,
    array(select c.user_id from support.mentions c where c.workspace_id = m.workspace_id and c.message_id = m.id
      order by c.user_id) as mentions`
}

/** Of who answered for the house, requesters see the name alone. */
function toMessageView(actor: Actor, row: MessageRow): MessageView {
  const isHouse = isOfTheHouse(actor)
  const isOwn = row.user_id !== null && row.user_id === readerOf(actor)
  const isKnown = isHouse || row.author_kind === 'requester'
  return {
    id: row.id,
    ticket_id: row.ticket_id,
    user_id: isKnown ? row.user_id : null,
    author_kind: row.author_kind,
    author_name: row.author_name,
    author_email: isKnown ? row.author_email : null,
    content: row.content,
    is_internal: row.is_internal,
    source: row.source,
    is_read: isOwn || row.read_at !== null,
    read_at: isOwn ? row.created_at : row.read_at,
    ...(isHouse ? { mentions: row.mentions } : {}),
    edited_at: row.edited_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}
