// Promises, kept and broken, through the doors; time is moved by hand.
import { afterEach, expect, test, vi } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { readLedger } from '../history.ts'
import { addMessage } from '../messages.ts'
import { lockTicket } from '../tickets.ts'
import type { Calendar } from './calendar.ts'
import { readCalendarVersions } from './calendar-versions.ts'
import { clocksAt } from './clocks.ts'
import { calendarsNamed, tellClocks, toStored } from './ledger-clocks.ts'

afterEach(() => vi.useRealTimers())

/** A Monday, at nine in Paris. */
const monday = Date.parse('2026-11-23T08:00:00Z')
const hour = 3_600_000

function setClock(atMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: atMs })
}

async function runTask(app: TestApp, name: string): Promise<void> {
  await app.app.tasks.find((task) => task.name === name)!.run(app.app.runtime)
}

const officeHours: Pick<Calendar, 'timezone' | 'hours'> = {
  timezone: 'Europe/Paris',
  hours: Object.fromEntries(
    (['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const).map((day) => [
      day,
      [
        { from: '09:00', to: '12:00' },
        { from: '13:00', to: '18:00' },
      ],
    ]),
  ),
}
const targets = {
  urgent: { first_response: 30, next_response: 60, resolution: 240 },
  normal: { first_response: 120, next_response: 240, resolution: 960 },
}

async function promise(app: TestApp, more: object = {}): Promise<{ id: string; calendarId: string }> {
  const calendar = await app.as('adrian').post('/tickets/calendars', { name: 'Office', ...officeHours })
  expect(calendar.status, calendar.text).toBe(201)
  const policy = await app
    .as('adrian')
    .post('/tickets/sla-policies', { name: 'Usual', targets, calendar_id: calendar.body.id, ...more })
  expect(policy.status, policy.text).toBe(201)
  await app.drain()
  return { id: policy.body.id, calendarId: calendar.body.id }
}

async function open(app: TestApp, more: object = {}) {
  const reply = await app.as('agnes').post('/tickets', {
    subject: 'The oven is cold',
    description: 'Since this morning.',
    contact_email: 'ines@client.example',
    ...more,
  })
  expect(reply.status, reply.text).toBe(201)
  return reply.body
}

/** The requester writes, by the way that mails take. */
async function says(app: TestApp, tx: Tx, ticketId: string, content: string): Promise<void> {
  const actor = systemActor(tx.workspaceId)
  const ticket = await lockTicket(tx, actor, ticketId)
  const author = { kind: 'requester' as const, name: 'Ines', email: 'ines@client.example' }
  await addMessage(tx, actor, ticket, { content }, app.app.runtime, { author, source: 'email' })
}

test('a new ticket says when it is due, in office hours, and in the list the next due comes first', async () => {
  await using app = await start()
  setClock(monday)
  await promise(app)
  setClock(monday + 2 * hour)
  const usual = await open(app)
  const urgent = await open(app, { priority: 'urgent' })
  expect(usual).toMatchObject({
    first_response_due_at: '2026-11-23T13:00:00.000Z', // eleven, two hours, and an hour of lunch
    next_response_due_at: null,
    resolution_due_at: '2026-11-25T10:00:00.000Z',
    due_at: '2026-11-23T13:00:00.000Z',
  })
  expect(urgent).toMatchObject({ due_at: '2026-11-23T10:30:00.000Z', resolution_due_at: '2026-11-23T15:00:00.000Z' })
  const list = await app.as('agnes').get('/tickets?sort=due_at')
  expect(list.body.data.map((row: { id: string }) => row.id)).toEqual([urgent.id, usual.id])
})

test('a deadline that passes in silence is breached at its hour, told once, and shows as overdue', async () => {
  await using app = await start()
  setClock(monday)
  await promise(app)
  const ticket = await open(app)
  await app.drainEvents()
  setClock(monday + 2 * hour)
  await runTask(app, 'support.notice_breaches')
  expect(await app.drainEvents()).toEqual(['ticket.sla_warning'])
  setClock(monday + 100 * hour)
  await Promise.all([runTask(app, 'support.notice_breaches'), runTask(app, 'support.notice_breaches')])
  await runTask(app, 'support.notice_breaches')
  expect(await app.drainEvents()).toEqual(['ticket.sla_breached', 'ticket.sla_breached'])
  const shown = await app.as('agnes').get(`/tickets/${ticket.id}`)
  expect(shown.body).toMatchObject({
    first_response_due_at: '2026-11-23T10:00:00.000Z',
    first_response_breached_at: '2026-11-23T10:00:00.000Z',
    resolution_breached_at: '2026-11-24T17:00:00.000Z',
  })
  const overdue = await app.as('agnes').get('/tickets?overdue=true')
  expect(overdue.body.total).toBe(1)
  const breaches = await app.inTx((tx) =>
    tx.sql.selectFrom('support.sla_breaches').selectAll().orderBy('breached_at').execute(),
  )
  expect(breaches.map(({ clock, breached_at }) => [clock, breached_at.toISOString()])).toEqual([
    ['first_response', '2026-11-23T10:00:00.000Z'],
    ['resolution', '2026-11-24T17:00:00.000Z'],
  ])
})

test('a deadline that is near is warned of once, at its hour, and the list finds it until it is late', async () => {
  await using app = await start()
  setClock(monday)
  const { id } = await promise(app, { warn_at_percent: 75 })
  const ticket = await open(app, { assigned_to: app.world.people.agnes.id })
  await open(app, { priority: 'low' })
  expect(ticket.at_risk_at).toBe('2026-11-23T09:30:00.000Z')
  await app.drainEvents()
  const atRisk = async (query: string): Promise<string[]> => {
    const reply = await app.as('adrian').get(`/tickets?${query}`)
    expect(reply.status, reply.text).toBe(200)
    return reply.body.data.map((one: { id: string }) => one.id)
  }
  setClock(monday + 1.5 * hour)
  await runTask(app, 'support.notice_breaches')
  expect([await app.drainEvents(), await atRisk('at_risk=true')]).toEqual([[], []])
  setClock(monday + 1.5 * hour + 1)
  expect(await atRisk('at_risk=true'), 'whether anybody has looked at the clocks or not').toEqual([ticket.id])
  await Promise.all([1, 2].map(() => runTask(app, 'support.notice_breaches')))
  setClock(monday + 1.9 * hour)
  await runTask(app, 'support.notice_breaches')
  expect(await app.drainEvents()).toEqual(['ticket.sla_warning'])
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery<{ data: object }>(`select data from platform.outbox where event = 'ticket.sla_warning'`),
  )
  expect(rows).toMatchObject([
    {
      data: {
        ticket_id: ticket.id,
        assigned_to: app.world.people.agnes.id,
        clock: 'first_response',
        due_at: '2026-11-23T10:00:00.000Z',
        warned_at: '2026-11-23T09:30:00.000Z',
        policy_id: id,
      },
    },
  ])
  const history = (await app.as('agnes').get(`/tickets/${ticket.id}/history`)).body.data
  expect(history.filter((entry: { type: string }) => entry.type === 'sla_warning')).toMatchObject([
    { at: '2026-11-23T09:30:00.000Z', to: 'first_response', data: { due_at: '2026-11-23T10:00:00.000Z' } },
  ])
  expect(await atRisk('at_risk=false')).toHaveLength(1)
  const view = await app.as('adrian').post('/tickets/views', { name: 'Soon', filter: { at_risk: true } })
  expect(await atRisk(`view=${view.body.id}`)).toEqual([ticket.id])
  setClock(monday + 2 * hour + 1)
  expect([await atRisk(`view=${view.body.id}`), await atRisk('overdue=true')]).toEqual([[], [ticket.id]])
})

test('a pause and a change of the policy move the warning; what nobody could heed any more is not told', async () => {
  await using app = await start()
  setClock(monday)
  const { id } = await promise(app, { targets: { normal: { resolution: 100 } }, calendar_id: null })
  const ticket = await open(app)
  const minutes = (count: number): void => setClock(monday + count * 60_000)
  const risk = async () => {
    const { at_risk_at: at } = (await app.as('agnes').get(`/tickets/${ticket.id}`)).body
    return at && (Date.parse(at) - monday) / 60_000
  }
  const told = async () => {
    await runTask(app, 'support.notice_breaches')
    return (await app.drainEvents()).filter((event) => event.startsWith('ticket.sla'))
  }
  expect(await risk()).toBe(80)
  minutes(60)
  const waits = { content: 'Which one?', status: 'waiting_customer' }
  expect((await app.as('agnes').post(`/tickets/${ticket.id}/messages`, waits)).status).toBe(201)
  expect(await risk()).toBe(null)
  minutes(1_000)
  expect(await told()).toEqual([])
  await app.inTx((tx) => says(app, tx, ticket.id, 'The red one.'))
  expect(await risk()).toBe(1_020)
  await app.as('adrian').patch(`/tickets/sla-policies/${id}`, { warn_at_percent: 95 })
  await app.drain()
  expect(await risk()).toBe(1_035)
  minutes(1_030)
  expect(await told()).toEqual([])
  minutes(1_036)
  expect(await told()).toEqual(['ticket.sla_warning'])
  await app.as('adrian').patch(`/tickets/sla-policies/${id}`, { targets: { normal: { resolution: 200 } } })
  await app.drain()
  expect(await risk()).toBe(1_130)
  // Nobody looked for a day: what is late is told, and not that it was going to be.
  minutes(2_500)
  expect(await told()).toEqual(['ticket.sla_breached'])
  expect(await risk()).toBe(null)
  for (const percent of [49, 96, 80.5]) {
    const wrong = await app.as('adrian').patch(`/tickets/sla-policies/${id}`, { warn_at_percent: percent })
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, '/warn_at_percent'])
  }
})

test('an answer in time meets the first promise; waiting for the customer stops the rest; their word starts the next', async () => {
  await using app = await start()
  setClock(monday)
  await promise(app)
  const ticket = await open(app)
  setClock(monday + hour)
  const note = await app
    .as('agnes')
    .post(`/tickets/${ticket.id}/messages`, { content: 'Who knows?', is_internal: true })
  expect(note.status, note.text).toBe(201)
  expect((await app.as('agnes').get(`/tickets/${ticket.id}`)).body.first_response_due_at).not.toBeNull()
  const answer = { content: 'Is it plugged in?', status: 'waiting_customer' }
  expect((await app.as('agnes').post(`/tickets/${ticket.id}/messages`, answer)).status).toBe(201)
  expect((await app.as('agnes').get(`/tickets/${ticket.id}`)).body).toMatchObject({
    status: 'waiting_customer',
    first_response_due_at: null,
    resolution_due_at: null,
    due_at: null,
  })
  setClock(monday + 48 * hour)
  await app.inTx((tx) => says(app, tx, ticket.id, 'It is.'))
  expect((await app.as('agnes').get(`/tickets/${ticket.id}`)).body).toMatchObject({
    first_response_breached_at: null,
    next_response_due_at: '2026-11-25T13:00:00.000Z',
    resolution_due_at: '2026-11-26T16:00:00.000Z', // one hour of sixteen had passed
  })
})

test('a change of promise or priority keeps the time that has passed', async () => {
  await using app = await start()
  setClock(monday)
  const { id } = await promise(app)
  const ticket = await open(app)
  setClock(monday + hour)
  const changed = await app.as('adrian').patch(`/tickets/sla-policies/${id}`, {
    targets: { ...targets, normal: { first_response: 90, resolution: null } },
  })
  expect(changed.status, changed.text).toBe(200)
  await app.drain()
  expect((await app.as('agnes').get(`/tickets/${ticket.id}`)).body).toMatchObject({
    first_response_due_at: '2026-11-23T09:30:00.000Z',
    resolution_due_at: null,
  })
  const raised = await app.as('agnes').patch(`/tickets/${ticket.id}`, { priority: 'urgent' })
  // Thirty minutes were promised, sixty have passed: late from the moment it was promised.
  expect(raised.body).toMatchObject({
    first_response_due_at: '2026-11-23T09:00:00.000Z',
    resolution_due_at: '2026-11-23T13:00:00.000Z',
  })
  await app.as('adrian').delete(`/tickets/sla-policies/${id}`)
  await app.drain()
  expect((await app.as('agnes').get(`/tickets/${ticket.id}`)).body).toMatchObject({ due_at: null })
  await app.as('adrian').post(`/tickets/sla-policies/${id}/restore`)
  await app.drain()
  expect((await app.as('agnes').get(`/tickets/${ticket.id}`)).body.due_at).not.toBeNull()
})

test('a deleted ticket owes nothing, and goes on when it comes back', async () => {
  await using app = await start()
  setClock(monday)
  await promise(app)
  const ticket = await open(app)
  setClock(monday + hour)
  expect((await app.as('adrian').delete(`/tickets/${ticket.id}`)).status).toBe(200)
  setClock(monday + 200 * hour)
  await runTask(app, 'support.notice_breaches')
  expect(await app.drainEvents()).not.toContain('ticket.sla_breached')
  setClock(Date.parse('2026-12-07T09:00:00Z'))
  const back = await app.as('adrian').post(`/tickets/${ticket.id}/restore`)
  expect(back.body).toMatchObject({
    first_response_due_at: '2026-12-07T10:00:00.000Z',
    first_response_breached_at: null,
  })
})

test('new hours of a calendar hold for open tickets from then on', async () => {
  await using app = await start()
  setClock(monday)
  const { calendarId } = await promise(app)
  const ticket = await open(app)
  setClock(monday + hour)
  const longer = await app.as('adrian').patch(`/tickets/calendars/${calendarId}`, {
    hours: { monday: [{ from: '00:00', to: '24:00' }] },
  })
  expect(longer.status, longer.text).toBe(200)
  await app.drain()
  expect((await app.as('agnes').get(`/tickets/${ticket.id}`)).body).toMatchObject({
    first_response_due_at: '2026-11-23T10:00:00.000Z',
    // Fifteen hours are left of sixteen, and Monday has fourteen more.
    resolution_due_at: '2026-11-30T00:00:00.000Z',
  })
})

test('the first active policy that is for a ticket holds: category, tag, source, and who asks', async () => {
  await using app = await start()
  setClock(monday)
  const first = (minutes: number) => ({ normal: { first_response: minutes } })
  const make = async (name: string, position: number, minutes: number, conditions: object): Promise<void> => {
    const body = { name, position, targets: first(minutes), conditions }
    const reply = await app.as('adrian').post('/tickets/sla-policies', body)
    expect(reply.status, reply.text).toBe(201)
  }
  await app.as('maria').post('/contacts', { email: 'vip@client.example', first_name: 'Vera', tags: ['VIP'] })
  await make('Everybody', 90, 100, {})
  await make('Important people', 10, 10, { contact: { tags: ['VIP'] } })
  await make('Invoices', 20, 20, { categories: ['Billing'], sources: ['web', 'email'] })
  await make('Tagged', 30, 30, { tags: ['oven'] })
  await app.drain()
  const due = async (more: object): Promise<number> => {
    const { first_response_due_at } = await open(app, more)
    return (Date.parse(first_response_due_at) - Date.now()) / 60_000
  }
  expect(await due({})).toBe(100)
  expect(await due({ contact_email: 'vip@client.example', category: 'billing' })).toBe(10)
  expect(await due({ category: 'billing' })).toBe(20)
  expect(await due({ category: 'billing', source: 'phone' })).toBe(100)
  expect(await due({ tags: ['Oven'] })).toBe(30)
})

test('the ledger, told again from its beginning, gives what is stored', async () => {
  await using app = await start()
  setClock(monday)
  const { id } = await promise(app)
  const ticket = await open(app)
  const at = (hours: number): void => setClock(monday + hours * hour)
  at(1)
  await app.as('agnes').post(`/tickets/${ticket.id}/messages`, { content: 'Hm.', status: 'waiting_customer' })
  at(5)
  await app.inTx((tx) => says(app, tx, ticket.id, 'And now?'))
  at(20)
  await runTask(app, 'support.notice_breaches')
  await app.as('adrian').patch(`/tickets/sla-policies/${id}`, { pause_while_waiting: false, targets })
  await app.drain()
  at(30)
  await app.as('agnes').post(`/tickets/${ticket.id}/resolve`, { resolution: 'Plugged in.' })
  at(60)
  await app.inTx((tx) => says(app, tx, ticket.id, 'Cold again.'))
  await app.inTx(async (tx) => {
    const ledger = await readLedger(tx, ticket.id)
    const calendars = await readCalendarVersions(tx, calendarsNamed(ledger, null))
    const told = tellClocks(ledger, null, calendars)!
    const stored = await tx.sql.selectFrom('support.ticket_clocks').selectAll().executeTakeFirstOrThrow()
    const again = toStored({ state: clocksAt(told.state, Date.now()), terms: told.terms })
    expect(again).toEqual(stored.state)
    expect(told.breaches.map(({ clock }) => clock)).toEqual(['next_response'])
  })
})
