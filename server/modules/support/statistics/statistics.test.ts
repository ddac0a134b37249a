// Figures of tickets against a history whose numbers are known; time is moved by hand.
import { afterEach, expect, test, vi } from 'vitest'
import { start, type Client, type TestApp } from '#testing/start.ts'

afterEach(() => vi.useRealTimers())

/** A Monday, at nine in the zone of the workspace's calendar. */
const monday = Date.parse('2026-11-23T09:00:00Z')
const hour = 3_600_000

function setClock(atMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: atMs })
}

async function runTask(app: TestApp, name: string): Promise<void> {
  await app.app.tasks.find((task) => task.name === name)!.run(app.app.runtime)
}

async function open(app: TestApp, more: object = {}): Promise<string> {
  const reply = await app.as('anna').post('/tickets', {
    subject: 'The oven is cold',
    description: 'Since this morning.',
    contact_email: 'ines@client.example',
    ...more,
  })
  expect(reply.status, reply.text).toBe(201)
  return reply.body.id
}

async function done(reply: ReturnType<Client['post']>): Promise<void> {
  const { status, text } = await reply
  expect(status, text).toBeLessThan(300)
}

const answer = (client: Client, id: string) => done(client.post(`/tickets/${id}/messages`, { content: 'Plugged in?' }))
const resolve = (client: Client, id: string) =>
  done(client.post(`/tickets/${id}/resolve`, { resolution: 'Plugged in.' }))

/** Three tickets of Agnes, answered after 1, 2 and 6 hours, two of them resolved after 20 and 30; one of Adrian. */
async function tellHistory(app: TestApp): Promise<void> {
  const hours = { monday: [{ from: '09:00', to: '12:00' }], tuesday: [{ from: '09:00', to: '17:00' }] }
  await done(app.as('anna').post('/tickets/calendars', { name: 'Office', timezone: 'UTC', hours }))
  setClock(monday)
  const [first, second, third] = [await open(app), await open(app, { priority: 'urgent' }), await open(app)]
  const other = await open(app, { priority: 'low' })
  setClock(monday + hour)
  await answer(app.as('agnes'), first)
  setClock(monday + 2 * hour)
  await answer(app.as('agnes'), third)
  await runTask(app, 'support.escalate')
  setClock(monday + 6 * hour)
  await answer(app.as('agnes'), second)
  setClock(monday + 20 * hour)
  await resolve(app.as('agnes'), first)
  await resolve(app.as('adrian'), other)
  setClock(monday + 30 * hour)
  await resolve(app.as('agnes'), second)
  await app.inTx((tx) =>
    tx.sql
      .updateTable('support.tickets')
      .set({ satisfaction_rating: 4, satisfaction_at: tx.now })
      .where('id', '=', second)
      .execute(),
  )
  setClock(monday + 31 * hour)
  await open(app)
}

test('times, rates, loads and satisfaction are those of the history', async () => {
  await using app = await start()
  await tellHistory(app)
  await runTask(app, 'support.count_tickets')
  const { status, body, text } = await app.as('anna').get('/tickets/statistics')
  expect(status, text).toBe(200)
  expect(body).toMatchObject({
    to: '2026-11-24',
    computed_at: '2026-11-24T16:00:00.000Z',
    now: {
      by_status: { open: 1, assigned: 0, in_progress: 1, waiting_customer: 0, resolved: 3, closed: 0 },
      by_priority: { low: 0, normal: 2, high: 0, urgent: 0 },
      unassigned: 1,
      overdue: 0,
    },
    opened: 5,
    escalated: 1,
    escalation_rate: 0.2,
    first_response: {
      calendar: { count: 3, mean: (3 * hour) / 1_000, median: (2 * hour) / 1_000, p90: (5.2 * hour) / 1_000 },
      // The third answer came after closing time: three hours of Monday had passed.
      business: { count: 3, mean: (2 * hour) / 1_000, median: (2 * hour) / 1_000 },
    },
    resolution: {
      calendar: { count: 3, median: (20 * hour) / 1_000 },
      business: { count: 3, median: (3 * hour) / 1_000, mean: (5 * hour) / 1_000 },
    },
    satisfaction: { count: 1, mean: 4, ratings: { '1': 0, '4': 1, '5': 0 } },
    days: [
      { day: '2026-11-23', opened: 4, ended: 0, escalated: 1 },
      { day: '2026-11-24', opened: 1, ended: 3, escalated: 0 },
    ],
  })
  const lines = new Map<string, object>(body.agents.map((agent: { name: string }) => [agent.name, agent]))
  expect([...lines.keys()].toSorted()).toEqual(['Adrian', 'Agnes', 'Anna'])
  expect(lines.get('Agnes')).toMatchObject({ ended: 2, load: 1, open_tickets: 1, satisfaction_mean: 4 })
  expect(lines.get('Adrian')).toMatchObject({ ended: 1, load: 0, satisfaction_mean: null })
})

test('an agent’s figures are of what they may see, and of their own work', async () => {
  await using app = await start()
  await tellHistory(app)
  await runTask(app, 'support.count_tickets')
  const { body } = await app.as('agnes').get('/tickets/statistics')
  expect(body).toMatchObject({ opened: 4, now: { by_status: { resolved: 2, open: 1 } }, agents: [{ name: 'Agnes' }] })
  expect(body.agents).toHaveLength(1)
  expect(body.resolution.calendar.count).toBe(2)
  expect((await app.as('victor').get('/tickets/statistics')).status).toBe(403)
  vi.useRealTimers() // the stranger's token is of today
  expect((await app.stranger.get('/tickets/statistics')).body).toMatchObject({ opened: 0, agents: [{ ended: 0 }] })
})

test('a period has its days; counting again, and later, changes only what has changed', async () => {
  await using app = await start()
  await tellHistory(app)
  await runTask(app, 'support.count_tickets')
  const monday_ = await app.as('anna').get('/tickets/statistics?from=2026-11-23&to=2026-11-23')
  expect(monday_.body).toMatchObject({ opened: 4, resolution: { calendar: { count: 0, mean: null } } })
  const figures = () =>
    app.inTx((tx) => tx.sql.selectFrom('support.ticket_figures').selectAll().orderBy('ticket_id').execute())
  const before = await figures()
  await runTask(app, 'support.count_tickets')
  expect(await figures()).toEqual(before)
  setClock(monday + 100 * hour)
  const [first] = (await app.as('anna').get('/tickets?status=resolved&sort=created_at')).body.data
  await done(app.as('anna').patch(`/tickets/${first.id}`, { status: 'in_progress' }))
  await runTask(app, 'support.count_tickets')
  expect((await app.as('anna').get('/tickets/statistics')).body).toMatchObject({
    resolution: { calendar: { count: 2 } },
  })
  expect((await app.as('anna').get('/tickets/statistics?from=2026-12-01&to=2026-11-01')).status).toBe(422)
  expect((await app.as('anna').get('/tickets/statistics?from=1000-01-01')).status).toBe(422)
  expect((await app.as('anna').get('/tickets/statistics?from=9999-12-31&to=9999-12-31')).status).toBeLessThan(500)
})

test('what document 3 watches is on /metrics', async () => {
  await using app = await start()
  await tellHistory(app)
  await runTask(app, 'support.count_tickets')
  const { text } = await app.anonymous.get('//metrics')
  for (const line of [
    'rapport_tickets{status="resolved"} 3',
    'rapport_tickets_open{priority="normal"} 2',
    'rapport_ticket_agent_load{of="max"} 1',
    'rapport_ticket_first_response_seconds_average 10800',
    'rapport_ticket_escalation_ratio 0.2',
    'rapport_tickets_escalated 1',
    'rapport_ticket_satisfaction_average 4',
  ]) {
    expect(text).toContain(line)
  }
})
