import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

const where = '/tickets/views'

async function make(app: TestApp, subject: string, more: object = {}) {
  const body = { subject, description: 'D', contact_email: 'z@x.example', ...more }
  const reply = await app.as('anna').post('/tickets', body)
  assert.equal(reply.status, 201, reply.text)
  return reply.body
}

async function save(client: Client, body: object) {
  const reply = await client.post(where, body)
  assert.equal(reply.status, 201, reply.text)
  return reply.body
}

async function subjects(client: Client, query: string): Promise<string[]> {
  const reply = await client.get(`/tickets?${query}`)
  assert.equal(reply.status, 200, reply.text)
  return reply.body.data.map((ticket: { subject: string }) => ticket.subject)
}

test('a view opens the list with its filter and order; the rest of the query narrows it down further', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  await make(app, 'low billing', { priority: 'low', category: 'billing' })
  await make(app, 'urgent billing', { priority: 'urgent', category: 'Billing' })
  await make(app, 'urgent other', { priority: 'urgent' })
  const view = await save(agnes, {
    name: 'Billing',
    filter: { category: 'billing' },
    sort: '-priority',
    columns: [{ field: 'subject', width: 200 }, { field: 'due_at' }],
  })
  assert.deepEqual(await subjects(agnes, `view=${view.id}`), ['urgent billing', 'low billing'])
  assert.deepEqual(await subjects(agnes, `view=${view.id}&sort=priority`), ['low billing', 'urgent billing'])
  assert.deepEqual(await subjects(agnes, `view=${view.id}&priority=urgent`), ['urgent billing'])
  // The same parameter in both: both hold.
  assert.deepEqual(await subjects(agnes, `view=${view.id}&category=other`), [])
  const first = await agnes.get(`/tickets?view=${view.id}&limit=1`)
  assert.deepEqual(first.body.total, 2)
  assert.deepEqual(await subjects(agnes, `view=${view.id}&limit=1&cursor=${first.body.next_cursor}`), ['low billing'])
  const shown = await agnes.get(`${where}/${view.id}`)
  assert.deepEqual(
    [shown.body.count, shown.body.columns[0], shown.headers.etag],
    [2, { field: 'subject', width: 200 }, '"v1"'],
  )
})

test('mine, unassigned, overdue and waiting are there for everybody, each with their own count', async () => {
  await using app = await start()
  const [agnes, adrian] = [app.as('agnes'), app.as('adrian')]
  const { agnes: a, adrian: d } = app.world.people
  await make(app, 'nobody’s')
  const late = await make(app, 'hers', { assigned_to: a.id })
  await make(app, 'his', { assigned_to: d.id })
  const done = await make(app, 'done', { assigned_to: a.id })
  await agnes.post(`/tickets/${done.id}/resolve`, { resolution: 'Done' })
  await app.inTx((tx) =>
    sql`update support.tickets set resolution_due_at = now() - interval '1 hour' where id = ${late.id}`.execute(tx.sql),
  )
  await agnes.post(`/tickets/${late.id}/messages`, { content: 'Which one?', status: 'waiting_customer' })
  assert.deepEqual(await subjects(agnes, 'view=mine'), ['hers'])
  assert.deepEqual(await subjects(adrian, 'view=mine'), ['his'])
  assert.deepEqual(await subjects(agnes, 'view=unassigned'), ['nobody’s'])
  assert.deepEqual(await subjects(agnes, 'view=overdue'), ['hers'])
  assert.deepEqual(await subjects(adrian, 'view=waiting'), ['nobody’s', 'his'])
  assert.deepEqual(await subjects(agnes, 'view=waiting'), ['nobody’s'], 'his is not hers to see')
  await save(adrian, { name: 'All of billing', visibility: 'workspace', filter: { assigned_to: 'me' } })
  const counts = async (client: Client) => {
    const { body } = await client.get(`${where}?counts=true`)
    return [...body.built_in, ...body.data].map((one: { name: string; count: number }) => [one.name, one.count])
  }
  assert.deepEqual(await counts(agnes), [
    ['mine', 1],
    ['unassigned', 1],
    ['overdue', 1],
    ['waiting', 1],
    ['All of billing', 2],
  ])
  assert.deepEqual(await counts(adrian), [
    ['mine', 1],
    ['unassigned', 1],
    ['overdue', 1],
    ['waiting', 2],
    ['All of billing', 1],
  ])
  assert.equal((await agnes.get(where)).body.built_in[0].count, undefined)
  assert.equal((await agnes.get(`${where}?counts=true&limit=51`)).status, 422)
})

test('a private view is nobody else’s to know of; a shared one is its owner’s and the admins’ to change', async () => {
  await using app = await start()
  const [agnes, adrian, anna] = [app.as('agnes'), app.as('adrian'), app.as('anna')]
  const bea = await customerOf(app, 'bea', { id: newId(), email: 'bea@moulin.example', name: 'Bea', role: 'agent' })
  const view = await save(agnes, { name: 'Mine', filter: { priority: 'urgent' } })
  const path = `${where}/${view.id}`
  for (const other of [adrian, anna, bea, app.stranger]) {
    assert.equal((await other.get(path)).status, 404)
    assert.equal((await other.patch(path, { name: 'x' })).status, 404)
    assert.equal((await other.delete(path)).status, 404)
    assert.equal((await other.post(`${path}/duplicate`)).status, 404)
    assert.equal((await other.post(`${path}/restore`)).status, 404)
    assert.equal((await other.get(`/tickets?view=${view.id}`)).status, 422)
    assert.equal((await other.get(where)).body.total, 0)
  }
  await agnes.patch(path, { visibility: 'workspace' })
  assert.deepEqual((await bea.get(path)).body.may_change, false)
  assert.equal((await bea.patch(path, { name: 'x' })).status, 403)
  assert.equal((await bea.delete(path)).status, 403)
  assert.equal((await app.stranger.get(path)).status, 404)
  assert.equal((await adrian.patch(path, { visibility: 'private' })).status, 422)
  assert.deepEqual((await adrian.patch(path, { name: 'Ours' })).body.name, 'Ours')
  const copy = await bea.post(`${path}/duplicate`)
  assert.deepEqual([copy.body.name, copy.body.visibility, copy.body.owner_name], ['Ours', 'private', 'Bea'])
  assert.equal((await bea.post(`${path}/duplicate`)).body.name, 'Ours (2)')
  const chloe = await customerOf(app, 'chloe')
  for (const outside of [app.as('maria'), app.as('victor'), chloe]) assert.equal((await outside.get(where)).status, 403)
  assert.equal((await chloe.get('/tickets?view=mine')).status, 422)
})

test('each puts, pins and opens views as they like, and no version changes by it', async () => {
  await using app = await start()
  const [agnes, adrian] = [app.as('agnes'), app.as('adrian')]
  const ids: string[] = []
  for (const name of ['Zoo', 'B', 'C']) ids.push((await save(agnes, { name, visibility: 'workspace' })).id)
  const [z, b, c] = ids as [string, string, string]
  const hidden = await save(agnes, { name: 'Hers' })
  const shown = async (client: Client, query = '') =>
    (await client.get(`${where}?${query}`)).body.data.map((one: { name: string }) => one.name.slice(0, 1)).join('')
  assert.equal(await shown(adrian), 'ZBC')
  assert.equal((await adrian.put(`${where}/order`, { view_ids: [c, z] })).status, 200)
  assert.equal(await shown(adrian), 'CZB')
  const pinned = await adrian.put(`${where}/${b}/pin`)
  assert.deepEqual([pinned.body.is_pinned, pinned.headers.etag], [true, '"v1"'])
  assert.equal(await shown(adrian), 'BCZ')
  assert.equal(await shown(agnes), 'ZBCH')
  assert.equal(await shown(adrian, 'pinned=true'), 'B')
  assert.equal(await shown(adrian, 'sort=name'), 'BCZ')
  const first = await adrian.get(`${where}?limit=2`)
  assert.equal(await shown(adrian, `limit=2&cursor=${first.body.next_cursor}`), 'Z')
  for (const one of [z, c]) assert.equal((await adrian.put(`${where}/${one}/default`)).status, 200)
  const defaults = async (client: Client) =>
    (await client.get(where)).body.data.flatMap((one: { id: string; is_default: boolean }) =>
      one.is_default ? [one.id] : [],
    )
  assert.deepEqual([await defaults(adrian), await defaults(agnes)], [[c], []])
  await adrian.delete(`${where}/${z}/default`)
  assert.deepEqual(await defaults(adrian), [c], 'another than the default is nothing to take back')
  await adrian.delete(`${where}/${c}/default`)
  await adrian.delete(`${where}/${b}/pin`)
  assert.deepEqual([await defaults(adrian), await shown(adrian)], [[], 'CZB'])

  for (const unknown of [newId(), hidden.id]) {
    const refused = await adrian.put(`${where}/order`, { view_ids: [z, unknown] })
    assert.deepEqual([refused.status, refused.body.errors[0].pointer], [422, '/view_ids/1'])
  }
  assert.equal(await shown(adrian), 'CZB', 'what was refused left the order as it was')
  for (const what of ['pin', 'default']) {
    assert.equal((await adrian.put(`${where}/${hidden.id}/${what}`)).status, 404)
    assert.equal((await app.stranger.put(`${where}/${z}/${what}`)).status, 404)
    assert.equal((await app.as('victor').put(`${where}/${z}/${what}`)).status, 403)
  }
  const both = await Promise.all([z, b, c, z, b, c].map((id) => adrian.put(`${where}/${id}/default`)))
  assert.deepEqual(new Set(both.map(({ status }) => status)), new Set([200]))
  assert.equal((await defaults(adrian)).length, 1)
})

test('what a view holds is checked; a deleted one comes back, unless its name went', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const wrong = await agnes.post(where, {
    name: 'Wrong',
    sort: 'shoe',
    columns: [{ field: 'subject' }, { field: 'subject' }, { field: 'shoe' }],
  })
  assert.deepEqual(
    wrong.body.errors.map((one: { pointer: string; code: string }) => [one.pointer, one.code]),
    [
      ['/columns/1/field', 'repeated'],
      ['/columns/2/field', 'unknown_field'],
      ['/sort', 'unknown_sort'],
    ],
  )
  for (const filter of [
    { shoe: 1 },
    { status: 'lost' },
    { view: 'mine' },
    { deleted: true },
    { assigned_to: newId() },
  ]) {
    const refused = await agnes.post(where, { name: 'Wrong', filter })
    assert.equal(refused.status, 422, refused.text)
    assert.match(refused.body.errors[0].pointer, /^\/filter/)
  }
  const view = await agnes.post(where, { name: 'Late', filter: { overdue: true } })
  const path = `${where}/${view.body.id}`
  assert.equal(view.headers.location, `/api/v1${path}`)
  assert.equal((await agnes.post(where, { name: 'LATE' })).body.code, 'name_taken')
  const stale = { 'if-match': String(view.headers.etag) }
  assert.equal((await agnes.put(path, { name: 'Later' }, stale)).headers.etag, '"v2"')
  assert.equal((await agnes.put(path, { name: 'x' }, stale)).status, 412)
  assert.equal((await agnes.delete(path)).status, 200)
  assert.equal((await agnes.get(path)).status, 404)
  assert.equal((await agnes.get(`/tickets?view=${view.body.id}`)).status, 422)
  assert.equal((await agnes.get(`${where}?deleted=true`)).body.total, 1)
  const other = await save(agnes, { name: 'later' })
  assert.equal((await agnes.post(`${path}/restore`)).status, 409)
  await agnes.patch(`${where}/${other.id}`, { name: 'Third' })
  assert.deepEqual((await agnes.post(`${path}/restore`)).body.filter, { overdue: true })
  const pageOne = await agnes.get(`${where}?limit=1`)
  const pageTwo = await agnes.get(`${where}?limit=1&cursor=${pageOne.body.next_cursor}`)
  assert.deepEqual([pageOne.body.data[0].name, pageTwo.body.data[0].name, pageTwo.body.total], ['Later', 'Third', 2])
  assert.deepEqual((await agnes.get(`${where}?search=thi`)).body.data.length, 1)
})
