import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { JobStopped, type Job } from '#platform/jobs/job.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { customerOf } from '#testing/customer.ts'
import { bulkJob } from './job.ts'
import { operationTasks } from './operations.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

const door = '/tickets/bulk-action'

async function make(app: TestApp, subject: string, more: object = {}): Promise<string> {
  const body = { subject, description: 'D', contact_email: 'z@x.example', ...more }
  const reply = await app.as('adrian').post('/tickets', body)
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id
}

/** One ticket of each kind that the rules tell apart. */
async function oneOfEach(app: TestApp): Promise<Record<string, string>> {
  const [adrian, agnes] = [app.as('adrian'), app.world.people.agnes.id]
  const given = { assigned_to: agnes }
  const ids = {
    open: await make(app, 'open', { tags: ['vip'], priority: 'urgent' }),
    assigned: await make(app, 'assigned', { ...given, category: 'Billing' }),
    working: await make(app, 'working', given),
    waiting: await make(app, 'waiting', given),
    resolved: await make(app, 'resolved', given),
    ownerless: await make(app, 'ownerless'),
    closed: await make(app, 'closed', {
      assigned_to: app.world.people.adrian.id,
      tags: Array.from({ length: 50 }, (_, index) => `t${index}`),
    }),
  }
  await adrian.put(`/tickets/${ids.working}`, { status: 'in_progress' })
  await adrian.put(`/tickets/${ids.waiting}`, { status: 'waiting_customer' })
  await adrian.post(`/tickets/${ids.resolved}/resolve`, { resolution: 'Done' })
  // By a program that is nobody's person, so that nobody takes it.
  await app.inTx((tx) =>
    sql`update support.tickets set status = 'resolved', resolved_at = now() where id = ${ids.ownerless}::uuid`.execute(
      tx.sql,
    ),
  )
  await adrian.post(`/tickets/${ids.closed}/close`)
  await app.drain()
  return ids
}

/** Runs it, and answers the job's result. */
async function run(app: TestApp, client: Client, body: object) {
  const begun = await client.post(door, body)
  assert.equal(begun.status, 202, begun.text)
  await app.drain()
  const job = await client.get(`/jobs/${begun.body.id}`)
  assert.equal(job.body.status, 'succeeded', job.text)
  return job.body.result
}

async function undo(app: TestApp, client: Client, operationId: string) {
  const begun = await client.post(`/tickets/operations/${operationId}/undo`)
  assert.equal(begun.status, 202, begun.text)
  await app.drain()
  const job = await client.get(`/jobs/${begun.body.id}`)
  assert.equal(job.body.status, 'succeeded', job.text)
  return job.body.result
}

async function states(app: TestApp): Promise<Record<string, string>> {
  const { rows } = await app.inTx((tx) =>
    sql<{ subject: string; state: string }>`
      select subject, concat_ws(' ', status, assigned_to, priority, category, array_to_string(tags, ','), deleted_at is not null) as state
      from support.tickets`.execute(tx.sql),
  )
  return Object.fromEntries(rows.map(({ subject, state }) => [subject, state]))
}

const everyAction = (agent: string): { action: string; params?: object }[] => [
  { action: 'assign', params: { agent_id: agent } },
  { action: 'assign', params: { agent_id: null } },
  ...['open', 'assigned', 'in_progress', 'waiting_customer', 'resolved', 'closed'].map((status) => ({
    action: 'set_status',
    params: { status },
  })),
  { action: 'set_status', params: { status: 'resolved', resolution: 'Done' } },
  { action: 'set_priority', params: { priority: 'urgent' } },
  { action: 'set_category', params: { category: ' Billing ' } },
  { action: 'set_category', params: { category: null } },
  { action: 'add_tag', params: { tag: 'VIP' } },
  { action: 'remove_tag', params: { tag: 'Vip' } },
  { action: 'delete' },
]

test('the dry run says what then happens, for every action upon every kind of ticket', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  // Nobody takes their own question to work on it.
  const own = { contact_email: undefined }
  const ids = [
    ...Object.values(await oneOfEach(app)),
    await make(app, 'own', own),
    await make(app, 'own, given', { ...own, assigned_to: app.world.people.agnes.id }),
  ]
  const before = await states(app)
  const saved = await app.inTx((tx) => sql<object>`select * from support.tickets`.execute(tx.sql))
  assert.equal(saved.rows.length, ids.length)
  for (const asked of everyAction(app.world.people.agnes.id)) {
    const told = await adrian.post(door, { ...asked, ticket_ids: [...ids, newId()], dry_run: true })
    assert.equal(told.status, 200, told.text)
    assert.deepEqual(await states(app), before, 'a dry run changes nothing')
    const done = await run(app, adrian, { ...asked, ticket_ids: [...ids, newId()] })
    const name = JSON.stringify(asked)
    const { matched, would_change, unchanged, refused, not_found } = told.body
    assert.deepEqual(withoutId(done), { matched, changed: would_change, unchanged, refused, not_found }, name)
    assert.equal(would_change + unchanged + sum(refused), matched, name)
    assert.deepEqual([matched, not_found], [ids.length, 1])
    await putAllBack(app, saved.rows as Record<string, unknown>[])
  }
})

function withoutId({ operation_id: _id, ...rest }: Record<string, unknown>) {
  return rest
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

/** As the tickets were before, behind the back of the program. */
async function putAllBack(app: TestApp, rows: Record<string, unknown>[]): Promise<void> {
  await app.inTx(async (tx) => {
    for (const row of rows) {
      const { status, assigned_to, priority, category, tags, resolution_notes } = row
      await sql`update support.tickets set status = ${status}, assigned_to = ${assigned_to}, priority = ${priority},
        category = ${category}, tags = ${tags}, resolution_notes = ${resolution_notes}, deleted_at = null
        where id = ${row.id}`.execute(tx.sql)
    }
  })
}

test('each is changed as a single one is: history, events, and reasons for what the rules refuse', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const { agnes: a } = app.world.people
  const ids = await oneOfEach(app)
  await app.drainEvents()
  const result = await run(app, agnes, {
    action: 'set_status',
    ticket_ids: [ids.open, ids.waiting, ids.closed, ids.resolved, ids.resolved],
    params: { status: 'resolved', resolution: 'Fixed for all' },
  })
  // The closed one is another's, so for her it is not there.
  assert.deepEqual(withoutId(result), { matched: 3, changed: 3, unchanged: 0, refused: {}, not_found: 1 })
  const one = (await agnes.get(`/tickets/${ids.open}`)).body
  assert.deepEqual([one.status, one.resolution_notes, one.assigned_to], ['resolved', 'Fixed for all', a.id])
  const told = (await app.drainEvents()).filter((event) => event.startsWith('ticket.'))
  assert.deepEqual(told, ['ticket.assigned', 'ticket.resolved', 'ticket.resolved'])
  const history = (await agnes.get(`/tickets/${ids.waiting}/history`)).body.data.at(-1)
  assert.deepEqual([history.type, history.to, history.actor_name], ['status', 'resolved', 'Agnes'])
  const again = await run(app, app.as('adrian'), {
    action: 'assign',
    filter: {},
    params: { agent_id: app.world.people.adrian.id },
  })
  assert.deepEqual(withoutId(again), { matched: 7, changed: 6, unchanged: 1, refused: {}, not_found: 0 })
})

test('who may not see a ticket, or do this to one, cannot do it to many', async () => {
  await using app = await start()
  const [agnes, adrian] = [app.as('agnes'), app.as('adrian')]
  const open = await make(app, 'open')
  const his = await make(app, 'his', { assigned_to: app.world.people.adrian.id })
  const tag = { action: 'add_tag', params: { tag: 'seen' } }
  const told = await agnes.post(door, { ...tag, ticket_ids: [open, his], dry_run: true })
  assert.deepEqual([told.body.matched, told.body.not_found], [1, 1])
  await run(app, agnes, { ...tag, filter: {} })
  assert.deepEqual(
    [(await adrian.get(`/tickets/${open}`)).body.tags, (await adrian.get(`/tickets/${his}`)).body.tags],
    [['seen'], []],
  )
  for (const action of ['delete', 'restore']) {
    assert.equal((await agnes.post(door, { action, ticket_ids: [open] })).status, 403)
  }
  const elsewhere = await app.stranger.post(door, { ...tag, ticket_ids: [open, his], dry_run: true })
  assert.deepEqual([elsewhere.body.matched, elsewhere.body.not_found], [0, 2])
  for (const client of [await customerOf(app, 'chloe'), app.as('maria'), app.as('victor')]) {
    assert.equal((await client.post(door, { ...tag, filter: {} })).status, 403)
    assert.equal((await client.get('/tickets/operations')).status, 403)
  }
  const deleted = await run(app, adrian, { action: 'delete', ticket_ids: [open] })
  for (const client of [agnes, app.stranger]) {
    assert.equal((await client.get(`/tickets/operations/${deleted.operation_id}`)).status, 404)
    assert.equal((await client.post(`/tickets/operations/${deleted.operation_id}/undo`)).status, 404)
  }
  assert.equal((await agnes.get('/tickets/operations')).body.total, 1)
  assert.equal((await adrian.get('/tickets/operations')).body.total, 2)
})

test('a filter or a view means what it meant when it was asked for', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const first = await make(app, 'first')
  const second = await make(app, 'second', { priority: 'urgent' })
  const view = (await adrian.post('/tickets/views', { name: 'V', filter: { status: 'open' } })).body
  const begun = await adrian.post(door, {
    action: 'set_category',
    filter: { view: view.id, priority: 'normal,urgent' },
    params: { category: 'fair' },
  })
  assert.equal(begun.body.progress.total, 2)
  await adrian.patch(`/tickets/views/${view.id}`, { filter: { status: 'closed' } })
  const third = await make(app, 'third')
  await app.drain()
  const categories = await Promise.all(
    [first, second, third].map(async (id) => (await adrian.get(`/tickets/${id}`)).body.category),
  )
  assert.deepEqual(categories, ['fair', 'fair', null])
  const wrong: [object, string][] = [
    [{ action: 'add_tag', params: { tag: 'x' } }, '/ticket_ids'],
    [{ action: 'add_tag', params: { tag: 'x' }, ticket_ids: [first], filter: {} }, '/ticket_ids'],
    [{ action: 'add_tag', filter: {} }, '/params/tag'],
    [{ action: 'delete', filter: {}, params: { tag: 'x' } }, '/params/tag'],
    [{ action: 'set_status', filter: {}, params: { status: 'closed', resolution: 'x' } }, '/params/resolution'],
    [{ action: 'assign', filter: {}, params: { agent_id: newId() } }, '/params/agent_id'],
    [{ action: 'add_tag', filter: { view: newId() }, params: { tag: 'x' } }, '/filter/view'],
    [{ action: 'add_tag', filter: { shoe: 1 }, params: { tag: 'x' } }, '/filter/shoe'],
    [{ action: 'add_tag', filter: { deleted: true }, params: { tag: 'x' } }, '/filter/deleted'],
    [
      { action: 'add_tag', ticket_ids: Array.from({ length: 1_001 }, () => first), params: { tag: 'x' } },
      '/ticket_ids',
    ],
  ]
  for (const [body, pointer] of wrong) {
    const refused = await adrian.post(door, body)
    assert.deepEqual([refused.status, refused.body.errors?.[0].pointer], [422, pointer], refused.text)
  }
})

test('what was done to many is undone, but for what somebody changed since and what a ticket’s life does not allow', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const ids = await oneOfEach(app)
  const before = await states(app)
  const all = { ticket_ids: Object.values(ids) }
  for (const asked of everyAction(app.world.people.agnes.id).filter(({ action }) => action !== 'set_status')) {
    const done = await run(app, adrian, { ...asked, ...all })
    const undone = await undo(app, adrian, done.operation_id)
    assert.deepEqual([undone.restored, undone.left], [done.changed, 0], JSON.stringify(asked))
    assert.deepEqual(await states(app), before, JSON.stringify(asked))
  }
  const closing = await run(app, adrian, { action: 'set_status', ...all, params: { status: 'closed' } })
  assert.equal(closing.changed, 6)
  await adrian.put(`/tickets/${ids.working}`, { status: 'in_progress' })
  const undone = await undo(app, adrian, closing.operation_id)
  assert.deepEqual(undone, {
    restored: 3,
    left: 3,
    reasons: { changed_since: 1, ticket_status: 2 },
    operation_id: closing.operation_id,
  })
  const status = async (id: string) => (await adrian.get(`/tickets/${id}`)).body.status
  assert.deepEqual(
    [await status(ids.open!), await status(ids.assigned!), await status(ids.waiting!), await status(ids.resolved!)],
    ['open', 'in_progress', 'waiting_customer', 'closed'],
  )
  assert.equal((await adrian.get(`/tickets/${ids.open}`)).body.assigned_to, null)
  const path = `/tickets/operations/${closing.operation_id}`
  assert.deepEqual((await adrian.get(path)).body.undone_by_name, 'Adrian')
  assert.equal((await adrian.post(`${path}/undo`)).body.code, 'already_undone')
})

test('of a ticket that was merged, nothing is done, nor undone', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const [kept, merged] = [await make(app, 'kept'), await make(app, 'merged')]
  const both = { ticket_ids: [kept, merged] }
  const done = await run(app, adrian, { action: 'set_category', ...both, params: { category: 'fair' } })
  const joined = await adrian.post(`/tickets/${kept}/merge`, { duplicate_ids: [merged] })
  assert.equal(joined.status, 200, joined.text)
  const again = await run(app, adrian, { action: 'set_priority', ...both, params: { priority: 'low' } })
  assert.deepEqual([again.changed, again.not_found], [1, 1])
  const undone = await undo(app, adrian, done.operation_id)
  assert.deepEqual([undone.restored, undone.left, undone.reasons], [1, 1, { merged: 1 }])
})

test('canceled before it began, it can be tried again; undone once, it stays undone', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  for (let index = 0; index < 3; index++) await make(app, `${index}`)
  const asked = { action: 'add_tag', filter: {}, params: { tag: 'x' } }
  const begun = await adrian.post(door, asked)
  const path = `/tickets/operations/${(await adrian.get('/tickets/operations')).body.data[0].id}`
  assert.equal((await adrian.post(`${path}/undo`)).body.code, 'operation_running')
  assert.equal((await adrian.post(`/jobs/${begun.body.id}/cancel`)).status, 200)
  await app.drain()
  assert.equal((await adrian.get('/tickets?tag=x')).body.total, 0)
  await adrian.post(`/jobs/${begun.body.id}/retry`)
  await app.drain()
  assert.equal((await adrian.get('/tickets?tag=x')).body.total, 3)
  const shown = await adrian.get(path)
  assert.deepEqual(shown.body.counts, { matched: 3, changed: 3, unchanged: 0, refused: {} })
  assert.deepEqual(shown.body.facts, { tag: 'x', by: 'filter' })
  const expire = (days: number) =>
    app.inTx((tx) =>
      sql`update support.operations set undoable_until = now() + make_interval(days => ${days}::int)`.execute(tx.sql),
    )
  await expire(-1)
  assert.equal((await adrian.post(`${path}/undo`)).body.code, 'undo_expired')
  await expire(1)
  const undoing = await adrian.post(`${path}/undo`)
  assert.equal((await adrian.post(`${path}/undo`)).body.id, undoing.body.id, 'asking twice undoes once')
  await adrian.post(`/jobs/${undoing.body.id}/cancel`)
  const next = await adrian.post(`${path}/undo`)
  assert.notEqual(next.body.id, undoing.body.id)
  await app.drain()
  assert.equal((await adrian.get('/tickets?tag=x')).body.total, 0)
  assert.equal((await adrian.post(`${path}/undo`)).body.code, 'already_undone')
})

test('stopped half-way, it leaves whole batches, and goes on behind the last', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  await Promise.all(Array.from({ length: 30 }, (_, index) => make(app, `${index}`)))
  const begun = await adrian.post(door, { action: 'add_tag', filter: {}, params: { tag: 'x' } })
  const { data } = await app.inTx((tx) => getJob(tx, begun.body.id))
  let cursor: unknown = null
  let checkpoints = 0
  const attempt = () =>
    bulkJob.run({
      ...({ data, cursor } as Job),
      transaction: (work) => app.inTx(work),
      checkpoint: async (_tx, state) => {
        if (++checkpoints === 2) throw new JobStopped('canceled')
        cursor = state.cursor
      },
    })
  await assert.rejects(attempt, JobStopped)
  assert.equal((await adrian.get('/tickets?tag=x')).body.total, 25)
  const result = (await attempt()) as { operation_id: string }
  assert.deepEqual(withoutId({ ...result }), { matched: 30, changed: 30, unchanged: 0, refused: {}, not_found: 0 })
  await adrian.post(`/jobs/${begun.body.id}/cancel`)
  assert.deepEqual((await undo(app, adrian, result.operation_id)).restored, 30)
  assert.equal((await adrian.get('/tickets?tag=x')).body.total, 0)
})

test('after thirty days what the tickets were is forgotten', async () => {
  await using app = await start()
  await make(app, 'one')
  await run(app, app.as('adrian'), { action: 'add_tag', filter: {}, params: { tag: 'x' } })
  const count = async () => {
    const { rows } = await app.inTx((tx) =>
      sql<{ count: number }>`select count(*) as count from support.operation_changes`.execute(tx.sql),
    )
    return rows[0]!.count
  }
  await operationTasks[0]!.run(app.app.runtime)
  assert.equal(await count(), 1)
  await app.inTx((tx) => sql`update support.operations set created_at = now() - interval '31 days'`.execute(tx.sql))
  await operationTasks[0]!.run(app.app.runtime)
  assert.equal(await count(), 0)
})
