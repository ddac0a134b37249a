/** Which tickets: what one may see, narrowed down and searched. */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import type { Actor } from '#platform/actor.ts'
import { saysByIndex, says, searchWords } from '#platform/db/search.ts'
import { Closed, Id } from '#platform/http/shapes.ts'
import { isOfTheHouse, personOf, visibleTo } from './access.ts'
import { priorities, ticketSources, ticketStatuses } from './tables.ts'

const manyOf = (values: readonly string[], description: string) =>
  Type.Optional(
    Type.String({
      maxLength: 200,
      pattern: `^(${values.join('|')})(,(${values.join('|')}))*$`,
      description: `${description}; several, separated by commas`,
    }),
  )

const idPattern = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'

const plainFilters = {
  search: Type.Optional(
    Type.String({
      maxLength: 200,
      description:
        'Every word must occur in number, subject, text, requester, tags or messages; accents and case do not matter',
    }),
  ),
  status: manyOf(ticketStatuses, ticketStatuses.join(', ')),
  priority: manyOf(priorities, priorities.join(', ')),
  source: manyOf(ticketSources, ticketSources.join(', ')),
  category: Type.Optional(Type.String({ maxLength: 100 })),
  tag: Type.Optional(Type.String({ maxLength: 50 })),
  assigned_to: Type.Optional(
    Type.String({
      pattern: `^(none|me|${idPattern})$`,
      description: 'An agent’s id, none, or me: whoever asks',
    }),
  ),
  contact_id: Type.Optional(Id),
  created_after: Type.Optional(Type.String({ format: 'date-time' })),
  created_before: Type.Optional(Type.String({ format: 'date-time' })),
  overdue: Type.Optional(Type.Boolean({ description: 'Whose next promised time has passed' })),
  at_risk: Type.Optional(
    Type.Boolean({ description: 'Of which a warning has come that a promised time is near, and none has passed' }),
  ),
  waiting: Type.Optional(Type.Boolean({ description: 'Whose requester waits for an answer' })),
  escalated: Type.Optional(Type.Boolean()),
}
/** What a saved view keeps. */
export const ViewFilter = Closed(plainFilters)
export type ViewFilter = Static<typeof ViewFilter>

/** Views that are there without anybody saving them. */
export const builtInNames = ['mine', 'unassigned', 'overdue', 'waiting'] as const

export const ticketFilters = {
  ...plainFilters,
  view: Type.Optional(
    Type.String({
      pattern: `^(${builtInNames.join('|')}|${idPattern})$`,
      description: `A saved view’s id, or ${builtInNames.join(', ')}: the other parameters narrow it down further, and a sort order takes the place of its own. For the help desk`,
    }),
  ),
  deleted: Type.Optional(Type.Boolean({ description: 'The deleted ones instead of the others' })),
}
const TicketFilters = Closed(ticketFilters)
/** Of what is done to many, or taken out: whether the deleted ones are meant is not the filter's to say. */
const { deleted: _deleted, ...manyFilters } = ticketFilters
export { manyFilters }
/** `within` is what the view narrows it down to: `openView` puts it in the place of the name. */
export type TicketFilter = Omit<Static<typeof TicketFilters>, 'view'> & { within?: ViewFilter }

export interface Way {
  /** Of several words that are searched for, the one that is looked up in the indexes; the others are in what that finds. */
  rarest?: string | undefined
  /** Whether a category with a tag is looked up in their index; else it is asked of each ticket. */
  byLabels?: boolean
}

/** `from … t where …`, to be continued with `and`: the only way to any set of tickets. */
export function fromTickets(
  actor: Actor,
  filter: TicketFilter,
  now: Date,
  { rarest, byLabels = true }: Way = {},
): RawBuilder<unknown> {
  const conditions = plainConditions(actor, filter, now)
  const labelled = byLabels ? hasLabels(filter) : null
  if (labelled) conditions.push(labelled)
  const words = wordsOf(filter)
  for (const word of words) {
    const isLookedUp = rarest === undefined || word === rarest
    conditions.push(isLookedUp ? containsWord(actor, word, filter.deleted ?? false) : hasWord(actor, word))
  }
  return sql`from support.ticket_rows t where ${sql.join(conditions, sql` and `)}`
}

export function wordsOf(filter: TicketFilter): string[] {
  return [...new Set([...searchWords(filter.search), ...searchWords(filter.within?.search)])]
}

/** Null where no category is asked for with a tag. True of no fewer tickets than the two are. */
export function hasLabels(filter: TicketFilter): RawBuilder<unknown> | null {
  if (filter.deleted) return null
  const parts = filter.within ? [filter, filter.within] : [filter]
  const tags = parts.flatMap(({ tag }) => tag ?? [])
  const categories = parts.flatMap(({ category }) => category ?? [])
  if (!tags.length || !categories.length) return null
  const labels = [
    ...tags.map((tag) => sql`platform.fold(${tag})`),
    ...categories.map((category) => sql`'category ' || platform.fold(${category})`),
  ]
  return sql`t.category is not null and support.labels(t.tag_keys, t.category) @> array[${sql.join(labels)}]`
}

/** All but what is searched for. */
export function plainConditions(actor: Actor, filter: TicketFilter, now: Date): RawBuilder<unknown>[] {
  // One that was merged is found as what it was merged into.
  const conditions: RawBuilder<unknown>[] = [visibleTo(actor), sql`t.merged_into is null`]
  // Deleted ones are the house's business; for anybody else there are none.
  if (filter.deleted) conditions.push(isOfTheHouse(actor) ? sql`t.deleted_at is not null` : sql`false`)
  else conditions.push(sql`t.deleted_at is null`)
  for (const each of filter.within ? [filter, filter.within] : [filter]) {
    conditions.push(...conditionsOf(actor, each, now))
  }
  return conditions
}

function conditionsOf(actor: Actor, filter: ViewFilter, now: Date): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = []
  if (filter.status) conditions.push(isOneOf('status', filter.status))
  if (filter.priority) conditions.push(isOneOf('priority', filter.priority))
  if (filter.source) conditions.push(isOneOf('source', filter.source))
  if (filter.category) {
    conditions.push(sql`t.category is not null and platform.fold(t.category) = platform.fold(${filter.category})`)
  }
  if (filter.tag) conditions.push(sql`t.tag_keys @> array[platform.fold(${filter.tag})]`)
  if (filter.assigned_to === 'none') conditions.push(sql`t.assigned_to is null`)
  else if (filter.assigned_to === 'me') conditions.push(sql`t.assigned_to = ${personOf(actor)}::uuid`)
  else if (filter.assigned_to) conditions.push(sql`t.assigned_to = ${filter.assigned_to}::uuid`)
  if (filter.contact_id) conditions.push(sql`t.contact_id = ${filter.contact_id}::uuid`)
  if (filter.created_after) conditions.push(sql`t.created_at >= ${filter.created_after}::timestamptz`)
  if (filter.created_before) conditions.push(sql`t.created_at < ${filter.created_before}::timestamptz`)
  // Written as the index says it.
  const isLate = sql`(coalesce(t.due_at, 'infinity'::timestamptz) < ${now}::timestamptz
    and t.status not in ('resolved', 'closed'))`
  if (filter.overdue !== undefined) conditions.push(filter.overdue ? isLate : sql`not ${isLate}`)
  if (filter.at_risk !== undefined) {
    const isAtRisk = sql`(t.at_risk_at is not null and t.at_risk_at < ${now}::timestamptz and not ${isLate})`
    conditions.push(filter.at_risk ? isAtRisk : sql`not ${isAtRisk}`)
  }
  if (filter.waiting !== undefined) {
    const isWaiting = sql`coalesce(t.waiting_since, 'infinity'::timestamptz) < 'infinity'`
    conditions.push(filter.waiting ? isWaiting : sql`t.waiting_since is null`)
  }
  if (filter.escalated !== undefined) conditions.push(sql`t.is_escalated = ${filter.escalated}`)
  return conditions
}

/**
 * In the ticket, or in one of its messages that this actor may read; each part by its own index. Of tags and internal notes
 * a requester finds nothing: a search that finds is an answer too.
 */
function containsWord(actor: Actor, word: string, deleted: boolean): RawBuilder<unknown> {
  // Of the few tickets that are their own, one after the other.
  if (!isOfTheHouse(actor)) return hasWord(actor, word)
  return sql`t.id in (
    select o.id from support.ticket_rows o
    where o.deleted_at is ${deleted ? sql`not null` : sql`null`} and ${saysByIndex(sql`o.search_text`, word)}
    union select m.ticket_id from support.message_rows m
    where m.deleted_at is null and ${saysByIndex(sql`m.search_text`, word)})`
}

/** The same, asked of one ticket. */
export function hasWord(actor: Actor, word: string): RawBuilder<unknown> {
  const isOfHouse = isOfTheHouse(actor)
  const own = isOfHouse
    ? sql`t.search_text`
    : sql`support.search_text(array[t.ticket_number, t.subject, t.description])`
  return sql`(${says(own, word)} or exists (
    select from support.message_rows m where m.ticket_id = t.id and m.deleted_at is null
      ${isOfHouse ? sql`` : sql`and not m.is_internal`} and ${says(sql`m.search_text`, word)}))`
}

function isOneOf(column: 'status' | 'priority' | 'source', list: string): RawBuilder<unknown> {
  return sql`${sql.ref(`t.${column}`)} = any(${list.split(',')}::text[])`
}
