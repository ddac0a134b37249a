/** When a report goes out by mail, and to whom: members of the workspace, and, where an admin says so, other addresses. */
import { sql } from 'kysely'
import { may, type Actor, type Permissions } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { checkVersion, Forbidden, Invalid, NotFound, type InputError } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { getWorkspace, memberAddressesAmong, membersAmong } from '#modules/accounts/index.ts'
import { isTimezone } from '../contact-fields.ts'
import type { Language } from '../texts.ts'
import type { ReportFormat } from './files.ts'
import { getReport } from './reports.ts'
import { startRun, type ShownRun } from './runs.ts'
import { nextTime, type Times } from './schedule-times.ts'
import type { ReportSchedule } from './tables.ts'

export interface ScheduleInput {
  frequency?: Times['frequency']
  time?: string
  weekday?: number
  month_day?: number
  timezone?: string
  format?: ReportFormat
  language?: Language
  member_ids?: string[]
  addresses?: string[]
  is_paused?: boolean
}

const recipientsMax = 50

export interface SchedulesQuery {
  limit?: number
  cursor?: string
  count?: 'exact'
}

export async function listSchedules<View>(
  tx: Tx,
  reportId: string,
  query: SchedulesQuery,
  view: (schedule: ReportSchedule) => View,
) {
  await getReport(tx, reportId)
  const limit = query.limit ?? 50
  const created = { created_at: { expression: sql`s.created_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, created, 'created_at')
  const after = afterCursor(query.cursor, sort, sql`s.id`)
  const from = sql`from contacts.report_schedules s where s.workspace_id = ${tx.workspaceId} and s.report_id = ${reportId}`
  const { rows } = await sql<ReportSchedule & { sort_key: string }>`
    select s.*, s.created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`s.id`)} limit ${limit + 1}`.execute(tx.sql)
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(rows, limit, sort, view), total }
}

export async function getSchedule(tx: Tx, reportId: string, id: string): Promise<ReportSchedule> {
  await getReport(tx, reportId)
  const schedule = await tx.sql
    .selectFrom('contacts.report_schedules')
    .selectAll()
    .where('report_id', '=', reportId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!schedule) throw new NotFound('schedule')
  return schedule
}

export async function createSchedule(
  tx: Tx,
  actor: Actor,
  reportId: string,
  input: ScheduleInput & { frequency: Times['frequency']; time: string },
  permissions: Permissions,
): Promise<ReportSchedule> {
  await getReport(tx, reportId)
  const workspace = await getWorkspace(tx, tx.workspaceId)
  const times = toTimes(input, { timezone: workspace.timezone })
  const whom = { member_ids: input.member_ids ?? [], addresses: input.addresses ?? [] }
  await checkRecipients(tx, actor, whom, { permissions, isNew: true })
  return tx.sql
    .insertInto('contacts.report_schedules')
    .values({
      workspace_id: tx.workspaceId,
      id: newId(),
      report_id: reportId,
      ...times,
      ...whom,
      format: input.format ?? 'pdf',
      language: input.language ?? workspace.language,
      is_paused: input.is_paused ?? false,
      next_run_at: nextTime(times, tx.now),
      created_by: actor.id,
      created_by_name: actor.name,
      created_at: tx.now,
      updated_at: tx.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** What comes next is reckoned from now: times that passed during a pause are not made up for. */
export async function updateSchedule(
  tx: Tx,
  actor: Actor,
  reportId: string,
  id: string,
  input: ScheduleInput,
  { permissions, ifVersion }: { permissions: Permissions; ifVersion: number | undefined },
): Promise<ReportSchedule> {
  await getReport(tx, reportId)
  const schedule = await lockSchedule(tx, reportId, id)
  checkVersion(schedule.version, ifVersion)
  if (!Object.keys(input).length) return schedule
  const times = toTimes(input, schedule)
  const whom = { member_ids: input.member_ids ?? schedule.member_ids, addresses: input.addresses ?? schedule.addresses }
  if (input.member_ids || input.addresses) {
    await checkRecipients(tx, actor, whom, { permissions, isNew: input.addresses !== undefined })
  }
  return tx.sql
    .updateTable('contacts.report_schedules')
    .set({
      ...times,
      ...whom,
      ...(input.format ? { format: input.format } : {}),
      ...(input.language ? { language: input.language } : {}),
      ...(input.is_paused === undefined ? {} : { is_paused: input.is_paused }),
      next_run_at: nextTime(times, tx.now),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** What it sent stays in the history of the report. */
export async function deleteSchedule(
  tx: Tx,
  reportId: string,
  id: string,
  ifVersion: number | undefined,
): Promise<void> {
  const schedule = await lockSchedule(tx, reportId, id)
  checkVersion(schedule.version, ifVersion)
  await tx.sql.deleteFrom('contacts.report_schedules').where('id', '=', id).execute()
}

/** Sends it now, besides its times. */
export async function runSchedule(tx: Tx, actor: Actor, reportId: string, id: string): Promise<ShownRun> {
  const report = await getReport(tx, reportId)
  const schedule = await getSchedule(tx, reportId, id)
  const addresses = await addressesOf(tx, schedule)
  const { format, language, timezone } = schedule
  return startRun(tx, actor, report, { format, language, timezone, scheduleId: id, addresses })
}

/** Of members who have left there is none. */
export async function addressesOf(
  tx: Tx,
  { member_ids, addresses }: Pick<ReportSchedule, 'member_ids' | 'addresses'>,
): Promise<string[]> {
  const members = await membersAmong(tx, member_ids)
  return [...[...new Set(member_ids)].flatMap((id) => members.get(id)?.email ?? []), ...addresses]
}

async function lockSchedule(tx: Tx, reportId: string, id: string): Promise<ReportSchedule> {
  const schedule = await tx.sql
    .selectFrom('contacts.report_schedules')
    .selectAll()
    .where('report_id', '=', reportId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!schedule) throw new NotFound('schedule')
  return schedule
}

/** The day that another frequency had is forgotten. */
function toTimes(input: ScheduleInput, before: Partial<Times> & { timezone: string }): Times {
  const frequency = input.frequency ?? before.frequency!
  const weekday = input.weekday ?? before.weekday ?? null
  const monthDay = input.month_day ?? before.month_day ?? null
  const timezone = input.timezone ?? before.timezone
  const errors: InputError[] = []
  const misplaced = (pointer: string, only: string) =>
    errors.push({ pointer, code: 'misplaced', detail: `Only a ${only} schedule has it. Leave it out.` })
  if (frequency === 'weekly' && weekday === null) {
    errors.push({ pointer: '/weekday', code: 'required', detail: 'Say on which day of the week: 1 is Monday.' })
  }
  if (frequency === 'monthly' && monthDay === null) {
    errors.push({
      pointer: '/month_day',
      code: 'required',
      detail: 'Say on which day of the month; 31 is its last one.',
    })
  }
  if (input.weekday !== undefined && frequency !== 'weekly') misplaced('/weekday', 'weekly')
  if (input.month_day !== undefined && frequency !== 'monthly') misplaced('/month_day', 'monthly')
  if (!isTimezone(timezone)) {
    const detail = 'Use a name of the IANA time zone database, such as Europe/Paris.'
    errors.push({ pointer: '/timezone', code: 'timezone', detail })
  }
  if (errors.length) throw new Invalid('invalid', errors.map(({ detail }) => detail).join(' '), { errors })
  return {
    frequency,
    at_time: input.time ?? before.at_time!,
    weekday: frequency === 'weekly' ? weekday : null,
    month_day: frequency === 'monthly' ? monthDay : null,
    timezone,
  }
}

async function checkRecipients(
  tx: Tx,
  actor: Actor,
  { member_ids, addresses }: Pick<ReportSchedule, 'member_ids' | 'addresses'>,
  { permissions, isNew }: { permissions: Permissions; isNew: boolean },
): Promise<void> {
  const count = member_ids.length + addresses.length
  if (!count) throw Invalid.at('/member_ids', 'required', 'Say who gets it: member_ids, addresses, or both.')
  if (count > recipientsMax) throw Invalid.at('/addresses', 'too_many', `At most ${recipientsMax} people get a report.`)
  const known = await membersAmong(tx, member_ids)
  const errors = member_ids.flatMap((id, index) =>
    known.has(id)
      ? []
      : [{ pointer: `/member_ids/${index}`, code: 'not_found', detail: 'There is no such member here. Leave it out.' }],
  )
  if (errors.length) throw new Invalid('invalid', errors[0]!.detail, { errors })
  const inside = await memberAddressesAmong(tx, addresses)
  const outside = addresses.filter((address) => !inside.has(address.toLowerCase()))
  if (isNew && outside.length && !may(permissions, actor, 'report.send_outside')) {
    const detail = `Only an admin sends reports to people who are no members here: ${outside.slice(0, 3).join(', ')}.`
    throw new Forbidden('outside_address', detail)
  }
}
