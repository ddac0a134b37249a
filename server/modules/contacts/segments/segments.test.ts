import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { start, type TestApp, type TestReply } from '#testing/start.ts'
import { refreshLists } from './refresh-job.ts'

const scored = (least: number) => ({ field: 'engagement_score', op: 'gte', value: least })

/** One contact for each score, straight in the table. */
async function given(app: TestApp, scores: number[]): Promise<string[]> {
  const rows = scores.map((engagement_score, index) => ({
    workspace_id: app.world.workspaceId,
    id: newId(),
    email: `${index}@x.example`,
    first_name: `P${index}`,
    engagement_score,
  }))
  await app.inTx((tx) => tx.sql.insertInto('contacts.contacts').values(rows).execute())
  return rows.map((row) => row.id)
}

async function makeSegment(app: TestApp, name: string, criteria: object): Promise<string> {
  const made = await app.as('maria').post('/lists', { name, type: 'dynamic', criteria })
  assert.equal(made.status, 201, made.text)
  return made.body.id as string
}

async function membersOf(app: TestApp, listId: string): Promise<string[]> {
  const { body } = await app.as('victor').get(`/lists/${listId}/contacts?sort=email&limit=200`)
  return body.data.map((contact: { id: string }) => contact.id)
}

async function listEvents(app: TestApp): Promise<string[]> {
  return (await app.drainEvents()).filter((event) => event.startsWith('list.'))
}

const added = 'list.contact.added'
const removed = 'list.contact.removed'

test('a dynamic list fills itself, shows its rule, and follows a new one', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [a, b, c] = await given(app, [5, 20, 60])
  const made = await maria.post('/lists', { name: 'Warm', type: 'dynamic', criteria: scored(11) })
  assert.deepEqual([made.status, made.body.type, made.body.contact_count], [201, 'dynamic', 0], made.text)
  assert.deepEqual(await listEvents(app), [added, added])
  const path = `/lists/${made.body.id}`
  assert.deepEqual(await membersOf(app, made.body.id), [b, c])
  const job = await maria.get(`/jobs/${made.body.refresh_job_id}`)
  assert.deepEqual(
    [job.body.status, job.body.progress.done, job.body.result],
    ['succeeded', 2, { added: 2, removed: 0 }],
  )
  const shown = await maria.get(path)
  assert.deepEqual([shown.body.criteria, shown.body.contact_count, shown.body.problems], [scored(11), 2, []])
  assert.ok(shown.body.last_refreshed_at)
  assert.deepEqual((await maria.get(`/contacts/${c}`)).body.engagement, [], 'timelines stay quiet')

  const changed = await maria.put(path, { criteria: { not: scored(50) } }, { 'if-match': '"v1"' })
  assert.deepEqual([changed.status, changed.body.last_refreshed_at, changed.headers.etag], [200, null, '"v2"'])
  assert.deepEqual(await listEvents(app), [removed, added])
  assert.deepEqual(await membersOf(app, made.body.id), [a, b])
})

test('a change of a contact is followed at once, by the lists that it concerns', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [a, b] = (await given(app, [5, 20])) as [string, string]
  const french = await makeSegment(app, 'French', { field: 'language', op: 'eq', value: 'fr' })
  const tagged = await makeSegment(app, 'Tagged', { field: 'tag', op: 'has', value: 'VIP' })
  const both = await makeSegment(app, 'Both', {
    all: [
      { field: 'list', op: 'in', value: french },
      { field: 'list', op: 'in', value: [tagged] },
    ],
  })
  const buyers = await makeSegment(app, 'Buyers', { event: 'order.completed', op: 'at_least', within_days: 30 })
  assert.deepEqual(await listEvents(app), [])

  await maria.patch(`/contacts/${a}`, { language: 'fr' })
  assert.deepEqual(await listEvents(app), [added])
  await maria.patch(`/contacts/${a}`, { tags: ['vip'] })
  assert.deepEqual(await listEvents(app), [added, added], 'the tag, and then both')
  assert.deepEqual(await membersOf(app, both), [a])
  await maria.post(`/contacts/${b}/engagement`, { type: 'purchase' })
  assert.deepEqual(await listEvents(app), [added])
  assert.deepEqual(await membersOf(app, buyers), [b])
  await maria.patch(`/contacts/${a}`, { language: 'en' })
  assert.deepEqual(await listEvents(app), [removed, removed])
  assert.deepEqual(await membersOf(app, both), [])

  await maria.delete(`/contacts/${a}`)
  assert.deepEqual(await listEvents(app), [removed], 'deleted, so not tagged either')
  await maria.post(`/contacts/${a}/restore`)
  assert.deepEqual(await listEvents(app), [added])
  const late = await maria.post('/contacts', {
    email: 'late@x.example',
    first_name: 'Late',
    language: 'fr',
    tags: ['vip'],
  })
  assert.deepEqual(await listEvents(app), [added, added, added])
  assert.ok((await membersOf(app, both)).includes(late.body.id))
})

test('what only time changes is followed every hour, those that others depend on first', async () => {
  await using app = await start()
  const [a] = (await given(app, [5])) as [string]
  // The dependent one is made, and so sorts, before the one that it depends on.
  const outer = await makeSegment(app, 'Outer', scored(1_000))
  const inner = await makeSegment(app, 'Inner', { field: 'created_at', op: 'within_last_days', value: 7 })
  await app.as('maria').put(`/lists/${outer}`, { criteria: { field: 'list', op: 'in', value: inner } })
  await app.drain()
  assert.deepEqual([await membersOf(app, inner), await membersOf(app, outer)], [[a], [a]])
  const long = new Date(Date.now() - 8 * 86_400_000)
  await app.inTx((tx) =>
    tx.sql.updateTable('contacts.contacts').set({ created_at: long }).where('id', '=', a).execute(),
  )
  await refreshLists(app.app.runtime, app.world.workspaceId)
  assert.deepEqual([await membersOf(app, inner), await membersOf(app, outer)], [[], []])
})

test('thousands come and go in pages, and the count agrees', async () => {
  await using app = await start()
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, engagement_score)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), n || '@x.example', n % 2 from generate_series(1, 11000) as n`.execute(
      tx.sql,
    ),
  )
  const id = await makeSegment(app, 'Odd', scored(1))
  assert.equal((await listEvents(app)).length, 5_500)
  assert.equal((await app.as('maria').get(`/lists/${id}`)).body.contact_count, 5_500)
  await app.as('maria').put(`/lists/${id}`, { criteria: { not: scored(1) } })
  assert.equal((await listEvents(app)).length, 11_000)
  const { body } = await app.as('maria').get(`/lists/${id}`)
  assert.equal(body.contact_count, 5_500)
  const found = await app.as('maria').post('/contacts/filter/count', { filter: { field: 'list', op: 'in', value: id } })
  assert.equal(found.body.count, 5_500)
})

test('static lists have no rule, dynamic ones are not filled by hand', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [a, b] = (await given(app, [5, 20])) as [string, string]
  const segment = await makeSegment(app, 'Warm', scored(11))
  await app.drain()
  const plain = await maria.post('/lists', { name: 'Plain' })
  const pointers = async (reply: Promise<TestReply>) => {
    const { status, body, text } = await reply
    assert.equal(status, 422, text)
    return body.errors.map((error: { pointer: string; code: string }) => `${error.pointer} ${error.code}`)
  }
  assert.deepEqual(await pointers(maria.post('/lists', { name: 'x', criteria: scored(1) })), [
    '/criteria list_is_static',
  ])
  assert.deepEqual(await pointers(maria.post('/lists', { name: 'x', type: 'dynamic' })), ['/criteria required'])
  assert.deepEqual(await pointers(maria.put(`/lists/${plain.body.id}`, { criteria: scored(1) })), [
    '/criteria list_is_static',
  ])
  assert.deepEqual(
    await pointers(maria.post('/lists', { name: 'x', type: 'dynamic', criteria: { all: [{ field: 'x' }] } })),
    ['/criteria/all/0/field unknown_field'],
  )
  for (const [method, path] of [
    ['POST', 'contacts'],
    ['DELETE', 'contacts'],
    ['POST', 'sync'],
  ] as const) {
    const reply = await maria.request(method, `/lists/${segment}/${path}`, { contact_ids: [a] })
    assert.deepEqual([reply.status, reply.body.code], [409, 'list_is_dynamic'])
  }
  assert.equal((await maria.post(`/contacts/${a}/groups/${segment}/add`)).status, 409)
  assert.equal((await maria.get(`/contacts/groups/${segment}`)).status, 404)
  assert.equal((await maria.get('/contacts/groups')).body.total, 1)
  const bulk = { action: 'add_to_list', contact_ids: [a], params: { list_id: segment } }
  assert.deepEqual(await pointers(app.as('adrian').post('/contacts/bulk-action', bulk)), [
    '/params/list_id list_is_dynamic',
  ])
  assert.deepEqual(await pointers(maria.patch(`/contacts/${a}`, { lists: [segment] })), ['/lists/0 list_is_dynamic'])
  const kept = await maria.patch(`/contacts/${b}`, { lists: [plain.body.id] })
  assert.deepEqual(
    kept.body.lists.map((list: { name: string }) => list.name),
    ['Plain', 'Warm'],
    'what is not named stays where the rule put it',
  )
  assert.equal((await maria.patch(`/contacts/${b}`, { lists: [segment, plain.body.id] })).status, 200)
  assert.equal((await maria.post(`/lists/${plain.body.id}/refresh`)).body.code, 'list_is_static')
})

test('a rule that leads back to its own list is refused where it does', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const a = await makeSegment(app, 'A', scored(1))
  const b = await makeSegment(app, 'B', { not: { field: 'list', op: 'in', value: a } })
  const back = { all: [scored(1), { field: 'lists', op: 'not_in', value: [newId(), b] }] }
  const refused = await maria.put(`/lists/${a}`, { criteria: back })
  assert.equal(refused.status, 422)
  assert.deepEqual(
    refused.body.errors.map((error: { pointer: string; code: string }) => [error.pointer, error.code]),
    [['/criteria/all/1/value', 'circular']],
  )
  assert.equal((await maria.put(`/lists/${a}`, { criteria: { field: 'list', op: 'in', value: a } })).status, 422)
})

test('what a rule names may go: the list stays, finds nobody by it, and says so', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [a] = (await given(app, [5])) as [string]
  const base = await maria.post('/lists', { name: 'Base' })
  await maria.post(`/lists/${base.body.id}/contacts`, { contact_ids: [a] })
  await maria.patch(`/contacts/${a}`, { first_name: 'A', tags: ['old'] })
  const inBase = await makeSegment(app, 'In', { field: 'list', op: 'in', value: base.body.id })
  const notOld = await makeSegment(app, 'Not old', { field: 'tag', op: 'has_none', value: ['other', 'old'] })
  await app.drain()
  assert.deepEqual([await membersOf(app, inBase), await membersOf(app, notOld)], [[a], []])
  const shown = await maria.get(`/lists/${notOld}`)
  assert.deepEqual(
    shown.body.problems.map((one: { code: string; pointer: string }) => [one.code, one.pointer]),
    [['tag_gone', '/criteria/value']],
  )
  await maria.delete(`/lists/${base.body.id}`)
  await app.drain()
  assert.deepEqual(await membersOf(app, inBase), [])
  assert.equal((await maria.get(`/lists/${inBase}`)).body.problems[0].code, 'list_gone')
  await maria.post(`/lists/${base.body.id}/restore`)
  await app.drain()
  assert.deepEqual(await membersOf(app, inBase), [a])
})

test('a paused list stays as it is until it goes on; a copy follows the rule or freezes', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const [a] = (await given(app, [20])) as [string]
  const id = await makeSegment(app, 'French', { field: 'language', op: 'eq', value: 'fr' })
  await maria.put(`/lists/${id}`, { is_active: false })
  await app.drain()
  await maria.patch(`/contacts/${a}`, { first_name: 'A', language: 'fr' })
  await refreshLists(app.app.runtime, app.world.workspaceId)
  assert.deepEqual(await listEvents(app), [])
  assert.equal((await maria.post(`/lists/${id}/refresh`)).body.code, 'list_paused')
  await maria.put(`/lists/${id}`, { is_active: true })
  assert.deepEqual(await listEvents(app), [added])
  const once = await maria.post(`/lists/${id}/refresh`)
  assert.equal(once.status, 202, once.text)
  assert.equal((await maria.post(`/lists/${id}/refresh`)).body.id, once.body.id, 'one that waits is enough')

  const copy = await maria.post(`/lists/${id}/duplicate`)
  assert.deepEqual([copy.body.type, copy.body.name], ['dynamic', 'French (2)'], copy.text)
  const frozen = await maria.post(`/lists/${id}/duplicate`, { name: 'Then', static: true })
  assert.deepEqual(
    [frozen.body.type, frozen.body.criteria, frozen.body.contact_count],
    ['static', null, 1],
    frozen.text,
  )
  await app.drain()
  await maria.patch(`/contacts/${a}`, { language: 'en' })
  await app.drain()
  const members = [await membersOf(app, id), await membersOf(app, copy.body.id), await membersOf(app, frozen.body.id)]
  assert.deepEqual(members, [[], [], [a]])
})

test('why somebody is in a list, and who may ask', async () => {
  await using app = await start()
  const [a] = (await given(app, [20])) as [string]
  const rule = { all: [scored(11), { not: { field: 'tag', op: 'has', value: 'vip' } }] }
  await app.as('maria').post('/tags', { name: 'VIP' })
  const id = await makeSegment(app, 'Warm', rule)
  await app.drain()
  const why = await app.as('victor').get(`/lists/${id}/why/${a}`)
  assert.equal(why.status, 200, why.text)
  assert.deepEqual([why.body.type, why.body.is_member, why.body.matches], ['dynamic', true, true])
  assert.deepEqual(why.body.rule, {
    matches: true,
    all: [
      { ...scored(11), matches: true, actual: 20 },
      { matches: true, not: { field: 'tag', op: 'has', value: 'vip', matches: false, actual: [] } },
    ],
  })
  assert.equal((await app.as('victor').get(`/lists/${id}/why/${newId()}`)).status, 404)
  assert.equal((await app.stranger.get(`/lists/${id}/why/${a}`)).status, 404)
  assert.equal((await app.stranger.post(`/lists/${id}/refresh`)).status, 404)
  assert.equal((await app.as('victor').post(`/lists/${id}/refresh`)).status, 403)
  assert.equal((await app.as('victor').post('/lists', { name: 'x', type: 'dynamic', criteria: rule })).status, 403)
})
