import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { systemActor } from '#platform/actor.ts'
import { customerOf } from '#testing/customer.ts'
import { start, type TestApp } from '#testing/start.ts'
import { addMessage } from './messages.ts'
import { closeTicket } from './moves.ts'
import { lockTicket } from './tickets.ts'

const question = { subject: 'Late parcel', description: 'Where is it?' }

async function conversation(app: TestApp) {
  const chloe = await customerOf(app, 'chloe')
  const { id } = (await chloe.post('/tickets', question)).body as { id: string }
  return { chloe, agnes: app.as('agnes'), id, path: `/tickets/${id}`, thread: `/tickets/${id}/messages` }
}

async function eventsOf(app: TestApp, event: string): Promise<Record<string, unknown>[]> {
  const { rows } = await app.inTx((tx) =>
    sql<{
      data: Record<string, unknown>
    }>`select data from platform.outbox where event = ${event} order by seq`.execute(tx.sql),
  )
  return rows.map(({ data }) => data)
}

test('internal notes never leave by a door that a requester can open, nor with an event', async () => {
  await using app = await start()
  const { chloe, agnes, path, thread } = await conversation(app)
  const note = await agnes.post(thread, { content: 'xyzzy: be generous', is_internal: true })
  assert.equal(note.status, 201, note.text)
  assert.equal((await agnes.get(path)).body.status, 'open', 'a note is no answer')
  assert.equal((await agnes.get(path)).body.first_response_at, null)
  const one = `${thread}/${note.body.id}`
  for (const reply of [
    await chloe.get(thread),
    await chloe.get(path),
    await chloe.get('/tickets?search=xyzzy'),
    await chloe.get(one),
    await chloe.put(one, { content: 'x' }),
    await chloe.delete(one),
    await chloe.post(`${one}/mark-read`),
    await chloe.get(`${one}/versions`),
    await chloe.get(`${path}/history`),
    await chloe.get(`${path}/followers`),
  ]) {
    assert.equal(reply.text.includes('xyzzy') || reply.text.includes(note.body.id), false, reply.text)
    assert.ok(reply.status !== 200 || !reply.body.data?.length)
  }
  assert.deepEqual((await chloe.get(`${thread}/unread-count`)).body, { count: 0 })
  assert.equal((await chloe.post(thread, { content: 'me too', is_internal: true })).status, 403)
  assert.equal((await chloe.post(thread, { content: 'x', status: 'resolved' })).status, 422)
  assert.equal((await agnes.get('/tickets?search=xyzzy')).body.total, 1)
  const [told] = await eventsOf(app, 'ticket.message.new')
  assert.equal(told?.is_internal, true)
  assert.equal(JSON.stringify(told).includes('xyzzy'), false)
})

test('who answers what nobody has, has it; the first public answer counts, once', async () => {
  await using app = await start()
  const { agnes, path, thread } = await conversation(app)
  await agnes.post(thread, { content: 'On its way' })
  const first = await agnes.get(path)
  assert.deepEqual([first.body.status, first.body.assigned_to], ['in_progress', app.world.people.agnes.id])
  await app.as('adrian').post(thread, { content: 'Indeed' })
  const second = await agnes.get(path)
  assert.equal(second.body.first_response_at, first.body.first_response_at)
  assert.equal(second.body.assigned_to, app.world.people.agnes.id, 'it stays with who has it')
  assert.equal(second.body.messages.length, 2)
})

test('a program answers nobody: no first response, no change of status', async () => {
  await using app = await start()
  const { agnes, path, id } = await conversation(app)
  await app.inTx(async (tx) => {
    const actor = systemActor(tx.workspaceId)
    await addMessage(tx, actor, await lockTicket(tx, actor, id), { content: 'We have it' }, app.app.runtime)
  })
  const { body } = await agnes.get(path)
  assert.deepEqual([body.status, body.first_response_at, body.messages[0].author_kind], ['open', null, 'program'])
  assert.ok(body.waiting_since)
})

test('reading is each reader’s own, and one’s own words need none', async () => {
  await using app = await start()
  const { chloe, agnes, thread } = await conversation(app)
  const first = await agnes.post(thread, { content: 'one' })
  await agnes.post(thread, { content: 'two' })
  const unread = async () => [
    (await chloe.get(`${thread}/unread-count`)).body.count,
    (await agnes.get(`${thread}/unread-count`)).body.count,
    (await app.as('anna').get(`${thread}/unread-count`)).body.count,
  ]
  assert.deepEqual(await unread(), [2, 0, 2])
  await chloe.post(`${thread}/${first.body.id}/mark-read`)
  assert.equal((await chloe.post(`${thread}/${first.body.id}/mark-read`)).status, 200)
  assert.deepEqual(await unread(), [1, 0, 2])
  assert.equal((await chloe.get(`${thread}/${first.body.id}`)).body.is_read, true)
  assert.equal((await app.as('anna').post(`${thread}/mark-all-read`)).body.count, 2)
  assert.deepEqual(await unread(), [1, 0, 0])
  const { data } = (await chloe.get(thread)).body
  assert.deepEqual(
    data.map((message: Record<string, unknown>) => [message.content, message.is_read, message.author_email]),
    [
      ['one', true, null],
      ['two', false, null],
    ],
  )
})

test('an edited or deleted message keeps its history, for the house', async () => {
  await using app = await start()
  const { chloe, agnes, thread } = await conversation(app)
  const { body } = await chloe.post(thread, { content: 'first words' })
  const one = `${thread}/${body.id}`
  assert.equal((await agnes.put(one, { content: 'not mine' })).status, 403)
  const edited = await chloe.put(one, { content: 'second words' })
  assert.deepEqual([edited.status, edited.body.content, Boolean(edited.body.edited_at)], [200, 'second words', true])
  assert.equal((await chloe.put(one, { content: 'x' }, { 'if-match': '"v1"' })).status, 412)
  assert.equal((await agnes.delete(one)).status, 403)
  assert.equal((await chloe.delete(one)).status, 200)
  assert.equal((await chloe.get(one)).status, 404)
  assert.equal((await chloe.get(thread)).body.total, 0)
  assert.equal((await agnes.get('/tickets?search=words')).body.total, 0)
  const versions = await agnes.get(`${one}/versions`)
  assert.deepEqual(
    versions.body.data.map((version: Record<string, unknown>) => [version.content, version.what]),
    [
      ['first words', 'edited'],
      ['second words', 'deleted'],
    ],
  )
  const elsewhere = (await chloe.post('/tickets', question)).body.id as string
  const other = await chloe.post(`/tickets/${elsewhere}/messages`, { content: 'elsewhere' })
  for (const suffix of ['', '/versions']) {
    assert.equal((await agnes.get(`${thread}/${other.body.id}${suffix}`)).status, 404, 'a message of another ticket')
  }
})

test('the requester’s word brings a ticket back, or after the window opens one that follows it', async () => {
  await using app = await start({ REOPEN_WINDOW_DAYS: '14' })
  const { chloe, agnes, id, path, thread } = await conversation(app)
  await agnes.post(`${path}/resolve`, { resolution: 'Sent' })
  await app.drainEvents()
  await chloe.post(thread, { content: 'Still nothing' })
  const back = await agnes.get(path)
  assert.deepEqual([back.body.status, back.body.resolved_at, back.body.reopened_count], ['in_progress', null, 1])
  assert.deepEqual(
    (await app.drainEvents()).filter((event) => event.startsWith('ticket')),
    ['ticket.message.new', 'ticket.reopened'],
  )
  await chloe.post(`${path}/close`)
  await app.inTx((tx) =>
    sql`update support.tickets set closed_at = now() - interval '15 days' where id = ${id}`.execute(tx.sql),
  )
  const late = await chloe.post(thread, { content: 'Me again' })
  assert.equal(late.status, 201, late.text)
  assert.notEqual(late.body.ticket_id, id)
  const followUp = await chloe.get(`/tickets/${late.body.ticket_id}`)
  assert.deepEqual(
    [followUp.body.status, followUp.body.follow_up_of, followUp.body.messages.length, followUp.body.subject],
    ['open', id, 1, question.subject],
  )
  assert.equal((await agnes.get(path)).body.status, 'closed')
})

test('closing and a requester’s word at once: whoever comes first, the word is heard', async () => {
  await using app = await start()
  const { chloe, agnes, id, path, thread } = await conversation(app)
  for (let round = 0; round < 5; round++) {
    await agnes.put(path, { status: 'resolved' })
    await Promise.all([
      chloe.post(thread, { content: `word ${round}` }),
      app.inTx(async (tx) => {
        const actor = systemActor(tx.workspaceId)
        const ticket = await lockTicket(tx, actor, id)
        if (ticket.status === 'resolved') await closeTicket(tx, actor, ticket)
      }),
    ])
    assert.equal((await agnes.get(path)).body.status, 'in_progress')
  }
})

test('nobody is called in who has no place at the help desk', async () => {
  await using app = await start()
  const { agnes, path, thread } = await conversation(app)
  const refused = await agnes.post(thread, { content: 'x', mentions: [app.world.people.victor.id] })
  assert.deepEqual([refused.status, refused.body.errors[0].pointer], [422, '/mentions/0'])
  const mentions = [app.world.people.adrian.id]
  assert.equal((await agnes.post(thread, { content: 'x', is_internal: true, mentions })).status, 201)
  const followers = await agnes.get(`${path}/followers`)
  assert.deepEqual(
    followers.body.data.map((each: Record<string, unknown>) => [each.name, each.was_called]),
    [['Adrian', true]],
  )
  assert.deepEqual((await eventsOf(app, 'ticket.mentioned'))[0]?.user_ids, mentions)
})
