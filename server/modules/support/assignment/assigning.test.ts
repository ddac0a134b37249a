// Tickets that go to agents by themselves, through the doors; time is moved by hand.
import { afterEach, expect, test, vi } from 'vitest'
import { newId } from '#platform/ids.ts'
import { meetAt } from '#testing/meet-at.ts'
import { clientOf, start, tokenOf, type Client, type TestApp } from '#testing/start.ts'
import { weights } from './rule.ts'

afterEach(() => vi.useRealTimers())

const now = Date.parse('2026-11-23T08:00:00Z')
const minute = 60_000

function setClock(atMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: atMs })
}

async function runTask(app: TestApp, name: string): Promise<void> {
  await app.app.tasks.find((task) => task.name === name)!.run(app.app.runtime)
}

async function comeOnline(...people: Client[]): Promise<void> {
  for (const person of people) {
    const reply = await person.put('/tickets/presence', { presence: 'online' })
    expect(reply.status, reply.text).toBe(200)
  }
}

let made = 0
async function open(app: TestApp, more: object = {}) {
  const reply = await app.as('anna').post('/tickets', {
    subject: 'The oven is cold',
    description: 'Since this morning.',
    contact_email: `client${++made}@client.example`,
    ...more,
  })
  expect(reply.status, reply.text).toBe(201)
  return reply.body
}

async function loads(app: TestApp): Promise<Record<string, number>> {
  const { body } = await app.as('anna').get('/tickets/agents')
  return Object.fromEntries(body.data.map((agent: { name: string; load: number }) => [agent.name, agent.load]))
}

test('with nobody there a ticket waits; whoever comes gets it, and the world is told', async () => {
  await using app = await start()
  const ticket = await open(app)
  expect(ticket).toMatchObject({ status: 'open', assigned_to: null })
  await app.drainEvents()
  await comeOnline(app.as('agnes'))
  expect(await app.drainEvents()).toEqual(['ticket.assigned'])
  const shown = await app.as('agnes').get(`/tickets/${ticket.id}`)
  expect(shown.body).toMatchObject({ status: 'assigned', assigned_to: app.world.people.agnes.id })
  const agents = await app.as('agnes').get('/tickets/agents?presence=online')
  expect(agents.body).toMatchObject({ total: 1, data: [{ name: 'Agnes', load: 1, open_tickets: 1, capacity: 20 }] })
})

test('a ticket is given in the moment it is made, to the least filled who is there', async () => {
  await using app = await start()
  await comeOnline(app.as('agnes'), app.as('adrian'))
  const { agnes, adrian } = app.world.people
  const first = await open(app, { priority: 'urgent' })
  expect(first.status).toBe('assigned')
  const other = first.assigned_to === agnes.id ? adrian.id : agnes.id
  expect((await open(app, { priority: 'high' })).assigned_to).toBe(other)
  expect((await open(app)).assigned_to).toBe(other)
  expect((await open(app)).assigned_to).toBe(other)
})

test('whoever is silent for two minutes, or away, gets nothing; a sign of life a minute keeps them there', async () => {
  await using app = await start()
  setClock(now)
  await comeOnline(app.as('agnes'))
  setClock(now + minute)
  await comeOnline(app.as('agnes'))
  setClock(now + 3 * minute)
  expect((await open(app)).status).toBe('assigned')
  setClock(now + 3 * minute + 1)
  expect((await open(app)).status).toBe('open')
  await app.as('agnes').put('/tickets/presence', { presence: 'away' })
  expect((await open(app)).status).toBe('open')
  await comeOnline(app.as('agnes'))
  expect(await loads(app)).toMatchObject({ Agnes: 3 })
})

test('full is full, until something ends or is given away: then what waits longest comes', async () => {
  await using app = await start()
  const { agnes } = app.world.people
  await app.as('adrian').patch(`/tickets/agents/${agnes.id}`, { capacity: 4 })
  await comeOnline(app.as('agnes'))
  const urgent = await open(app, { priority: 'urgent' })
  const [second, third] = [await open(app), await open(app)]
  expect([urgent.status, second.status, third.status]).toEqual(['assigned', 'open', 'open'])
  await app.as('agnes').post(`/tickets/${urgent.id}/resolve`, { resolution: 'Done.' })
  await app.drain()
  expect(await loads(app)).toMatchObject({ Agnes: 2 })
  expect((await app.as('agnes').get(`/tickets/${second.id}`)).body.status).toBe('assigned')
})

test('more capacity takes effect at once, and not less than one urgent ticket weighs', async () => {
  await using app = await start()
  const path = `/tickets/agents/${app.world.people.agnes.id}`
  await app.as('adrian').put(path, { capacity: 4 })
  await comeOnline(app.as('agnes'))
  for (let count = 0; count < 6; count++) await open(app)
  expect(await loads(app)).toMatchObject({ Agnes: 4 })
  expect((await app.as('adrian').put(path, { capacity: 5 })).body).toMatchObject({ capacity: 5, load: 5 })
  expect((await app.as('adrian').put(path, { capacity: 3 })).status).toBe(422)
  expect((await app.as('agnes').put(path, { capacity: 50 })).status).toBe(403)
  expect((await app.as('adrian').put(path, { capacity: 9 }, { 'if-match': '"v1"' })).status).toBe(412)
  expect((await app.as('adrian').put(`/tickets/agents/${app.world.people.maria.id}`, { capacity: 9 })).status).toBe(404)
})

test('whoever gives a ticket back does not get it again by itself', async () => {
  await using app = await start()
  await comeOnline(app.as('agnes'))
  const ticket = await open(app)
  await app.as('agnes').patch(`/tickets/${ticket.id}`, { assigned_to: null })
  await app.drain()
  expect((await app.as('anna').get(`/tickets/${ticket.id}`)).body).toMatchObject({ status: 'open', assigned_to: null })
  await comeOnline(app.as('adrian'))
  expect((await app.as('anna').get(`/tickets/${ticket.id}`)).body.assigned_to).toBe(app.world.people.adrian.id)
})

test('switched off, nothing goes by itself; switched on, all that waited does', async () => {
  await using app = await start({ AUTO_ASSIGN: 'false' })
  await comeOnline(app.as('agnes'))
  expect((await open(app)).status).toBe('open')
  expect((await app.as('agnes').get('/tickets/settings')).body).toEqual({ auto_assign: false, chosen: null })
  expect((await app.as('agnes').put('/tickets/settings', { auto_assign: true })).status).toBe(403)
  const on = await app.as('adrian').put('/tickets/settings', { auto_assign: true })
  expect(on.body).toEqual({ auto_assign: true, chosen: true })
  expect(await loads(app)).toMatchObject({ Agnes: 1 })
})

test('the minute finds what nobody told of', async () => {
  await using app = await start()
  const ticket = await open(app)
  setClock(Date.now())
  await app.inTx((tx) =>
    tx.sql
      .insertInto('support.agents')
      .values({
        workspace_id: tx.workspaceId,
        user_id: app.world.people.agnes.id,
        capacity: 20,
        presence: 'online',
        seen_at: tx.now,
      })
      .execute(),
  )
  await runTask(app, 'support.assign_waiting')
  expect((await app.as('anna').get(`/tickets/${ticket.id}`)).body.status).toBe('assigned')
})

test('tickets that are made at once never fill the same room twice', async () => {
  await using app = await start()
  const { agnes, adrian } = app.world.people
  for (const { id } of [agnes, adrian]) await app.as('anna').put(`/tickets/agents/${id}`, { capacity: 5 })
  await comeOnline(app.as('agnes'), app.as('adrian'))
  const tickets = await Promise.all(Array.from({ length: 16 }, () => open(app)))
  await app.drain()
  const statuses = tickets.map(({ status }) => status)
  expect(statuses.filter((status) => status === 'assigned')).toHaveLength(10)
  expect(await loads(app)).toMatchObject({ Agnes: 5, Adrian: 5 })
})

test('whoever gives out tickets does it alone: all wait for one row, and the room is filled once', async () => {
  await using app = await start()
  const { agnes } = app.world.people
  await app.as('anna').put(`/tickets/agents/${agnes.id}`, { capacity: 4 })
  await comeOnline(app.as('agnes'))
  const tickets = [await open(app), await open(app), await open(app), await open(app)]
  for (let count = 0; count < 3; count++) await open(app)
  for (const { id } of tickets.slice(0, 2)) await app.as('agnes').post(`/tickets/${id}/close`)
  expect(await loads(app)).toMatchObject({ Agnes: 2 })
  await meetAt<unknown>(app, 'select from support.assignment_settings for update', [
    () => open(app),
    () => runTask(app, 'support.assign_waiting'),
    () => runTask(app, 'support.assign_waiting'),
  ])
  expect(await loads(app)).toMatchObject({ Agnes: 4 })
  await app.drain()
  expect(await loads(app)).toMatchObject({ Agnes: 4 })
})

test('a day of tickets is shared out fairly, however fast each of them works', async () => {
  await using app = await start()
  const people = await addAgents(app, 4)
  await comeOnline(...people)
  const kinds = ['low', 'normal', 'normal', 'high', 'urgent', 'normal'] as const
  const inHand = new Map<string, { id: string; weight: number }[]>()
  const loadOf = (id: string): number => (inHand.get(id) ?? []).reduce((sum, { weight }) => sum + weight, 0)
  const overTime = new Map<string, number>()
  let spreadMax = 0
  for (let count = 0; count < 80; count++) {
    const priority = kinds[(count * 7) % kinds.length]!
    const before = [...inHand.keys()].map(loadOf)
    const ticket = await open(app, { priority })
    expect(loadOf(ticket.assigned_to), 'somebody else had less').toBe(
      Math.min(...before, inHand.size < 4 ? 0 : Infinity),
    )
    inHand.set(ticket.assigned_to, [
      ...(inHand.get(ticket.assigned_to) ?? []),
      { id: ticket.id, weight: weights[priority] },
    ])
    // The first works twice as fast as the others.
    const [worker = ''] =
      [...inHand.entries()].toSorted(([, one], [, other]) => other.length - one.length)[count % 2] ?? []
    const done = count % 2 === 0 || worker === ticket.assigned_to ? inHand.get(worker)?.shift() : undefined
    if (done) await app.as('anna').post(`/tickets/${done.id}/close`)
    const loads = [...inHand.keys()].map(loadOf)
    spreadMax = Math.max(spreadMax, Math.max(...loads) - Math.min(...loads))
    for (const id of inHand.keys()) overTime.set(id, (overTime.get(id) ?? 0) + loadOf(id))
  }
  const shares = [...overTime.values()]
  const sum = shares.reduce((total, share) => total + share, 0)
  const fairness = sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0))
  const means = shares.map((share) => (share / 80).toFixed(1)).join(', ')
  console.info(
    `mean weight in hand of four agents: ${means}; Jain's index ${fairness.toFixed(4)}; widest gap ${spreadMax}`,
  )
  expect(shares).toHaveLength(4)
  expect(fairness).toBeGreaterThan(0.99)
})

/** More people of the help desk, with keys to its doors. */
async function addAgents(app: TestApp, count: number): Promise<Client[]> {
  const people = Array.from({ length: count }, (_, index) => ({
    id: newId(),
    email: `agent${index}@moulin.example`,
    name: `Agent ${index}`,
    role: 'agent' as const,
  }))
  await app.inTx(async (tx) => {
    for (const { id, email, name, role } of people) {
      await tx.sql.insertInto('accounts.users').values({ id, email, full_name: name }).execute()
      await tx.sql
        .insertInto('accounts.memberships')
        .values({ workspace_id: tx.workspaceId, user_id: id, role })
        .execute()
    }
  })
  return people.map((person) => clientOf(app.app, tokenOf(person, app.world.workspaceId)))
}
