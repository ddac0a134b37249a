/**
 * What a bulk action would do, told by the same rules without doing it. Tickets that are alike for the action are judged
 * together, so that a hundred thousand cost one pass; `bulk.test.ts` holds it to what then happens.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { RapportError } from '#platform/errors.ts'
import { isOfTheHouse, personOf } from '../access.ts'
import { isEnded, moveTowards, nextStatus } from '../ticket-status.ts'
import { tagsMax } from '../ticket-tags.ts'
import type { TicketStatus } from '../tables.ts'
import { fromMeant, notFound, type Meant } from './request.ts'

export interface Rehearsed {
  matched: number
  would_change: number
  unchanged: number
  refused: Record<string, number>
  not_found: number
}

/** What of a ticket decides; `is_so` is whether it has already what is asked for. */
interface Kind {
  status: TicketStatus
  has_agent: boolean
  is_own: boolean
  is_so: boolean
  is_full: boolean
  count: number
}

export async function rehearse(tx: Tx, actor: Actor, meant: Meant): Promise<Rehearsed> {
  const { rows } = await sql<Kind>`
    select k.*, count(*) as count from (
      select t.status, t.assigned_to is not null as has_agent, t.user_id is not distinct from ${personOf(actor)}::uuid as is_own,
        ${isSo(meant)} as is_so, cardinality(t.tags) >= ${tagsMax} as is_full
      ${fromMeant(actor, meant)}) as k
    group by 1, 2, 3, 4, 5`.execute(tx.sql)
  const told: Rehearsed = { matched: 0, would_change: 0, unchanged: 0, refused: {}, not_found: 0 }
  for (const kind of rows) {
    const outcome = judge(actor, meant, kind)
    told.matched += kind.count
    if (outcome === 'change') told.would_change += kind.count
    else if (outcome === 'same') told.unchanged += kind.count
    else told.refused[outcome] = (told.refused[outcome] ?? 0) + kind.count
  }
  return { ...told, not_found: notFound(meant, told.matched) }
}

function isSo({ action, params }: Meant) {
  switch (action) {
    case 'assign':
      return sql`t.assigned_to is not distinct from ${params.agent_id ?? null}::uuid`
    case 'set_status':
      // Resolving again replaces the words.
      return params.resolution === undefined
        ? sql`t.status = ${params.status}`
        : sql`t.status = ${params.status} and t.resolution_notes is not distinct from ${params.resolution}`
    case 'set_priority':
      return sql`t.priority = ${params.priority}`
    case 'set_category':
      return sql`t.category is not distinct from ${params.category?.trim() || null}`
    case 'add_tag':
    case 'remove_tag':
      return sql`exists (select from unnest(t.tags) as tag where lower(tag) = ${params.tag!.trim().normalize('NFC').toLowerCase()})`
    case 'delete':
    case 'restore':
      return sql`false`
  }
}

/** `change`, `same`, or the code of the refusal. */
function judge(actor: Actor, { action, params }: Meant, kind: Kind): string {
  switch (action) {
    case 'assign':
      return judgeHanding(params.agent_id ? 'assign' : 'unassign', kind)
    case 'set_status':
      return kind.is_so ? 'same' : judgeStatus(actor, params.status!, kind)
    case 'add_tag':
      if (kind.is_so) return 'same'
      return kind.is_full ? 'tags_full' : 'change'
    case 'remove_tag':
      return kind.is_so ? 'change' : 'same'
    case 'set_priority':
    case 'set_category':
    case 'delete':
    case 'restore':
      return kind.is_so ? 'same' : 'change'
  }
}

function judgeHanding(move: 'assign' | 'unassign', { status, is_so: isSoAlready }: Kind): string {
  if (isSoAlready) return 'same'
  return nextStatus(status, move, move === 'assign') ? 'change' : 'ticket_status'
}

/** As `moveTicket` does, whoever of the house deals with what nobody has takes it first. */
function judgeStatus(actor: Actor, to: TicketStatus, kind: Kind): string {
  try {
    const move = kind.status === to ? 'resolve' : moveTowards(kind.status, to)!
    const takes = personOf(actor) !== null && isOfTheHouse(actor) && !kind.is_own && !isEnded(kind.status)
    if (!kind.has_agent && !takes && (move === 'start' || move === 'ask')) return 'ticket_unassigned'
    return nextStatus(kind.status, move, kind.has_agent || takes) ? 'change' : 'ticket_status'
  } catch (error) {
    if (error instanceof RapportError) return error.code
    throw error
  }
}
