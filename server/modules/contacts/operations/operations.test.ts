import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start, type Client, type TestReply } from '#testing/start.ts'

async function newContact(client: Client, more: object = {}): Promise<string> {
  const made = await client.post('/contacts', { email: 'ana@x.example', first_name: 'Ana', company: 'Old', ...more })
  assert.equal(made.status, 201, made.text)
  return made.body.id
}

async function lastOperation(client: Client, query = ''): Promise<TestReply['body']> {
  const { body } = await client.get(`/contacts/operations${query}`)
  return body.data[0]
}

async function undo(client: Client, id: string) {
  const undone = await client.post(`/contacts/operations/${id}/undo`)
  assert.equal(undone.status, 200, undone.text)
  return undone.body
}

/** The record without what every write moves. */
async function recordOf(client: Client, id: string): Promise<Record<string, unknown>> {
  const { body } = await client.get(`/contacts/${id}?deleted=true`)
  const moved = ['updated_at', 'engagement', 'engagement_next_cursor']
  return Object.fromEntries(Object.entries(body).filter(([name]) => !moved.includes(name)))
}

test('an edit leaves one operation with what was there before, and can be undone and redone', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria, { phone: '+33 6 12 34 56 78', custom_fields: { plan: 'a', seat: 3 } })
  const original = await recordOf(maria, id)
  assert.equal((await maria.get('/contacts/operations')).body.total, 0)
  const change = {
    company: 'New',
    phone: '+33 6 99 99 99 99',
    tags: ['vip'],
    custom_fields: { plan: null, colour: 'red' },
  }
  assert.equal((await maria.patch(`/contacts/${id}`, change)).status, 200)
  const edited = await recordOf(maria, id)
  const operation = await lastOperation(maria)
  assert.deepEqual(
    [operation.kind, operation.contacts, operation.status, operation.facts.fields],
    ['edit', 1, 'done', ['company', 'custom_fields.colour', 'custom_fields.plan', 'phone', 'tags']],
  )
  assert.equal(operation.actor.name, app.world.people.maria.name)
  const shown = await maria.get(`/contacts/operations/${operation.id}`)
  assert.equal(shown.status, 200, shown.text)
  const [{ contact, fields }] = shown.body.changes
  assert.equal(contact.full_name, 'Ana')
  assert.deepEqual(fields[0], { field: 'company', before: 'Old', after: 'New' })
  assert.deepEqual({ ...fields.at(-1), id: null }, { field: 'tags', id: null, name: 'vip', before: false, after: true })
  await app.drainEvents()

  const undone = await undo(maria, operation.id)
  assert.deepEqual([undone.restored, undone.left, undone.gone], [1, 0, 0])
  assert.deepEqual(await recordOf(maria, id), original)
  const events = await app.drainEvents()
  assert.deepEqual(events.toSorted(), ['contact.updated', 'customer.tag.removed', 'customer.updated', 'tag.removed'])
  assert.equal((await maria.get(`/contacts/operations/${operation.id}`)).body.status, 'undone')
  const again = await maria.post(`/contacts/operations/${operation.id}/undo`)
  assert.deepEqual([again.status, again.body.code], [409, 'already_undone'])

  await undo(maria, undone.undo_id)
  assert.deepEqual(await recordOf(maria, id), edited)
  await undo(maria, operation.id)
  assert.deepEqual(await recordOf(maria, id), original)
})

test('what somebody changed since stays, field by field, and is told', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria, { job_title: 'Cook', custom_fields: { plan: 'a' } })
  await maria.patch(`/contacts/${id}`, { company: 'New', job_title: 'Chef', custom_fields: { plan: 'b', seat: 1 } })
  const { id: operation } = await lastOperation(maria)
  await app.as('adrian').patch(`/contacts/${id}`, { company: 'Newer', custom_fields: { plan: 'c' } })
  const undone = await undo(maria, operation)
  assert.deepEqual([undone.restored, undone.left, undone.gone], [0, 1, 0])
  assert.deepEqual(undone.reasons, { changed_since: 2 })
  assert.deepEqual(
    undone.fields.map(({ field, outcome }: Record<string, string>) => `${field} ${outcome}`).toSorted(),
    ['company left', 'custom_fields restored', 'custom_fields.plan left', 'job_title restored'],
  )
  const { body } = await maria.get(`/contacts/${id}`)
  assert.deepEqual([body.company, body.job_title, body.custom_fields], ['Newer', 'Cook', { plan: 'c' }])
})

test('an address that is another’s by now stays', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria)
  await maria.patch(`/contacts/${id}`, { email: 'new@x.example', company: 'New' })
  const { id: operation } = await lastOperation(maria)
  await newContact(maria)
  const undone = await undo(maria, operation)
  assert.deepEqual(undone.reasons, { email_taken: 1 })
  const { body } = await maria.get(`/contacts/${id}`)
  assert.deepEqual([body.email, body.company], ['new@x.example', 'Old'])
})

test('a deleted contact comes back with its lists and tags, and goes again', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const list = await maria.post('/lists', { name: 'L' })
  const id = await newContact(maria, { tags: ['vip'], lists: [list.body.id] })
  await maria.delete(`/contacts/${id}`)
  const deletion = await lastOperation(maria, '?kind=delete')
  const undone = await undo(maria, deletion.id)
  const back = await maria.get(`/contacts/${id}`)
  assert.deepEqual([back.status, back.body.tags, back.body.lists.length], [200, ['vip'], 1])
  await undo(maria, undone.undo_id)
  assert.equal((await maria.get(`/contacts/${id}`)).status, 404)
  await maria.post(`/contacts/${id}/restore`)
  await undo(maria, (await lastOperation(maria, '?kind=restore')).id)
  assert.equal((await maria.get(`/contacts/${id}`)).status, 404)
})

test('a contact that was deleted since is gone, and stays so', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria)
  await maria.patch(`/contacts/${id}`, { company: 'New' })
  const { id: edit } = await lastOperation(maria)
  await maria.delete(`/contacts/${id}`)
  const undone = await undo(maria, edit)
  assert.deepEqual([undone.restored, undone.left, undone.gone], [0, 0, 1])
})

test('lists, groups and tags of one contact are operations too', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria)
  const list = (await maria.post('/lists', { name: 'L' })).body.id
  const tag = (await maria.post('/tags', { name: 'vip' })).body.id
  const steps: [string, () => Promise<unknown>][] = [
    ['add_to_list', () => maria.post(`/contacts/${id}/groups/${list}/add`)],
    ['remove_from_list', () => maria.delete(`/lists/${list}/contacts`, { contact_ids: [id] })],
    ['add_tag', () => maria.post(`/tags/${tag}/apply`, { contact_ids: [id] })],
    ['remove_tag', () => maria.delete(`/customers/${id}/tags/${tag}`)],
    ['sync_list', () => maria.post(`/lists/${list}/sync`, { contact_ids: [id] })],
  ]
  for (const [action, step] of steps) {
    const before = await recordOf(maria, id)
    await step()
    const operation = await lastOperation(maria)
    assert.deepEqual([operation.kind, operation.action, operation.contacts], ['edit', action, 1])
    const undone = await undo(maria, operation.id)
    assert.deepEqual(await recordOf(maria, id), before, action)
    await undo(maria, undone.undo_id)
  }
  await maria.post(`/tags/${tag}/apply`, { contact_ids: [id] })
  const { id: removed } = await (async () => {
    await maria.delete(`/tags/${tag}/remove`, { contact_ids: [id] })
    return lastOperation(maria)
  })()
  await maria.delete(`/tags/${tag}`)
  assert.deepEqual((await undo(maria, removed)).reasons, { tag_gone: 1 })
})

test('undoing takes back a “yes”, and never a “no” of the person', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria)
  const fresh = await recordOf(maria, id)
  await maria.post(`/contacts/${id}/subscribe`, { type: 'all' })
  const subscription = await lastOperation(maria)
  const subscribed = await recordOf(maria, id)
  const undone = await undo(maria, subscription.id)
  const flags = ({ newsletter_subscribed, marketing_subscribed, status }: Record<string, unknown>) => [
    newsletter_subscribed,
    marketing_subscribed,
    status,
  ]
  assert.deepEqual(flags(await recordOf(maria, id)), flags(fresh))
  await undo(maria, undone.undo_id)
  assert.deepEqual(flags(await recordOf(maria, id)), flags(subscribed))

  await maria.post(`/contacts/${id}/unsubscribe`, { type: 'all' })
  const unsubscription = await lastOperation(maria)
  assert.deepEqual(flags(await recordOf(maria, id)), [false, false, 'unsubscribed'])
  await undo(maria, unsubscription.id)
  assert.deepEqual(flags(await recordOf(maria, id)), flags(subscribed))
  const { rows } = await app.inTx((tx) => tx.rawQuery('select 1 from contacts.suppressions'))
  assert.equal(rows.length, 0)

  // The person says no after the team did: it is theirs now.
  await maria.post(`/contacts/${id}/unsubscribe`, { type: 'newsletter' })
  const ours = await lastOperation(maria)
  await app.inTx((tx) =>
    tx.rawQuery(
      `insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, recorded_at)
       values ($1, gen_random_uuid(), $2, 'newsletter', 'withdrawn', 'one_click', clock_timestamp())`,
      [tx.workspaceId, id],
    ),
  )
  assert.deepEqual((await undo(maria, ours.id)).reasons, { said_no: 1 })
  assert.equal((await recordOf(maria, id)).newsletter_subscribed, false)
})

test('the log is filtered, paged and shown by contact', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria)
  const other = await newContact(maria, { email: 'b@x.example' })
  for (const company of ['A', 'B', 'C']) await maria.patch(`/contacts/${id}`, { company })
  await app.as('adrian').patch(`/contacts/${other}`, { company: 'D' })
  const actor = app.world.people.adrian.id
  assert.equal((await maria.get(`/contacts/operations?actor=${actor}`)).body.total, 1)
  assert.equal((await maria.get('/contacts/operations?kind=bulk')).body.total, 0)
  assert.equal((await maria.get(`/contacts/operations?contact_id=${other}`)).body.total, 1)
  assert.equal((await maria.get('/contacts/operations?since=2999-01-01T00:00:00Z')).body.total, 0)
  const first = await maria.get(`/contacts/${id}/history?limit=2`)
  assert.deepEqual([first.body.data.length, first.body.total], [2, 3])
  const second = await maria.get(`/contacts/${id}/history?limit=2&cursor=${first.body.next_cursor}`)
  assert.deepEqual([second.body.data.length, second.body.next_cursor], [1, null])
  // Naming what is already so changes nothing, and is nothing to undo.
  await maria.patch(`/contacts/${id}`, { company: 'C' })
  assert.equal((await maria.get(`/contacts/${id}/history`)).body.total, 3)
})

test('who may do a thing may undo it; others may not, or do not see it', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const id = await newContact(maria)
  await maria.patch(`/contacts/${id}`, { company: 'New' })
  const { id: operation } = await lastOperation(maria)
  assert.equal((await app.as('victor').post(`/contacts/operations/${operation}/undo`)).status, 403)
  assert.equal((await app.as('victor').get(`/contacts/operations/${operation}`)).status, 200)
  assert.equal((await app.stranger.get(`/contacts/operations/${operation}`)).status, 404)
  assert.equal((await app.stranger.post(`/contacts/operations/${operation}/undo`)).status, 404)
  assert.equal((await app.stranger.get('/contacts/operations')).body.total, 0)
  assert.equal((await app.stranger.get(`/contacts/${id}/history`)).status, 404)
})
