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
import { packUuids } from '#platform/crypto/tokens.ts'
import { newId } from '#platform/ids.ts'
import { givePassword, openBrowser } from '#testing/browser.ts'
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
])('42: a list asked with %s says what is wrong, and no more', async (query) => {
  const reply = await app.as('agnes').get(`/tickets?${encodeURI(query)}`)
  expect([400, 422], reply.text).toContain(reply.status)
  expect(reply.text).not.toMatch(/select |syntax|postgres|\.ts:|node_modules/i)
})

test.each([
  ['at the top', '"__proto__":{"role":"owner"},', '{}'],
  ['by the constructor', '"constructor":{"prototype":{"role":"owner"}},', '{}'],
  ['in what is free', '', '{"__proto__":{"role":"owner"},"constructor":{"prototype":{"role":"owner"}}}'],
  ['deep in what is free', '', '{"a":{"b":[{"__proto__":{"role":"owner"}}]}}'],
])('43: a body that reaches for the prototype %s changes none', async (_, more, metadata) => {
  const body = `{${more}"subject":"S","description":"D","contact_email":"a@guest.example","metadata":${metadata}}`
  const reply = await app.as('anna').post('/tickets', body, { 'content-type': 'application/json' })
  expect([400, 422], reply.text).toContain(reply.status)
  expect(({} as Record<string, unknown>).role).toBeUndefined()
  expect(Object.hasOwn(Object.prototype, 'role')).toBe(false)
})

test('43: a list of texts, a number or an object is no text', async () => {
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

test('46: four who give a ticket away at once: one history, and no event too many', async () => {
  const id = await open()
  const { anna, agnes } = app.world.people
  await app.drainEvents()
  const give = (agent: string) => () => app.as('adrian').post(`/tickets/${id}/assign`, { agent_id: agent })
  const replies = await meetAt(app, lockOf(id), [give(agnes.id), give(agnes.id), give(anna.id), give(anna.id)])
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  const ticket = (await app.as('anna').get(`/tickets/${id}`)).body
  const { data } = (await app.as('anna').get(`/tickets/${id}/history?limit=100`)).body
  const given = (data as { type: string; from: string | null; to: string }[]).filter(({ type }) => type === 'assigned')
  for (const [at, entry] of given.entries()) {
    expect(entry.from).toBe(given[at - 1]?.to ?? null)
    expect(entry.to, 'whoever has it is not given it again').not.toBe(entry.from)
  }
  expect(given.at(-1)!.to).toBe(ticket.assigned_to)
  const told = (await app.drainEvents()).filter((event) => event === 'ticket.assigned')
  expect(told).toHaveLength(given.length)
})

test('46: closed three times at once: the ticket ends once, and is told of once', async () => {
  const id = await open()
  const [anna, adrian] = [app.as('anna'), app.as('adrian')]
  await anna.post(`/tickets/${id}/assign`, { agent_id: app.world.people.anna.id })
  await app.drainEvents()
  const close = () => anna.post(`/tickets/${id}/close`)
  const replies = await meetAt(app, lockOf(id), [close, () => adrian.post(`/tickets/${id}/close`), close])
  expect(replies.map(({ status, body }) => [status, body.status])).toEqual(Array(3).fill([200, 'closed']))
  expect((await app.drainEvents()).filter((event) => event === 'ticket.closed')).toHaveLength(1)
})

test('46: two agents who change the same version: one is told that it changed', async () => {
  const id = await open()
  const { etag } = (await app.as('anna').get(`/tickets/${id}`)).headers
  const change = (name: 'anna' | 'adrian') => () =>
    app.as(name).patch(`/tickets/${id}`, { internal_notes: name }, { 'if-match': String(etag) })
  const replies = await meetAt(app, lockOf(id), [change('anna'), change('adrian')])
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412])
  const winner = replies.find(({ status }) => status === 200)!
  expect((await app.as('anna').get(`/tickets/${id}`)).body.internal_notes).toBe(winner.body.internal_notes)
})

test('46: an answer that is sent twice under one key is said once', async () => {
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

test('50: a customer neither copies nor erases anybody, nor reads who did', async () => {
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

test('45: what was not signed for it opens no tracking and no unsubscription: ids, and tokens of every other use', async () => {
  const { workspaceId } = app.world
  const { tokens } = app.app.runtime
  const made = await app.as('maria').post('/contacts', { email: 'kept@guest.example', first_name: 'K' })
  const { id } = made.body as { id: string }
  await app.as('maria').patch(`/contacts/${id}`, { newsletter_subscribed: true, marketing_subscribed: true })
  const payload = packUuids(workspaceId, id)
  const purposes = [
    'support.ticket',
    'support.satisfaction',
    'contacts.confirm',
    'communication.delivery',
    'communication.link',
    '',
  ]
  const forged = [
    id,
    newId(),
    payload.toString('base64url'),
    ...purposes.map((purpose) => tokens.sign(purpose, payload)),
  ]
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const token of forged) {
    await app.anonymous.post(`//u/${token}`, 'List-Unsubscribe=One-Click', form)
    await app.anonymous.post(`//p/${token}`, 'newsletter=off&marketing=off', form)
    await app.anonymous.post(`//s/${token}`, '', form)
    await app.anonymous.post('/public/unsubscribe', { token })
    await app.anonymous.post('/public/confirm', { token })
    for (const path of [`//t/o/${token}.gif`, `//t/c/${token}`, `//t/c/${token}.0`, `//u/${token}`, `//p/${token}`]) {
      const reply = await app.anonymous.get(path, { 'user-agent': 'Mozilla/5.0 Firefox/145.0' })
      expect(reply.headers.location, path).toBeUndefined()
    }
    for (const what of ['opened', 'clicked']) await app.anonymous.post(`/public/track/${token}/${what}`)
  }
  await app.drain()
  const state = async () => {
    const { body } = await app.as('maria').get(`/contacts/${id}`)
    return [body.newsletter_subscribed, body.marketing_subscribed, body.total_emails_opened, body.total_emails_clicked]
  }
  expect(await state()).toEqual([true, true, 0, 0])
  const real = tokens.sign('contacts.unsubscribe', payload)
  expect((await app.anonymous.post(`//u/${real}`, 'List-Unsubscribe=One-Click', form)).status).toBe(200)
  expect(await state()).toEqual([false, false, 0, 0])
})

test('49: with a cookie alone, no door that changes anything opens, however the request is dressed', async () => {
  const password = 'seven green bicycles'
  await givePassword(app, app.world.people.anna, password)
  const browser = openBrowser(app)
  await browser.signIn('anna@moulin.example', password)
  const cookie = browser.cookie!
  const before = await changes()
  const doors = app.app.routes
    .map(({ options }) => options)
    .filter(({ method, may }) => method !== 'GET' && may !== 'public')
  expect(doors.length).toBeGreaterThan(150)
  const dressed: Record<string, string>[] = [
    { 'content-type': 'application/json' },
    { 'content-type': 'application/json', 'x-csrf-token': 'A'.repeat(43), origin: 'http://localhost:3000' },
    { 'content-type': 'application/json', 'x-csrf-token': browser.csrfToken!, origin: 'https://evil.example' },
    { 'content-type': 'application/json', 'x-csrf-token': browser.csrfToken!, 'sec-fetch-site': 'cross-site' },
    { 'content-type': 'application/x-www-form-urlencoded', origin: 'null' },
    { 'content-type': 'text/plain', 'x-http-method-override': 'GET', referer: 'http://localhost:3000/' },
  ]
  for (const { method, path, root } of doors) {
    for (const headers of dressed) {
      const address = `${root ? '/' : ''}${path.replaceAll(/:\w+/g, newId())}`
      const reply = await app.anonymous.request(method, address, '{}', { cookie, ...headers })
      expect([reply.status, reply.body.code], `${method} ${path} ${JSON.stringify(headers)}`).toEqual([403, 'csrf'])
    }
  }
  expect(await changes()).toEqual(before)
  expect((await browser.send('GET', '/session')).status).toBe(200)
})

test('49: no other site’s form signs a browser in, nor makes a public door act for whoever is signed in', async () => {
  const credentials = JSON.stringify({ email: 'anna@moulin.example', password: 'seven green bicycles' })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const headers = { 'content-type': type, origin: 'https://evil.example' }
    const reply = await app.anonymous.post('/session', credentials, headers)
    expect([reply.status, reply.headers['set-cookie']], type).toEqual([415, undefined])
  }
  const browser = openBrowser(app)
  await browser.signIn('anna@moulin.example', 'seven green bicycles')
  const fields = { email: 'eve@guest.example', subject: 'S', description: 'D' }
  const opened = await app.anonymous.post('/public/tickets', fields, { cookie: browser.cookie! })
  expect(opened.status, opened.text).toBe(201)
  const ticket = await app.as('anna').get(`/tickets/${opened.body.id}`)
  expect(ticket.body).toMatchObject({ user_id: null, contact_email: 'eve@guest.example', assigned_to: null })
})

/** Whatever was written: events, jobs and entries of the ledgers. */
async function changes(): Promise<unknown> {
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery(`select (select count(*) from platform.outbox) as events, (select count(*) from platform.jobs) as jobs,
      (select count(*) from support.ticket_events) as history, (select count(*) from contacts.contacts) as contacts`),
  )
  return rows
}
