/** The doors of business calendars: everybody of the help desk reads them, admins change them. */
import { Type } from 'typebox'
import { created, record, route } from '#platform/http/route.ts'
import { Closed, Id, Message, NullableTimestamp, Page, pageQuery, Problem, Timestamp } from '#platform/http/shapes.ts'
import { weekdays } from './calendar.ts'
import {
  changeCalendar,
  createCalendar,
  deleteCalendar,
  getCalendar,
  listCalendars,
  restoreCalendar,
} from './calendars.ts'
import type { CalendarRow } from './tables.ts'

const params = Closed({ id: Id })

const OpenHours = Closed({
  from: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: '09:00' }),
  to: Type.String({
    pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$',
    description: '17:30, or 24:00; at or before `from` it goes on over midnight',
  }),
})
const DayHours = Type.Array(OpenHours, { maxItems: 24 })
const Hours = Closed(Object.fromEntries(weekdays.map((day) => [day, Type.Optional(DayHours)])), {
  description: 'By weekday; one that is absent is closed',
})
const Holiday = Closed({
  day: Type.String({
    pattern: '^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$',
    description: '2026-12-25, or 12-25 for every year',
  }),
  name: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
  hours: Type.Optional(Type.Array(OpenHours, { maxItems: 24, description: 'Closed all day when absent' })),
})

const fields = {
  name: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
  timezone: Type.String({ minLength: 1, maxLength: 60, description: 'IANA name, such as Europe/Paris' }),
  hours: Hours,
}
const holidays = Type.Array(Holiday, { maxItems: 500 })
const NewCalendar = Closed({ ...fields, holidays: Type.Optional(holidays) })
const CalendarChange = Closed({
  name: Type.Optional(fields.name),
  timezone: Type.Optional(fields.timezone),
  hours: Type.Optional(fields.hours),
  holidays: Type.Optional(holidays),
})

const CalendarView = Type.Object(
  {
    id: Id,
    ...fields,
    holidays,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: NullableTimestamp,
  },
  { $id: 'BusinessCalendar' },
)

const listRoute = route({
  method: 'GET',
  path: '/tickets/calendars',
  may: 'ticket.work',
  summary: 'Business calendars',
  query: Closed({
    ...pageQuery,
    search: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'In the name' })),
    deleted: Type.Optional(Type.Boolean()),
    sort: Type.Optional(Type.String({ maxLength: 50, description: 'name, created_at, updated_at' })),
  }),
  replies: { 200: Page(CalendarView) },
  run: ({ tx, query }) => listCalendars(tx, query, viewCalendar),
})

const createRoute = route({
  method: 'POST',
  path: '/tickets/calendars',
  may: 'ticket.configure',
  summary: 'Make a business calendar',
  description:
    'Time counts while the clocks of `timezone` show an hour that is open, so nights are shorter or longer when they ' +
    'change. Hours that go on over midnight belong to the weekday they begin on; a holiday is the day between two ' +
    'midnights, with hours of its own or none.',
  body: NewCalendar,
  replies: { 201: CalendarView, 409: Problem },
  run: async ({ tx, body }) => {
    const row = await createCalendar(tx, body)
    return created(viewCalendar(row), `/tickets/calendars/${row.id}`, row.version)
  },
})

const showRoute = route({
  method: 'GET',
  path: '/tickets/calendars/:id',
  may: 'ticket.work',
  summary: 'One business calendar',
  params,
  replies: { 200: CalendarView, 404: Problem },
  run: async ({ tx, params: { id } }) => {
    const row = await getCalendar(tx, id)
    return record(viewCalendar(row), row.version)
  },
})

const [replaceRoute, changeRoute] = (['PUT', 'PATCH'] as const).map((method) =>
  route({
    method,
    path: '/tickets/calendars/:id',
    may: 'ticket.configure',
    summary: 'Change a calendar: what is named is replaced; open tickets count by it from now on',
    params,
    body: CalendarChange,
    replies: { 200: CalendarView, 404: Problem, 409: Problem, 412: Problem },
    run: async ({ tx, actor, params: { id }, body, ifVersion }) => {
      const row = await changeCalendar(tx, actor, id, body, ifVersion)
      return record(viewCalendar(row), row.version)
    },
  }),
)

const deleteRoute = route({
  method: 'DELETE',
  path: '/tickets/calendars/:id',
  may: 'ticket.configure',
  summary: 'Delete a calendar by which no policy counts; it can be restored',
  params,
  replies: { 200: Message, 404: Problem, 409: Problem, 412: Problem },
  run: async ({ tx, params: { id }, ifVersion }) => {
    await deleteCalendar(tx, id, ifVersion)
    return { message: 'The calendar was deleted. It can be restored.' }
  },
})

const restoreRoute = route({
  method: 'POST',
  path: '/tickets/calendars/:id/restore',
  may: 'ticket.configure',
  summary: 'Bring a deleted calendar back, unless its name was taken meanwhile',
  params,
  replies: { 200: CalendarView, 404: Problem, 409: Problem },
  run: async ({ tx, params: { id } }) => {
    const row = await restoreCalendar(tx, id)
    return record(viewCalendar(row), row.version)
  },
})

export const calendarRoutes = [
  listRoute,
  createRoute,
  showRoute,
  replaceRoute!,
  changeRoute!,
  deleteRoute,
  restoreRoute,
]

function viewCalendar({ workspace_id: _workspace, version: _version, ...shown }: CalendarRow) {
  return shown
}
