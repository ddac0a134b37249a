import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'

async function newField(client: Client, field: object): Promise<void> {
  const made = await client.post('/contacts/fields', field)
  assert.equal(made.status, 201, made.text)
}

async function newContact(client: Client, name: string, more: object = {}): Promise<string> {
  const made = await client.post('/contacts', { email: `${name}@x.example`, first_name: name, ...more })
  assert.equal(made.status, 201, made.text)
  return made.body.id
}

/** Asks first, does it then, and compares: the two must agree, whatever the action. */
async function act(app: TestApp, body: object): Promise<TestReply['body']> {
  const adrian = app.as('adrian')
  const rehearsed = await adrian.post('/contacts/bulk-action', { ...body, dry_run: true })
  assert.equal(rehearsed.status, 200, rehearsed.text)
  const job = await adrian.post('/contacts/bulk-action', body)
  assert.equal(job.status, 202, job.text)
  await app.drain()
  const { status, result, error } = (await adrian.get(`/jobs/${job.body.id}`)).body
  assert.deepEqual([status, error], ['succeeded', null])
  const { matched, would_change, unchanged, refused } = rehearsed.body
  assert.deepEqual(
    { matched: result.matched, changed: result.changed, unchanged: result.unchanged, refused: result.refused },
    { matched, changed: would_change, unchanged, refused },
    JSON.stringify(body),
  )
  const refusals = Object.values(refused as Record<string, number>).reduce((total, count) => total + count, 0)
  assert.equal(would_change + unchanged + refusals, matched)
  return result
}

async function snapshot(client: Client, ids: string[]) {
  const moved = ['updated_at', 'deleted_at', 'subscribed_at', 'unsubscribed_at', 'engagement', 'engagement_next_cursor']
  return Promise.all(
    ids.map(async (id) => {
      const { body } = await client.get(`/contacts/${id}?deleted=true`)
      return {
        ...Object.fromEntries(Object.entries(body).filter(([name]) => !moved.includes(name))),
        deleted: body.deleted_at !== null,
      }
    }),
  )
}

type Case = [action: string, params: (list: string) => object, changed: number, events: string[]]

const told = {
  updated: ['contact.updated', 'customer.updated'],
  tagged: ['customer.tag.added', 'tag.applied'],
  untagged: ['customer.tag.removed', 'tag.removed'],
}

const cases: Record<string, Case[]> = {
  'tags and lists': [
    ['add_tag', () => ({ tag: 'new' }), 2, told.tagged],
    ['remove_tag', () => ({ tag: 'OLD' }), 1, told.untagged],
    ['add_to_list', (list) => ({ list_id: list }), 2, ['list.contact.added']],
    ['remove_from_list', (list) => ({ list_id: list }), 1, ['list.contact.removed']],
  ],
  'groups and deletion': [
    ['add_to_group', (group) => ({ group_id: group }), 2, ['list.contact.added']],
    ['remove_from_group', (group) => ({ group_id: group }), 1, ['list.contact.removed']],
    ['delete', () => ({}), 3, ['contact.deleted', 'customer.deleted']],
  ],
  fields: [
    ['set_field', () => ({ field: 'company', value: 'Acme' }), 2, told.updated],
    ['set_field', () => ({ field: 'is_active', value: false }), 3, told.updated],
    ['set_field', () => ({ field: 'custom_fields.plan', value: 'a' }), 2, told.updated],
    ['set_field', () => ({ field: 'custom_fields.plan', value: null }), 1, told.updated],
  ],
  status: [
    ['set_status', () => ({ status: 'bounced' }), 3, told.updated],
    ['set_status', () => ({ status: 'unsubscribed' }), 3, ['contact.unsubscribed']],
  ],
  subscriptions: [
    ['subscribe', () => ({ type: 'newsletter' }), 2, ['contact.subscribed']],
    ['unsubscribe', () => ({ type: 'all' }), 3, ['contact.unsubscribed']],
  ],
}

test.each(Object.keys(cases))('%s: as rehearsed, undone, redone and undone', async (name) => {
  await using app = await start()
  const adrian = app.as('adrian')
  const list = (await adrian.post('/lists', { name: 'L' })).body.id
  await newField(adrian, { key: 'plan', label: 'Plan', type: 'choice', choices: [{ label: 'a' }, { label: 'b' }] })
  const a = await newContact(adrian, 'a', { tags: ['old'], company: 'Acme', custom_fields: { plan: 'a' } })
  const b = await newContact(adrian, 'b', { lists: [list], newsletter_subscribed: true, marketing_subscribed: true })
  const c = await newContact(adrian, 'c', { tags: ['new'], company: 'Other' })
  const ids = [a, b, c]
  for (const [action, paramsOf, expected, events] of cases[name]!) {
    const params = paramsOf(list)
    const label = `${action} ${JSON.stringify(params)}`
    const before = await snapshot(adrian, ids)
    await app.drainEvents()
    const { changed, operation_id } = await act(app, { action, contact_ids: ids, params })
    assert.equal(changed, expected, label)
    const each = events.flatMap((event) => Array.from({ length: expected }, () => event))
    assert.deepEqual((await app.drainEvents()).toSorted(), each.toSorted(), label)
    const after = await snapshot(adrian, ids)
    assert.notDeepEqual(after, before, label)
    const undo = async (id: string) => {
      const { status, body } = await adrian.post(`/contacts/operations/${id}/undo`)
      assert.deepEqual([status, body.left, body.gone, body.reasons], [200, 0, 0, {}], label)
      return body.undo_id as string
    }
    const undone = await undo(operation_id)
    assert.deepEqual(await snapshot(adrian, ids), before, label)
    await undo(undone)
    assert.deepEqual(await snapshot(adrian, ids), after, label)
    await undo(operation_id)
    assert.deepEqual(await snapshot(adrian, ids), before, label)
  }
})

test('of deleted contacts with one address one comes back, and none whose address is in use', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const ids: string[] = []
  for (const name of ['twin', 'twin', 'used', 'free']) {
    const id = await newContact(adrian, name)
    ids.push(id)
    await adrian.delete(`/contacts/${id}`)
  }
  await newContact(adrian, 'used')
  const { changed, refused } = await act(app, { action: 'restore', contact_ids: ids })
  assert.deepEqual([changed, refused], [2, { email_taken: 2 }])
})

test('a “no” stands against a bulk action, and its undo', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const fresh = await newContact(adrian, 'fresh')
  const left = await newContact(adrian, 'left')
  const bounced = await newContact(adrian, 'bounced')
  const complained = await newContact(adrian, 'complained')
  const ids = [fresh, left, bounced, complained]
  await adrian.post(`/contacts/${left}/unsubscribe`, { type: 'all' })
  await act(app, { action: 'set_status', contact_ids: [bounced], params: { status: 'bounced' } })
  const complaint = await act(app, {
    action: 'set_status',
    contact_ids: [complained],
    params: { status: 'complained' },
  })

  const subscribed = await act(app, { action: 'subscribe', contact_ids: ids, params: { type: 'all' } })
  assert.deepEqual([subscribed.changed, subscribed.refused], [1, { said_no: 2, unsubscribed_by_person: 1 }])
  const active = await act(app, { action: 'set_status', contact_ids: ids, params: { status: 'active' } })
  assert.deepEqual([active.changed, active.unchanged, active.refused], [1, 1, { said_no: 1, complained: 1 }])
  const undone = await adrian.post(`/contacts/operations/${complaint.operation_id}/undo`)
  assert.deepEqual(undone.body.reasons, { complaint_stays: 1 })

  const gone = await act(app, { action: 'unsubscribe', contact_ids: [fresh], params: { type: 'newsletter' } })
  await app.inTx((tx) =>
    sql`insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, recorded_at)
      values (${tx.workspaceId}, gen_random_uuid(), ${fresh}, 'newsletter', 'withdrawn', 'preference_page', clock_timestamp())`.execute(
      tx.sql,
    ),
  )
  const kept = await adrian.post(`/contacts/operations/${gone.operation_id}/undo`)
  assert.deepEqual([kept.body.left, kept.body.reasons], [1, { said_no: 1 }])
  assert.equal((await adrian.get(`/contacts/${fresh}`)).body.newsletter_subscribed, false)
})

test('what an action lacks is told at its parameter', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const id = await newContact(adrian, 'a')
  const rule = { field: 'company', op: 'eq', value: 'x' }
  const dynamic = await adrian.post('/lists', { name: 'D', type: 'dynamic', criteria: rule })
  assert.equal(dynamic.status, 201, dynamic.text)
  await newField(adrian, { key: 'seats', label: 'Seats', type: 'number', max: 9 })
  const cases: [string, object, string, string][] = [
    ['add_to_list', { list_id: dynamic.body.id }, '/params/list_id', 'list_is_dynamic'],
    ['remove_from_group', { group_id: dynamic.body.id }, '/params/group_id', 'list_is_dynamic'],
    ['add_to_group', { list_id: dynamic.body.id }, '/params/group_id', 'required'],
    ['add_tag', { tag: '  ' }, '/params/tag', 'required'],
    ['set_field', { value: 1 }, '/params/field', 'required'],
    ['set_field', { field: 'company' }, '/params/value', 'required'],
    ['set_field', { field: 'email', value: 'b@x.example' }, '/params/field', 'not_settable'],
    ['set_field', { field: 'company', value: 7 }, '/params/value', 'type'],
    ['set_field', { field: 'timezone', value: 'Mars' }, '/params/value', 'format'],
    ['set_field', { field: 'first_name', value: ' ' }, '/params/value', 'required'],
    ['set_field', { field: 'custom_fields.none', value: 1 }, '/params/field', 'not_found'],
    ['set_field', { field: 'custom_fields.seats', value: 'many' }, '/params/value', 'type'],
    ['set_status', {}, '/params/status', 'required'],
    ['subscribe', {}, '/params/type', 'required'],
  ]
  for (const [action, params, pointer, code] of cases) {
    const refused = await adrian.post('/contacts/bulk-action', { action, contact_ids: [id], params, dry_run: true })
    assert.equal(refused.status, 422, refused.text)
    assert.deepEqual([refused.body.errors[0].pointer, refused.body.errors[0].code], [pointer, code], refused.text)
  }
})

test('a rule means whom it finds, and ids that name nobody are counted', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const id = await newContact(adrian, 'a', { company: 'Acme' })
  await newContact(adrian, 'b', { company: 'Other' })
  const filter = { any: [{ field: 'company', op: 'eq', value: 'Acme' }] }
  const { matched, changed } = await act(app, {
    action: 'set_field',
    filter,
    params: { field: 'notes', value: 'hello' },
  })
  assert.deepEqual([matched, changed, (await adrian.get(`/contacts/${id}`)).body.notes], [1, 1, 'hello'])
  const contact_ids = [id, '018f0000-0000-7000-8000-000000000000']
  const counted = await adrian.post('/contacts/bulk-action', { action: 'delete', contact_ids, dry_run: true })
  assert.deepEqual([counted.body.matched, counted.body.not_found], [1, 1])
})
