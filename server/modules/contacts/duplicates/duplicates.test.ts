import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start, type TestApp } from '#testing/start.ts'
import type { Event } from '#platform/events/outbox.ts'
import { Finder, type Loaded } from './finder.ts'
import { duplicateReactions } from './watching.ts'

// Tests read replies of every shape.
// oxlint-disable-next-line typescript/no-explicit-any
type Fields = Record<string, any>

const byText = (one?: string, other?: string): number => (one! < other! ? -1 : 1)

async function make(app: TestApp, ...people: Fields[]): Promise<string[]> {
  const ids: string[] = []
  for (const [index, person] of people.entries()) {
    const email = `someone${index}.${Math.trunc(1e6 * (index + 1) * 0.61803)}@x${index}.example`
    const reply = await app.as('maria').post('/contacts', { email, first_name: 'Zoé', ...person })
    assert.equal(reply.status, 201, reply.text)
    ids.push(reply.body.id)
  }
  await app.drain()
  return ids
}

const suggestions = async (app: TestApp, query = '') =>
  (await app.as('victor').get(`/contacts/duplicates?${query}`)).body.data as Fields[]
const idsOf = (suggestion: Fields) => (suggestion.contacts as { id: string }[]).map(({ id }) => id).toSorted(byText)

async function scan(app: TestApp): Promise<Fields> {
  const job = await app.as('maria').post('/contacts/duplicates/scan')
  assert.equal(job.status, 202, job.text)
  await app.drain()
  const { body } = await app.as('maria').get(`/jobs/${job.body.id}`)
  assert.equal(body.status, 'succeeded', JSON.stringify(body))
  return body.result
}

test('a new contact that is known under another address is suggested, field by field', async () => {
  await using app = await start()
  const [one, other] = await make(
    app,
    { first_name: 'Ștefan', last_name: 'Popescu', phone: '+33612345678', company: 'Moulin SARL' },
    { first_name: 'Stefan', last_name: 'Popesc', phone: '06 12 34 56 78', company: 'Moulin' },
    { first_name: 'Stefan', last_name: 'Ionescu', phone: '+33699999999' },
  )
  const [found, ...more] = await suggestions(app)
  assert.deepEqual(more, [])
  assert.deepEqual(idsOf(found!), [one, other].toSorted(byText))
  assert.equal(found!.status, 'open')
  assert.ok((found!.probability as number) > 0.9)
  const explanation = Object.fromEntries((found!.explanation as Fields[]).map((each) => [each.field, each]))
  assert.deepEqual(
    [explanation.phone!.level, explanation.first_name!.level, explanation.last_name!.level],
    ['exact', 'exact', 'near'],
  )
  assert.ok((explanation.phone!.weight as number) > 5)
  assert.deepEqual([explanation.first_name!.a, explanation.first_name!.b].toSorted(byText), ['Stefan', 'Ștefan'])
  const own = await app.as('victor').get(`/contacts/${other}/duplicates`)
  assert.equal(own.body.data.length, 1)
})

test('the criteria that were promised: the same number; similar names in the same company; one mailbox', async () => {
  await using app = await start()
  const [a, b, c, d, e, f] = await make(
    app,
    { first_name: 'Ana', last_name: 'Marin', phone: '+33611111111' },
    { first_name: 'Vlad', last_name: 'Dobre', phone: '+33611111111' },
    { first_name: 'Jonathan', last_name: 'Miller', company: 'Océane' },
    { first_name: 'Jonathon', last_name: 'Miler', company: 'Oceane Inc.' },
    { email: 'marie.curie@gmail.com', first_name: 'Marie' },
    { email: 'mariecurie+news@googlemail.com', first_name: 'M.' },
  )
  const pairs = (await suggestions(app)).map((each) => idsOf(each).join())
  assert.deepEqual(
    pairs.toSorted(byText),
    [
      [a, b],
      [c, d],
      [e, f],
    ]
      .map((pair) => pair.toSorted(byText).join())
      .toSorted(byText),
  )
})

test('neighbours of one first name are two people: a village and its postcode say one thing, not two', () => {
  const word = (about: string): string =>
    createHash('md5')
      .update(about)
      .digest('hex')
      .slice(0, 9)
      .replaceAll(/\d/g, (digit) => 'ghijklmnop'[Number(digit)]!)
  const people = Array.from({ length: 2_000 }, (_, n): Loaded => {
    const home = { city: word(`village ${n % 200}`), postcode: String(10_000 + (n % 200) * 37) }
    return [
      String(n).padStart(4, '0'),
      '',
      word(`given ${n % 4} ${Math.trunc(n / 400)}`),
      word(`family ${n}`),
      null,
      null,
      null,
      home,
    ]
  })
  const [first] = people
  const again: Loaded = ['9999', '', first![2], `${first![3]}s`, null, null, null, first![7]]
  const finder = new Finder(1)
  finder.load([...people, again])
  const pairs = finder.find(0, 1).map(({ a, b }) => [a, b])
  assert.deepEqual(pairs, [['0000', '9999']])
})

test('"not a duplicate" is remembered: after changes, and after a scan; and can be taken back', async () => {
  await using app = await start()
  const [one] = await make(
    app,
    { first_name: 'Ana', last_name: 'Marin', phone: '+33611111111' },
    { first_name: 'Anna', last_name: 'Marin', phone: '+33611111111' },
  )
  const [found] = await suggestions(app)
  const dismissed = await app.as('agnes').post(`/contacts/duplicates/${found!.id}/dismiss`)
  assert.deepEqual([dismissed.status, dismissed.body.status], [200, 'dismissed'], dismissed.text)
  assert.ok(dismissed.body.dismissed_by_name)
  await app.as('maria').patch(`/contacts/${one}`, { first_name: 'Anna', company: 'X' })
  await app.drain()
  await scan(app)
  assert.deepEqual(await suggestions(app), [])
  assert.equal((await suggestions(app, 'status=dismissed')).length, 1)
  assert.deepEqual((await app.as('maria').get('/contacts/duplicates/groups')).body.data, [])
  const restored = await app.as('agnes').post(`/contacts/duplicates/${found!.id}/restore`)
  assert.deepEqual([restored.body.status, restored.body.dismissed_at], ['open', null])
  assert.equal((await suggestions(app)).length, 1)
  assert.equal((await app.as('maria').get('/contacts/duplicates/groups')).body.data.length, 1)
})

test('groups gather who may be one person, follow deletion and restoring, and are dismissed as a whole', async () => {
  await using app = await start()
  const same = { last_name: 'Quilapayun', phone: '+33611111111' }
  const ids = await make(
    app,
    { first_name: 'Aurélie', ...same },
    { first_name: 'Aurelie', ...same },
    { first_name: 'Aurely', ...same },
  )
  const groups = async () => (await app.as('victor').get('/contacts/duplicates/groups')).body.data
  const [group] = await groups()
  assert.deepEqual(
    [group.contacts.map((contact: Fields) => contact.id).toSorted(byText), group.pairs.length],
    [ids.toSorted(byText), 3],
  )
  await app.as('maria').delete(`/contacts/${ids[0]}`)
  await app.drain()
  assert.deepEqual(
    (await groups()).map(({ contacts }: { contacts: [] }) => contacts.length),
    [2],
  )
  assert.equal((await suggestions(app)).length, 1)
  await app.as('maria').post(`/contacts/${ids[0]}/restore`)
  await app.drain()
  const [again] = await groups()
  assert.equal(again.contacts.length, 3)
  const { body } = await app.as('agnes').post(`/contacts/duplicates/groups/${again.id}/dismiss`)
  assert.equal(body.dismissed.length, 3)
  assert.deepEqual([await groups(), await suggestions(app)], [[], []])
  await app.as('agnes').post('/contacts/duplicates/restore', { ids: body.dismissed })
  assert.equal((await groups())[0].pairs.length, 3)
})

test('a suggestion that an edit has made wrong goes; a merge closes it, its undoing opens it', async () => {
  await using app = await start()
  const [one, other] = await make(
    app,
    { first_name: 'Ana', last_name: 'Marin', phone: '+33611111111' },
    { first_name: 'Vlad', last_name: 'Dobre', phone: '+33611111111' },
  )
  const merge = { primary_id: one, merged_ids: [other], merge_id: one }
  await app.inTx((tx) => tx.publish('contact.merged', one!, merge))
  await app.drain()
  assert.deepEqual([(await suggestions(app)).length, (await suggestions(app, 'status=merged')).length], [0, 1])
  await app.inTx((tx) => tx.publish('contact.unmerged', one!, merge))
  await app.drain()
  assert.equal((await suggestions(app)).length, 1)
  await app.as('maria').patch(`/contacts/${one}`, { phone: '+33622222222' })
  await app.drain()
  assert.equal((await suggestions(app)).length, 0)
  assert.deepEqual((await app.as('maria').get('/contacts/duplicates/groups')).body.data, [])
})

test('a scan finds among all contacts what nobody looked at, and finds the same again', async () => {
  await using app = await start()
  await manyContacts(app, 1_500)
  const first = await scan(app)
  assert.deepEqual([first.contacts, first.found, first.groups], [1_500, 500, 500])
  const before = await suggestions(app, 'limit=200')
  const second = await scan(app)
  assert.deepEqual([second.found, second.outdated, second.groups], [0, 0, 500])
  assert.deepEqual(await suggestions(app, 'limit=200'), before)
})

test('an import is looked at by a job, the same as each contact by itself', async () => {
  await using app = await start()
  await manyContacts(app, 360)
  await app.inTx(async (tx) => {
    const { rows: made } = await sql<{ id: string }>`select id from contacts.contacts`.execute(tx.sql)
    await tx.publishAll(made.map(({ id }) => ({ event: 'contact.created', subject: id, data: { contact_id: id } })))
  })
  await app.drain()
  assert.equal((await app.as('victor').get('/contacts/duplicates?count=exact')).body.total, 120)
  const { body } = await app.as('maria').get('/jobs?kind=contacts.check_duplicates')
  assert.ok(body.data.every(({ status }: Fields) => status === 'succeeded'))
})

test('while an import goes on, one job waits to look at it', async () => {
  await using app = await start()
  const batch = (hour: number): Event[] =>
    Array.from({ length: 60 }, (_, n) => {
      const id = `01900000-0000-7000-8000-${String(hour * 100 + n).padStart(12, '0')}`
      const timestamp = `2026-01-01T0${hour}:00:00.000Z`
      return { id, event: 'contact.created', timestamp, workspace_id: id, data: { contact_id: id } }
    })
  const reaction = duplicateReactions.find(({ consumer }) => consumer === 'contacts.look_for_duplicates')!
  const services = {} as Parameters<typeof reaction.run>[2] // this reaction asks nobody
  for (const hour of [3, 1, 2]) await app.inTx((tx) => reaction.run(tx, batch(hour), services))
  const { rows } = await app.inTx((tx) =>
    sql<{ check_from: Date; jobs: number }>`
      select check_from, (select count(*) from platform.jobs where kind = 'contacts.check_duplicates') as jobs
      from contacts.duplicate_state`.execute(tx.sql),
  )
  assert.deepEqual(rows, [{ check_from: new Date('2026-01-01T00:59:00.000Z'), jobs: 1 }])
})

test('an import that turns out to be large is left to a scan', async () => {
  await using app = await start()
  await manyContacts(app, 5_100)
  const check = await app.inTx(async (tx) => {
    const id = await tx.enqueue('contacts.check_duplicates', {})
    const place = { at: '2000-01-01', id: '00000000-0000-0000-0000-000000000000', done: 2_000, found: 0 }
    await sql`update platform.jobs set cursor = ${JSON.stringify(place)}::jsonb where id = ${id}`.execute(tx.sql)
    return id
  })
  await app.drain()
  const { body } = await app.as('maria').get(`/jobs/${check}`)
  assert.deepEqual([body.status, body.result], ['succeeded', { scan: true, contacts: 2_000, found: 0 }])
  const scans = (await app.as('maria').get('/jobs?kind=contacts.find_duplicates')).body.data as Fields[]
  assert.deepEqual(
    scans.map(({ status, result }) => [status, result.contacts, result.found]),
    [['succeeded', 5_100, 1_700]],
  )
}, 120_000)

test('a person who is being typed in is recognised, and nothing is saved', async () => {
  await using app = await start()
  const [one] = await make(app, { first_name: 'Ștefan', last_name: 'Popescu', phone: '+40721234567' })
  const victor = app.as('victor')
  const typed = { first_name: 'stefan', last_name: 'Popescu', phone: '0721 234 567' }
  const { body, status, text } = await victor.post('/contacts/duplicates/check', typed)
  assert.equal(status, 200, text)
  assert.equal(body.data[0].contact.id, one)
  assert.ok(body.data[0].explanation.some(({ field, level }: Fields) => field === 'last_name' && level === 'exact'))
  assert.deepEqual((await victor.post('/contacts/duplicates/check', { ...typed, exclude_id: one })).body.data, [])
  assert.deepEqual((await app.stranger.post('/contacts/duplicates/check', typed)).body.data, [])
  const empty = await victor.post('/contacts/duplicates/check', {})
  assert.deepEqual([empty.status, empty.body.errors[0].pointer], [422, '/email'])
  assert.equal((await victor.post('/contacts/duplicates/check', { nose: 'long' })).status, 422)
})

test('a page has its filters, its search, its order; what is wrong is said', async () => {
  await using app = await start()
  await manyContacts(app, 60)
  await scan(app)
  const victor = app.as('victor')
  const seen: string[] = []
  for (let cursor = ''; ;) {
    const { body } = await victor.get(`/contacts/duplicates?limit=7${cursor && `&cursor=${cursor}`}`)
    assert.equal(body.total, 20)
    seen.push(...body.data.map(({ id }: Fields) => id))
    if (!body.next_cursor) break
    cursor = encodeURIComponent(body.next_cursor)
  }
  assert.deepEqual([seen.length, new Set(seen).size], [20, 20])
  assert.equal((await suggestions(app, 'search=md')).length < 20, true)
  assert.equal((await suggestions(app, 'search=nobody')).length, 0)
  assert.equal((await suggestions(app, 'min_probability=1')).length <= 20, true)
  assert.equal((await suggestions(app, 'sort=-found_at')).length, 20)
  assert.equal((await victor.get('/contacts/duplicates?sort=colour')).status, 422)
  assert.equal((await victor.get('/contacts/duplicates?status=odd')).status, 422)
  assert.equal((await victor.get('/contacts/duplicates?min_probability=2')).status, 422)
  assert.equal((await victor.get('/contacts/duplicates?cursor=zzz')).status, 400)
  const nobody = '01900000-0000-7000-8000-000000000000'
  assert.equal((await app.as('maria').post(`/contacts/duplicates/${nobody}/dismiss`)).status, 404)
  assert.equal((await app.as('maria').post(`/contacts/duplicates/groups/${nobody}/dismiss`)).status, 404)
  assert.equal((await victor.get(`/contacts/${nobody}/duplicates`)).status, 404)
})

test('who may: everybody who reads sees, who writes decides, marketers search; one search at a time', async () => {
  await using app = await start()
  const [one] = await make(app, { phone: '+33611111111' }, { first_name: 'Zoe', phone: '+33611111111' })
  const [found] = await suggestions(app)
  assert.equal((await app.as('victor').post(`/contacts/duplicates/${found!.id}/dismiss`)).status, 403)
  assert.equal((await app.as('agnes').post('/contacts/duplicates/scan')).status, 403)
  assert.equal((await app.stranger.post(`/contacts/duplicates/${found!.id}/dismiss`)).status, 404)
  assert.equal((await app.stranger.get(`/contacts/${one}/duplicates`)).status, 404)
  assert.deepEqual((await app.stranger.get('/contacts/duplicates')).body.data, [])
  assert.equal((await app.as('maria').post('/contacts/duplicates/scan')).status, 202)
  const second = await app.as('maria').post('/contacts/duplicates/scan')
  assert.deepEqual([second.status, second.body.code], [409, 'scan_running'])
})

/** Every third one is another record of the one before. Made in the database, so that nobody has looked at them. */
async function manyContacts(app: TestApp, count: number): Promise<void> {
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, first_name, last_name, phone, phone_key)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), md5(i::text) || '@' || md5((i * 3)::text) || '.example',
        translate(substr(md5('g' || p), 1, 7), '0123456789', 'ghijklmnop'),
        translate(substr(md5('f' || p), 1, 9), '0123456789', 'rstuvwxyzo') || case when i % 3 = 2 then 's' else '' end,
        n, n
      from generate_series(0, ${count - 1}::int) as i, lateral (select case when i % 3 = 2 then i - 1 else i end as p) as q,
        lateral (select '+336' || (10000000 + abs(hashint4(p)) % 89999999) as n) as r`.execute(tx.sql),
  )
}
