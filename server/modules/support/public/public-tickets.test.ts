import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import { test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { networkOf } from '#platform/limits/network.ts'

const question = { email: 'zoe@guest.example', name: 'Zoé Blanc', subject: 'Hello', description: 'Where is my parcel?' }

async function opened(app: TestApp, more: object = {}) {
  const reply = await app.anonymous.post('/public/tickets', { ...question, ...more })
  assert.equal(reply.status, 201, reply.text)
  const { id, ticket_number: number, access_token: token } = reply.body as Record<string, string>
  return { id: id!, number: number!, token: { 'x-ticket-token': token! } }
}

test('without an account: opened, read and answered by its token, and nothing is sent to the address', async () => {
  await using app = await start()
  const { id, number, token } = await opened(app)
  assert.ok(token['x-ticket-token'].length >= 64)
  const [agnes, nobody] = [app.as('agnes'), app.anonymous]
  await agnes.post(`/tickets/${id}/messages`, { content: 'xyzzy', is_internal: true })
  await agnes.post(`/tickets/${id}/messages`, { content: 'On its way', status: 'waiting_customer' })
  await app.as('adrian').put(`/tickets/${id}`, { internal_notes: 'xyzzy', tags: ['xyzzy'], metadata: { a: 'xyzzy' } })
  const word = await nobody.post(`/public/tickets/${id}/messages`, { content: 'Thank you' }, token)
  assert.equal(word.status, 201, word.text)
  const shown = await nobody.get(`/public/tickets/${number}`, token)
  assert.equal(shown.status, 200, shown.text)
  assert.equal(shown.headers['referrer-policy'], 'no-referrer')
  assert.deepEqual(
    shown.body.messages.map((message: Record<string, unknown>) => [
      message.author_kind,
      message.author_name,
      message.content,
    ]),
    [
      ['house', 'Agnes', 'On its way'],
      ['requester', 'Zoé Blanc', 'Thank you'],
    ],
  )
  assert.equal(shown.body.status, 'in_progress')
  for (const secret of ['xyzzy', 'moulin.example', app.world.people.agnes.id, app.world.workspaceId]) {
    assert.equal(shown.text.includes(secret), false, secret)
  }
  const contact = await agnes.get(`/tickets/${id}`)
  assert.deepEqual([contact.body.contact_email, contact.body.user_id], ['zoe@guest.example', null])
  await app.drain()
  assert.deepEqual(app.mails(), [])
  const { rows } = await app.inTx((tx) =>
    sql`select encode(token_hash, 'hex') as hash from support.ticket_tokens`.execute(tx.sql),
  )
  assert.equal(JSON.stringify(rows).includes(token['x-ticket-token']), false)
})

test('missing, wrong and foreign look the same, whether the ticket is there or not', async () => {
  await using app = await start()
  const [one, other] = [await opened(app), await opened(app, { email: 'yan@guest.example' })]
  const tampered = `${one.token['x-ticket-token'].slice(0, -2)}AA`
  const absent = one.number.replace(/\d+$/, '999')
  const shapes = new Set<string>()
  for (const headers of [{}, { 'x-ticket-token': tampered }, { 'x-ticket-token': 'x' }, other.token]) {
    for (const address of [one.number, absent, one.id]) {
      const read = await app.anonymous.get(`/public/tickets/${address}`, headers)
      const write = await app.anonymous.post(`/public/tickets/${address}/messages`, { content: 'x' }, headers)
      for (const { status, body } of [read, write]) {
        const { request_id: _, ...same } = body
        shapes.add(JSON.stringify([status, same]))
      }
    }
  }
  assert.equal(shapes.size, 1, [...shapes].join('\n'))
  assert.match([...shapes][0]!, /^\[404,/)
  assert.equal(
    (await app.anonymous.get(`/public/tickets/${one.number}?token=${one.token['x-ticket-token']}`)).status,
    422,
  )
  const still = await app.anonymous.get(`/public/tickets/${one.number}`, one.token)
  assert.deepEqual(still.body.messages, [])
})

test('a token ends with its ticket: deleted, erased, or closed for long', async () => {
  await using app = await start()
  const [deleted, closed] = [await opened(app), await opened(app)]
  await app.as('anna').delete(`/tickets/${deleted.id}`)
  assert.equal((await app.anonymous.get(`/public/tickets/${deleted.number}`, deleted.token)).status, 404)
  await app.as('anna').post(`/tickets/${closed.id}/close`)
  const age = (days: number) =>
    app.inTx((tx) =>
      sql`update support.tickets set closed_at = now() - make_interval(days => ${days}) where id = ${closed.id}`.execute(
        tx.sql,
      ),
    )
  await age(30)
  const followed = await app.anonymous.post(`/public/tickets/${closed.id}/messages`, { content: 'Again' }, closed.token)
  assert.equal(followed.status, 201, followed.text)
  assert.notEqual(followed.body.ticket_id, closed.id)
  const own = { 'x-ticket-token': followed.body.access_token }
  const next = await app.anonymous.get(`/public/tickets/${followed.body.ticket_number}`, own)
  assert.equal(next.body.messages[0].content, 'Again')
  assert.equal((await app.anonymous.get(`/public/tickets/${followed.body.ticket_number}`, closed.token)).status, 404)
  await age(91)
  assert.equal((await app.anonymous.get(`/public/tickets/${closed.number}`, closed.token)).status, 404)
})

test('by number alone, only where that is wanted, and only where the number cannot be guessed', async () => {
  await using app = await start({ PUBLIC_TICKET_ACCESS: 'number' })
  const { id, number, token } = await opened(app)
  assert.match(number, /^TICKET-\d{8}-001-[0-9A-HJKMNP-TV-Z]{16}$/)
  const nobody = app.anonymous
  assert.equal((await nobody.get(`/public/tickets/${number}`)).status, 200)
  assert.equal((await nobody.post(`/public/tickets/${number}/messages`, { content: 'Hi' })).status, 201)
  assert.equal((await nobody.get(`/public/tickets/${number}`, token)).body.messages.length, 1)
  assert.equal((await nobody.get(`/public/tickets/${number.slice(0, -17)}`)).status, 404)
  assert.equal((await nobody.get(`/public/tickets/${id}`)).status, 404)
  assert.equal((await nobody.get(`/public/tickets/${number}`, { 'x-ticket-token': 'wrong' })).status, 404)
  const plain = await app.as('anna').post('/tickets', { subject: 'S', description: 'D' })
  assert.equal(
    (await nobody.get(`/public/tickets/${plain.body.ticket_number}`)).status,
    404,
    'not opened by the public',
  )
})

test('switched off, there is nothing', async () => {
  await using app = await start({ PUBLIC_TICKET_ACCESS: 'off' })
  assert.equal((await app.anonymous.post('/public/tickets', question)).status, 404)
})

test('what a stranger types is not more than it is: fields, floods, known people', async () => {
  await using app = await start()
  const [anna, nobody] = [app.as('anna'), app.anonymous]
  const known = await anna.post('/contacts', { email: 'known@guest.example', first_name: 'K' })
  await anna.patch(`/contacts/${known.body.id}`, { user_id: '01890000-0000-7000-8000-000000000001' })
  for (const field of [
    'status',
    'priority',
    'is_internal',
    'contact_id',
    'user_id',
    'ticket_number',
    'workspace_id',
    'metadata',
  ]) {
    assert.equal((await nobody.post('/public/tickets', { ...question, [field]: 'x' })).status, 422, field)
  }
  assert.equal((await nobody.post('/public/tickets', { ...question, website: 'http://robot' })).status, 429)
  const { id } = await opened(app, { email: 'KNOWN@guest.example', name: 'Somebody Else' })
  const ticket = await anna.get(`/tickets/${id}`)
  assert.deepEqual([ticket.body.contact_id, ticket.body.user_id], [known.body.id, null])
  const after = await anna.get(`/contacts/${known.body.id}`)
  assert.deepEqual([after.body.full_name, after.body.user_id], ['K', '01890000-0000-7000-8000-000000000001'])
  const flood = { ...question, email: 'victim@guest.example' }
  const replies = []
  for (let count = 0; count < 11; count++) replies.push((await nobody.post('/public/tickets', flood)).status)
  assert.deepEqual([replies.filter((status) => status === 201).length, replies.at(-1)], [10, 429])
})

test('a network is counted as one, however many addresses it has, and no address is too strange to count', () => {
  assert.equal(networkOf('203.0.113.9'), '203.0.113.9')
  assert.equal(networkOf('::ffff:203.0.113.9'), '203.0.113.9')
  assert.equal(networkOf('2001:db8:1:2:aaaa::1'), networkOf('2001:db8:1:2:bbbb::2'))
  assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (ip) => typeof networkOf(ip) === 'string'))
})
