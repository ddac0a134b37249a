import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start, type TestApp } from '#testing/start.ts'

test('the policy is off until somebody sets it, and only admins do', async () => {
  await using app = await start()
  await fill(app)
  const adrian = app.as('adrian')
  const unset = await adrian.get('/contacts/inactive-policy')
  assert.deepEqual([unset.body.enabled, unset.body.action, unset.body.exclude_with_orders], [false, 'deactivate', true])
  assert.equal((await adrian.post('/contacts/inactive-policy/run')).status, 409)
  await monthly(app)
  assert.deepEqual(await app.drainEvents(), [])
  for (const person of ['maria', 'agnes', 'victor'] as const) {
    for (const method of ['GET', 'PUT']) {
      assert.equal(
        (await app.as(person).request(method, '/contacts/inactive-policy', method === 'PUT' ? {} : undefined)).status,
        403,
      )
    }
  }
  const set = await adrian.put(
    '/contacts/inactive-policy',
    { inactive_days: 400 },
    { 'if-match': String(unset.headers.etag) },
  )
  assert.deepEqual([set.status, set.body.inactive_days, set.body.enabled], [200, 400, false])
  const stale = await adrian.put(
    '/contacts/inactive-policy',
    { enabled: true },
    { 'if-match': String(unset.headers.etag) },
  )
  assert.equal(stale.status, 412)
  const cases: [object, string][] = [
    [{ action: 'tag' }, '/tag'],
    [{ inactive_days: 5 }, '/inactive_days'],
    [{ exclude_lists: [app.world.workspaceId] }, '/exclude_lists/0'],
    [{ action: 'explode' }, '/action'],
  ]
  for (const [body, pointer] of cases) {
    const reply = await adrian.put('/contacts/inactive-policy', body)
    assert.deepEqual([reply.status, reply.body.errors?.[0].pointer], [422, pointer])
  }
  assert.equal((await app.stranger.get('/contacts/inactive-policy')).body.inactive_days, 730)
})

test('a preview tells whom it means, and nobody who shows a sign of life', async () => {
  await using app = await start()
  await fill(app)
  const preview = async (policy: object) => {
    const { body } = await app.as('adrian').post('/contacts/inactive-policy/preview', { inactive_days: 365, ...policy })
    return [body.matched, body.sample.map(({ email }: { email: string }) => email.split('@')[0])]
  }
  assert.deepEqual(await preview({}), [3, ['silent', 'vip', 'listed']])
  assert.deepEqual(await preview({ exclude_tags: ['VIP'] }), [2, ['silent', 'listed']])
  assert.deepEqual(await preview({ exclude_with_orders: false, exclude_with_bookings: false }), [
    5,
    ['silent', 'vip', 'listed', 'buyer', 'booker'],
  ])
  assert.deepEqual(await preview({ exclude_subscribed: true }), [2, ['silent', 'vip']])
  assert.deepEqual(await preview({ action: 'delete' }), [4, ['silent', 'vip', 'listed', 'off']])
  assert.deepEqual(await preview({ inactive_days: 3_000 }), [0, []])
})

test('each month it does as the policy says, and what it deletes can be restored', async () => {
  await using app = await start()
  await fill(app)
  const adrian = app.as('adrian')
  const emails = async (query: string) =>
    (await adrian.get(`/contacts?sort=email&${query}`)).body.data.map(
      ({ email }: { email: string }) => email.split('@')[0],
    )
  await adrian.put('/contacts/inactive-policy', { enabled: true, inactive_days: 365, action: 'tag', tag: 'dormant' })
  await monthly(app)
  await app.drain()
  assert.deepEqual(await emails('tags=dormant'), ['listed', 'off', 'silent', 'vip'])
  await adrian.put('/contacts/inactive-policy', { action: 'deactivate', exclude_tags: ['vip'] })
  await app.drainEvents()
  await monthly(app)
  assert.deepEqual((await app.drainEvents()).toSorted(), [
    'contact.updated',
    'contact.updated',
    'customer.updated',
    'customer.updated',
  ])
  assert.deepEqual(await emails('is_active=false'), ['listed', 'off', 'silent'])
  await adrian.put('/contacts/inactive-policy', { action: 'delete', exclude_tags: [] })
  const run = await adrian.post('/contacts/inactive-policy/run')
  assert.equal(run.status, 202)
  await app.drain()
  const { body: job } = await adrian.get(`/jobs/${run.body.id}`)
  assert.deepEqual([job.status, job.result], ['succeeded', { action: 'delete', changed: 4 }])
  assert.deepEqual(await emails('deleted=true'), ['listed', 'off', 'silent', 'vip'])
  const [first] = (await adrian.get('/contacts?deleted=true')).body.data
  assert.equal((await adrian.post(`/contacts/${first.id}/restore`)).status, 200)
  await monthly(app)
  await app.drain()
  assert.equal((await emails('deleted=true')).length, 3, 'whoever was brought back is not inactive')
  assert.equal((await adrian.get('/contacts/inactive-policy')).body.enabled, true)
})

async function monthly(app: TestApp): Promise<void> {
  const task = app.app.tasks.find(({ name }) => name === 'contacts.clean_inactive')!
  assert.equal(task.cron, '0 4 1 * *')
  await task.run(app.app.runtime)
}

async function fill(app: TestApp): Promise<void> {
  await app.inTx(async (tx) => {
    await sql`
      insert into contacts.contacts (workspace_id, id, email, created_at, is_active, newsletter_subscribed, total_orders, total_bookings,
        last_engaged_at)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), name || '@x.example', now() - days * interval '1 day', name <> 'off',
        name = 'listed', case name when 'buyer' then 1 else 0 end, case name when 'booker' then 1 else 0 end,
        case name when 'engaged' then now() end
      from (values ('silent', 1006), ('vip', 1005), ('listed', 1004), ('buyer', 1003), ('booker', 1002), ('off', 1001),
        ('engaged', 1000), ('noted', 999), ('new', 10)) as v (name, days)`.execute(tx.sql)
    await sql`
      insert into contacts.interactions (workspace_id, id, contact_id, interaction_type)
      select workspace_id, gen_random_uuid(), id, case when email like 'noted%' then 'note_added' else 'email_sent' end
      from contacts.contacts`.execute(tx.sql)
  })
  const maria = app.as('maria')
  const [vip] = (await maria.get('/contacts?search=vip@x.example')).body.data
  const tag = (await maria.post('/tags', { name: 'vip' })).body
  await maria.post(`/tags/${tag.id}/apply`, { contact_ids: [vip.id] })
  await app.drainEvents()
}
