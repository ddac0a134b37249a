// What time alone does to tickets: urgent ones escalate, solved ones close. Time is moved by hand.
import { afterEach, expect, test, vi } from 'vitest'
import { systemActor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { decodeQuotedPrintable } from '#testing/mail.ts'
import { start, type TestApp } from '#testing/start.ts'
import { addMessage } from '../messages.ts'
import { lockTicket } from '../tickets.ts'

afterEach(() => vi.useRealTimers())

const now = Date.parse('2026-11-23T08:00:00Z')
const hour = 3_600_000
const day = 24 * hour

function setClock(atMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: atMs })
}

async function runTask(app: TestApp, name: string): Promise<void> {
  await app.app.tasks.find((task) => task.name === name)!.run(app.app.runtime)
}

async function open(app: TestApp, more: object = {}): Promise<string> {
  const reply = await app.as('agnes').post('/tickets', {
    subject: 'The oven is cold',
    description: 'Since this morning.',
    contact_email: 'ines@client.example',
    ...more,
  })
  expect(reply.status, reply.text).toBe(201)
  return reply.body.id
}

/** The requester writes, by the way that mails take. */
async function says(app: TestApp, tx: Tx, ticketId: string): Promise<void> {
  const actor = systemActor(tx.workspaceId)
  const ticket = await lockTicket(tx, actor, ticketId)
  const author = { kind: 'requester' as const, name: 'Ines', email: 'ines@client.example' }
  await addMessage(tx, actor, ticket, { content: 'Still cold.' }, app.app.runtime, { author, source: 'email' })
}

test('an urgent ticket without an answer escalates after two hours: once, whoever looks, and the admins hear of it', async () => {
  await using app = await start()
  await app.inTx((tx) =>
    tx.sql.updateTable('accounts.users').set({ language: 'fr' }).where('id', '=', app.world.people.anna.id).execute(),
  )
  await app.inTx((tx) =>
    tx.sql.updateTable('accounts.users').set({ language: 'ro' }).where('id', '=', app.world.people.adrian.id).execute(),
  )
  setClock(now)
  const urgent = await open(app, { priority: 'urgent' })
  const answered = await open(app, { priority: 'urgent' })
  const high = await open(app, { priority: 'high' })
  const solved = await open(app, { priority: 'urgent' })
  await app.as('adrian').post(`/tickets/${answered}/messages`, { content: 'We are on it.' })
  await app.as('adrian').post(`/tickets/${solved}/resolve`, { resolution: 'Plugged in.' })
  await app.drainEvents()
  setClock(now + 2 * hour - 1)
  await runTask(app, 'support.escalate')
  expect(await app.drainEvents()).toEqual([])
  setClock(now + 2 * hour)
  await Promise.all([runTask(app, 'support.escalate'), runTask(app, 'support.escalate')])
  await runTask(app, 'support.escalate')
  expect(await app.drainEvents()).toEqual(['ticket.escalated'])
  setClock(now + 30 * hour)
  await runTask(app, 'support.escalate')
  expect(await app.drainEvents()).toEqual([])

  expect((await app.as('anna').get(`/tickets/${urgent}`)).body).toMatchObject({
    is_escalated: true,
    escalated_at: '2026-11-23T10:00:00.000Z',
  })
  for (const id of [answered, high, solved]) {
    expect((await app.as('anna').get(`/tickets/${id}`)).body.is_escalated).toBe(false)
  }
  const history = await app.as('anna').get(`/tickets/${urgent}/history`)
  expect(history.body.data.filter((entry: { type: string }) => entry.type === 'escalated')).toHaveLength(1)
  const mails = new Map(app.mails().map(({ to, raw }) => [to, decodeQuotedPrintable(raw)]))
  expect([...mails.keys()].toSorted()).toEqual(['adrian@moulin.example', 'anna@moulin.example'])
  expect(mails.get('anna@moulin.example')).toContain('attend une première réponse depuis 2 heures')
  expect(mails.get('adrian@moulin.example')).toContain('așteaptă un prim răspuns de 2 ore')
  expect(mails.get('anna@moulin.example')).not.toContain('oven')
})

test('a mail about a ticket that was answered meanwhile is not sent', async () => {
  await using app = await start()
  setClock(now)
  const urgent = await open(app, { priority: 'urgent' })
  setClock(now + 3 * hour)
  await runTask(app, 'support.escalate')
  await app.as('adrian').post(`/tickets/${urgent}/messages`, { content: 'We are on it.' })
  await app.drain()
  expect(app.mails()).toEqual([])
})

test('ESCALATION_TIMEOUT_HOURS says how long', async () => {
  await using app = await start({ ESCALATION_TIMEOUT_HOURS: '0.5' })
  setClock(now)
  await open(app, { priority: 'urgent' })
  await app.drainEvents()
  setClock(now + hour / 2)
  await runTask(app, 'support.escalate')
  expect(await app.drainEvents()).toEqual(['ticket.escalated'])
})

async function resolved(app: TestApp): Promise<string> {
  const id = await open(app)
  const reply = await app.as('agnes').post(`/tickets/${id}/resolve`, { resolution: 'Plugged in.' })
  expect(reply.status, reply.text).toBe(200)
  return id
}

const statusOf = async (app: TestApp, id: string): Promise<string> =>
  (await app.as('anna').get(`/tickets/${id}`)).body.status

test('a resolved ticket in which nothing happened for seven days is closed; a word begins them anew', async () => {
  await using app = await start()
  setClock(now)
  const [silent, spoken, waiting] = [await resolved(app), await resolved(app), await open(app)]
  setClock(now + 5 * day)
  await app.as('agnes').post(`/tickets/${spoken}/messages`, { content: 'Checked again.', is_internal: true })
  await app.drainEvents()
  setClock(now + 7 * day)
  await runTask(app, 'support.close_resolved')
  expect(await app.drainEvents()).toEqual([])
  setClock(now + 7 * day + 1)
  await Promise.all([runTask(app, 'support.close_resolved'), runTask(app, 'support.close_resolved')])
  expect(await app.drainEvents()).toEqual(['ticket.closed'])
  expect([await statusOf(app, silent), await statusOf(app, spoken), await statusOf(app, waiting)]).toEqual([
    'closed',
    'resolved',
    'open',
  ])
  setClock(now + 12 * day + 1)
  await runTask(app, 'support.close_resolved')
  expect(await statusOf(app, spoken)).toBe('closed')
})

test('a customer who writes while tickets are being closed is heard', async () => {
  await using app = await start()
  setClock(now)
  const id = await resolved(app)
  setClock(now + 8 * day)
  // The reply holds the ticket while the task comes by: it is left alone.
  await app.inTx(async (tx) => {
    await says(app, tx, id)
    await runTask(app, 'support.close_resolved')
  })
  expect(await statusOf(app, id)).toBe('in_progress')
})

test('a customer whose word comes a moment after the closing is heard too', async () => {
  await using app = await start()
  setClock(now)
  const id = await resolved(app)
  setClock(now + 8 * day)
  await runTask(app, 'support.close_resolved')
  expect(await statusOf(app, id)).toBe('closed')
  await app.inTx((tx) => says(app, tx, id))
  expect(await statusOf(app, id)).toBe('in_progress')
})

test('written and closed at the same moment, again and again, the ticket is never left closed', async () => {
  await using app = await start()
  setClock(now)
  const ids = [await resolved(app), await resolved(app), await resolved(app), await resolved(app)]
  setClock(now + 8 * day)
  await Promise.all([
    runTask(app, 'support.close_resolved'),
    ...ids.map((id) => app.inTx((tx) => says(app, tx, id))),
    runTask(app, 'support.close_resolved'),
  ])
  for (const id of ids) expect(await statusOf(app, id)).toBe('in_progress')
})
