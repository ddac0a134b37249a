// A survivor that leaves a dynamic list by a merge is in it again after the undo, since the day on which it had come.
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'

const long = '2026-03-01T08:00:00.000Z'

async function given(app: TestApp) {
  const maria = app.as('maria')
  const make = async (path: string, body: object): Promise<string> => {
    const reply = await maria.post(path, body)
    assert.equal(reply.status, 201, reply.text)
    return reply.body.id as string
  }
  const millers = await make('/lists', {
    name: 'Millers',
    type: 'dynamic',
    criteria: { field: 'company', op: 'eq', value: 'Mill' },
  })
  // Made first or last, it can only be judged after the list that its rule names.
  const inMillers = { field: 'list', op: 'in', value: millers }
  const theirs = await make('/lists', { name: 'Theirs', type: 'dynamic', criteria: inMillers })
  const others = await make('/lists', { name: 'Others', type: 'dynamic', criteria: { not: inMillers } })
  const miller = await make('/contacts', { email: 'mill@example.com', first_name: 'Ana', company: 'Mill' })
  const baker = await make('/contacts', { email: 'bake@example.com', first_name: 'Ana', company: 'Bakery' })
  await app.drain()
  await app.inTx((tx) =>
    sql`update contacts.list_members set added_at = ${long} where workspace_id = ${tx.workspaceId}`.execute(tx.sql),
  )
  return { millers, theirs, others, miller, baker }
}

/** As pairs of list and date, sorted by the list's name. */
async function dates(app: TestApp, contactId: string): Promise<[string, string][]> {
  const { rows } = await app.inTx((tx) =>
    sql<{ name: string; added_at: Date }>`
      select l.name, m.added_at from contacts.list_members m
      join contacts.lists l on l.workspace_id = m.workspace_id and l.id = m.list_id
      where m.contact_id = ${contactId} order by 1`.execute(tx.sql),
  )
  return rows.map(({ name, added_at }) => [name, added_at.toISOString()])
}

async function mergeAsBaker(app: TestApp, miller: string, baker: string): Promise<string> {
  const request = { primary_id: miller, duplicate_ids: [baker], fields: { company: baker } }
  const reply = await app.as('maria').post('/contacts/merge', request)
  assert.equal(reply.status, 200, reply.text)
  await app.drain()
  return reply.body.merge_id as string
}

test('it comes back with its date, and so do the lists that follow from it; the world hears of it once', async () => {
  await using app = await start()
  const { miller, baker } = await given(app)
  const mergeId = await mergeAsBaker(app, miller, baker)
  assert.deepEqual(
    (await dates(app, miller)).map(([name]) => name),
    ['Others'],
  )
  await app.drainEvents()
  const undone = await app.as('maria').post(`/contacts/merges/${mergeId}/undo`)
  assert.deepEqual([undone.status, undone.body.merge.kept], [200, []], undone.text)
  const heard = (await app.drainEvents()).filter((name) => name.startsWith('list.'))
  assert.deepEqual(heard, ['list.contact.added', 'list.contact.added'])
  assert.deepEqual(await dates(app, miller), [
    ['Millers', long],
    ['Theirs', long],
  ])
  assert.deepEqual(await dates(app, baker), [['Others', long]])
  const { rows } = await app.inTx((tx) =>
    sql<{ name: string; wrong: number }>`
      select name, contact_count - (select count(*) from contacts.list_members m where m.list_id = l.id) as wrong
      from contacts.lists l where type = 'dynamic'`.execute(tx.sql),
  )
  assert.deepEqual(
    rows.map(({ wrong }) => Number(wrong)),
    [0, 0, 0],
  )
})

test('a rule that does not find it any more keeps it out, and a paused list stays as it is', async () => {
  await using app = await start()
  const { millers, miller, baker } = await given(app)
  const mergeId = await mergeAsBaker(app, miller, baker)
  await app.as('maria').patch(`/contacts/${miller}`, { company: 'Café' })
  await app.drain()
  const undone = await app.as('maria').post(`/contacts/merges/${mergeId}/undo`)
  assert.equal(undone.status, 200, undone.text)
  await app.drain()
  assert.deepEqual(
    (await dates(app, miller)).map(([name]) => name),
    ['Others'],
  )

  await app.as('maria').patch(`/contacts/${miller}`, { company: 'Mill' })
  await app.drain()
  const again = await mergeAsBaker(app, miller, baker)
  await app.as('maria').put(`/lists/${millers}`, { is_active: false })
  assert.equal((await app.as('maria').post(`/contacts/merges/${again}/undo`)).status, 200)
  await app.drain()
  assert.deepEqual(
    (await dates(app, miller)).map(([name]) => name),
    ['Others'],
  )
})

test('where it left and came again by itself, the undo knows the first date', async () => {
  await using app = await start()
  const { miller, baker } = await given(app)
  const mergeId = await mergeAsBaker(app, miller, baker)
  await app.as('maria').patch(`/contacts/${miller}`, { company: 'Mill' })
  await app.drain()
  assert.notEqual((await dates(app, miller))[0]![1], long)
  assert.equal((await app.as('maria').post(`/contacts/merges/${mergeId}/undo`)).status, 200)
  await app.drain()
  assert.deepEqual(await dates(app, miller), [
    ['Millers', long],
    ['Theirs', long],
  ])
})
