import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start } from '#testing/start.ts'
import { recordInteractions } from './interactions.ts'

const ana = { email: 'ana@example.com', first_name: 'Ana' }

test('what a person enters stands on the timeline, newest first, by type', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const made = await agnes.post('/contacts', ana)
  const path = `/contacts/${made.body.id}/interactions`
  const added = await agnes.post(`${path}/add/`, {
    interaction_type: 'booking_created',
    description: 'Table for two',
    metadata: { guests: 2 },
    booking_id: 'b-1',
    occurred_at: '2024-05-01T10:00:00Z',
  })
  assert.equal(added.status, 201, added.text)
  assert.match(added.body.actor.name, /agnes/i)
  assert.equal(added.body.booking_id, 'b-1')
  await agnes.post(`${path}/add`, { interaction_type: 'manual_entry', description: 'Called' })
  const all = await agnes.get(path)
  assert.deepEqual(
    all.body.data.map((entry: { interaction_type: string }) => entry.interaction_type),
    ['manual_entry', 'contact_created', 'booking_created'],
  )
  assert.equal((await agnes.get(`${path}?type=booking_created,manual_entry`)).body.total, 2)
  assert.equal((await agnes.get(`${path}?type=teleported`)).status, 422)
  assert.equal((await agnes.get('/contacts/interactions/?type=manual_entry')).body.total, 1)
  for (const body of [
    { interaction_type: 'purchase', description: 'x' },
    { interaction_type: 'manual_entry' },
    { interaction_type: 'manual_entry', description: ' ' },
    { interaction_type: 'manual_entry', description: 'x', metadata: [] },
    { interaction_type: 'manual_entry', description: 'x', actor_id: 'me' },
  ]) {
    assert.equal((await agnes.post(`${path}/add`, body)).status, 422, JSON.stringify(body))
  }
  const first = await agnes.get(`/contacts/${made.body.id}?engagement_limit=2`)
  assert.equal(first.body.engagement.length, 2)
  const rest = await agnes.get(`/contacts/${made.body.id}?engagement_cursor=${first.body.engagement_next_cursor}`)
  assert.deepEqual(
    rest.body.engagement.map((entry: { interaction_type: string }) => entry.interaction_type),
    ['booking_created'],
  )
})

test('a fact that is delivered twice is written once', async () => {
  await using app = await start()
  const { body } = await app.as('maria').post('/contacts', ana)
  const fact = { contactId: body.id as string, type: 'purchase' as const, sourceKey: 'order:1' }
  const written = await Promise.all(
    Array.from({ length: 10 }, () => app.inTx((tx) => recordInteractions(tx, [fact, { ...fact, sourceKey: null }]))),
  )
  assert.equal(written.flat().filter((row) => row.source_key === 'order:1').length, 1)
  assert.equal(written.flat().length, 11)
})

test('notes are short, and leave the timeline when they are deleted', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const { body } = await maria.post('/contacts', ana)
  await app.drainEvents()
  const path = `/contacts/${body.id}/notes`
  assert.equal((await maria.post(path, { content: 'x'.repeat(501) })).status, 422)
  const note = await maria.post(path, { content: 'é'.repeat(500) })
  assert.equal(note.status, 201, note.text)
  assert.match(note.body.created_by_name, /maria/i)
  assert.deepEqual(await app.drainEvents(), ['customer.note.added'])
  await maria.post(path, { content: 'second' })
  const notes = await maria.get(path)
  assert.equal(notes.body.total, 2)
  assert.equal(notes.body.data[0].content, 'second')
  assert.equal((await maria.delete(`${path}/${note.body.id}`)).status, 200)
  assert.equal((await maria.delete(`${path}/${note.body.id}`)).status, 404)
  const timeline = await maria.get(`/contacts/${body.id}/interactions?type=note_added`)
  assert.deepEqual(
    timeline.body.data.map((entry: { description: string }) => entry.description),
    ['second', ''],
  )
})

test('what was entered by hand can be mended, taken away and brought back; what was recorded cannot', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const made = await agnes.post('/contacts', ana)
  const path = `/contacts/${made.body.id}/interactions`
  const { body: entry } = await agnes.post(`${path}/add`, { interaction_type: 'manual_entry', description: 'Caled' })
  const mended = await agnes.patch(`${path}/${entry.id}`, {
    description: 'Called',
    occurred_at: '2023-01-31T23:30:00-02:00',
  })
  assert.equal(mended.status, 200, mended.text)
  assert.equal(mended.body.description, 'Called')
  assert.equal(mended.body.occurred_at, '2023-02-01T01:30:00.000Z')
  assert.ok(mended.body.edited_at)
  assert.equal((await agnes.patch(`${path}/${entry.id}`, { metadata: { long: 'x'.repeat(17_000) } })).status, 422)
  assert.equal((await agnes.delete(`${path}/${entry.id}`)).status, 200)
  assert.equal((await agnes.get(`${path}?type=manual_entry`)).body.total, 0)
  assert.equal((await agnes.delete(`${path}/${entry.id}`)).status, 404)
  assert.equal((await app.stranger.post(`${path}/${entry.id}/restore`)).status, 404)
  assert.deepEqual((await agnes.post(`${path}/${entry.id}/restore`)).body, mended.body)
  assert.equal((await agnes.post(`${path}/${entry.id}/restore`)).status, 404)
  await agnes.post(`/contacts/${made.body.id}/notes`, { content: 'Likes ducks' })
  for (const told of (await agnes.get(`${path}?type=contact_created,note_added`)).body.data) {
    const refused = await agnes.delete(`${path}/${told.id}`)
    assert.deepEqual([refused.status, refused.body.code], [409, 'not_by_hand'])
  }
  assert.equal((await app.as('victor').patch(`${path}/${entry.id}`, { description: 'x' })).status, 403)
})
