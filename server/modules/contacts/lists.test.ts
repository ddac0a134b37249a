import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { newId } from '#platform/ids.ts'

async function makeContacts(app: TestApp, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, newId)
  const workspace_id = app.world.workspaceId
  const rows = ids.map((id, index) => ({ workspace_id, id, email: `${index}@example.com`, first_name: `P${index}` }))
  await app.inTx((tx) => tx.sql.insertInto('contacts.contacts').values(rows).execute())
  return ids
}

test('a list is made, filled, synchronised, duplicated, deleted and restored', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [a, b, c] = (await makeContacts(app, 3)) as [string, string, string]
  const foreign = await app.stranger.post('/contacts', { email: 'f@x.example', first_name: 'F' })
  const made = await maria.post('/lists', { name: 'VIP', description: 'Best', color: '#ff0000' })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.body.type, 'static')
  const path = `/lists/${made.body.id}`

  const added = await maria.post(`${path}/contacts`, { contact_ids: [a, b, a, foreign.body.id, newId()] })
  assert.deepEqual([added.body.changed, added.body.not_found], [2, 2], added.text)
  assert.deepEqual(await app.drainEvents().then((events) => events.filter((event) => event.startsWith('list'))), [
    'list.contact.added',
    'list.contact.added',
  ])
  const repeated = await maria.post(`${path}/contacts`, { contact_ids: [a] })
  assert.equal(repeated.body.changed, 0)
  assert.deepEqual(await app.drainEvents(), [])

  const shown = await maria.get(path)
  assert.equal(shown.body.contact_count, 2)
  assert.equal(shown.body.contacts.length, 2)
  assert.equal(shown.headers.etag, '"v1"', 'members do not make an editor stale')
  assert.deepEqual((await maria.get(`/contacts/${a}`)).body.lists, [{ id: made.body.id, name: 'VIP' }])

  const synced = await maria.post(`${path}/sync`, { contact_ids: [b, c] })
  assert.deepEqual([synced.body.added, synced.body.removed, synced.body.contact_count], [1, 1, 2], synced.text)
  const members = await maria.get(`${path}/contacts?sort=email`)
  assert.deepEqual(
    members.body.data.map((contact: { id: string }) => contact.id),
    [b, c],
  )

  const copy = await maria.post(`${path}/duplicate`)
  assert.deepEqual([copy.status, copy.body.name, copy.body.contact_count], [201, 'VIP (2)', 2], copy.text)
  assert.equal((await maria.post(`${path}/duplicate`)).body.name, 'VIP (3)')

  const removed = await maria.delete(`${path}/contacts`, { contact_ids: [b, a] })
  assert.equal(removed.body.changed, 1, removed.text)

  assert.equal((await maria.delete(path)).status, 200)
  assert.equal((await maria.get(path)).status, 404)
  assert.deepEqual((await maria.get(`/contacts/${c}`)).body.lists.length, 2)
  assert.equal((await maria.post('/lists', { name: 'vip' })).status, 201, 'the name is free again')
  assert.equal((await maria.post(`${path}/restore`)).body.code, 'name_taken')
})

test('a name is unique, a colour is a colour, and versions are kept', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const made = await maria.post('/lists', { name: 'VIP' })
  assert.equal(made.body.color, '#0066cc')
  const taken = await maria.post('/lists', { name: 'vip' })
  assert.deepEqual([taken.status, taken.body.code, taken.body.errors[0].pointer], [409, 'name_taken', '/name'])
  assert.equal((await maria.post('/lists', { name: 'x', color: 'blue' })).status, 422)
  assert.equal((await maria.post('/lists', { name: '  ' })).status, 422)
  assert.equal((await maria.post('/lists', { name: 'x', contact_count: 3 })).status, 422)
  const path = `/lists/${made.body.id}`
  assert.equal((await maria.put(path, { color: '#00FF00' }, { 'if-match': '"v1"' })).headers.etag, '"v2"')
  assert.equal((await maria.put(path, { color: '#00FF01' }, { 'if-match': '"v1"' })).status, 412)
  const page = await maria.get('/lists?search=IP&sort=-contact_count&limit=1')
  assert.deepEqual([page.body.total, page.body.data[0].name], [1, 'VIP'])
})

test('groups are the same rows by the names of document 5', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [a] = (await makeContacts(app, 1)) as [string]
  const group = await maria.post('/contacts/groups/', { name: 'Team', description: 'All', color: '#123456' })
  assert.equal(group.status, 201, group.text)
  assert.deepEqual(Object.keys(group.body), [
    'id',
    'name',
    'description',
    'color',
    'contact_count',
    'created_at',
    'updated_at',
  ])
  assert.equal((await maria.post(`/contacts/${a}/groups/${group.body.id}/add/`)).status, 200)
  assert.equal((await maria.get(`/contacts/groups/${group.body.id}/`)).body.contact_count, 1)
  assert.equal((await maria.get(`/contacts/?group=${group.body.id}`)).body.total, 1)
  assert.equal((await maria.get('/lists')).body.total, 1)
  assert.equal((await maria.post(`/contacts/${a}/groups/${group.body.id}/remove/`)).status, 200)
  assert.equal((await maria.post(`/contacts/${newId()}/groups/${group.body.id}/add`)).status, 404)
  assert.equal((await maria.post(`/contacts/${a}/groups/${newId()}/add`)).status, 404)
  assert.equal((await maria.put(`/contacts/groups/${group.body.id}`, { name: 'Crew' })).body.name, 'Crew')
  assert.equal((await maria.delete(`/contacts/groups/${group.body.id}`)).status, 200)
  assert.equal((await maria.get('/contacts/groups')).body.total, 0)
})

test('counters agree with the rows when many change them at once', async () => {
  await using app = await start()
  const ids = await makeContacts(app, 40)
  const maria = app.as('maria')
  const lists = await Promise.all(['A', 'B', 'C'].map((name) => maria.post('/lists', { name })))
  const tags = await Promise.all(['x', 'y', 'z'].map((name) => maria.post('/tags', { name })))
  const replies = await Promise.all(
    ids.flatMap((id, index) => [
      maria.patch(`/contacts/${id}`, {
        tags: index % 2 ? ['x', 'y', 'z'] : ['z', 'y', 'x', 'new'],
        lists: (index % 2 ? lists : lists.toReversed()).map((list) => list.body.id),
      }),
      maria.post(`/lists/${lists[index % 3]!.body.id}/contacts`, { contact_ids: ids.slice(0, 20) }),
      maria.post(`/tags/${tags[index % 3]!.body.id}/apply`, { contact_ids: ids.slice(10, 30) }),
    ]),
  )
  const refused = replies.filter((reply) => reply.status !== 200)
  assert.deepEqual(
    refused.map((reply) => reply.text),
    [],
    'nobody waits for anybody crosswise',
  )
  const counts = await maria.get('/lists')
  assert.deepEqual(
    counts.body.data.map((list: { contact_count: number }) => list.contact_count),
    [40, 40, 40],
  )
  const popular = await maria.get('/tags/popular')
  assert.deepEqual(
    popular.body.data.map((tag: { contact_count: number }) => tag.contact_count),
    [40, 40, 40, 20],
  )
})

test('people who swap tags and lists in opposite directions do not wait for each other', async () => {
  await using app = await start()
  const ids = await makeContacts(app, 30)
  const maria = app.as('maria')
  const lists = await Promise.all(['A', 'B'].map((name) => maria.post('/lists', { name })))
  const [a, b] = lists.map((list) => list.body.id as string) as [string, string]
  const swap = (turn: number) =>
    Promise.all(
      ids.map((id, index) =>
        maria.patch(`/contacts/${id}`, (index + turn) % 2 ? { tags: ['x'], lists: [a] } : { tags: ['y'], lists: [b] }),
      ),
    )
  for (const turn of [0, 1, 2, 3]) {
    const refused = (await swap(turn)).filter((reply) => reply.status !== 200)
    assert.deepEqual(
      refused.map((reply) => reply.text),
      [],
    )
  }
  assert.deepEqual(
    (await maria.get('/lists')).body.data.map((list: { contact_count: number }) => list.contact_count),
    [15, 15],
  )
})
