// Saved views: whose they are, what they find, and what becomes of them when what they name has gone.
import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'

const french = { field: 'language', op: 'eq', value: 'fr' }

async function people(app: TestApp): Promise<void> {
  const maria = app.as('maria')
  for (const [name, language, company] of [
    ['Ana', 'fr', 'Moulin'],
    ['Bob', 'en', 'Moulin'],
    ['Chloé', 'fr', 'Ferme'],
    ['Dan', 'fr', 'Moulin'],
  ]) {
    const body = { email: `${name}@x.example`.toLowerCase().replace('é', 'e'), first_name: name, language, company }
    expect((await maria.post('/contacts', body)).status).toBe(201)
  }
}

async function save(client: Client, body: object): Promise<TestReply['body']> {
  const reply = await client.post('/contacts/views', body)
  expect(reply.status, reply.text).toBe(201)
  return reply.body
}

const names = (reply: TestReply) => reply.body.data.map((one: { first_name: string }) => one.first_name)
const faults = (reply: TestReply) =>
  reply.body.errors?.map((one: { pointer: string; code: string }) => [one.pointer, one.code])

test('a view finds what it says, and everything else that is asked narrows it down', async () => {
  await using app = await start()
  await people(app)
  const maria = app.as('maria')
  const view = await save(maria, {
    name: 'French at the mill',
    filter: french,
    search: 'moulin',
    sort: 'first_name',
    columns: [{ field: 'email', width: 200 }, { field: 'first_name' }],
  })
  const at = `view=${view.id}`
  const list = await maria.get(`/contacts?${at}`)
  expect([names(list), list.body.total]).toEqual([['Ana', 'Dan'], 2])
  expect(names(await maria.get(`/contacts?${at}&sort=-first_name`))).toEqual(['Dan', 'Ana'])
  expect(names(await maria.get(`/contacts?${at}&search=dan`))).toEqual(['Dan'])
  const rule = encodeURIComponent(JSON.stringify({ field: 'first_name', op: 'eq', value: 'Ana' }))
  expect(names(await maria.get(`/contacts?${at}&filter=${rule}`))).toEqual(['Ana'])
  const pageOne = await maria.get(`/contacts?${at}&limit=1`)
  expect(names(await maria.get(`/contacts?${at}&limit=1&cursor=${pageOne.body.next_cursor}`))).toEqual(['Dan'])
  expect((await maria.get(`/customers?${at}`)).body.total).toBe(2)
  const count = await maria.post('/contacts/filter/count', { filter: { view: view.id, search: 'ana' } })
  expect(count.body.count).toBe(1)

  const file = await maria.get(`/contacts/export?${at}`)
  expect(parse(file.text, { bom: true })).toEqual([
    ['Email', 'First Name'],
    ['ana@x.example', 'Ana'],
    ['dan@x.example', 'Dan'],
  ])
  const begun = await maria.post('/contacts/exports', { format: 'json', fields: ['email'], filter: { view: view.id } })
  const bulk = { action: 'add_tag', filter: { view: view.id, search: 'dan' }, params: { tag: 'Miller' } }
  const admin = app.as('adrian')
  expect((await admin.post('/contacts/bulk-action', { ...bulk, dry_run: true })).status, 'private').toBe(422)
  await maria.patch(`/contacts/views/${view.id}`, { visibility: 'workspace' })
  expect((await admin.post('/contacts/bulk-action', { ...bulk, dry_run: true })).body.matched).toBe(1)
  expect((await admin.post('/contacts/bulk-action', bulk)).status).toBe(202)
  // What was meant when it was asked for stays meant.
  await maria.patch(`/contacts/views/${view.id}`, { filter: null, search: '' })
  await app.drain()
  expect((await maria.get('/contacts?tags=Miller')).body.total).toBe(1)
  const made = (await maria.get(`/contacts/exports/${begun.body.export_id}`)).body
  expect(made.rows).toBe(2)
})

test('a private view is nobody else’s to know of; a shared one is its owner’s and the admins’ to change', async () => {
  await using app = await start()
  const [maria, agnes, victor, adrian] = [app.as('maria'), app.as('agnes'), app.as('victor'), app.as('adrian')]
  const view = await save(maria, { name: 'Mine', filter: french })
  const path = `/contacts/views/${view.id}`
  for (const other of [agnes, adrian, app.as('anna'), app.stranger]) {
    expect((await other.get(path)).status).toBe(404)
    expect((await other.patch(path, { name: 'x' })).status).toBe(404)
    expect((await other.delete(path)).status).toBe(404)
    expect((await other.post(`${path}/duplicate`)).status).toBe(404)
    expect((await other.put(`${path}/pin`)).status).toBe(404)
    expect((await other.post(`${path}/restore`)).status).toBe(404)
    expect((await other.get(`/contacts?view=${view.id}`)).status).toBe(422)
    expect((await other.get('/contacts/views')).body).toMatchObject({ data: [], total: 0 })
  }
  expect((await maria.patch(path, { visibility: 'workspace' })).body).toMatchObject({ visibility: 'workspace' })
  expect((await victor.get(path)).body).toMatchObject({ name: 'Mine', may_change: false, owner_name: 'Maria' })
  expect((await victor.get(`/contacts?view=${view.id}`)).status).toBe(200)
  expect((await agnes.patch(path, { name: 'x' })).status).toBe(403)
  expect((await agnes.delete(path)).status).toBe(403)
  expect((await app.stranger.get(path)).status).toBe(404)
  expect((await adrian.patch(path, { name: 'Ours' })).body).toMatchObject({ name: 'Ours', may_change: true })
  const taken = await adrian.patch(path, { visibility: 'private' })
  expect([taken.status, faults(taken)]).toEqual([422, [['/visibility', 'not_yours']]])
  // A viewer saves views, and shares none.
  const own = await save(victor, { name: 'Seen' })
  expect((await victor.patch(`/contacts/views/${own.id}`, { visibility: 'workspace' })).status).toBe(403)
  expect((await victor.post('/contacts/views', { name: 'All', visibility: 'workspace' })).status).toBe(403)
  const copy = await victor.post(`${path}/duplicate`)
  expect(copy.body).toMatchObject({ name: 'Ours', visibility: 'private', filter: french, owner_name: 'Victor' })
  expect((await victor.post(`${path}/duplicate`)).body.name).toBe('Ours (2)')
  expect((await app.anonymous.get('/contacts/views')).status).toBe(401)
})

test('each puts, pins and opens views as they like', async () => {
  await using app = await start()
  const [maria, victor] = [app.as('maria'), app.as('victor')]
  const ids: string[] = []
  for (const name of ['A', 'B', 'C']) ids.push((await save(maria, { name, visibility: 'workspace' })).id)
  const [a, b, c] = ids as [string, string, string]
  const shown = async (client: Client, query = '') =>
    (await client.get(`/contacts/views?${query}`)).body.data.map((one: { name: string }) => one.name).join('')
  expect(await shown(maria)).toBe('ABC')
  expect((await maria.put('/contacts/views/order', { view_ids: [c, a] })).status).toBe(200)
  expect(await shown(maria)).toBe('CAB')
  const pinned = await maria.put(`/contacts/views/${b}/pin`)
  expect([pinned.body.is_pinned, pinned.headers.etag]).toEqual([true, '"v1"'])
  expect(await shown(maria)).toBe('BCA')
  expect(await shown(victor)).toBe('ABC')
  expect(await shown(maria, 'pinned=true')).toBe('B')
  const first = await maria.get('/contacts/views?limit=2')
  expect(first.body).toMatchObject({ total: 3 })
  expect(await shown(maria, `limit=2&cursor=${first.body.next_cursor}`)).toBe('A')
  expect(await shown(maria, 'search=b')).toBe('B')
  expect(await shown(victor, 'mine=true')).toBe('')
  await maria.put(`/contacts/views/${a}/default`)
  await maria.put(`/contacts/views/${c}/default`)
  const defaults = (await maria.get('/contacts/views')).body.data.filter((one: TestReply['body']) => one.is_default)
  expect(defaults.map((one: { id: string }) => one.id)).toEqual([c])
  expect((await victor.get(`/contacts/views/${c}`)).body.is_default).toBe(false)
  await maria.delete(`/contacts/views/${c}/default`)
  expect((await maria.get(`/contacts/views/${c}`)).body.is_default).toBe(false)
  const unknown = await maria.put('/contacts/views/order', { view_ids: [a, newId()] })
  expect(faults(unknown)).toEqual([['/view_ids/1', 'not_found']])
  await maria.delete(`/contacts/views/${b}/pin`)
  expect(await shown(maria)).toBe('CAB')
})

test('what a view holds is checked, every fault at its place', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const wrong = await maria.post('/contacts/views', {
    name: 'Wrong',
    filter: { all: [{ field: 'shoe', op: 'eq', value: 1 }] },
    sort: 'shoe',
    columns: [{ field: 'email' }, { field: 'email' }, { field: 'custom_fields.shoe' }, { field: 'nope' }],
    group_by: 'created_at',
  })
  expect([wrong.status, faults(wrong)]).toEqual([
    422,
    [
      ['/columns/1/field', 'repeated'],
      ['/columns/2/field', 'unknown_field'],
      ['/columns/3/field', 'unknown_field'],
      ['/sort', 'unknown_sort'],
      ['/group_by', 'not_groupable'],
      ['/filter/all/0/field', 'unknown_field'],
    ],
  ])
  expect(faults(await maria.post('/contacts/views', { name: 'Board', layout: 'board' }))).toEqual([
    ['/group_by', 'required'],
  ])
  const board = await save(maria, { name: 'Board', layout: 'board', group_by: 'status' })
  expect(faults(await maria.patch(`/contacts/views/${board.id}`, { group_by: null }))).toEqual([
    ['/group_by', 'required'],
  ])
  expect((await maria.post('/contacts/views', { name: 'board' })).body.code).toBe('name_taken')
  expect((await maria.post('/contacts/views', { name: 'x', shoe: 1 })).status).toBe(422)
  expect((await maria.post('/contacts/views', { name: ' ' })).status).toBe(422)
  const stale = await maria.put(`/contacts/views/${board.id}`, { name: 'Other' }, { 'if-match': '"v7"' })
  expect(stale.status).toBe(412)
  const changed = await maria.put(`/contacts/views/${board.id}`, { name: 'Other' }, { 'if-match': '"v1"' })
  expect([changed.status, changed.headers.etag]).toEqual([200, '"v2"'])
  expect((await maria.delete(`/contacts/views/${board.id}`)).status).toBe(200)
  expect((await maria.get(`/contacts/views/${board.id}`)).status).toBe(404)
  expect((await maria.get('/contacts/views?deleted=true')).body.data).toMatchObject([{ id: board.id }])
  await save(maria, { name: 'Other' })
  expect((await maria.post(`/contacts/views/${board.id}/restore`)).status).toBe(409)
  await maria.patch(`/contacts/views/${(await maria.get('/contacts/views')).body.data[0].id}`, { name: 'Third' })
  expect((await maria.post(`/contacts/views/${board.id}/restore`)).body).toMatchObject({ deleted_at: null })
})

test('what a view names may go: it opens, finds nobody by it, and says so', async () => {
  await using app = await start()
  await people(app)
  const [maria, adrian] = [app.as('maria'), app.as('adrian')]
  const list = (await maria.post('/lists', { name: 'Fair' })).body
  const { id: ana } = (await maria.get('/contacts?search=ana')).body.data[0]
  await maria.post(`/lists/${list.id}/contacts`, { contact_ids: [ana] })
  const field = (await adrian.post('/contacts/fields', { label: 'Shoe', type: 'number' })).body
  expect(field.key).toBe('shoe')
  const view = await save(maria, {
    name: 'Fair',
    filter: { field: 'list', op: 'in', value: list.id },
    columns: [{ field: 'custom_fields.shoe' }],
  })
  const other = await save(maria, { name: 'Shoes', filter: { field: 'custom_fields.shoe', op: 'lt', value: 40 } })
  expect((await maria.get(`/contacts?view=${view.id}`)).body.total).toBe(1)
  expect((await maria.get(`/contacts/views/${view.id}`)).body.problems).toEqual([])
  await maria.delete(`/lists/${list.id}`)
  await adrian.delete(`/contacts/fields/${field.id}`)
  await app.drain()
  const opened = await maria.get(`/contacts?view=${view.id}`)
  expect([opened.status, opened.body.total]).toEqual([200, 0])
  expect(faultsOf(await maria.get(`/contacts/views/${view.id}`))).toEqual([
    ['/filter/value', 'list_gone'],
    ['/columns/0/field', 'field_gone'],
  ])
  expect((await maria.get(`/contacts?view=${other.id}`)).body.total).toBe(0)
  expect(faultsOf(await maria.get(`/contacts/views/${other.id}`))).toEqual([['/filter/field', 'field_gone']])
  // A copy keeps what it was made of.
  const copy = (await maria.post(`/contacts/views/${view.id}/duplicate`)).body
  expect(faultsOf(await maria.get(`/contacts/views/${copy.id}`))).toHaveLength(2)
  await maria.post(`/lists/${list.id}/restore`)
  expect((await maria.get(`/contacts?view=${view.id}`)).body.total).toBe(1)
})

function faultsOf(reply: TestReply) {
  return reply.body.problems.map((one: { pointer: string; code: string }) => [one.pointer, one.code])
}
