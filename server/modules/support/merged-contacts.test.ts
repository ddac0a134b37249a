import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start } from '#testing/start.ts'

test('tickets follow a merge of contacts, and go back with its undoing', async () => {
  await using app = await start()
  const [anna, maria] = [app.as('anna'), app.as('maria')]
  const open = async (email: string) =>
    (await anna.post('/tickets', { subject: 'S', description: 'D', contact_email: email })).body as Record<
      string,
      string
    >
  const [one, two, three] = [await open('one@x.example'), await open('two@x.example'), await open('three@x.example')]
  await app.drain()
  const owners = async () => {
    const { data } = (await anna.get('/tickets?sort=created_at')).body
    return data.map((ticket: { contact_id: string }) => ticket.contact_id)
  }
  const before = await owners()
  const merge = { primary_id: one.contact_id, duplicate_ids: [two.contact_id, three.contact_id] }
  const merged = await maria.post('/contacts/merge', merge)
  assert.equal(merged.status, 200, merged.text)
  await app.drain()
  assert.deepEqual(await owners(), [one.contact_id, one.contact_id, one.contact_id])
  assert.equal((await anna.get(`/tickets?contact_id=${one.contact_id}`)).body.total, 3)
  const later = (await anna.post('/tickets', { subject: 'S', description: 'D', contact_id: one.contact_id })).body
  assert.equal((await maria.post(`/contacts/merges/${merged.body.merge_id}/undo`)).status, 200)
  await app.drain()
  assert.deepEqual(await owners(), [...before, later.contact_id])
})
