/** Business calendars: what an admin keeps, and every version of them for the clocks that counted by it. */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Conflict, NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort, type SortColumn } from '#platform/http/paging.ts'
import { orRefuse } from '#platform/db/constraints.ts'
import { checkCalendar } from './calendar-rules.ts'
import type { Calendar } from './calendar.ts'
import { keepVersion } from './calendar-versions.ts'
import { startReapplying } from './reapplying.ts'
import type { CalendarRow } from './tables.ts'

export interface CalendarInput {
  name?: string
  timezone?: string
  hours?: Calendar['hours']
  holidays?: Calendar['holidays']
}

const sortColumns: Record<string, SortColumn> = {
  name: { expression: sql`platform.fold(c.name)`, type: 'text' },
  created_at: { expression: sql`c.created_at`, type: 'timestamptz' },
  updated_at: { expression: sql`c.updated_at`, type: 'timestamptz' },
}

export interface CalendarsQuery {
  search?: string
  deleted?: boolean
  sort?: string
  limit?: number
  cursor?: string
  count?: 'exact'
}

export async function listCalendars<View>(tx: Tx, query: CalendarsQuery, view: (row: CalendarRow) => View) {
  const limit = query.limit ?? 50
  const sort = parseSort(query.sort, sortColumns, 'name')
  const after = afterCursor(query.cursor, sort, sql`c.id`)
  const from = sql`from support.calendars c
    where c.deleted_at is ${query.deleted ? sql`not null` : sql`null`}
      ${query.search ? sql`and platform.fold(c.name) like platform.contains_pattern(${query.search})` : sql``}`
  const { rows } = await sql<CalendarRow & { sort_key: string }>`
    select c.*, (${sort.column.expression})::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`c.id`)} limit ${limit + 1}`.execute(tx.sql)
  return { ...page(rows, limit, sort, view), total: await countRows(tx, from, query.count === 'exact') }
}

export async function getCalendar(tx: Tx, id: string): Promise<CalendarRow> {
  const row = await tx.sql
    .selectFrom('support.calendars')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (!row) throw new NotFound('calendar')
  return row
}

export async function createCalendar(
  tx: Tx,
  { name, timezone, hours, holidays = [] }: Required<Omit<CalendarInput, 'holidays'>> & CalendarInput,
): Promise<CalendarRow> {
  checkCalendar({ timezone, hours, holidays })
  const row = await orRefuse(
    tx.sql
      .insertInto('support.calendars')
      .values({
        workspace_id: tx.workspaceId,
        id: newId(),
        name: name.trim(),
        timezone,
        hours: JSON.stringify(hours),
        holidays: JSON.stringify(holidays),
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(name.trim()),
  )
  await keepVersion(tx, row)
  return row
}

/** Tickets that are open are counted by the new hours from now on; the time that has passed stays as it was. */
export async function changeCalendar(
  tx: Tx,
  actor: Actor,
  id: string,
  input: CalendarInput,
  ifVersion: number | undefined,
): Promise<CalendarRow> {
  const before = await lockCalendar(tx, id)
  checkVersion(before.version, ifVersion)
  if (!Object.keys(input).length) return before
  const { timezone = before.timezone, hours = before.hours, holidays = before.holidays } = input
  const name = input.name?.trim() ?? before.name
  checkCalendar({ timezone, hours, holidays })
  const row = await orRefuse(
    tx.sql
      .updateTable('support.calendars')
      .set({ name, timezone, hours: JSON.stringify(hours), holidays: JSON.stringify(holidays) })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(name),
  )
  await keepVersion(tx, row)
  if (input.timezone ?? input.hours ?? input.holidays) await startReapplying(tx, actor)
  return row
}

/** One that a policy counts by stays. */
export async function deleteCalendar(tx: Tx, id: string, ifVersion: number | undefined): Promise<void> {
  const row = await lockCalendar(tx, id)
  checkVersion(row.version, ifVersion)
  const used = await tx.sql
    .selectFrom('support.sla_policies')
    .select('name')
    .where('calendar_id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (used) {
    throw new Conflict(
      'calendar_in_use',
      `The policy “${used.name}” counts by this calendar. Give it another one first.`,
    )
  }
  await tx.sql.updateTable('support.calendars').set({ deleted_at: tx.now }).where('id', '=', id).execute()
}

/** Restoring one that is there changes nothing. */
export async function restoreCalendar(tx: Tx, id: string): Promise<CalendarRow> {
  const row = await lockCalendar(tx, id, { deletedToo: true })
  if (!row.deleted_at) return row
  const restored = await orRefuse(
    tx.sql
      .updateTable('support.calendars')
      .set({ deleted_at: null })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow(),
    nameTaken(row.name),
  )
  await keepVersion(tx, restored)
  return restored
}

/** Held while it is changed, and while a policy begins to count by it. */
export async function lockCalendar(tx: Tx, id: string, { deletedToo = false } = {}): Promise<CalendarRow> {
  const row = await tx.sql
    .selectFrom('support.calendars')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row || (row.deleted_at && !deletedToo)) throw new NotFound('calendar')
  return row
}

function nameTaken(name: string) {
  const detail = `There is a calendar called “${name}” already.`
  return {
    calendars_name: () =>
      new Conflict('name_taken', detail, { errors: [{ pointer: '/name', code: 'name_taken', detail }] }),
  }
}
