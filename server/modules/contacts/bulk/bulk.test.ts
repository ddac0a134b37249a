import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start, type TestApp } from '#testing/start.ts'

/** Every second one came by an import. */
async function manyContacts(app: TestApp, count: number): Promise<void> {
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, first_name, source)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), i || '@example.com', 'P', case when i % 2 = 0 then 'import' end
      from generate_series(1, ${count}::int) as i`.execute(tx.sql),
  )
}

test('a filter is counted, then worked through as a job with progress', async () => {
  await using app = await start()
  await manyContacts(app, 4200) // more than one batch of imported ones
  const adrian = app.as('adrian')
  const list = await adrian.post('/lists', { name: 'Imported' })
  const bulk = { action: 'add_to_list', filter: { source: 'import' }, params: { list_id: list.body.id } }
  const counted = await adrian.post('/contacts/bulk-action', { ...bulk, dry_run: true })
  const expected = { matched: 2100, unchanged: 0, refused: {} }
  assert.deepEqual(
    [counted.status, counted.body],
    [200, { dry_run: true, ...expected, would_change: 2100, not_found: 0 }],
  )
  const job = await adrian.post('/contacts/bulk-action', bulk)
  assert.equal(job.status, 202, job.text)
  assert.equal(job.body.progress.total, 2100)
  await app.drain()
  const done = await adrian.get(`/jobs/${job.body.id}`)
  const { operation_id, ...result } = done.body.result
  assert.deepEqual([done.body.status, result], ['succeeded', { ...expected, changed: 2100 }], done.text)
  const operation = (await adrian.get(`/contacts/operations/${operation_id}`)).body
  assert.deepEqual([operation.contacts, operation.facts.list, operation.status], [2100, 'Imported', 'done'])
  assert.equal(done.body.progress.done, 2100)
  assert.equal((await adrian.get(`/lists/${list.body.id}`)).body.contact_count, 2100)
})

test('each action does what it says', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const made = await adrian.post('/contacts', { email: 'a@x.example', first_name: 'A' })
  const contact_ids = [made.body.id]
  const list = await adrian.post('/lists', { name: 'L' })
  const act = async (action: string, params?: object) => {
    const job = await adrian.post('/contacts/bulk-action', { action, contact_ids, ...(params ? { params } : {}) })
    assert.equal(job.status, 202, job.text)
    await app.drain()
    const { body } = await adrian.get(`/jobs/${job.body.id}`)
    const { matched, changed } = body.result
    assert.deepEqual([action, body.status, matched, changed], [action, 'succeeded', 1, 1])
    return (await adrian.get(`/contacts/${made.body.id}?deleted=true`)).body
  }
  assert.deepEqual((await act('add_tag', { tag: 'new' })).tags, ['new'])
  assert.deepEqual((await act('remove_tag', { tag: 'NEW' })).tags, [])
  assert.equal((await act('add_to_list', { list_id: list.body.id })).lists.length, 1)
  assert.equal((await act('remove_from_list', { list_id: list.body.id })).lists.length, 0)
  assert.equal((await act('subscribe', { type: 'newsletter' })).newsletter_subscribed, true)
  assert.equal((await act('unsubscribe', { type: 'all' })).newsletter_subscribed, false)
  assert.ok((await act('delete')).deleted_at)
  assert.equal((await act('restore')).deleted_at, null)
})

test('a bulk action is for admins, and says what it lacks', async () => {
  await using app = await start()
  const made = await app.as('maria').post('/contacts', { email: 'a@x.example', first_name: 'A' })
  const contact_ids = [made.body.id]
  assert.equal((await app.as('maria').post('/contacts/bulk-action', { action: 'delete', contact_ids })).status, 403)
  const adrian = app.as('adrian')
  for (const body of [
    { action: 'delete' },
    { action: 'delete', contact_ids, filter: {} },
    { action: 'explode', contact_ids },
    { action: 'add_tag', contact_ids },
    { action: 'add_to_list', contact_ids, params: { list_id: made.body.id } },
    { action: 'delete', filter: { colour: 'red' } },
  ]) {
    assert.equal((await adrian.post('/contacts/bulk-action', body)).status, 422, JSON.stringify(body))
  }
  const foreign = await app.stranger.post('/contacts/bulk-action', { action: 'delete', contact_ids, dry_run: true })
  assert.deepEqual([foreign.body.matched, foreign.body.not_found], [0, 1])
})

test('a job that was interrupted goes on behind its cursor', async () => {
  await using app = await start()
  await manyContacts(app, 300)
  const adrian = app.as('adrian')
  const job = await adrian.post('/contacts/bulk-action', { action: 'delete', filter: {} })
  await app.inTx((tx) =>
    sql`update platform.jobs set cursor = ${JSON.stringify({
      afterId: '80000000-0000-0000-0000-000000000000',
      counts: { matched: 2000, changed: 2000, unchanged: 0, refused: {} },
    })}::jsonb where id = ${job.body.id}`.execute(tx.sql),
  )
  const before = await app.inTx((tx) =>
    sql<{
      count: number
    }>`select count(*) as count from contacts.contacts where id > '80000000-0000-0000-0000-000000000000'`.execute(
      tx.sql,
    ),
  )
  await app.drain()
  const { body } = await adrian.get('/contacts?deleted=true&count=exact')
  assert.equal(body.total, before.rows[0]!.count, 'what lies before the cursor is not touched again')
})
