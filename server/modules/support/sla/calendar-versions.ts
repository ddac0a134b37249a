/** Calendars as they were: clocks count by the version that held at the time. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Calendar } from './calendar.ts'
import type { CalendarRow } from './tables.ts'

export async function keepVersion(tx: Tx, row: CalendarRow): Promise<void> {
  await tx.sql
    .insertInto('support.calendar_versions')
    .values({
      workspace_id: tx.workspaceId,
      calendar_id: row.id,
      version: row.version,
      timezone: row.timezone,
      hours: JSON.stringify(row.hours),
      holidays: JSON.stringify(row.holidays),
      recorded_at: tx.now,
    })
    .execute()
}

/** Calendars as they were, by `id@version`; each is read once, and never changes. */
export async function readCalendarVersions(tx: Tx, wanted: readonly CalendarVersion[]): Promise<Map<string, Calendar>> {
  const found = new Map<string, Calendar>()
  const missing = wanted.filter((one) => {
    const known = kept.get(`${tx.workspaceId} ${keyOf(one)}`)
    if (known) found.set(keyOf(one), known)
    return !known
  })
  if (!missing.length) return found
  const { rows } = await sql<{ calendar_id: string; version: number } & Calendar>`
    select calendar_id, version, timezone, hours, holidays from support.calendar_versions
    where (calendar_id, version) in (
      select id, version from jsonb_to_recordset(${JSON.stringify(missing)}::jsonb) as wanted(id uuid, version int))`.execute(
    tx.sql,
  )
  for (const { calendar_id: id, version, timezone, hours, holidays } of rows) {
    const calendar = { timezone, hours, holidays }
    found.set(keyOf({ id, version }), calendar)
    if (kept.size >= keptMax) kept.clear()
    kept.set(`${tx.workspaceId} ${keyOf({ id, version })}`, calendar)
  }
  return found
}

export interface CalendarVersion {
  id: string
  version: number
}

export function keyOf({ id, version }: CalendarVersion): string {
  return `${id}@${version}`
}

/** Versions never change, so any process may keep them; by workspace, so that no id of another one finds anything. */
const kept = new Map<string, Calendar>()
const keptMax = 500
