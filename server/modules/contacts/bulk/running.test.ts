import assert from 'node:assert/strict'
import pg from 'pg'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start, type TestApp } from '#testing/start.ts'

async function manyContacts(app: TestApp, count: number): Promise<void> {
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, first_name, source)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), i || '@example.com', 'P', 'import'
      from generate_series(1, ${count}::int) as i`.execute(tx.sql),
  )
}

async function countTagged(app: TestApp): Promise<number> {
  const { rows } = await app.inTx((tx) =>
    sql<{ count: number }>`select count(*) as count from contacts.contact_tags`.execute(tx.sql),
  )
  return rows[0]!.count
}

async function asOwner(app: TestApp, statement: string): Promise<void> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query(statement)
  await owner.end()
}

const tagging = { action: 'add_tag', filter: {}, params: { tag: 'new' } }

test('a job that dies in its second batch resumes there, and its undo is a job with exact counts', async () => {
  await using app = await start()
  await manyContacts(app, 2_300)
  const adrian = app.as('adrian')
  await asOwner(
    app,
    `create function contacts.dies() returns trigger language plpgsql as $$
     begin
       if (select count(*) from contacts.contact_tags) > 2000 then raise exception 'killed'; end if;
       return null;
     end $$;
     create trigger dies after insert on contacts.contact_tags for each statement execute function contacts.dies()`,
  )
  const { body: job } = await adrian.post('/contacts/bulk-action', tagging)
  await app.drain()
  assert.equal(await countTagged(app), 2_000, 'one whole batch')
  const running = (await adrian.get('/contacts/operations')).body.data[0]
  assert.deepEqual([running.contacts, running.counts.changed], [2_000, 2_000])
  const early = await adrian.post(`/contacts/operations/${running.id}/undo`)
  assert.deepEqual([early.status, early.body.code], [409, 'operation_running'])

  await asOwner(app, 'drop trigger dies on contacts.contact_tags')
  await asOwner(app, `update pgboss.job set start_after = now() where state = 'retry'`)
  const events = await app.drainEvents()
  const { result } = (await adrian.get(`/jobs/${job.id}`)).body
  assert.deepEqual([result.matched, result.changed, result.unchanged], [2_300, 2_300, 0])
  assert.equal(events.filter((event) => event === 'tag.applied').length, 2_300, 'each once')

  // One of them is deleted before the undo.
  const [first, second] = (await adrian.get('/contacts?limit=2')).body.data
  await adrian.delete(`/contacts/${second.id}`)
  const undoing = await adrian.post(`/contacts/operations/${result.operation_id}/undo`)
  assert.equal(undoing.status, 202, undoing.text)
  assert.equal(undoing.body.progress.total, 2_300)
  const again = await adrian.post(`/contacts/operations/${result.operation_id}/undo`)
  assert.deepEqual([again.status, again.body.id], [202, undoing.body.id], 'the same job')
  const taken = await app.drainEvents()
  const undone = (await adrian.get(`/jobs/${undoing.body.id}`)).body.result
  assert.deepEqual([undone.restored, undone.left, undone.gone, undone.reasons], [2_299, 0, 1, {}])
  assert.equal(taken.filter((event) => event === 'tag.removed').length, 2_299)
  assert.equal(await countTagged(app), 1)
  assert.deepEqual((await adrian.get(`/contacts/${first.id}`)).body.tags, [])
})

test('a canceled job leaves whole batches, goes on when asked to, and stays undone once it is', async () => {
  await using app = await start()
  await manyContacts(app, 6_100)
  const adrian = app.as('adrian')
  const { body: job } = await adrian.post('/contacts/bulk-action', tagging)
  const work = app.drain()
  while (!(await adrian.get('/contacts/operations')).body.data[0].counts.matched); // until the first batch is there
  await adrian.post(`/jobs/${job.id}/cancel`)
  await work
  assert.equal((await adrian.get(`/jobs/${job.id}`)).body.status, 'canceled')
  const [canceled] = (await adrian.get('/contacts/operations')).body.data
  assert.deepEqual([canceled.status, canceled.counts.matched % 2_000], ['canceled', 0])
  assert.ok(canceled.counts.matched < 6_100)
  assert.deepEqual([canceled.contacts, await countTagged(app)], [canceled.counts.changed, canceled.counts.changed])

  const { body: undo } = await adrian.post(`/contacts/operations/${canceled.id}/undo`)
  await app.drain()
  assert.equal((await adrian.get(`/jobs/${undo.id}`)).body.result.restored, canceled.contacts)
  assert.equal(await countTagged(app), 0)
  assert.equal((await adrian.post(`/jobs/${job.id}/retry`)).status, 200)
  await app.drain()
  assert.equal(await countTagged(app), 0)
})

test('a bulk action is undone by whom may do one', async () => {
  await using app = await start()
  await manyContacts(app, 2)
  await app.as('adrian').post('/contacts/bulk-action', tagging)
  await app.drain()
  const [operation] = (await app.as('maria').get('/contacts/operations')).body.data
  assert.equal((await app.as('maria').post(`/contacts/operations/${operation.id}/undo`)).status, 403)
  const undone = await app.as('adrian').post(`/contacts/operations/${operation.id}/undo`)
  assert.equal(undone.status, 200)
  assert.equal((await app.as('maria').post(`/contacts/operations/${undone.body.undo_id}/undo`)).status, 403)
})
