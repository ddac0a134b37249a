/** How tickets begin. Any number at once, in as many statements as one takes. */
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { Invalid } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { isOfTheHouse } from './access.ts'
import { assignWaiting } from './assignment/assigning.ts'
import { giveTicket } from './moves.ts'
import { findRequesters, type NamedRequester, type Requester } from './requester.ts'
import { recordOpened, tellAll } from './ticket-events.ts'
import { drawTicketNumbers } from './ticket-numbers.ts'
import { cleanTags } from './ticket-tags.ts'
import type { Priority, Ticket, TicketSource } from './tables.ts'

export interface NewTicket extends NamedRequester {
  subject: string
  description: string
  priority?: Priority
  category?: string | null
  source?: TicketSource
  tags?: string[]
  metadata?: Record<string, unknown>
  internal_notes?: string | null
  assigned_to?: string | null
}

/** What callers inside the program know beyond what a client may say. */
export interface OpeningOptions {
  /** The ticket that this one follows: its requester is this one's, with or without an account. */
  followUpOf?: Ticket
  /** The ticket that this one was split from: its requester is this one's as well. */
  sameRequesterAs?: Ticket
  /** Appended to the number, for those who have nothing else to show: see docs/decisions/0031. */
  numberSuffix?: string
  /** By somebody without an account: the address is what they say, so the ticket is not put into the account that has it. */
  isPublic?: boolean
  /** BCP 47; the contact's own without it. */
  language?: string
}

/** Only the house may say these. */
const houseFields = [
  'contact_id',
  'contact_email',
  'tags',
  'internal_notes',
  'assigned_to',
] as const satisfies (keyof NewTicket)[]

/** A person who asks for themselves, the house for somebody, or another part of the program: all open tickets here. */
export async function openTicket(
  tx: Tx,
  actor: Actor,
  input: NewTicket,
  services: Pick<Services, 'config'>,
  options: OpeningOptions = {},
): Promise<Ticket> {
  if (!isOfTheHouse(actor) && !options.isPublic) refuseHouseFields(input, houseFields)
  const [opened] = await write(tx, actor, [{ input, options }], services)
  if (input.assigned_to) return giveTicket(tx, actor, opened!, input.assigned_to, '/assigned_to')
  const given = await assignWaiting(tx, services)
  return given.find(({ id }) => id === opened!.id) ?? opened!
}

/** For other parts of the program, such as mail: answered in the order in which they were named. */
export async function openTickets(
  tx: Tx,
  actor: Actor,
  inputs: Omit<NewTicket, 'assigned_to'>[],
  services: Pick<Services, 'config'>,
): Promise<Ticket[]> {
  if (!inputs.length) return []
  const openings = inputs.map((input) => ({ input, options: {} }))
  const opened = await write(tx, actor, openings, services)
  const given = new Map((await assignWaiting(tx, services)).map((ticket) => [ticket.id, ticket]))
  return opened.map((ticket) => given.get(ticket.id) ?? ticket)
}

interface Opening {
  input: NewTicket
  options: OpeningOptions
}

async function write(
  tx: Tx,
  actor: Actor,
  openings: Opening[],
  { config }: Pick<Services, 'config'>,
): Promise<Ticket[]> {
  const named = openings.map(({ input, options }) => ({ ...input, fallBack: likeWhose(options) !== undefined }))
  const requesters = await findRequesters(tx, actor, named)
  const { timezone } = await getWorkspace(tx, tx.workspaceId)
  const numbers = await drawTicketNumbers(tx, config.tickets.numberPrefix, timezone, openings.length)
  const rows = openings.map((opening, at) => toRow(tx, opening, requesters[at]!, numbers[at]!))
  const written = await tx.sql.insertInto('support.tickets').values(rows).returningAll().execute()
  const byId = new Map(written.map((ticket) => [ticket.id, ticket]))
  const tickets = await recordOpened(
    tx,
    actor,
    rows.map(({ id }) => byId.get(id)!),
  )
  await tellAll(
    tx,
    'ticket.created',
    tickets.map((ticket) => ({ ticket, more: ticket.follow_up_of ? { follow_up_of: ticket.follow_up_of } : {} })),
  )
  return tickets
}

function likeWhose({ followUpOf, sameRequesterAs }: OpeningOptions): Ticket | undefined {
  return followUpOf ?? sameRequesterAs
}

function toRow(tx: Tx, { input, options }: Opening, requester: Requester, number: string) {
  const like = likeWhose(options)
  return {
    workspace_id: tx.workspaceId,
    id: newId(),
    ticket_number: options.numberSuffix ? `${number}-${options.numberSuffix}` : number,
    contact_id: requester.contactId,
    user_id: like ? like.user_id : options.isPublic ? null : requester.userId,
    contact_email: requester.email,
    contact_name: requester.name,
    language: options.language ?? requester.language,
    opens_by_number: options.numberSuffix !== undefined,
    subject: input.subject.trim(),
    description: input.description,
    priority: input.priority ?? 'normal',
    category: input.category?.trim() || null,
    source: input.source ?? 'web',
    tags: cleanTags(input.tags ?? []),
    metadata: JSON.stringify(input.metadata ?? {}),
    internal_notes: input.internal_notes ?? null,
    follow_up_of: options.followUpOf?.id ?? null,
    last_message_at: tx.now,
    waiting_since: tx.now,
    created_at: tx.now,
    updated_at: tx.now,
  }
}

export function refuseHouseFields(input: object, names: readonly string[]): void {
  const named = names.find((name) => Object.hasOwn(input, name))
  if (named) throw Invalid.at(`/${named}`, 'not_yours', `Only the help desk may set ${named}. Leave it out.`)
}
