/** Those who work on tickets: what they can take, what they have, and whether they are there. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Forbidden, NotFound } from '#platform/errors.ts'
import type { Services } from '#platform/services.ts'
import { membersAmong, membersWithRole, pageOfMembers, type MemberToTell } from '#modules/accounts/index.ts'
import { personOf } from '../access.ts'
import { deskRoles } from '../agents.ts'
import { takeTurn } from './settings.ts'
import type { AgentRow, Presence } from './tables.ts'

/** Whoever says nothing for so long is not there: browsers say it each minute. */
export const silentMs = 120_000
/** Of those for whom nobody chose. */
export const usualCapacity = 20

export interface Agent {
  user_id: string
  name: string
  role: string
  presence: Presence | 'offline'
  seen_at: Date | null
  capacity: number
  categories: string[]
  /** Weight of the tickets in hand. */
  load: number
  open_tickets: number
  /** When a ticket last came by itself. */
  assigned_at: Date | null
  version: number
}

export interface AgentsQuery {
  search?: string
  presence?: Agent['presence']
  limit?: number
  cursor?: string
  count?: 'exact'
}

/** All of the house who work at the help desk, by name. */
export async function listAgents<View>(
  tx: Tx,
  { presence, search, ...paging }: AgentsQuery,
  view: (agent: Agent) => View,
) {
  const words = search?.normalize('NFC').trim()
  const list = await pageOfMembers(tx, {
    roles: deskRoles,
    ...(words ? { search: words } : {}),
    ...paging,
    ...(await presentOnes(tx, presence)),
  })
  return { ...list, data: (await withWork(tx, list.data)).map(view) }
}

/** The same all at once: for a table that an admin looks at, not for each ticket. */
export async function allAgents(tx: Tx): Promise<Agent[]> {
  return withWork(tx, await membersWithRole(tx, deskRoles))
}

/** Those who are there now. However large the house is, only they are looked at. */
export async function agentsOnline(tx: Tx): Promise<Agent[]> {
  const { among = [] } = await presentOnes(tx, 'online')
  return agentsAmong(tx, among)
}

/** Those of these people who work at the help desk now. */
export async function agentsAmong(tx: Tx, ids: readonly string[]): Promise<Agent[]> {
  const members = [...(await membersAmong(tx, ids)).values()]
  return withWork(
    tx,
    members.filter(({ role }) => deskRoles.includes(role)),
  )
}

export async function getAgent(tx: Tx, userId: string): Promise<Agent> {
  const [agent] = await agentsAmong(tx, [userId])
  if (!agent) throw new NotFound('agent')
  return agent
}

/** Whose presence is this: who is offline is most often not known at all. */
async function presentOnes(
  tx: Tx,
  presence: Agent['presence'] | undefined,
): Promise<{ among?: string[]; except?: string[] }> {
  if (!presence) return {}
  const rows = await tx.sql
    .selectFrom('support.agents')
    .select(['user_id', 'presence', 'seen_at'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('seen_at', '>=', new Date(tx.now.getTime() - silentMs))
    .execute()
  const ids = (which: (one: Agent['presence']) => boolean): string[] =>
    rows.flatMap((row) => (which(presenceOf(row, tx.now)) ? [row.user_id] : []))
  return presence === 'offline'
    ? { except: ids((one) => one !== 'offline') }
    : { among: ids((one) => one === presence) }
}

/** The caller then gives out what waits: more may fit. */
export async function changeAgent(
  tx: Tx,
  services: Pick<Services, 'config'>,
  userId: string,
  input: { capacity?: number; categories?: string[] },
  ifVersion: number | undefined,
): Promise<Agent> {
  await takeTurn(tx, services)
  const before = await getAgent(tx, userId)
  checkVersion(before.version, ifVersion)
  if (!Object.keys(input).length) return before
  const { capacity = before.capacity, categories = before.categories } = input
  await sql`
    insert into support.agents as a (workspace_id, user_id, capacity, categories)
    values (${tx.workspaceId}, ${before.user_id}, ${capacity}, ${[...new Set(categories.map((one) => one.trim()))]}::text[])
    on conflict (workspace_id, user_id) do update set capacity = excluded.capacity, categories = excluded.categories`.execute(
    tx.sql,
  )
  return getAgent(tx, userId)
}

/**
 * Somebody says that they are there, or away; said again each minute, it keeps them there. Answers whether they came just now:
 * the caller then gives out what waits. Only then is the workspace's turn taken, and before anything else is held.
 */
export async function sayPresence(
  tx: Tx,
  actor: Actor,
  services: Pick<Services, 'config'>,
  presence: Presence,
): Promise<{ came: boolean }> {
  const person = personOf(actor)
  if (!person) throw new Forbidden('people_only', 'Only a person can be at the help desk; an API key cannot.')
  const known = await tx.sql
    .selectFrom('support.agents')
    .select(['presence', 'seen_at'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('user_id', '=', person)
    .executeTakeFirst()
  const came = presence === 'online' && (!known || presenceOf(known, tx.now) !== 'online')
  if (came) await takeTurn(tx, services)
  await sql`
    insert into support.agents as a (workspace_id, user_id, capacity, presence, seen_at)
    values (${tx.workspaceId}, ${person}, ${usualCapacity}, ${presence}, ${tx.now})
    on conflict (workspace_id, user_id) do update set presence = excluded.presence, seen_at = excluded.seen_at`.execute(
    tx.sql,
  )
  return { came }
}

export function presenceOf(
  { presence, seen_at }: Pick<AgentRow, 'presence' | 'seen_at'>,
  now: Date,
): Agent['presence'] {
  if (!seen_at || now.getTime() - seen_at.getTime() > silentMs) return 'offline'
  return presence
}

/** In the order of the members. */
async function withWork(tx: Tx, members: readonly Pick<MemberToTell, 'id' | 'name' | 'role'>[]): Promise<Agent[]> {
  if (!members.length) return []
  const ids = members.map(({ id }) => id)
  const { rows } = await sql<Partial<AgentRow> & { user_id: string; load: string; open_tickets: number }>`
    select m.user_id, a.capacity, a.categories, a.presence, a.seen_at, a.assigned_at, a.version,
      work.load, work.open_tickets
    from unnest(${ids}::uuid[]) as m(user_id)
    left join support.agents a on a.workspace_id = ${tx.workspaceId} and a.user_id = m.user_id
    cross join lateral (
      select coalesce(sum(support.ticket_weight(t.priority)), 0) as load, count(*) as open_tickets
      from support.tickets t
      where t.workspace_id = ${tx.workspaceId} and t.assigned_to = m.user_id and t.deleted_at is null
        and t.merged_into is null and t.status in ('assigned', 'in_progress', 'waiting_customer')) as work`.execute(
    tx.sql,
  )
  const byId = new Map(rows.map((row) => [row.user_id, row]))
  return members.map(({ id, name, role }) => {
    const row = byId.get(id)!
    return {
      user_id: id,
      name,
      role,
      presence: row.presence ? presenceOf({ presence: row.presence, seen_at: row.seen_at ?? null }, tx.now) : 'offline',
      seen_at: row.seen_at ?? null,
      capacity: row.capacity ?? usualCapacity,
      categories: row.categories ?? [],
      load: Number(row.load),
      open_tickets: row.open_tickets,
      assigned_at: row.assigned_at ?? null,
      version: row.version ?? 1,
    }
  })
}
