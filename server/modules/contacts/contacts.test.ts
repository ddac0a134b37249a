import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start } from '#testing/start.ts'

const ana = { email: 'Ana.Pop@Example.com', first_name: 'Ana', last_name: 'Pop' }

test('a contact is made, read, changed and deleted, and says so each time', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const made = await maria.post('/contacts', {
    ...ana,
    phone: '06 12 34 56 78',
    language: 'fr-fr',
    timezone: 'Europe/Paris',
    custom_fields: { shoe: 42 },
    tags: ['VIP', 'vip', 'Gold'],
  })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.headers.location, `/api/v1/contacts/${made.body.id}`)
  assert.equal(made.headers.etag, '"v1"')
  assert.equal(made.body.full_name, 'Ana Pop')
  assert.equal(made.body.email, 'Ana.Pop@Example.com')
  assert.equal(made.body.language, 'fr-FR')
  assert.equal(made.body.phone, '06 12 34 56 78')
  assert.equal(made.body.source, 'manual')
  assert.equal(made.body.engagement_level, 'low')
  assert.deepEqual(made.body.custom_fields, { shoe: 42 })
  assert.deepEqual(made.body.tags.length, 2)
  assert.deepEqual(await app.drainEvents(), [
    'contact.created',
    'customer.created',
    'tag.applied',
    'customer.tag.added',
    'tag.applied',
    'customer.tag.added',
  ])

  const path = `/contacts/${made.body.id}`
  const read = await maria.get(path)
  assert.equal(read.status, 200)
  assert.deepEqual(read.body.subscriptions, { newsletter: false, marketing: false, transactional: true })
  assert.deepEqual(
    new Set(read.body.engagement.map((entry: { interaction_type: string }) => entry.interaction_type)),
    new Set(['contact_created', 'tag_added']),
  )

  const changed = await maria.put(path, { company: 'Moulin', tags: ['Gold', 'Silver'] }, { 'if-match': '"v1"' })
  assert.equal(changed.status, 200, changed.text)
  assert.equal(changed.headers.etag, '"v2"')
  assert.deepEqual(changed.body.tags, ['Gold', 'Silver'])
  assert.equal(changed.body.first_name, 'Ana')
  assert.deepEqual(await app.drainEvents(), [
    'tag.removed',
    'customer.tag.removed',
    'tag.applied',
    'customer.tag.added',
    'contact.updated',
    'customer.updated',
  ])

  assert.equal((await maria.delete(path)).body.message, 'The contact was deleted. It can be restored.')
  assert.equal((await maria.get(path)).status, 404)
  assert.equal((await maria.get('/contacts')).body.total, 0)
  assert.equal((await maria.get('/contacts?deleted=true')).body.total, 1)
  assert.deepEqual(await app.drainEvents(), ['contact.deleted', 'customer.deleted'])
})

test('a change that changes nothing is no event and no version', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const made = await maria.post('/contacts', { ...ana, tags: ['VIP'] })
  await app.drainEvents()
  const same = await maria.patch(`/contacts/${made.body.id}`, { ...ana, tags: ['vip'], custom_fields: {} })
  assert.equal(same.headers.etag, '"v1"', same.text)
  assert.deepEqual(await app.drainEvents(), [])
})

test('an e-mail is unique whatever its case, until its contact is deleted', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const first = await maria.post('/contacts', ana)
  const second = await maria.post('/contacts', { ...ana, email: 'ANA.POP@example.COM' })
  assert.equal(second.status, 409)
  assert.equal(second.body.code, 'email_taken')
  assert.equal(second.body.errors[0].pointer, '/email')
  const elsewhere = await app.stranger.post('/contacts', ana)
  assert.equal(elsewhere.status, 201, 'another workspace has contacts of its own')

  await maria.delete(`/contacts/${first.body.id}`)
  const again = await maria.post('/contacts', ana)
  assert.equal(again.status, 201)
  const restored = await maria.post(`/contacts/${first.body.id}/restore`)
  assert.equal(restored.status, 409)
  assert.equal(restored.body.code, 'email_taken')
  await maria.delete(`/contacts/${again.body.id}`)
  assert.equal((await maria.post(`/contacts/${first.body.id}/restore`)).status, 200)
  assert.equal((await maria.post(`/contacts/${first.body.id}/restore`)).status, 200, 'restoring twice is the same')
})

test('of two changes to one version the second is refused', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const made = await maria.post('/contacts', ana)
  const path = `/contacts/${made.body.id}`
  const replies = await Promise.all(
    ['Moulin', 'Mill', 'Mühle'].map((company) => maria.put(path, { company }, { 'if-match': '"v1"' })),
  )
  assert.deepEqual(
    replies.map((reply) => reply.status).toSorted((a, b) => a - b),
    [200, 412, 412],
  )
  assert.equal((await maria.delete(path, undefined, { 'if-match': '"v1"' })).status, 412)
})

test('what is wrong is told, field by field', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const cases: [body: object, pointer: string][] = [
    [{ first_name: 'Ana' }, '/email'],
    [{ ...ana, email: 'ana@' }, '/email'],
    [{ email: 'a@b.example' }, '/first_name'],
    [{ ...ana, first_name: '  ' }, '/first_name'],
    [{ ...ana, phone: 'call me' }, '/phone'],
    [{ ...ana, phone: '12' }, '/phone'],
    [{ ...ana, language: 'klingon!' }, '/language'],
    [{ ...ana, timezone: 'Mars/Olympus' }, '/timezone'],
    [{ ...ana, timezone: '+01:00' }, '/timezone'],
    [{ ...ana, avatar_url: 'javascript:alert(1)' }, '/avatar_url'],
    [{ ...ana, custom_fields: [] }, '/custom_fields'],
    [{ ...ana, custom_fields: { long: 'x'.repeat(70_000) } }, '/custom_fields'],
    [{ ...ana, gender: 'robot' }, '/gender'],
    [{ ...ana, id: '01900000-0000-7000-8000-000000000001' }, '/id'],
    [{ ...ana, workspace_id: '01900000-0000-7000-8000-000000000001' }, '/workspace_id'],
    [{ ...ana, engagement_score: 99 }, '/engagement_score'],
    [{ ...ana, frist_name: 'Ana' }, '/frist_name'],
    [{ ...ana, lists: ['01900000-0000-7000-8000-000000000001'] }, '/lists/0'],
  ]
  for (const [body, pointer] of cases) {
    const reply = await maria.post('/contacts', body)
    assert.equal(reply.status, 422, `${pointer}: ${reply.text}`)
    assert.equal(reply.body.errors[0].pointer, pointer)
  }
  assert.deepEqual(await app.drainEvents(), [], 'and nothing was written')
  assert.equal((await maria.get('/contacts')).body.total, 0)
})

test('a full name is taken apart', async () => {
  await using app = await start()
  const made = await app.as('maria').post('/contacts', { email: 'v@g.example', full_name: 'Vincent van Gogh' })
  assert.deepEqual([made.body.first_name, made.body.last_name], ['Vincent', 'van Gogh'])
})

test('a subscription that comes with the record is written to the ledger', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const made = await maria.post('/contacts', { ...ana, newsletter_subscribed: true })
  assert.equal(made.body.newsletter_subscribed, true, made.text)
  assert.ok(made.body.subscribed_at)
  const rows = await app.inTx((tx) => tx.sql.selectFrom('contacts.consents').selectAll().execute())
  assert.deepEqual(
    rows.map((row) => [row.purpose, row.decision, row.contact_id]),
    [['newsletter', 'granted', made.body.id]],
  )
  const off = await maria.put(`/contacts/${made.body.id}`, { newsletter_subscribed: false })
  assert.equal(off.body.newsletter_subscribed, false)
})

test('who may read may not write, and nobody sees the neighbours', async () => {
  await using app = await start()
  const made = await app.as('maria').post('/contacts', ana)
  const path = `/contacts/${made.body.id}`
  assert.equal((await app.as('victor').get(path)).status, 200)
  assert.equal((await app.as('victor').put(path, { company: 'x' })).status, 403)
  assert.equal((await app.anonymous.get(path)).status, 401)
  for (const reply of [
    await app.stranger.get(path),
    await app.stranger.put(path, { company: 'x' }),
    await app.stranger.delete(path),
    await app.stranger.post(`${path}/restore`),
    await app.stranger.post(`${path}/notes`, { content: 'x' }),
    await app.stranger.get(`${path}/interactions`),
  ]) {
    assert.equal(reply.status, 404, reply.text)
  }
  assert.equal((await app.stranger.get('/contacts')).body.total, 0)
})
