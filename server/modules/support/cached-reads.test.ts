// What is kept of tickets is served without asking the tables, for as long as it is so and no longer, to who asked and nobody else.
import { expect, test } from 'vitest'
import { createMemoryCache } from '#platform/cache/memory.ts'
import { newId } from '#platform/ids.ts'
import { systemActor } from '#platform/actor.ts'
import { customerOf } from '#testing/customer.ts'
import { withLockedTables } from '#testing/locked-tables.ts'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'
import { cachedReads, readThrough, type CachedRead } from './cached-reads.ts'

const upload = (content: string) =>
  `--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${content}\r\n--x--\r\n`
const multipart = { 'content-type': 'multipart/form-data; boundary=x' }

/** A ticket of Chloe's in Agnes' hands, with a note, an answer and a file, and the addresses of everything that is kept. */
async function prepare(app: TestApp) {
  const chloe = await customerOf(app, 'chloe')
  const agnes = app.as('agnes')
  const { body: ticket } = await chloe.post('/tickets', { subject: 'Cold oven', description: 'Since this morning.' })
  const path = `/tickets/${ticket.id}`
  const note = await agnes.post(`${path}/messages`, { content: 'A difficult one.', is_internal: true })
  const answer = await agnes.post(`${path}/messages`, { content: 'Plugged in?' })
  await agnes.post(`${path}/assign`, { agent_id: app.world.people.agnes.id })
  const file = await chloe.post(`${path}/attachments`, upload('one'), multipart)
  expect([note.status, answer.status, file.status]).toEqual([201, 201, 201])
  await app.drain()
  const files = `${path}/attachments`
  const reads = ['/tickets', '/tickets?search=oven', path, files, `${files}/${file.body.id}`, `${files}/message/${answer.body.id}`] // prettier-ignore
  return { chloe, agnes, adrian: app.as('adrian'), path, answer: answer.body.id as string, file: file.body.id, reads }
}

const outcomes = async ({ app: { runtime } }: Pick<TestApp, 'app'>, outcome: 'hit' | 'miss') => {
  const { values } = await runtime.metrics.cachedReads.get()
  return values.filter(({ labels }) => labels.outcome === outcome).reduce((sum, { value }) => sum + value, 0)
}

test('who asks again gets the kept answer, without a look at the tables', async () => {
  await using app = await start()
  const { agnes, chloe, reads } = await prepare(app)
  const first: [Client, string, TestReply][] = []
  for (const client of [agnes, chloe]) for (const read of reads) first.push([client, read, await client.get(read)])
  const hits = await outcomes(app, 'hit')
  const tables = ['support.tickets', 'support.messages', 'support.attachments', 'support.message_reads']
  await withLockedTables(app, tables, async () => {
    for (const [client, read, reply] of first) {
      const again = await client.get(read)
      expect([again.status, again.body, again.headers.etag], read).toEqual([200, reply.body, reply.headers.etag])
    }
  })
  expect(await outcomes(app, 'hit')).toBe(hits + first.length)
})

test('whatever is written, the next answer has it', async () => {
  await using app = await start()
  const { agnes, chloe, adrian, path, answer, reads } = await prepare(app)
  const steps: [change: () => Promise<TestReply>, see: Client, address: string, at: string, expected: unknown][] = [
    [() => agnes.put(path, { priority: 'high' }), chloe, '/tickets', 'data.0.priority', 'high'],
    [() => agnes.put(path, { category: 'ovens' }), chloe, path, 'category', 'ovens'],
    [() => agnes.post(`${path}/messages`, { content: 'Later.' }), chloe, path, 'messages.1.content', 'Later.'],
    [() => chloe.post(`${path}/messages/${answer}/mark-read`), chloe, path, 'messages.0.is_read', true],
    [() => agnes.put(`${path}/messages/${answer}`, { content: 'Warm?' }), chloe, path, 'messages.0.content', 'Warm?'],
    [() => chloe.post(`${path}/attachments`, upload('two'), multipart), agnes, `${path}/attachments`, 'data.length', 2],
    [
      () => agnes.post(`${path}/resolve`, { resolution: 'Plugged in.' }),
      agnes,
      '/tickets',
      'data.0.status',
      'resolved',
    ],
    [() => adrian.delete(path), chloe, '/tickets', 'total', 0],
  ]
  for (const [change, see, address, at, expected] of steps) {
    for (const client of [agnes, chloe]) for (const read of reads) await client.get(read)
    const reply = await change()
    expect(reply.status, reply.text).toBeLessThan(300)
    expect(valueAt((await see.get(address)).body, at), `${address} ${at}`).toEqual(expected)
  }
  expect((await chloe.get(path)).status).toBe(404)
})

const valueAt = (body: unknown, at: string): unknown =>
  at.split('.').reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], body)

test('nobody is told what was kept for another: roles, people, keys with less, and other workspaces', async () => {
  await using app = await start()
  const { agnes, chloe, adrian, path, reads } = await prepare(app)
  for (const client of [adrian, agnes, chloe]) for (const read of reads) await client.get(read)
  expect((await chloe.get(path)).text).not.toContain('difficult')
  expect((await chloe.get(path)).body).not.toHaveProperty('internal_notes')
  expect((await agnes.get(path)).text).toContain('difficult')
  // The same person, by a token that says less of them.
  const { people } = app.world
  const less = await customerOf(app, 'agnes', { ...people.agnes, role: 'customer' })
  const other = await customerOf(app, 'aida', { id: newId(), email: 'a@x.example', name: 'Aida', role: 'agent' })
  for (const client of [less, other, app.as('maria'), app.as('victor'), app.stranger]) {
    expect((await client.get('/tickets')).body.data).toEqual([])
    for (const read of reads.slice(2)) expect((await client.get(read)).status, read).toBe(404)
  }
  // Called in, one sees it; taken out of one's hands, no longer.
  const id = people.agnes.id
  expect((await adrian.post(`${path}/assign`, { agent_id: people.adrian.id })).status).toBe(200)
  expect((await agnes.get(path)).status).toBe(404)
  await adrian.post(`${path}/messages`, { content: 'Look', is_internal: true, mentions: [id] })
  expect((await agnes.get(path)).status).toBe(200)
})

test('an agent’s new name is seen at once, and what becomes late without being written', async () => {
  await using app = await start()
  const { adrian, path } = await prepare(app)
  expect((await adrian.get(path)).body.assigned_to_name).toBe('Agnes')
  await adrian.get('/tickets')
  await app.inTx((tx) =>
    tx.sql
      .updateTable('accounts.users')
      .set({ full_name: 'Agnès' })
      .where('id', '=', app.world.people.agnes.id)
      .execute(),
  )
  expect((await adrian.get(path)).body.assigned_to_name).toBe('Agnès')
  expect((await adrian.get('/tickets')).body.data[0].assigned_to_name).toBe('Agnès')
  const before = (await outcomes(app, 'hit')) + (await outcomes(app, 'miss'))
  await adrian.get('/tickets?overdue=true')
  await adrian.get('/tickets?view=overdue')
  expect((await outcomes(app, 'hit')) + (await outcomes(app, 'miss')), 'such lists are not kept').toBe(before)
})

test('figures are kept until the next count', async () => {
  await using app = await start()
  const { agnes, adrian } = await prepare(app)
  const opened = async (client: Client) => (await client.get('/tickets/statistics')).body.opened
  const count = () => app.app.tasks.find(({ name }) => name === 'support.count_tickets')!.run(app.app.runtime)
  expect(await opened(adrian)).toBe(0)
  await count()
  expect([await opened(adrian), await opened(agnes)]).toEqual([1, 1])
  const hits = await outcomes(app, 'hit')
  expect(await opened(adrian)).toBe(1)
  expect(await outcomes(app, 'hit')).toBe(hits + 1)
})

test.each([
  ['ticket_list', 3],
  ['ticket', 1],
  ['ticket_statistics', 5],
  ['ticket_attachments', 10],
] as [CachedRead, number][])('%s is kept for %i minutes', async (read, minutes) => {
  await using app = await start()
  let now = 1_000_000
  const services = { ...app.app.runtime, cache: createMemoryCache({ now: () => now }) }
  let computed = 0
  const actor = systemActor(app.world.workspaceId)
  const ask = () => app.inTx((tx) => readThrough(tx, services, actor, read, [], () => Promise.resolve(++computed)))
  expect(await ask()).toBe(1)
  now += minutes * 60_000 - 1
  expect(await ask()).toBe(1)
  now += 1
  expect(await ask()).toBe(2)
  expect(cachedReads[read].ttlMs).toBe(minutes * 60_000)
})
