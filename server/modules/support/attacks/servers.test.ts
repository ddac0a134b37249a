/**
 * Attacks on what stands behind the doors: filters, bodies, and two who come at once. Others are shown elsewhere:
 * platform/outbound/outbound.test.ts (calls into our own network, under all spellings, by names and redirects),
 * platform/http/input.test.ts (doubled, deep, naughty and oversized input), accounts/csrf.test.ts and accounts/isolation.test.ts
 * (changes for another site’s page, at every door), communication/tracking.test.ts (forged links and pictures),
 * tickets.test.ts (fifty numbers at once, stale versions), upkeep/upkeep.test.ts (closing by time against a customer’s word, an
 * escalation by two workers), assignment/assigning.test.ts (giving out by two workers), platform/http/idempotency.test.ts,
 * privacy/export.test.ts and privacy/erasure.test.ts (copies and erasures: other people’s, twice, after their time, told of).
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { meetAt } from '#testing/meet-at.ts'
import { start, type TestApp } from '#testing/start.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())

const question = { subject: 'Late parcel', description: 'Where is it?' }
async function open(more: object = {}): Promise<string> {
  const made = await app.as('anna').post('/tickets', { ...question, contact_email: 'ana@guest.example', ...more })
  expect(made.status, made.text).toBe(201)
  return made.body.id
}

test.each([
  'sort=t.id',
  'sort=created_at;select 1',
  'sort=-created_at,id',
  'sort=constructor',
  'sort=-__proto__',
  'sort[]=created_at',
  'sort=created_at&sort=priority',
  'status=open,nonsense',
  "status=open' or '1'='1",
  'status[$ne]=open',
  'status=open&status=closed',
  'priority=1',
  'source=constructor',
  'assigned_to=*',
  'assigned_to=none,none',
  'contact_id=1 or 1=1',
  'created_after=now()',
  'created_after=2026-13-45T99:00:00Z',
  'created_before=-infinity',
  'created_before=0',
  'overdue=1',
  'escalated=null',
  'deleted=TRUE; drop',
  'limit=0',
  'limit=1e9',
  'limit=-1',
  'limit=NaN',
  'cursor=AAAA',
  `cursor=${Buffer.from('["x","y"]').toString('base64url')}`,
  'metadata.secret=x',
  'filter[internal_notes][like]=x',
  '__proto__[role]=admin',
  'constructor.prototype.role=admin',
  'role=owner',
  'workspace_id=x',
])('a list asked with %s says what is wrong, and no more', async (query) => {
  const reply = await app.as('agnes').get(`/tickets?${encodeURI(query)}`)
  expect([400, 422], reply.text).toContain(reply.status)
  expect(reply.text).not.toMatch(/select |syntax|postgres|\.ts:|node_modules/i)
})

test.each([
  ['at the top', '"__proto__":{"role":"owner"},', '{}'],
  ['by the constructor', '"constructor":{"prototype":{"role":"owner"}},', '{}'],
  ['in what is free', '', '{"__proto__":{"role":"owner"},"constructor":{"prototype":{"role":"owner"}}}'],
  ['deep in what is free', '', '{"a":{"b":[{"__proto__":{"role":"owner"}}]}}'],
])('a body that reaches for the prototype %s changes none', async (_, more, metadata) => {
  const body = `{${more}"subject":"S","description":"D","contact_email":"a@guest.example","metadata":${metadata}}`
  const reply = await app.as('anna').post('/tickets', body, { 'content-type': 'application/json' })
  expect([400, 422], reply.text).toContain(reply.status)
  expect(({} as Record<string, unknown>).role).toBeUndefined()
  expect(Object.hasOwn(Object.prototype, 'role')).toBe(false)
})

test('a list of texts, a number or an object is no text', async () => {
  const id = await open()
  for (const content of [['x'], 7, { $ne: '' }, true, null, { toString: 'x' }]) {
    for (const [path, body] of [
      ['/tickets', { ...question, contact_email: 'a@guest.example', subject: content }],
      [`/tickets/${id}/messages`, { content }],
    ] as const) {
      expect((await app.as('anna').post(path, body)).status, JSON.stringify(body)).toBe(422)
    }
  }
  expect((await app.as('anna').get(`/tickets/${id}`)).body.messages).toEqual([])
})

const lockOf = (id: string) => `select from support.tickets where id = '${id}' for update`

test('three who give a ticket away at once: one history, and no event too many', async () => {
  const id = await open()
  const { anna, agnes } = app.world.people
  await app.drainEvents()
  const give = (agent: string) => () => app.as('adrian').post(`/tickets/${id}/assign`, { agent_id: agent })
  const replies = await meetAt(app, lockOf(id), [give(agnes.id), give(anna.id), give(agnes.id)])
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
  const ticket = (await app.as('anna').get(`/tickets/${id}`)).body
  const { data } = (await app.as('anna').get(`/tickets/${id}/history?limit=100`)).body
  const given = (data as { type: string; from: string | null; to: string }[]).filter(({ type }) => type === 'assigned')
  const inOrder = given.toSorted((a) => (a.from === null ? -1 : 1))
  for (const [at, entry] of inOrder.entries()) expect(entry.from).toBe(inOrder[at - 1]?.to ?? null)
  expect(inOrder.at(-1)!.to).toBe(ticket.assigned_to)
  const told = (await app.drainEvents()).filter((event) => event === 'ticket.assigned')
  expect(told).toHaveLength(given.length)
})

test('closed three times at once: the ticket ends once, and is told of once', async () => {
  const id = await open()
  const [anna, adrian] = [app.as('anna'), app.as('adrian')]
  await anna.post(`/tickets/${id}/assign`, { agent_id: app.world.people.anna.id })
  await app.drainEvents()
  const close = () => anna.post(`/tickets/${id}/close`)
  const replies = await meetAt(app, lockOf(id), [close, () => adrian.post(`/tickets/${id}/close`), close])
  expect(replies.map(({ status, body }) => [status, body.status])).toEqual(Array(3).fill([200, 'closed']))
  expect((await app.drainEvents()).filter((event) => event === 'ticket.closed')).toHaveLength(1)
})

test('two agents who change the same version: one is told that it changed', async () => {
  const id = await open()
  const { etag } = (await app.as('anna').get(`/tickets/${id}`)).headers
  const change = (name: 'anna' | 'adrian') => () =>
    app.as(name).patch(`/tickets/${id}`, { internal_notes: name }, { 'if-match': String(etag) })
  const replies = await meetAt(app, lockOf(id), [change('anna'), change('adrian')])
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412])
  const winner = replies.find(({ status }) => status === 200)!
  expect((await app.as('anna').get(`/tickets/${id}`)).body.internal_notes).toBe(winner.body.internal_notes)
})

test('an answer that is sent twice under one key is said once', async () => {
  const id = await open()
  const key = { 'idempotency-key': newId() }
  const say = () => app.as('agnes').post(`/tickets/${id}/messages`, { content: 'On its way' }, key)
  const statuses = (await Promise.all([say(), say(), say()])).map(({ status }) => status)
  expect(statuses).toContain(201)
  for (const status of statuses) expect([201, 409]).toContain(status)
  expect((await say()).status).toBe(201)
  expect((await app.as('anna').get(`/tickets/${id}`)).body.messages).toHaveLength(1)
  const other = await app.as('agnes').post(`/tickets/${id}/messages`, { content: 'Other' }, key)
  expect([409, 422]).toContain(other.status)
})

test('a customer neither copies nor erases anybody, nor reads who did', async () => {
  const [chloe, dan] = [await customerOf(app, 'chloe'), await customerOf(app, 'dan')]
  const own = await dan.post('/tickets', question)
  for (const subject of [{ email: dan.email }, { user_id: dan.id }, { email: chloe.email }]) {
    for (const path of ['/gdpr/export', '/gdpr/delete']) {
      const refused = await chloe.post(path, subject)
      expect(refused.status, `${path}: ${refused.text}`).toBe(403)
    }
  }
  for (const path of ['/gdpr/requests', `/gdpr/requests/${newId()}`, '/gdpr/audit']) {
    expect((await chloe.get(path)).status, path).toBe(403)
    expect([200, 404], path).toContain((await app.as('anna').get(path)).status)
  }
  expect((await app.as('anna').get('/gdpr/requests')).body.data).toEqual([])
  expect((await dan.get(`/tickets/${own.body.id}`)).status).toBe(200)
})
