import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start, type Client } from '#testing/start.ts'
import { newId } from '#platform/ids.ts'
import { toSlug } from './tags.ts'

async function contact(client: Client, name: string, tags: string[] = []): Promise<string> {
  const made = await client.post('/contacts', { email: `${name}@example.com`, first_name: name, tags })
  assert.equal(made.status, 201, made.text)
  return made.body.id
}

test('a tag is made, applied, listed, removed and deleted', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [ana, bob] = [await contact(maria, 'ana'), await contact(maria, 'bob')]
  const made = await maria.post('/tags', { name: 'Très VIP', color: '#FFD700', priority: 5 })
  assert.equal(made.status, 201, made.text)
  const path = `/tags/${made.body.id}`
  assert.equal((await maria.post('/tags', { name: 'très vip' })).body.code, 'name_taken')
  assert.equal((await maria.post('/tags', { name: 'a,b' })).status, 422)
  await app.drainEvents()

  const applied = await maria.post(`${path}/apply`, { contact_ids: [ana, bob, newId()] })
  assert.deepEqual([applied.body.changed, applied.body.not_found], [2, 1], applied.text)
  assert.deepEqual(await app.drainEvents(), ['tag.applied', 'customer.tag.added', 'tag.applied', 'customer.tag.added'])
  assert.equal((await maria.get(`${path}/contacts`)).body.total, 2)
  assert.equal((await maria.get(path)).body.contacts.length, 2)
  assert.equal((await maria.get('/tags/popular')).body.data[0].contact_count, 2)

  const removed = await maria.delete(`${path}/remove`, { contact_ids: [ana] })
  assert.equal(removed.body.changed, 1, removed.text)
  assert.deepEqual(await app.drainEvents(), ['tag.removed', 'customer.tag.removed'])

  assert.equal((await maria.put(path, { name: 'VIP' }, { 'if-match': '"v1"' })).body.slug, 'vip')
  assert.equal((await maria.put(path, { name: 'x' }, { 'if-match': '"v1"' })).status, 412)
  assert.equal((await maria.delete(path)).status, 200)
  assert.deepEqual(await app.drainEvents(), ['tag.removed', 'customer.tag.removed'])
  assert.deepEqual((await maria.get(`/contacts/${bob}`)).body.tags, [])
  assert.equal((await app.stranger.get(path)).status, 404)
})

test('a merged tag gives its contacts to the other one', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await contact(maria, 'ana', ['old', 'new'])
  await contact(maria, 'bob', ['old'])
  const byName = new Map<string, { id: string }>(
    (await maria.get('/tags')).body.data.map((tag: { name: string; id: string }) => [tag.name, tag]),
  )
  const [old, target] = [byName.get('old')!.id, byName.get('new')!.id]
  assert.equal((await maria.post(`/tags/${old}/merge`, { target_tag_id: old })).status, 422)
  assert.equal((await maria.post(`/tags/${old}/merge`, { target_tag_id: newId() })).status, 422)
  const merged = await maria.post(`/tags/${old}/merge`, { target_tag_id: target })
  assert.deepEqual([merged.status, merged.body.name, merged.body.contact_count], [200, 'new', 2], merged.text)
  assert.equal((await maria.get(`/tags/${old}`)).status, 404)
})

test('tags that two people invent at once are one', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const ids = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      contact(maria, `p${index}`, index % 2 ? ['C++', 'C#', 'c'] : ['c', 'C#', 'C++']),
    ),
  )
  assert.equal(ids.length, 30)
  const { body } = await maria.get('/tags?sort=name')
  assert.deepEqual(
    body.data.map((tag: { name: string; contact_count: number }) => [tag.name, tag.contact_count]),
    [
      ['c', 30],
      ['C#', 30],
      ['C++', 30],
    ],
  )
})

test('a slug is readable where letters allow it, and different where names are', () => {
  assert.equal(toSlug('Gold customer'), 'gold-customer')
  assert.match(toSlug('Fidèle'), /^fidele-[0-9a-f]{6}$/)
  assert.match(toSlug('常連'), /^[0-9a-f]{6}$/)
  assert.equal(new Set(['c', 'C++', 'C#', 'c!'].map(toSlug)).size, 4)
})
