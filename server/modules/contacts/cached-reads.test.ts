// What is kept is served without asking the tables, for as long as it is so and no longer, to its own workspace alone.
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createMemoryCache } from '#platform/cache/memory.ts'
import { newId } from '#platform/ids.ts'
import { answers, REDIS_URL } from '#testing/services.ts'
import { withLockedTables } from '#testing/locked-tables.ts'
import { startAnother } from '#testing/start-another.ts'
import { start, type TestApp, type TestReply } from '#testing/start.ts'
import { cachedReads, readThrough, type CachedRead } from './cached-reads.ts'

const hasRedis = await answers(REDIS_URL)

/** A contact in a list and with a tag, and the addresses of everything that is kept. */
async function prepare(app: TestApp) {
  const maria = app.as('maria')
  const { body: ana } = await maria.post('/contacts', { email: 'ana@example.com', first_name: 'Ana', tags: ['VIP'] })
  const { body: list } = await maria.post('/lists', { name: 'Guests' })
  await maria.post(`/lists/${list.id}/contacts`, { contact_ids: [ana.id] })
  const { body: tags } = await maria.get('/tags')
  const reads = ['/lists', '/contacts/groups', '/tags', '/tags/popular', `/contacts/${ana.id}`, '/contacts?search=ana']
  return { maria, ana, list, tag: tags.data[0], reads }
}

const outcomes = async ({ app: { runtime } }: Pick<TestApp, 'app'>, outcome: 'hit' | 'miss') => {
  const { values } = await runtime.metrics.cachedReads.get()
  return values.filter(({ labels }) => labels.outcome === outcome).reduce((sum, { value }) => sum + value, 0)
}

test('a second reader gets the kept answer, without a look at the tables', async () => {
  await using app = await start()
  const { maria, reads } = await prepare(app)
  const first: TestReply[] = []
  for (const address of reads) first.push(await maria.get(address))
  const hits = await outcomes(app, 'hit')
  const tables = ['contacts.contacts', 'contacts.lists', 'contacts.tags', 'contacts.interactions']
  await withLockedTables(app, tables, async () => {
    for (const [index, address] of reads.entries()) {
      const again = await app.as('victor').get(address)
      assert.deepEqual([again.status, again.body], [200, first[index]!.body], address)
      assert.equal(again.headers.etag, first[index]!.headers.etag)
    }
  })
  assert.equal(await outcomes(app, 'hit'), hits + reads.length)
})

test('whatever is written, the next reader sees it', async () => {
  await using app = await start()
  const { maria, ana, list, tag, reads } = await prepare(app)
  const path = `/contacts/${ana.id}`
  const bea = await maria.post('/contacts', { email: 'bea@example.com', first_name: 'Bea' })
  const steps: [change: () => Promise<unknown>, address: string, see: string, expected: unknown][] = [
    [() => maria.patch(path, { company: 'Moulin' }), path, 'company', 'Moulin'],
    [() => maria.patch(path, { first_name: 'Anamaria' }), '/contacts?search=ana', 'data.0.first_name', 'Anamaria'],
    [() => maria.put(`/tags/${tag.id}`, { name: 'Gold' }), path, 'tags.0', 'Gold'],
    [() => maria.put(`/tags/${tag.id}`, { name: 'Silver' }), '/tags', 'data.0.name', 'Silver'],
    [() => maria.put(`/lists/${list.id}`, { name: 'Regulars' }), path, 'lists.0.name', 'Regulars'],
    [() => maria.put(`/lists/${list.id}`, { color: '#123456' }), '/lists', 'data.0.color', '#123456'],
    [() => maria.put(`/lists/${list.id}`, { name: 'Friends' }), '/contacts/groups', 'data.0.name', 'Friends'],
    [
      () => maria.post(`/lists/${list.id}/contacts`, { contact_ids: [bea.body.id] }),
      '/lists',
      'data.0.contact_count',
      2,
    ],
    [
      () => maria.post(`/tags/${tag.id}/apply`, { contact_ids: [bea.body.id] }),
      '/tags/popular',
      'data.0.contact_count',
      2,
    ],
    [
      () => maria.post(`${path}/interactions/add`, { interaction_type: 'note_added', description: 'Called' }),
      path,
      'engagement.0.description',
      'Called',
    ],
    [() => maria.post(`${path}/subscribe`, { type: 'newsletter' }), path, 'subscriptions.newsletter', true],
    // Jobs and events write too, in other transactions than that of the request.
    [
      async () => {
        const input = { action: 'add_tag', contact_ids: [ana.id], params: { tag: 'Miller' } }
        const job = await app.as('adrian').post('/contacts/bulk-action', input)
        assert.equal(job.status, 202, job.text)
        await app.drain()
      },
      path,
      'tags.0',
      'Miller',
    ],
    [
      async () => {
        const order = { order_id: 1, email: 'ana@example.com', total: '12.50' }
        const envelope = { id: newId(), event: 'order.completed', timestamp: '2026-03-01T10:00:00Z', data: order }
        assert.equal((await app.as('adrian').post('/events', envelope)).status, 202)
        await app.drain()
      },
      path,
      'total_orders',
      1,
    ],
    [() => maria.delete(`/tags/${tag.id}`), path, 'tags', ['Miller']],
    [() => maria.delete(`/lists/${list.id}`), path, 'lists', []],
  ]
  for (const [change, address, see, expected] of steps) {
    for (const read of reads) await maria.get(read)
    await change()
    const { body } = await app.as('victor').get(address)
    expect(valueAt(body, see), `${address} ${see}`).toEqual(expected)
  }
  await maria.get(path)
  await maria.delete(path)
  assert.equal((await maria.get(path)).status, 404)
  assert.equal((await maria.get('/contacts?search=ana')).body.total, 0)
})

const valueAt = (body: unknown, path: string): unknown =>
  path.split('.').reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], body)

test('what is written and rolled back leaves everything kept', async () => {
  await using app = await start()
  const { maria, reads } = await prepare(app)
  for (const address of reads) await maria.get(address)
  const missed = await outcomes(app, 'miss')
  await assert.rejects(
    app.inTx(async (tx) => {
      await sql`update contacts.contacts set company = 'Never'`.execute(tx.sql)
      await sql`update contacts.tags set color = '#000000'`.execute(tx.sql)
      throw new Error('no')
    }),
  )
  for (const address of reads) assert.equal((await maria.get(address)).status, 200)
  assert.equal(await outcomes(app, 'miss'), missed)
})

test('writers do not wait for each other, and each of them counts', async () => {
  await using app = await start()
  const { maria, ana } = await prepare(app)
  await maria.post('/contacts', { email: 'bea@example.com', first_name: 'Bea' })
  await app.inTx(async (one) => {
    await sql`update contacts.contacts set notes = 'one' where email_key = 'ana@example.com'`.execute(one.sql)
    // Were there one stamp for all, this would wait for the transaction around it, and that for this.
    await app.inTx((two) =>
      sql`update contacts.contacts set notes = 'two' where email_key = 'bea@example.com'`.execute(two.sql),
    )
    assert.equal((await maria.get(`/contacts/${ana.id}`)).body.notes, '')
  })
  assert.equal((await maria.get(`/contacts/${ana.id}`)).body.notes, 'one')
  for (let round = 0; round < 10; round++) {
    await Promise.all([ana.id, ana.id, ana.id].map((id) => maria.patch(`/contacts/${id}`, { notes: `round ${round}` })))
  }
  const { rows } = await app.inTx((tx) =>
    sql<{ count: number }>`select count(*)::int as count from platform.read_stamps group by kind`.execute(tx.sql),
  )
  const most = Math.max(...rows.map(({ count }) => count))
  assert.ok(most <= app.app.runtime.db.pool.total, `${most} stamps of a kind: each connection has one, and keeps it`)
})

test('another workspace never gets it', async () => {
  await using app = await start()
  const { maria, ana, reads } = await prepare(app)
  for (const address of reads) await maria.get(address)
  assert.equal((await app.stranger.get(`/contacts/${ana.id}`)).status, 404)
  for (const address of ['/lists', '/tags', '/tags/popular', '/contacts/groups', '/contacts?search=ana']) {
    assert.deepEqual((await app.stranger.get(address)).body.data, [], address)
  }
})

test.each([
  ['lists', 5],
  ['tags', 10],
  ['popular_tags', 30],
  ['contact', 2],
  ['contact_search', 1],
] as [CachedRead, number][])('%s is kept for %i minutes', async (read, minutes) => {
  await using app = await start()
  let now = 1_000_000
  const services = { ...app.app.runtime, cache: createMemoryCache({ now: () => now }) }
  let computed = 0
  const ask = (input: unknown) =>
    app.inTx((tx) => readThrough(tx, services, read, input, () => Promise.resolve(++computed)))
  assert.equal(await ask({ limit: 1 }), 1)
  now += minutes * 60_000 - 1
  assert.equal(await ask({ limit: 1 }), 1)
  assert.equal(await ask({ limit: 2 }), 2, 'another question has another answer')
  now += 1
  assert.equal(await ask({ limit: 1 }), 3)
  assert.equal(cachedReads[read].ttlMs, minutes * 60_000)
})

test.skipIf(!hasRedis)(
  'two processes share what Redis keeps, and neither shows what the other has overwritten',
  async () => {
    const shared = { REDIS_URL, REDIS_PREFIX: `rapport-test-${newId()}` }
    await using app = await start(shared)
    await using second = await startAnother(app, shared)
    const { maria, ana } = await prepare(app)
    const path = `/contacts/${ana.id}`
    assert.equal((await maria.get(path)).body.notes, '')
    assert.equal((await second.as('victor').get(path)).body.notes, '')
    assert.equal(await outcomes(second, 'hit'), 1)
    for (let round = 0; round < 5; round++) {
      await maria.patch(path, { notes: `round ${round}` })
      assert.equal((await second.as('victor').get(path)).body.notes, `round ${round}`)
    }
  },
)

test('two processes that share nothing but the database do not either', async () => {
  await using app = await start({ REDIS_URL: '' })
  await using second = await startAnother(app, { REDIS_URL: '' })
  const { maria, ana } = await prepare(app)
  const path = `/contacts/${ana.id}`
  for (let round = 0; round < 5; round++) {
    await maria.patch(path, { notes: `round ${round}` })
    assert.equal((await second.as('victor').get(path)).body.notes, `round ${round}`)
  }
})
