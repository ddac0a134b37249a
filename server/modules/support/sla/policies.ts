/** What is promised of which tickets: what an admin keeps, in the order in which policies are tried. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, Invalid, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { checkAudience } from '#modules/contacts/index.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { lockCalendar } from './calendars.ts'
import type { Conditions, Targets } from './policy.ts'
import { startReapplying } from './reapplying.ts'
import type { PolicyRow } from './tables.ts'

export interface PolicyInput {
  name?: string
  description?: string
  position?: number
  is_active?: boolean
  conditions?: Conditions
  targets?: Targets
  calendar_id?: string | null
  pause_while_waiting?: boolean
  warn_at_percent?: number
}

const sortColumns: Record<string, SortColumn> = {
  position: { expression: sql`p.position`, type: 'int' },
  name: { expression: sql`platform.fold(p.name)`, type: 'text' },
  created_at: { expression: sql`p.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`p.updated_at`, type: 'timestamptz' },
}

export interface PoliciesQuery {
  search?: string
  is_active?: boolean
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export async function listPolicies<View>(tx: Tx, query: PoliciesQuery, view: (row: PolicyRow) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'position')
  const after = afterCursor(query.cursor, sort, sql`p.id`)
  const from = sql`from support.sla_policies p
    where p.deleted_at is ${query.deleted ? sql`not null` : sql`null`}
      ${query.search ? sql`and platform.fold(p.name || ' ' || p.description) like platform.contains_pattern(${query.search})` : sql``}
      ${query.is_active === undefined ? sql`` : sql`and p.is_active = ${query.is_active}`}`
  const { rows } = await sql<PolicyRow & { sort_key: string }>`
    select p.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`p.id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

export async function getPolicy(tx: Tx, id: string): Promise<PolicyRow> {
  const row = await tx.sql
    .selectFrom('support.sla_policies')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (!row) throw new NotFound('policy')
  return row
}

/** Open tickets that it is for are taken over by a job. */
export async function createPolicy(
  tx: Tx,
  actor: Actor,
  input: PolicyInput & { name: string; targets: Targets },
): Promise<PolicyRow> {
  await checkPolicy(tx, input)
  const row = await orRefuse(
    tx.sql
      .insertInto('support.sla_policies')
      .values({
        ...written(input),
        workspace_id: tx.workspaceId,
        id: newId(),
        name: input.name.trim(),
        targets: JSON.stringify(input.targets),
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(input.name.trim()),
  )
  await startReapplying(tx, actor)
  return row
}

/** The time that has passed on open tickets stays; what is left of it follows the new promise. */
export async function changePolicy(
  tx: Tx,
  actor: Actor,
  id: string,
  input: PolicyInput,
  ifVersion: number | undefined,
): Promise<PolicyRow> {
  const before = await lockPolicy(tx, id)
  checkVersion(before.version, ifVersion)
  if (!Object.keys(input).length) return before
  await checkPolicy(tx, input)
  const row = await orRefuse(
    tx.sql
      .updateTable('support.sla_policies')
      .set(written(input))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(input.name?.trim() ?? before.name),
  )
  await startReapplying(tx, actor)
  return row
}

/** Its tickets go to the next policy that is for them. */
export async function deletePolicy(tx: Tx, actor: Actor, id: string, ifVersion: number | undefined): Promise<void> {
  const row = await lockPolicy(tx, id)
  checkVersion(row.version, ifVersion)
  await tx.sql.updateTable('support.sla_policies').set({ deleted_at: tx.now }).where('id', '=', id).execute()
  await startReapplying(tx, actor)
}

/** Restoring one that is there changes nothing. A calendar that was deleted meanwhile has to come back first. */
export async function restorePolicy(tx: Tx, actor: Actor, id: string): Promise<PolicyRow> {
  const row = await lockPolicy(tx, id, { deletedToo: true })
  if (!row.deleted_at) return row
  if (row.calendar_id && !(await isThere(tx, row.calendar_id))) {
    throw new Conflict('calendar_deleted', 'The calendar by which this policy counts was deleted. Restore it first.')
  }
  const restored = await orRefuse(
    tx.sql
      .updateTable('support.sla_policies')
      .set({ deleted_at: null })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(row.name),
  )
  await startReapplying(tx, actor)
  return restored
}

/** Those that are tried, in their order. */
export async function activePolicies(tx: Tx) {
  return tx.sql
    .selectFrom('support.sla_policies as p')
    .leftJoin('support.calendars as c', (join) =>
      join.onRef('c.workspace_id', '=', 'p.workspace_id').onRef('c.id', '=', 'p.calendar_id'),
    )
    .select([
      'p.id',
      'p.version',
      'p.conditions',
      'p.targets',
      'p.calendar_id',
      'p.pause_while_waiting',
      'p.warn_at_percent',
      'c.version as calendar_version',
    ])
    .where('p.workspace_id', '=', tx.workspaceId)
    .where('p.deleted_at', 'is', null)
    .where('p.is_active', '=', true)
    .orderBy('p.position')
    .orderBy('p.id')
    .execute()
}

async function lockPolicy(tx: Tx, id: string, { deletedToo = false } = {}): Promise<PolicyRow> {
  const row = await tx.sql
    .selectFrom('support.sla_policies')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!row || (row.deleted_at && !deletedToo)) throw new NotFound('policy')
  return row
}

async function checkPolicy(tx: Tx, { targets, conditions, calendar_id }: PolicyInput): Promise<void> {
  if (targets && !Object.values(targets).some((own) => Object.values(own).some((minutes) => minutes !== null))) {
    throw Invalid.at('/targets', 'required', 'Promise at least one thing of one priority.')
  }
  await checkAudience(tx, conditions?.contact, '/conditions/contact')
  if (calendar_id && !(await isThere(tx, calendar_id))) {
    throw Invalid.at('/calendar_id', 'not_found', 'There is no such calendar here.')
  }
}

/** Held until the end, so that nobody deletes it meanwhile. */
async function isThere(tx: Tx, calendarId: string): Promise<boolean> {
  return lockCalendar(tx, calendarId).then(
    () => true,
    (error: unknown) => {
      if (error instanceof NotFound) return false
      throw error
    },
  )
}

function written({ conditions, targets, name, ...plain }: PolicyInput) {
  return {
    ...plain,
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(conditions ? { conditions: JSON.stringify(conditions) } : {}),
    ...(targets ? { targets: JSON.stringify(targets) } : {}),
  }
}

function nameTaken(name: string) {
  const detail = `There is a policy called “${name}” already.`
  return {
    sla_policies_name: () =>
      new Conflict('name_taken', detail, { errors: [{ pointer: '/name', code: 'name_taken', detail }] }),
  }
}
