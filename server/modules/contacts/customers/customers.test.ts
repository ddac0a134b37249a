// Document 4's customer: the same person as the contact, under its own names.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from 'kysely'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'

let app: TestApp
beforeAll(async () => {
  app = await start({ CUSTOMER_PATCH_RATE: '1000/minute' })
})
afterAll(() => app[Symbol.asyncDispose]())

let made = 0
const agnes = () => app.as('agnes')
async function customer(more: object = {}) {
  const reply = await agnes().post('/customers', { full_name: 'John Doe', email: `john${++made}@x.example`, ...more })
  expect(reply.status, reply.text).toBe(201)
  return reply.body
}

describe('the record', () => {
  test('is made by the body that document 4 shows, and read back with every field it names', async () => {
    await app.drainEvents()
    const userId = newId()
    const reply = await agnes().post('/customers/', {
      full_name: 'Ana Maria van den Berg',
      email: 'ana.berg@example.com',
      phone: '0712345678',
      gender: 'female',
      user_id: userId,
      business_id: app.world.workspaceId,
    })
    expect(reply.status).toBe(201)
    expect(reply.headers.location).toBe(`/api/v1/customers/${reply.body.id}`)
    const shown = await agnes().get(`/customers/${reply.body.id}`)
    expect(shown.body).toEqual(reply.body)
    expect(shown.headers.etag).toBe(reply.headers.etag)
    expect(shown.body).toEqual({
      id: reply.body.id,
      user_id: userId,
      business_id: app.world.workspaceId,
      full_name: 'Ana Maria van den Berg',
      email: 'ana.berg@example.com',
      phone: '0712345678',
      gender: 'female',
      avatar_url: null,
      total_orders: 0,
      total_appointments: 0,
      last_order_date: null,
      last_appointment_date: null,
      lifetime_value: '0.00',
      currency: 'EUR',
      first_order_date: null,
      first_appointment_date: null,
      returned_orders: 0,
      cancelled_appointments: 0,
      tags: [],
      created_at: expect.any(String),
      updated_at: expect.any(String),
    })
    const contact = await agnes().get(`/contacts/${reply.body.id}`)
    expect(contact.body).toMatchObject({ first_name: 'Ana Maria', last_name: 'van den Berg', source: 'manual' })
    expect(await app.drainEvents()).toEqual(['contact.created', 'customer.created'])
  })

  test.each([
    ['masculin', 'male'],
    ['feminin', 'female'],
    ['altul', 'other'],
    ['other', 'other'],
    [null, null],
  ])('the gender %j is read as %j', async (word, gender) => {
    expect((await customer({ gender: word })).gender).toBe(gender)
  })

  test.each([
    [{ full_name: 'A B' }, '/email', 'required'],
    [{ email: 'a@b.example' }, '/full_name', 'required'],
    [{ full_name: ' ', email: 'a@b.example' }, '/full_name', 'pattern'],
    [{ full_name: 'A', email: 'nonsense' }, '/email', 'format'],
    [{ full_name: 'A', email: 'a@b.example', gender: 'mascul' }, '/gender', 'not_allowed'],
    [{ full_name: 'A', email: 'a@b.example', phone: 'call me' }, '/phone', 'format'],
    [{ full_name: 'A', email: 'a@b.example', user_id: '17' }, '/user_id', 'format'],
    [{ full_name: 'A', email: 'a@b.example', business_id: newId() }, '/business_id', 'not_found'],
    [{ full_name: 'A', email: 'a@b.example', total_orders: 3 }, '/total_orders', 'unknown_field'],
    [{ full_name: 'A', email: 'a@b.example', avatar_url: 'javascript:alert(1)' }, '/avatar_url', 'format'],
  ])('%j is refused at %s', async (body, pointer, code) => {
    const reply = await agnes().post('/customers', body)
    expect(reply.status).toBe(422)
    expect(reply.body.errors).toEqual(expect.arrayContaining([expect.objectContaining({ pointer, code })]))
  })

  test('two customers of one address: the second is told', async () => {
    const first = await customer()
    const reply = await agnes().post('/customers', { full_name: 'B', email: first.email.toUpperCase() })
    expect([reply.status, reply.body.code]).toEqual([409, 'email_taken'])
  })

  test('is changed and deleted like the contact that it is, under both names', async () => {
    const { id } = await customer({ phone: '0712345678' })
    await app.drainEvents()
    const { headers } = await agnes().get(`/customers/${id}`)
    const version = { 'if-match': String(headers.etag) }
    const change = { full_name: 'Ion Popescu', gender: 'masculin', phone: null, business_id: app.world.workspaceId }
    const changed = await agnes().patch(`/customers/${id}`, change, version)
    expect([changed.status, changed.body.full_name, changed.body.gender, changed.body.phone]).toEqual([
      200,
      'Ion Popescu',
      'male',
      null,
    ])
    expect((await agnes().patch(`/customers/${id}`, { full_name: 'C' }, version)).status).toBe(412)
    expect(await app.drainEvents()).toEqual(['contact.updated', 'customer.updated'])
    expect((await agnes().delete(`/customers/${id}`)).body).toEqual({ message: expect.any(String) })
    expect((await agnes().get(`/customers/${id}`)).status).toBe(404)
    expect(await app.drainEvents()).toEqual(['contact.deleted', 'customer.deleted'])
    expect((await agnes().post(`/contacts/${id}/restore`)).status).toBe(200)
    expect((await agnes().get(`/customers/${id}`)).body.full_name).toBe('Ion Popescu')
  })
})

test('the list has the contact’s search, filters and pages, and those of document 4', async () => {
  await using own = await start()
  const maria = own.as('maria')
  const userId = newId()
  const people = [
    { full_name: 'Ana Radu', email: 'ana@x.example', phone: '+40 712 345 678', gender: 'female', user_id: userId },
    { full_name: 'Bob Radu', email: 'bob@x.example', gender: 'male' },
    { full_name: 'Cléo Martin', email: 'cleo@x.example' },
  ]
  const ids: string[] = []
  for (const person of people) ids.push((await maria.post('/customers', person)).body.id)
  await maria.post(`/customers/${ids[1]}/tags`, { label: 'VIP' })
  await own.inTx((tx) =>
    sql`update contacts.contacts set lifetime_value = 10 * (1 + (email = 'cleo@x.example')::int)`.execute(tx.sql),
  )
  const names = async (query: string) => {
    const reply = await maria.get(`/customers${query}`)
    expect(reply.status, reply.text).toBe(200)
    return reply.body.data.map((each: { full_name: string }) => each.full_name.split(' ')[0])
  }
  expect(await names('')).toEqual(['Cléo', 'Bob', 'Ana'])
  expect(await names('?search=radu&sort=full_name')).toEqual(['Ana', 'Bob'])
  expect(await names('?email=ANA@x.example')).toEqual(['Ana'])
  expect(await names('?phone=%2B40712345678')).toEqual(['Ana'])
  expect(await names('?phone=nonsense')).toEqual([])
  expect(await names(`?user_id=${userId}`)).toEqual(['Ana'])
  expect(await names('?gender=masculin')).toEqual(['Bob'])
  expect(await names('?gender=female')).toEqual(['Ana'])
  expect(await names('?tag=vip')).toEqual(['Bob'])
  expect(await names('?tags=VIP&tag=other')).toEqual([])
  expect(await names(`?business_id=${own.world.workspaceId}&sort=-lifetime_value&limit=1`)).toEqual(['Cléo'])
  const first = await maria.get('/customers?limit=2&sort=email')
  const second = await maria.get(`/customers?limit=2&sort=email&cursor=${first.body.next_cursor}`)
  expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(ids)
  expect([first.body.total, second.body.next_cursor]).toEqual([3, null])
  expect((await maria.get(`/customers?business_id=${newId()}`)).status).toBe(422)
  expect((await maria.get('/customers?sort=shoe_size')).status).toBe(422)
  expect((await maria.get('/customers?colour=red')).status).toBe(422)
  expect((await own.stranger.get('/customers')).body.data).toEqual([])
  expect((await own.stranger.get(`/customers/${ids[0]}`)).status).toBe(404)
})

describe('tags', () => {
  test('one by the body that document 4 shows, several by a list', async () => {
    const { id } = await customer()
    await app.drainEvents()
    const one = await agnes().post(`/customers/${id}/tags`, { label: 'Gold', color: '#FFD700' })
    expect(one.status).toBe(201)
    expect(one.body).toEqual({
      id: expect.any(String),
      customer_id: id,
      label: 'Gold',
      color: '#FFD700',
      priority: 0,
      created_by: app.world.people.agnes.id,
    })
    expect(await app.drainEvents()).toEqual(['tag.applied', 'customer.tag.added'])
    const several = await agnes().post(`/customers/${id}/tags`, [{ label: 'First', priority: 9 }, 'gold', 'Late'])
    expect(several.body.data.map(({ label }: { label: string }) => label)).toEqual(['First', 'Gold', 'Late'])
    for (const body of [{ tags: ['Named'] }, { labels: [{ label: 'Labelled' }] }]) {
      expect((await agnes().post(`/customers/${id}/tags`, body)).body.data).toHaveLength(1)
    }
    const beside = await agnes().post('/customers/tags/', { customer_id: id, label: 'Beside', color: '#000000' })
    expect([beside.status, beside.body.customer_id]).toEqual([201, id])
    const listed = await agnes().get(`/customers/tags/customer/${id}`)
    expect(listed.body.data.map(({ label }: { label: string }) => label)[0]).toBe('First')
    expect([listed.body.total, listed.body.next_cursor]).toEqual([6, null])
    expect((await agnes().get(`/customers/${id}`)).body.tags).toHaveLength(6)
    expect((await agnes().get(`/contacts/${id}`)).body.tags).toContain('Gold')
    const page = await agnes().get(`/customers/${id}/tags?limit=4&sort=label`)
    const rest = await agnes().get(`/customers/${id}/tags?limit=4&sort=label&cursor=${page.body.next_cursor}`)
    expect([...page.body.data, ...rest.body.data].map(({ label }) => label)).toEqual([
      'Beside',
      'First',
      'Gold',
      'Labelled',
      'Late',
      'Named',
    ])
  })

  test('a tag that others have keeps its colour', async () => {
    const [a, b] = [await customer(), await customer()]
    await agnes().post(`/customers/${a.id}/tags`, { label: 'Shared', color: '#111111', priority: 5 })
    const again = await agnes().post(`/customers/${b.id}/tags`, { label: 'shared', color: '#222222', priority: 1 })
    expect(again.body).toMatchObject({ label: 'Shared', color: '#111111', priority: 5, customer_id: b.id })
  })

  test('is taken off one customer, or deleted from all', async () => {
    const [a, b] = [await customer(), await customer()]
    const { body: tag } = await agnes().post(`/customers/${a.id}/tags`, { label: 'Gone soon' })
    await agnes().post(`/customers/${b.id}/tags`, { label: 'Gone soon' })
    await app.drainEvents()
    expect((await agnes().delete(`/customers/${a.id}/tags/${tag.id}`)).status).toBe(200)
    expect(await app.drainEvents()).toEqual(['tag.removed', 'customer.tag.removed'])
    expect((await agnes().delete(`/customers/${a.id}/tags/${tag.id}`)).status).toBe(404)
    expect((await agnes().get(`/customers/${b.id}`)).body.tags).toHaveLength(1)
    expect((await agnes().delete(`/customers/tags/${tag.id}`)).status).toBe(200)
    expect(await app.drainEvents()).toEqual(['tag.removed', 'customer.tag.removed'])
    expect((await agnes().get(`/customers/${b.id}`)).body.tags).toEqual([])
    expect((await agnes().get(`/tags/${tag.id}`)).status).toBe(404)
  })

  test.each([
    [{ label: 'a,b' }],
    [{ label: '' }],
    [{ label: 'x', color: 'red' }],
    [{ label: 'x', priority: 1.5 }],
    [{ label: 'x', id: newId() }],
    [[]],
    [{ tags: [] }],
    [['x'.repeat(101)]],
    ['VIP'],
  ])('%j is no tag', async (body) => {
    const { id } = await customer()
    const sent = typeof body === 'string' ? JSON.stringify(body) : body
    const reply = await agnes().post(`/customers/${id}/tags`, sent, { 'content-type': 'application/json' })
    expect([reply.status, reply.body.code]).toEqual([422, 'invalid'])
    expect((await agnes().get(`/customers/${id}`)).body.tags).toEqual([])
  })

  test('of nobody are refused', async () => {
    for (const client of [agnes(), app.stranger]) {
      const id = client === app.stranger ? (await customer()).id : newId()
      expect((await client.post(`/customers/${id}/tags`, { label: 'x' })).status).toBe(404)
      expect((await client.post('/customers/tags', { customer_id: id, label: 'x' })).status).toBe(404)
      expect((await client.get(`/customers/tags/customer/${id}`)).status).toBe(404)
      expect((await client.delete(`/customers/${id}/tags/${newId()}`)).status).toBe(404)
      expect((await client.delete(`/customers/tags/${newId()}`)).status).toBe(404)
    }
  })
})

test('notes have at most 500 characters, an author, and go again', async () => {
  const { id } = await customer()
  await app.drainEvents()
  const content = 'Clientul a solicitat un apel de urmărire săptămâna viitoare.'
  const reply = await agnes().post(`/customers/${id}/notes`, { content })
  expect(reply.status).toBe(201)
  expect(reply.body).toEqual({
    id: expect.any(String),
    customer_id: id,
    content,
    created_by: app.world.people.agnes.id,
    created_at: expect.any(String),
  })
  expect(await app.drainEvents()).toEqual(['customer.note.added'])
  expect((await agnes().post(`/customers/${id}/notes`, { content: 'ă'.repeat(500) })).status).toBe(201)
  const long = await agnes().post(`/customers/${id}/notes`, { content: 'ă'.repeat(501) })
  expect([long.status, long.body.errors[0].pointer]).toEqual([422, '/content'])
  const listed = await agnes().get(`/customers/${id}/notes?limit=1`)
  expect([listed.body.total, listed.body.data[0].content.length]).toEqual([2, 500])
  expect((await agnes().delete(`/customers/${id}/notes/${reply.body.id}`)).status).toBe(200)
  expect((await agnes().delete(`/customers/${id}/notes/${reply.body.id}`)).status).toBe(404)
  expect((await app.stranger.get(`/customers/${id}/notes`)).status).toBe(404)
})

test('the figures are exact, and shares of nothing are nothing', async () => {
  const { id } = await customer()
  const empty = (await agnes().get(`/customers/${id}/stats`)).body
  expect(empty).toMatchObject({ total_orders: 0, lifetime_value: '0.00', average_order_value: null, return_rate: null })
  await app.inTx((tx) =>
    sql`update contacts.contacts set total_orders = 3, returned_orders = 1, lifetime_value = 100.00, total_appointments = 4,
      cancelled_appointments = 1, first_order_date = '2026-01-01Z', last_order_date = '2026-03-01Z', engagement_score = 60
      where id = ${id}`.execute(tx.sql),
  )
  const stats = (await agnes().get(`/customers/${id}/stats`)).body
  expect(stats).toMatchObject({
    customer_id: id,
    total_orders: 3,
    returned_orders: 1,
    lifetime_value: '100.00',
    currency: 'EUR',
    average_order_value: '33.33',
    return_rate: 0.333,
    cancellation_rate: 0.25,
    first_order_date: '2026-01-01T00:00:00.000Z',
    first_appointment_date: null,
    history: { customer_id: id, returned_orders: 1, cancelled_appointments: 1 },
    engagement: { score: 60, level: 'high' },
  })
  expect((await app.stranger.get(`/customers/${id}/stats`)).status).toBe(404)
})

test('a caller who changes customers too often is told when to go on; another caller is not held up', async () => {
  await using own = await start()
  const { body } = await own.as('agnes').post('/customers', { full_name: 'A B', email: 'a@x.example' })
  for (let round = 1; round <= 5; round++) {
    const reply = await own.as('agnes').patch(`/customers/${body.id}`, { full_name: `A ${round}` })
    expect([round, reply.status]).toEqual([round, 200])
    expect(reply.headers['ratelimit']).toMatch(new RegExp(`^"route";r=${5 - round};`))
  }
  const refused = await own.as('agnes').patch(`/customers/${body.id}`, { full_name: 'A 6' })
  expect(refused.status).toBe(429)
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expect(refused.headers['ratelimit-policy']).toContain('"route";q=5;w=60')
  expect((await own.as('maria').patch(`/customers/${body.id}`, { full_name: 'A 7' })).status).toBe(200)
  expect((await own.as('agnes').patch(`/contacts/${body.id}`, { company: 'X' })).status).toBe(200)
})

test('a viewer looks and changes nothing; nobody else comes in', async () => {
  const { id } = await customer()
  const victor = app.as('victor')
  for (const path of ['', `/${id}`, `/${id}/stats`, `/${id}/notes`, `/tags/customer/${id}`]) {
    expect((await victor.get(`/customers${path}`)).status).toBe(200)
    expect((await app.anonymous.get(`/customers${path}`)).status).toBe(401)
  }
  const body = { full_name: 'X Y', email: 'x@y.example' }
  const replies = [
    await victor.post('/customers', body),
    await victor.patch(`/customers/${id}`, { full_name: 'X' }),
    await victor.delete(`/customers/${id}`),
    await victor.post(`/customers/${id}/tags`, { label: 'x' }),
    await victor.post('/customers/tags', { customer_id: id, label: 'x' }),
    await victor.delete(`/customers/tags/${newId()}`),
    await victor.post(`/customers/${id}/notes`, { content: 'x' }),
    await victor.post(`/customers/${id}/avatar`),
    await victor.delete(`/customers/${id}/avatar`),
  ]
  expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 403))
})
