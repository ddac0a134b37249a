/** What a bulk action is asked by, and which tickets it means. */
import { sql, type RawBuilder } from 'kysely'
import { Type, type Static } from 'typebox'
import { authorize, type Actor, type Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { Invalid } from '#platform/errors.ts'
import { Closed, Id, OneOf } from '#platform/http/shapes.ts'
import { requireAgents } from '../agents.ts'
import { priorities, ticketStatuses } from '../tables.ts'
import { fromTickets, manyFilters, type TicketFilter } from '../ticket-filter.ts'

export const actionNames = [
  'assign',
  'set_status',
  'set_priority',
  'set_category',
  'add_tag',
  'remove_tag',
  'delete',
  'restore',
] as const
export type ActionName = (typeof actionNames)[number]

const Params = Closed({
  agent_id: Type.Optional(
    Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid', description: 'For assign; null: nobody' }),
  ),
  status: Type.Optional(
    OneOf(ticketStatuses, { description: 'For set_status: resolved, closed; in_progress opens again what has ended' }),
  ),
  resolution: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 50_000,
      pattern: '\\S',
      description: 'For set_status to resolved: what each requester reads',
    }),
  ),
  priority: Type.Optional(OneOf(priorities, { description: 'For set_priority' })),
  category: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      maxLength: 100,
      description: 'For set_category; null: none',
    }),
  ),
  tag: Type.Optional(
    Type.String({ minLength: 1, maxLength: 50, pattern: '\\S', description: 'For add_tag and remove_tag' }),
  ),
})
export type Params = Static<typeof Params>

export const BulkAction = Closed({
  action: OneOf(actionNames),
  ticket_ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 1_000 })),
  filter: Type.Optional(Closed(manyFilters, { description: 'Parameters of GET /tickets; {} means all that one sees' })),
  params: Type.Optional(Params),
  dry_run: Type.Optional(Type.Boolean({ description: 'Only say what would happen' })),
})
export type BulkAction = Static<typeof BulkAction>

/** With the view, if one was named, as it was when the action was asked for. */
export interface Meant {
  action: ActionName
  ticket_ids?: string[]
  filter?: TicketFilter
  params: Params
  /** When it was asked for: what came later is not meant, and what was late then is. */
  askedAt: string
}

const needs: Record<ActionName, (keyof Params)[]> = {
  assign: ['agent_id'],
  set_status: ['status'],
  set_priority: ['priority'],
  set_category: ['category'],
  add_tag: ['tag'],
  remove_tag: ['tag'],
  delete: [],
  restore: [],
}

export async function checkBulk(tx: Tx, actor: Actor, bulk: BulkAction, permissions: Permissions): Promise<void> {
  const { action, ticket_ids: ids, filter, params = {} } = bulk
  requireRight(actor, action, permissions)
  if (Boolean(ids) === Boolean(filter)) {
    throw Invalid.at('/ticket_ids', 'required', 'Say which are meant: either ticket_ids or filter.')
  }
  for (const name of needs[action]) {
    if (params[name] === undefined) throw Invalid.at(`/params/${name}`, 'required', `${action} needs ${name}.`)
  }
  const allowed: string[] = [...needs[action], ...(params.status === 'resolved' ? ['resolution'] : [])]
  const other = Object.keys(params).find((name) => !allowed.includes(name))
  if (other) throw Invalid.at(`/params/${other}`, 'not_used', `${action} takes no ${other} here. Leave it out.`)
  if (params.agent_id) await requireAgents(tx, [params.agent_id], '/params/agent_id')
}

/** Who may do it to one ticket may do it to many, and take it back. */
export function requireRight(actor: Actor, action: ActionName, permissions: Permissions): void {
  if (action === 'delete' || action === 'restore') authorize(permissions, actor, 'ticket.delete')
}

/** `from … t where …`: of those that the actor sees. Restoring is about the deleted ones, all else about the others. */
export function fromMeant(actor: Actor, { action, ticket_ids: ids, filter, askedAt }: Meant): RawBuilder<unknown> {
  const from = fromTickets(actor, { ...filter, deleted: action === 'restore' }, new Date(askedAt))
  return ids ? sql`${from} and t.id = any(${ids}::uuid[])` : sql`${from} and t.created_at <= ${askedAt}::timestamptz`
}

export async function countMeant(tx: Tx, actor: Actor, meant: Meant): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count ${fromMeant(actor, meant)}`.execute(tx.sql)
  return rows[0]!.count
}

/** Of the ids, those that name nothing that the action could mean. */
export function notFound({ ticket_ids: ids }: Meant, matched: number): number {
  return ids ? new Set(ids.map((id) => id.toLowerCase())).size - matched : 0
}
