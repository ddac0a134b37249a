// A house of more people than fit into a page: nobody is left out when work is given, counted or told.
import { expect, test } from 'vitest'
import { hire } from '#testing/hire.ts'
import { start, type TestApp } from '#testing/start.ts'

interface Line {
  name: string
  open_tickets: number
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

test('who is there gets a ticket, however many there are before them by name', async () => {
  await using app = await start()
  await hire(app, 1_200)
  const agnes = app.as('agnes')
  expect((await agnes.put('/tickets/presence', { presence: 'online' })).status).toBe(200)
  const id = await open(app)
  expect((await agnes.get(`/tickets/${id}`)).body.assigned_to).toBe(app.world.people.agnes.id)
  const waiting = await open(app, { priority: 'low', category: 'ovens' })
  expect((await agnes.get(`/tickets/${waiting}`)).body.assigned_to).toBe(app.world.people.agnes.id)

  const all = (await app.as('adrian').get('/tickets/statistics')).body.agents as Line[]
  expect(all).toHaveLength(1_203)
  expect(all.find(({ name }) => name === 'Agnes')).toMatchObject({ open_tickets: 2 })
  const own = (await agnes.get('/tickets/statistics')).body.agents as Line[]
  expect(own.map(({ name, open_tickets }) => [name, open_tickets])).toEqual([['Agnes', 2]])
})

test('whoever is known as there and works at the desk no more gets nothing', async () => {
  await using app = await start()
  await hire(app, 1_200, { online: 2 })
  const anna = app.as('anna')
  const there = (await anna.get('/tickets/agents?presence=online')).body.data as { user_id: string }[]
  const [one, other] = there.map(({ user_id }) => user_id) as [string, string]
  expect((await anna.patch(`/members/${one}`, { role: 'viewer' })).status).toBe(200)
  const ids = [await open(app), await open(app)]
  for (const id of ids) expect((await anna.get(`/tickets/${id}`)).body.assigned_to).toBe(other)
  expect((await anna.delete(`/members/${other}`)).status).toBe(204)
  const left = await open(app)
  expect((await anna.get(`/tickets/${left}`)).body).toMatchObject({ status: 'open', assigned_to: null })
})

test('an urgent ticket that nobody answers is told to the last admin', async () => {
  await using app = await start()
  await hire(app, 1_200, { role: 'admin' })
  const id = await open(app, { priority: 'urgent' })
  await app.inTx((tx) =>
    tx.sql
      .updateTable('support.tickets')
      .set({ created_at: new Date(Date.now() - 3 * 3_600_000) })
      .where('id', '=', id)
      .execute(),
  )
  await app.app.tasks.find(({ name }) => name === 'support.escalate')!.run(app.app.runtime)
  await app.drain()
  const told = new Set(app.mails().map(({ to }) => to))
  expect(told.size).toBe(1_202)
  expect(told).toContain(app.world.people.anna.email)
})
