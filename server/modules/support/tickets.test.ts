import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { start } from '#testing/start.ts'

const late = {
  subject: 'Commande non reçue',
  description: 'Où est ma commande ?',
  priority: 'high',
  category: 'delivery',
}

test('document 3’s life of a ticket, with what it tells of it', async () => {
  await using app = await start()
  const [chloe, agnes] = [await customerOf(app, 'chloe'), app.as('agnes')]
  const opened = await chloe.post('/tickets', late)
  assert.equal(opened.status, 201, opened.text)
  assert.match(opened.body.ticket_number, /^TICKET-\d{8}-001$/)
  assert.equal(opened.body.status, 'open')
  assert.equal(opened.headers.location, `/api/v1/tickets/${opened.body.id}`)
  assert.deepEqual(
    (await app.drainEvents()).filter((event) => event.startsWith('ticket')),
    ['ticket.created'],
  )
  const path = `/tickets/${opened.body.id}`
  const assigned = await agnes.post(`${path}/assign`, { agent_id: app.world.people.agnes.id })
  assert.deepEqual([assigned.status, assigned.body.status, assigned.body.assigned_to_name], [200, 'assigned', 'Agnes'])
  const answer = { content: 'Which address?', status: 'waiting_customer' }
  assert.equal((await agnes.post(`${path}/messages`, answer)).status, 201)
  const waiting = await agnes.get(path)
  assert.equal(waiting.body.status, 'waiting_customer')
  assert.ok(waiting.body.first_response_at)
  assert.equal(waiting.body.waiting_since, null)
  await chloe.post(`${path}/messages`, { content: 'Rue du Moulin' })
  assert.equal((await agnes.get(path)).body.status, 'in_progress')
  const resolved = await agnes.post(`${path}/resolve`, { resolution: 'Sent again' })
  assert.deepEqual([resolved.body.status, resolved.body.resolution_notes], ['resolved', 'Sent again'])
  assert.equal((await chloe.post(`${path}/close`)).body.status, 'closed')
  assert.equal((await chloe.post(`${path}/close`)).status, 200, 'closing what is closed changes nothing')
  assert.equal((await agnes.post(`${path}/resolve`, { resolution: 'Again' })).status, 409)
  const told = (await app.drainEvents()).filter((event) => event.startsWith('ticket'))
  assert.deepEqual(told, [
    'ticket.assigned',
    'ticket.message.new',
    'ticket.updated',
    'ticket.message.new',
    'ticket.updated',
    'ticket.resolved',
    'ticket.closed',
  ])
  const history = await agnes.get(`${path}/history?limit=100`)
  const statuses = history.body.data.filter((entry: { type: string }) => entry.type === 'status')
  assert.deepEqual(
    statuses.map((entry: { to: string }) => entry.to),
    ['assigned', 'waiting_customer', 'in_progress', 'resolved', 'closed'],
  )
})

test('the contact shows the ticket on its timeline and among its figures', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const ticket = await anna.post('/tickets', { ...late, contact_email: 'ana@x.example', contact_name: 'Ana Pop' })
  await app.drain()
  const open = await anna.get(`/contacts/${ticket.body.contact_id}`)
  assert.deepEqual([open.body.full_name, open.body.total_tickets, open.body.open_tickets], ['Ana Pop', 1, 1])
  assert.match(open.body.engagement[0].description, /TICKET-.* · Commande non reçue/)
  await anna.post(`/tickets/${ticket.body.id}/resolve`, { resolution: 'Done' })
  await app.drain()
  assert.equal((await anna.get(`/contacts/${ticket.body.contact_id}`)).body.open_tickets, 0)
  await anna.put(`/tickets/${ticket.body.id}`, { status: 'in_progress' })
  await app.drain()
  assert.equal((await anna.get(`/contacts/${ticket.body.contact_id}`)).body.open_tickets, 1)
})

test('fifty at once get fifty numbers, and one contact', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const body = { subject: 'S', description: 'D', contact_email: 'same@x.example' }
  const replies = await Promise.all(Array.from({ length: 50 }, () => anna.post('/tickets', body)))
  assert.deepEqual(new Set(replies.map((reply) => reply.status)), new Set([201]))
  const numbers = replies.map((reply) => Number(reply.body.ticket_number.split('-').at(-1))).toSorted((a, b) => a - b)
  assert.deepEqual(
    numbers,
    Array.from({ length: 50 }, (_, index) => index + 1),
  )
  assert.equal(new Set(replies.map((reply) => reply.body.contact_id)).size, 1)
})

test('the day of a number is that of the workspace’s calendar', async () => {
  await using app = await start({ TICKET_NUMBER_PREFIX: 'SAV' })
  await app.inTx((tx) =>
    sql`update accounts.workspaces set timezone = 'Pacific/Kiritimati' where id = ${tx.workspaceId}`.execute(tx.sql),
  )
  const ticket = await app.as('anna').post('/tickets', late)
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Kiritimati' })
    .format(new Date())
    .replaceAll('-', '')
  assert.equal(ticket.body.ticket_number, `SAV-${day}-001`)
})

test('everybody sees what is theirs to see, in lists, searches and by id alike', async () => {
  await using app = await start()
  const [chloe, dan] = [await customerOf(app, 'chloe'), await customerOf(app, 'dan')]
  const [agnes, adrian, maria, victor] = [app.as('agnes'), app.as('adrian'), app.as('maria'), app.as('victor')]
  const mine = await chloe.post('/tickets', { ...late, subject: 'quincunx one' })
  const other = await dan.post('/tickets', { ...late, subject: 'quincunx two' })
  const colleague = { id: newId(), email: 'bea@moulin.example', name: 'Bea', role: 'agent' }
  const bea = await customerOf(app, 'bea', colleague)
  await bea.get('/tickets')
  assert.equal((await agnes.get(`/tickets/${mine.body.id}`)).status, 200, 'open ones are every agent’s')
  assert.equal((await adrian.post(`/tickets/${mine.body.id}/assign`, { agent_id: bea.id })).status, 200)
  const seen = async (client: { get: typeof agnes.get }): Promise<string[]> => {
    const [list, found] = await Promise.all([client.get('/tickets'), client.get('/tickets?search=quincunx')])
    assert.deepEqual(list.body.data, found.body.data)
    assert.equal(list.body.total, list.body.data.length)
    return list.body.data.map((ticket: { subject: string }) => ticket.subject).toSorted()
  }
  assert.deepEqual(await seen(chloe), ['quincunx one'])
  assert.deepEqual(await seen(dan), ['quincunx two'])
  assert.deepEqual(await seen(agnes), ['quincunx two'])
  assert.deepEqual(await seen(bea), ['quincunx one', 'quincunx two'])
  assert.deepEqual(await seen(adrian), ['quincunx one', 'quincunx two'])
  assert.deepEqual([await seen(maria), await seen(victor)], [[], []])
  for (const [client, id] of [
    [dan, mine.body.id],
    [chloe, other.body.id],
    [agnes, mine.body.id],
    [maria, other.body.id],
    [app.stranger, mine.body.id],
  ] as const) {
    for (const reply of [
      await client.get(`/tickets/${id}`),
      await client.put(`/tickets/${id}`, { subject: 'x' }),
      await client.get(`/tickets/${id}/messages`),
      await client.post(`/tickets/${id}/messages`, { content: 'x' }),
      await client.get(`/tickets/${id}/messages/unread-count`),
      await client.post(`/tickets/${id}/messages/mark-all-read`),
      await client.post(`/tickets/${id}/close`),
    ]) {
      assert.equal(reply.status, 404, reply.text)
    }
  }
  assert.equal((await agnes.post(`/tickets/${mine.body.id}/followers`, {})).status, 404, 'nobody lets themselves in')
  assert.equal((await chloe.post(`/tickets/${mine.body.id}/assign`, { agent_id: bea.id })).status, 403)
  const note = { content: 'Agnes, please', is_internal: true, mentions: [app.world.people.agnes.id] }
  assert.equal((await bea.post(`/tickets/${mine.body.id}/messages`, note)).status, 201)
  assert.equal((await agnes.get(`/tickets/${mine.body.id}`)).status, 200, 'a colleague may call one in')
  await bea.delete(`/tickets/${mine.body.id}/followers/${app.world.people.agnes.id}`)
  assert.equal((await agnes.get(`/tickets/${mine.body.id}`)).status, 404)
})

test('a requester says what is theirs to say, and reads nothing of the house', async () => {
  await using app = await start()
  const [chloe, adrian] = [await customerOf(app, 'chloe'), app.as('adrian')]
  for (const field of [
    { contact_email: 'other@x.example' },
    { contact_id: newId() },
    { assigned_to: app.world.people.agnes.id },
    { internal_notes: 'x' },
    { tags: ['x'] },
  ]) {
    const refused = await chloe.post('/tickets', { ...late, ...field })
    assert.deepEqual([refused.status, refused.body.errors[0].code], [422, 'not_yours'])
  }
  for (const field of [{ status: 'closed' }, { user_id: newId() }, { ticket_number: 'X' }, { workspace_id: newId() }]) {
    assert.equal((await chloe.post('/tickets', { ...late, ...field })).status, 422)
  }
  const { id } = (await chloe.post('/tickets', late)).body
  const secret = { internal_notes: 'xyzzy is a regular', tags: ['xyzzytag'], metadata: { secret: 'xyzzy' } }
  assert.equal((await adrian.put(`/tickets/${id}`, secret)).status, 200)
  const whole = [
    await chloe.get(`/tickets/${id}`),
    await chloe.get('/tickets'),
    await chloe.post(`/tickets/${id}/close`),
  ]
  for (const reply of whole) assert.equal(reply.text.includes('xyzzy'), false, reply.text)
  assert.equal((await chloe.get('/tickets?search=xyzzytag')).body.total, 0)
  assert.equal((await adrian.get('/tickets?search=xyzzytag')).body.total, 1)
  assert.equal((await chloe.put(`/tickets/${id}`, { priority: 'urgent' })).status, 422)
})

test('only members who work at the help desk get tickets', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const chloe = await customerOf(app, 'chloe')
  const { id } = (await chloe.post('/tickets', late)).body
  const { maria, victor } = app.world.people
  for (const agent of [maria.id, victor.id, chloe.id, app.world.stranger.id, newId()]) {
    const refused = await anna.post(`/tickets/${id}/assign`, { agent_id: agent })
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [422, '/agent_id'])
  }
  assert.equal((await anna.get(`/tickets/${id}`)).body.status, 'open')
})

test('two who change it at once: the second hears that it changed; deleted ones come back', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const made = await anna.post('/tickets', { ...late, contact_email: 'a@x.example' })
  const path = `/tickets/${made.body.id}`
  const stale = { 'if-match': String(made.headers.etag) }
  assert.equal((await anna.put(path, { priority: 'urgent' }, stale)).status, 200)
  assert.equal((await anna.put(path, { priority: 'low' }, stale)).status, 412)
  assert.equal((await anna.put(path, { colour: 'red' })).status, 422)
  assert.equal((await app.as('agnes').delete(path)).status, 403)
  assert.equal((await anna.delete(path)).status, 200)
  assert.equal((await anna.get(path)).status, 404)
  assert.equal((await anna.get('/tickets')).body.total, 0)
  assert.equal((await anna.get('/tickets?deleted=true')).body.total, 1)
  assert.equal((await anna.post(`${path}/restore`)).body.priority, 'urgent')
  assert.equal((await anna.get(path)).status, 200)
})

test('the list filters, sorts and pages', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const make = (more: object) => anna.post('/tickets', { ...late, contact_email: 'z@x.example', ...more })
  await make({ subject: 'first', priority: 'low', tags: ['VIP'], category: 'Billing', source: 'phone' })
  await make({ subject: '東京の注文', priority: 'urgent' })
  const third = await make({ subject: 'third', priority: 'normal', assigned_to: app.world.people.agnes.id })
  const subjects = async (query: string) =>
    (await anna.get(`/tickets?${query}`)).body.data.map((ticket: { subject: string }) => ticket.subject)
  assert.deepEqual(await subjects('sort=-priority'), ['東京の注文', 'third', 'first'])
  assert.deepEqual(await subjects('tag=vip'), ['first'])
  assert.deepEqual(await subjects('category=billing&source=phone,chat'), ['first'])
  assert.deepEqual(await subjects('status=assigned'), ['third'])
  assert.deepEqual(await subjects('assigned_to=none&priority=urgent,high'), ['東京の注文'])
  assert.deepEqual(await subjects(`assigned_to=${app.world.people.agnes.id}`), ['third'])
  assert.deepEqual(await subjects('search=東京'), ['東京の注文'])
  assert.deepEqual(await subjects('search=COMMANDE RECUE'), [])
  assert.deepEqual(await subjects('search=thir ou est'), ['third'])
  assert.deepEqual(await subjects('overdue=true'), [])
  await app.inTx((tx) =>
    sql`update support.tickets set resolution_due_at = now() - interval '1 hour' where id = ${third.body.id}`.execute(
      tx.sql,
    ),
  )
  assert.deepEqual(await subjects('overdue=true'), ['third'])
  assert.deepEqual(await subjects('sort=due_at&limit=1'), ['third'])
  const page = await anna.get('/tickets?limit=2')
  const rest = await anna.get(`/tickets?limit=2&cursor=${page.body.next_cursor}`)
  assert.deepEqual(
    [page.body.total, page.body.data.length, rest.body.data.length, rest.body.next_cursor],
    [3, 2, 1, null],
  )
  assert.equal((await anna.get('/tickets?status=nonsense')).status, 422)
  assert.equal((await anna.get('/tickets?sort=subject')).status, 422)
})

test('a fault of an order that names an account alone is of whoever has it; of nobody known, it says so', async () => {
  await using app = await start()
  const [anna, adrian, maria] = [app.as('anna'), app.as('adrian'), app.as('maria')]
  const [chloe, dora] = [await customerOf(app, 'chloe'), await customerOf(app, 'dora')]
  const tell = async (event: string, data: object): Promise<void> => {
    const envelope = { id: newId(), timestamp: '2026-01-01T00:00:00Z', event, data }
    assert.ok((await adrian.post('/events', envelope)).status < 300)
    await app.drain()
  }
  const whose = async () => {
    const { data } = (await anna.get('/tickets?sort=created_at')).body
    return data.map((ticket: Record<string, unknown>) => [ticket.subject, ticket.contact_email, ticket.user_id])
  }
  await maria.post('/contacts', { email: 'chloe@home.example', first_name: 'Chloé', user_id: chloe.id })
  await tell('user.registered', { id: 77, email: 'bo@x.example' })
  // Both have signed in, so their accounts are known; a contact that has the account counts more than the account's address.
  for (const client of [chloe, dora]) assert.equal((await client.get('/tickets')).status, 200)
  await maria.post('/contacts', { email: chloe.email, first_name: 'Chloé' })
  await tell('order.issue', { order_id: 1, user_id: chloe.id.toUpperCase() })
  await tell('order.issue', { order_id: 2, user_id: 77 })
  await tell('order.issue', { order_id: 3, user: { id: dora.id } })
  assert.deepEqual(await whose(), [
    ['Order 1', 'chloe@home.example', chloe.id],
    ['Order 2', 'bo@x.example', null],
    ['Order 3', 'dora@guest.example', dora.id],
  ])
  assert.equal((await chloe.get('/tickets')).body.total, 1)

  const stranger = newId()
  for (const userId of [stranger, app.world.stranger.id, 78])
    await tell('order.issue', { order_id: 4, user_id: userId })
  await tell('order.issue', { order_id: 5 })
  assert.equal((await anna.get('/tickets')).body.total, 3)
  await app.inTx((tx) =>
    sql`update platform.outbox set attempts = 100, next_attempt_at = now() where relayed_at is null`.execute(tx.sql),
  )
  await app.drain()
  const reasons = (await adrian.get('/events/failed')).body.data.map(({ error }: { error: string }) => error).toSorted()
  assert.equal(reasons.length, 4)
  assert.match(reasons[0], /names nobody: send an email, a contact_id or a user_id/)
  for (const id of [stranger, app.world.stranger.id, '78']) {
    assert.ok(reasons.some((reason: string) => reason.startsWith(`order.issue: nobody here has the user_id ${id}`)))
  }
  // Who is known meanwhile is found by the event, sent again.
  await tell('user.registered', { user_id: stranger, email: 'late@x.example' })
  const failed = (await adrian.get('/events/failed')).body.data as { id: string; error: string }[]
  const again = failed.find(({ error }) => error.includes(stranger))!
  assert.ok((await adrian.post(`/events/failed/${again.id}/resend`)).status < 300)
  await app.drain()
  assert.deepEqual((await whose()).at(-1), ['Order 4', 'late@x.example', stranger])
})

test('whoever registers finds the tickets of their confirmed address; faults of orders and products become tickets', async () => {
  await using app = await start()
  const [anna, adrian] = [app.as('anna'), app.as('adrian')]
  const chloe = await customerOf(app, 'chloe')
  await anna.post('/tickets', { ...late, contact_email: 'Chloe@guest.example' })
  const tell = async (event: string, data: object): Promise<void> => {
    const envelope = { id: newId(), timestamp: '2026-01-01T00:00:00Z', event, data }
    assert.ok((await adrian.post('/events', envelope)).status < 300)
    await app.drain()
  }
  await tell('user.registered', { user_id: chloe.id, email: chloe.email, email_verified: false })
  assert.equal((await chloe.get('/tickets')).body.total, 0)
  await tell('user.registered', { user_id: chloe.id, email: chloe.email })
  assert.equal((await chloe.get('/tickets')).body.total, 1)
  await tell('order.issue', { order_id: 77, customer_email: 'bo@x.example', description: 'Broken', priority: 'high' })
  await tell('product.issue_reported', { product_name: 'Knife', email: 'bo@x.example', message: 'Blunt' })
  const { data } = (await anna.get('/tickets?sort=created_at')).body
  assert.deepEqual(
    data.slice(1).map((ticket: Record<string, unknown>) => [ticket.subject, ticket.category, ticket.priority]),
    [
      ['Order 77', 'order', 'high'],
      ['Product Knife', 'product', 'normal'],
    ],
  )
})
