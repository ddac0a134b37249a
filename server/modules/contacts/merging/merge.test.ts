// Merging and its undoing, through the doors.
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { systemActor } from '#platform/actor.ts'
import { newId } from '#platform/ids.ts'
import { importFile } from '#testing/import-file.ts'
import { start, type TestApp } from '#testing/start.ts'
import { recordConsent } from '../consent.ts'
import { addNote } from '../notes.ts'
import { forgetOldMerges } from './work.ts'

type Fields = Record<string, unknown>

const envelope = (data: object) => ({
  id: newId(),
  event: 'order.completed',
  timestamp: new Date().toISOString(),
  data: { total: 10, ...data },
})

async function make(app: TestApp, ...people: Fields[]): Promise<string[]> {
  const ids: string[] = []
  for (const [index, person] of people.entries()) {
    const { status, body } = await app
      .as('maria')
      .post('/contacts', { first_name: 'Ana', email: `person-${index}@example.com`, ...person })
    assert.equal(status, 201, JSON.stringify(body))
    ids.push(body.id as string)
  }
  return ids
}

test('a merge brings everything to the primary, and tells the world once', async () => {
  await using app = await start()
  const [one, two] = (await make(
    app,
    { email: 'ana@example.com', company: 'Moulin', tags: ['vip'], custom_fields: { size: 'M' } },
    {
      email: 'ana.old@example.com',
      company: 'Mill',
      job_title: 'Baker',
      tags: ['vip', 'bread'],
      custom_fields: { size: 'L', shoe: 40 },
    },
  )) as [string, string]
  await app.as('maria').post(`/contacts/${two}/notes`, { content: 'Likes rye.' })
  await app.drainEvents()
  const reply = await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  const { body } = reply
  assert.deepEqual(
    [body.id, body.company, body.job_title, body.tags.toSorted(), body.custom_fields],
    [one, 'Moulin', 'Baker', ['bread', 'vip'], { size: 'M', shoe: 40 }],
  )
  const notes = await app.as('maria').get(`/contacts/${one}/notes`)
  assert.deepEqual(
    notes.body.data.map(({ content }: Fields) => content),
    ['Likes rye.'],
  )
  assert.deepEqual(
    (await app.drainEvents()).filter((name) => !name.startsWith('list.')),
    ['contact.updated', 'customer.updated', 'contact.merged', 'customer.merged'],
  )
  const gone = await app.as('maria').get(`/contacts/${two}`)
  assert.deepEqual([gone.status, gone.body.code, gone.body.merged_into], [404, 'merged', one])
  const { status, body: undone } = await app.as('maria').post(`/contacts/merges/${body.merge_id}/undo`)
  assert.equal(status, 200, JSON.stringify(undone))
  assert.deepEqual(undone.merge.kept, [])
  assert.deepEqual(
    [undone.contact.tags, undone.contact.job_title, undone.contact.custom_fields],
    [['vip'], null, { size: 'M' }],
  )
  assert.deepEqual(
    [undone.restored[0].tags.toSorted(), undone.restored[0].email],
    [['bread', 'vip'], 'ana.old@example.com'],
  )
  assert.equal((await app.as('maria').get(`/contacts/${two}/notes`)).body.total, 1)
  assert.deepEqual((await app.drainEvents()).slice(0, 6), [
    'contact.updated',
    'customer.updated',
    'contact.updated',
    'customer.updated',
    'contact.unmerged',
    'customer.unmerged',
  ])
})

test('merges that share a contact take turns: one wins, nothing is doubled', async () => {
  await using app = await start()
  const ids = await make(app, {}, {}, {}, {})
  for (const id of ids) await app.as('maria').post(`/contacts/${id}/notes`, { content: `of ${id}` })
  const [a, b, c, d] = ids as [string, string, string, string]
  const requests = [
    { primary_id: a, duplicate_ids: [b, c] },
    { primary_id: b, duplicate_ids: [a, c] },
    { primary_id: c, duplicate_ids: [b] },
    { primary_id: d, duplicate_ids: [c, a] },
  ]
  const replies = await Promise.all(requests.map((body) => app.as('maria').post('/contacts/merge', body)))
  assert.deepEqual(
    [...new Set(replies.map(({ status }) => status))].toSorted((a, b) => a - b),
    [200, 409],
  )
  await app.drain()
  const { body: left } = await app.as('maria').get('/contacts?limit=200')
  const survivors = left.data.filter(({ id }: Fields) => ids.includes(id as string))
  const won = requests.filter((_, index) => replies[index]!.status === 200)
  assert.equal(survivors.length, ids.length - won.flatMap((request) => request.duplicate_ids).length)
  const contents: string[] = []
  for (const { id } of survivors) {
    const { body } = await app.as('maria').get(`/contacts/${id}/notes`)
    contents.push(...body.data.map(({ content }: Fields) => content as string))
  }
  assert.deepEqual(contents.toSorted(), ids.map((id) => `of ${id}`).toSorted())
  for (const { body } of replies.filter(({ status }) => status === 409)) assert.equal(body.code, 'merged')
})

test('an old address, an old id and an old link reach the survivor', async () => {
  await using app = await start()
  const [one, two] = (await make(app, { email: 'ana@example.com' }, { email: 'ana.old@example.com' })) as [
    string,
    string,
  ]
  const { body: merged } = await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  const tell = (data: object) => app.as('anna').post('/events', envelope(data))
  assert.ok((await tell({ order_id: 'by-address', email: 'Ana.Old@example.com' })).status < 300)
  assert.ok((await tell({ order_id: 'by-id', contact_id: two })).status < 300)
  await app.drain()
  assert.equal((await app.as('maria').get(`/contacts/${one}`)).body.total_orders, 2)
  await app.inTx((tx) =>
    recordConsent(tx, app.app.runtime, [
      { contactId: two, purpose: 'newsletter', decision: 'withdrawn', source: 'unsubscribe_page' },
    ]),
  )
  assert.equal((await app.as('maria').get(`/contacts/${one}/consents`)).body.data[0].decision, 'withdrawn')
  const undone = await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  assert.equal(undone.status, 200, undone.text)
  assert.equal(undone.body.contact.total_orders, 2, 'what came after the merge stays with the survivor')
  const { body } = await app.as('maria').get(`/contacts/${two}/consents`)
  assert.deepEqual(
    [body.data[0].decision, body.data[0].source],
    ['withdrawn', 'unsubscribe_page'],
    'a no counts for both',
  )
})

test('a file with an old address finds the survivor, once', async () => {
  await using app = await start()
  const people = [{ email: 'ana@example.com' }, { email: 'ana.old@example.com' }, { email: 'ana.older@example.com' }]
  const [one, ...others] = await make(app, ...people)
  const maria = app.as('maria')
  assert.equal((await maria.post('/contacts/merge', { primary_id: one, duplicate_ids: others })).status, 200)
  const file = 'email,company\nANA.old@example.com,Moulin\n'
  const imported = await importFile(app, maria, file, { duplicates: 'update' })
  assert.deepEqual([imported.created, imported.updated], [0, 1])
  const { body } = await maria.get(`/contacts/${one}`)
  assert.deepEqual([body.company, body.email], ['Moulin', 'ana@example.com'])
  // Three rows for one person: the address of today decides, and what counts adds up.
  const all = 'email,company\nana.old@example.com,A\nana@example.com,B\nana.older@example.com,C\n'
  const again = await importFile(app, maria, all, { duplicates: 'update' })
  assert.equal(again.rows, again.created + again.updated + again.merged + again.skipped + again.failed)
  assert.equal((await maria.get(`/contacts/${one}`)).body.company, 'B')
})

test('a no of one record stands for the merged one, and nobody but the person takes it back', async () => {
  await using app = await start()
  const yes = { newsletter_subscribed: true, marketing_subscribed: true }
  const [one, two, silent] = (await make(app, yes, yes, {})) as [string, string, string]
  await app.inTx((tx) =>
    recordConsent(tx, app.app.runtime, [
      { contactId: two, purpose: 'newsletter', decision: 'withdrawn', source: 'preference_page' },
    ]),
  )
  const request = { primary_id: one, duplicate_ids: [two, silent] }
  const { body: merged } = await app.as('maria').post('/contacts/merge', request)
  assert.deepEqual([merged.newsletter_subscribed, merged.marketing_subscribed], [false, true])
  const again = await app.as('maria').patch(`/contacts/${one}`, { newsletter_subscribed: true })
  assert.deepEqual([again.status, again.body.code], [409, 'unsubscribed_by_person'])
  const undone = await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  assert.equal(undone.body.contact.newsletter_subscribed, true)
  assert.deepEqual(
    undone.body.restored.map((each: Fields) => [each.newsletter_subscribed, each.marketing_subscribed]),
    [
      [false, true],
      [false, false],
    ],
  )
  // With the address of one who was never asked, the yes that another address gave is worth nothing.
  const swapped = await app.as('maria').post('/contacts/merge', { ...request, fields: { email: silent } })
  assert.deepEqual([swapped.status, swapped.body.marketing_subscribed], [200, false])
})

test('what was changed after the merge stays, and is told', async () => {
  await using app = await start()
  const [one, two] = (await make(
    app,
    { custom_fields: { a: 1 } },
    { company: 'Mill', job_title: 'Baker', tags: ['bread'], custom_fields: { b: 2 } },
  )) as [string, string]
  const { body: merged } = await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  const change = { company: 'Tower', custom_fields: { b: 3 }, tags: [] }
  assert.equal((await app.as('maria').patch(`/contacts/${one}`, change)).status, 200)
  await app.as('maria').post(`/contacts/${one}/notes`, { content: 'After.' })
  const { body } = await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  assert.deepEqual(body.merge.kept, [
    { what: 'company', reason: 'changed_since', count: 1 },
    { what: 'custom_fields.b', reason: 'changed_since', count: 1 },
  ])
  assert.deepEqual(
    [body.contact.company, body.contact.job_title, body.contact.custom_fields],
    ['Tower', null, { a: 1, b: 3 }],
  )
  assert.deepEqual([body.restored[0].company, body.restored[0].tags], ['Mill', ['bread']])
  assert.equal((await app.as('maria').get(`/contacts/${one}/notes`)).body.total, 1)
  const twice = await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  assert.deepEqual([twice.status, twice.body.code], [409, 'already_undone'])
  const { body: list } = await app.as('victor').get('/contacts/merges')
  assert.deepEqual([list.total, list.data[0].id, list.data[0].undone_by.name], [1, merged.merge_id, 'Maria'])
})

test('an address that somebody else has by now keeps the merge as it is', async () => {
  await using app = await start()
  const [one, two] = (await make(app, {}, { email: 'taken@example.com' })) as [string, string]
  const { body: merged } = await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  const restored = await app.as('maria').post(`/contacts/${two}/restore`)
  assert.deepEqual([restored.status, restored.body.code, restored.body.merged_into], [409, 'merged', one])
  await make(app, { email: 'taken@example.com' })
  const refused = await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  assert.deepEqual([refused.status, refused.body.code], [409, 'email_taken'])
  assert.match(refused.body.detail, /taken@example\.com/)
  assert.equal((await app.as('maria').get(`/contacts/merges/${merged.merge_id}`)).body.undone_at, null)
})

test('what makes no sense is refused, with the place where it stands', async () => {
  await using app = await start()
  const [one, two, other] = (await make(app, {}, {}, { email: 'other@example.com' })) as [string, string, string]
  const merge = (body: Fields) =>
    app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two], ...body })
  for (const [body, pointer] of [
    [{ duplicate_ids: [one] }, '/duplicate_ids/0'],
    [{ duplicate_ids: [two, two] }, '/duplicate_ids/1'],
    [{ duplicate_ids: ['0198c0de-0000-7000-8000-000000000000'] }, '/duplicate_ids/0'],
    [{ primary_id: '0198c0de-0000-7000-8000-000000000000' }, '/primary_id'],
    [{ duplicate_ids: [] }, '/duplicate_ids'],
    [{ fields: { phone: 'not a number' } }, '/fields/phone'],
    [{ fields: { email: 'nothing' } }, '/fields/email'],
    [{ fields: { email: null } }, '/fields/email'],
    [{ fields: { company: 7 } }, '/fields/company'],
    [{ fields: { colour: 'red' } }, '/fields/colour'],
    [{ fields: { custom_fields: 'red' } }, '/fields/custom_fields'],
  ] as const) {
    const reply = await merge(body)
    assert.deepEqual([reply.status, reply.body.errors?.[0].pointer], [422, pointer], JSON.stringify(body))
  }
  const taken = await merge({ fields: { email: 'other@example.com' } })
  assert.deepEqual([taken.status, taken.body.code], [409, 'email_taken'])
  const stale = await app
    .as('maria')
    .post('/contacts/merge', { primary_id: one, duplicate_ids: [two] }, { 'if-match': '"v99"' })
  assert.equal(stale.status, 412)
  assert.equal((await app.as('maria').get(`/contacts/${other}`)).status, 200)
  assert.equal((await app.as('victor').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })).status, 403)
  assert.equal((await app.as('maria').get(`/contacts/${two}`)).status, 200, 'nothing was merged')
})

test('after thirty days a merge is history', async () => {
  await using app = await start()
  const [one, two] = (await make(app, {}, {})) as [string, string]
  const { body: merged } = await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  await app.inTx((tx) => forgetOldMerges(tx))
  const kept = () => app.inTx((tx) => tx.sql.selectFrom('contacts.merge_records').selectAll().execute())
  assert.equal((await kept()).length, 2)
  await app.inTx((tx) => sql`update contacts.merges set created_at = created_at - interval '31 days'`.execute(tx.sql))
  await app.inTx((tx) => forgetOldMerges(tx))
  assert.equal((await kept()).length, 0)
  const late = await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  assert.deepEqual([late.status, late.body.code], [409, 'too_late'])
})

test('a merge stands in the log of operations, and can be undone from there', async () => {
  await using app = await start()
  const [one, two] = (await make(app, {}, { company: 'Mill' })) as [string, string]
  const merge = () => app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  const logged = async () => (await app.as('maria').get('/contacts/operations?kind=merge')).body.data
  const { body: first } = await merge()
  const [operation] = await logged()
  assert.deepEqual([operation.subject_id, operation.contacts, operation.status], [first.merge_id, 2, 'done'])
  const undone = await app.as('maria').post(`/contacts/operations/${operation.id}/undo`)
  assert.deepEqual([undone.status, undone.body.restored, undone.body.left], [200, 2, 0], undone.text)
  assert.equal((await app.as('maria').get(`/contacts/${two}`)).body.company, 'Mill')
  const { body: second } = await merge()
  await app.as('maria').post(`/contacts/merges/${second.merge_id}/undo`)
  assert.deepEqual(
    (await logged()).map(({ status }: Fields) => status),
    ['undone', 'undone'],
  )
})

test('what is written to a duplicate in the moment of the merge follows it, and goes back with the rest', async () => {
  await using app = await start()
  const [one, two] = (await make(app, {}, {})) as [string, string]
  const written = Promise.withResolvers<void>()
  const mayCommit = Promise.withResolvers<void>()
  const writing = app.inTx(async (tx) => {
    await addNote(tx, systemActor(tx.workspaceId), two, 'Just now.')
    written.resolve()
    await mayCommit.promise
  })
  await written.promise
  const { body: merged } = await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  mayCommit.resolve()
  await writing
  const notes = async (id: string) => (await app.as('maria').get(`/contacts/${id}/notes`)).body.total
  assert.equal(await notes(one), 0)
  await app.drain()
  assert.equal(await notes(one), 1)
  await app.as('maria').post(`/contacts/merges/${merged.merge_id}/undo`)
  assert.deepEqual([await notes(one), await notes(two)], [0, 1])
})

test('a merged contact is not among those that can be restored', async () => {
  await using app = await start()
  const [one, two, three] = (await make(app, {}, {}, {})) as [string, string, string]
  await app.as('maria').post('/contacts/merge', { primary_id: one, duplicate_ids: [two] })
  await app.as('maria').delete(`/contacts/${three}`)
  const { body } = await app.as('maria').get('/contacts?deleted=true')
  assert.deepEqual(
    body.data.map(({ id }: Fields) => id),
    [three],
  )
  const { body: shown } = await app.as('maria').get(`/contacts/${two}?deleted=true`)
  assert.equal(shown.merged_into, one)
})
