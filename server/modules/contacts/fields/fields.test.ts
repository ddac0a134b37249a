import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { Invalid } from '#platform/errors.ts'
import { start, type TestApp } from '#testing/start.ts'
import { customFieldCondition, customFieldExpression } from './conditions.ts'
import { customFieldDefinitions } from './fields.ts'

const tiers = { label: 'Tier', type: 'choice', choices: [{ label: 'gold', color: '#ffcc00' }, { label: 'silver' }] }

test('a field is made, listed, changed, ordered, deleted and brought back', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const made = await anna.post('/contacts/fields', tiers)
  assert.equal(made.status, 201, made.text)
  assert.deepEqual([made.body.key, made.body.position, made.body.filter_status], ['tier', 1, 'off'])
  assert.deepEqual(made.body.choices[0], { value: 'gold', label: 'gold', color: '#ffcc00' })
  const twin = await anna.post('/contacts/fields', tiers)
  assert.equal(twin.body.key, 'tier_2')
  const taken = await anna.post('/contacts/fields', { ...tiers, key: 'tier' })
  assert.deepEqual([taken.status, taken.body.errors[0].pointer], [409, '/key'])

  const url = `/contacts/fields/${made.body.id}`
  const renamed = await anna.patch(url, { label: 'Level' }, { 'if-match': String(made.headers.etag) })
  assert.deepEqual([renamed.status, renamed.body.label, renamed.body.key], [200, 'Level', 'tier'])
  assert.equal((await anna.patch(url, { label: 'X' }, { 'if-match': String(made.headers.etag) })).status, 412)
  assert.equal((await anna.patch(url, { key: 'other' })).status, 422)
  assert.equal((await anna.put('/contacts/fields/order', { ids: [twin.body.id] })).status, 200)
  const list = await app.as('victor').get('/contacts/fields')
  assert.deepEqual(
    list.body.data.map((field: { key: string }) => field.key),
    ['tier_2', 'tier'],
  )
  assert.equal((await anna.get('/contacts/fields?search=LEV&limit=1')).body.total, 1)

  assert.equal((await anna.delete(url)).status, 200)
  assert.equal((await anna.get(url)).status, 404)
  assert.equal((await anna.get('/contacts/fields?deleted=true')).body.data[0].key, 'tier')
  assert.equal((await anna.post(`${url}/restore`)).body.deleted_at, null)
  assert.deepEqual(
    (await app.drainEvents()).map((event) => event.replace('contact.field.', '')),
    ['created', 'created', 'updated', 'deleted', 'updated'],
  )
})

test('what makes no field is refused where it is wrong', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const cases: [object, string][] = [
    [{ label: 'A', type: 'choice' }, '/choices'],
    [{ label: 'A', type: 'text', choices: [{ label: 'x' }] }, '/choices'],
    [{ label: 'A', type: 'choice', choices: [{ label: 'x' }, { label: 'X' }] }, '/choices/1'],
    [{ label: 'A', type: 'choice', choices: [{ label: 'a, b' }] }, '/choices/0/value'],
    [{ label: 'A', type: 'number', min: 2, max: 1 }, '/max'],
    [{ label: 'A', type: 'date', min: 5 }, '/min'],
    [{ label: 'A', type: 'number', max_length: 5 }, '/max_length'],
    [{ label: ' ', type: 'text' }, '/label'],
    [{ label: 'A', type: 'text', key: 'Nope' }, '/key'],
  ]
  for (const [body, pointer] of cases) {
    const reply = await anna.post('/contacts/fields', body)
    assert.deepEqual([reply.status, reply.body.errors?.[0].pointer], [422, pointer], JSON.stringify(body))
  }
  for (const person of ['maria', 'agnes', 'victor'] as const) {
    assert.equal((await app.as(person).post('/contacts/fields', tiers)).status, 403)
  }
  assert.equal((await app.as('adrian').post('/contacts/fields', tiers)).status, 201)
  assert.equal((await app.stranger.get('/contacts/fields')).body.total, 0)
})

test('a workspace has at most two hundred fields', async () => {
  await using app = await start()
  await app.inTx((tx) =>
    sql`insert into contacts.custom_fields (workspace_id, id, key, label, type, position)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), 'f' || n, 'F', 'text', n from generate_series(1, 199) as n`.execute(
      tx.sql,
    ),
  )
  const made = await Promise.all(
    ['A', 'B', 'C'].map((label) => app.as('anna').post('/contacts/fields', { label, type: 'text' })),
  )
  assert.deepEqual(
    made.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409, 409],
  )
})

test('values are checked on every write, merged key by key, and required of people alone', async () => {
  await using app = await start()
  const anna = app.as('anna')
  await anna.post('/contacts/fields', { ...tiers, required: true })
  await anna.post('/contacts/fields', { label: 'Visits', type: 'number', min: 0 })
  const person = { email: 'a@x.example', first_name: 'A' }
  const missing = await anna.post('/contacts', person)
  assert.deepEqual([missing.status, missing.body.errors[0].pointer], [422, '/custom_fields/tier'])
  const wrong = await anna.post('/contacts', { ...person, custom_fields: { tier: 'lead', visits: -1 } })
  assert.deepEqual(
    wrong.body.errors.map((error: { pointer: string; code: string }) => [error.pointer, error.code]),
    [
      ['/custom_fields/tier', 'not_a_choice'],
      ['/custom_fields/visits', 'too_small'],
    ],
  )
  const made = await anna.post('/contacts', {
    ...person,
    custom_fields: { tier: 'gold', visits: 3, 'any thing': { a: 1 } },
  })
  assert.equal(made.status, 201, made.text)
  const url = `/contacts/${made.body.id}`
  const merged = await anna.put(url, { custom_fields: { visits: null, more: 'x' } })
  assert.deepEqual(merged.body.custom_fields, { tier: 'gold', 'any thing': { a: 1 }, more: 'x' })
  const same = await anna.patch(url, { custom_fields: { 'any thing': { a: 1 }, visits: null } })
  assert.equal(same.headers.etag, merged.headers.etag, 'naming what is so already changes nothing')
  assert.equal((await anna.patch(url, { custom_fields: { tier: null } })).status, 422)
  assert.equal((await anna.patch(url, { first_name: 'B' })).status, 200)
})

test('two programs that change different keys at once both have their way', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const { body } = await anna.post('/contacts', { email: 'a@x.example', first_name: 'A', custom_fields: { a: 0 } })
  await Promise.all(
    ['b', 'c', 'd', 'e'].map((key) => anna.patch(`/contacts/${body.id}`, { custom_fields: { [key]: 1 } })),
  )
  assert.deepEqual((await anna.get(`/contacts/${body.id}`)).body.custom_fields, { a: 0, b: 1, c: 1, d: 1, e: 1 })
})

test('a type changes when every value survives it, and then the values change with it', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const { body: field } = await anna.post('/contacts/fields', { label: 'Size', type: 'text', filterable: true })
  const ids = await people(app, [{ size: '12' }, { size: '1.50' }, { size: 'large' }, {}])
  await app.drain()
  const url = `/contacts/fields/${field.id}`
  const check = await anna.post(`${url}/check`, { type: 'number' })
  assert.deepEqual(check.body, { values: 3, misfits: 1, removed_choices: [] })
  const refused = await anna.patch(url, { type: 'number' })
  assert.deepEqual([refused.status, refused.body.code], [409, 'values_do_not_fit'])
  await anna.patch(`/contacts/${ids[2]}`, { custom_fields: { size: '40' } })
  const changed = await anna.patch(url, { type: 'number' })
  assert.deepEqual([changed.status, changed.body.type, changed.body.filter_status], [200, 'number', 'building'])
  await app.drainEvents()
  const values = await Promise.all(ids.map(async (id) => (await anna.get(`/contacts/${id}`)).body.custom_fields.size))
  assert.deepEqual(values, [12, 1.5, 40, undefined])
  assert.equal((await anna.get(url)).body.filter_status, 'ready')
  assert.deepEqual(await asked(app, 'size', { op: 'gte', value: 12 }), [0, 2])
  const { body: job } = await anna.get(`/jobs/${changed.body.job_id}`)
  assert.deepEqual([job.status, job.result], ['succeeded', { contacts: 4, changed: 3 }])
})

test('a choice that contacts have goes only when they get another one', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const { body: field } = await anna.post('/contacts/fields', { ...tiers, type: 'multi_choice' })
  const ids = await people(app, [{ tier: ['gold', 'silver'] }, { tier: ['gold'] }, { tier: ['silver'] }])
  const url = `/contacts/fields/${field.id}`
  const choices = [{ label: 'silver' }, { label: 'bronze' }]
  assert.deepEqual((await anna.post(`${url}/check`, { choices })).body.removed_choices, [{ value: 'gold', count: 2 }])
  const refused = await anna.patch(url, { choices })
  assert.deepEqual([refused.status, refused.body.code], [409, 'choice_in_use'])
  assert.equal((await anna.patch(url, { choices, replace_with: { gold: 'platinum' } })).status, 422)
  assert.equal((await anna.patch(url, { choices, replace_with: { gold: 'bronze' } })).status, 200)
  await app.drain()
  const values = async () => Promise.all(ids.map(async (id) => (await anna.get(`/contacts/${id}`)).body.custom_fields))
  assert.deepEqual(await values(), [{ tier: ['bronze', 'silver'] }, { tier: ['bronze'] }, { tier: ['silver'] }])
  assert.equal((await anna.patch(url, { choices: [{ label: 'silver' }], replace_with: { bronze: null } })).status, 200)
  await app.drain()
  assert.deepEqual(await values(), [{ tier: ['silver'] }, {}, { tier: ['silver'] }])
})

test('questions have the same answer from the copies and from the contacts themselves', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const long = `${'lorem '.repeat(60)}End`
  for (const field of [
    { label: 'Words', type: 'text' },
    { label: 'Num', type: 'number' },
    { label: 'Day', type: 'date' },
    { label: 'Yes', type: 'boolean' },
    { label: 'Site', type: 'url' },
    { label: 'Tags', type: 'multi_choice', choices: [{ label: 'a' }, { label: 'b' }, { label: 'c' }] },
    tiers,
  ]) {
    assert.equal((await anna.post('/contacts/fields', field)).status, 201)
  }
  await people(app, [
    {
      words: 'Été 100%',
      num: 5,
      day: '2024-02-29',
      yes: true,
      tags: ['a', 'b'],
      tier: 'gold',
      site: 'https://x.example',
    },
    { words: long, num: -1.5, day: '2026-01-01', yes: false, tags: ['c'], tier: 'silver' },
    { words: 'ete' },
    {},
  ])
  // What people stored before a field had its type must never be an error.
  await app.inTx((tx) =>
    sql`update contacts.contacts set custom_fields = '{"day":"2023-02-31","num":"7","yes":"true","tags":"a","words":5,"tier":["gold"]}'
      where email = 'p3@x.example'`.execute(tx.sql),
  )
  const cases: [string, string, unknown, number[]][] = [
    ['words', 'eq', 'ÉTÉ 100%', [0]],
    ['words', 'ne', 'ete', [0, 1, 3]],
    ['words', 'contains', '0%', [0]],
    ['words', 'contains', '_', []],
    ['words', 'contains', 'end', [1]],
    ['words', 'starts_with', 'été', [0, 2]],
    ['words', 'ends_with', 'END', [1]],
    ['words', 'eq', long, [1]],
    ['words', 'eq', `${long}!`, []],
    ['words', 'in', ['ete', 'x'], [2]],
    ['words', 'is_set', null, [0, 1, 2]],
    ['num', 'gt', -1.5, [0]],
    ['num', 'between', [-2, 5], [0, 1]],
    ['num', 'not_in', [5], [1, 2, 3]],
    ['num', 'is_not_set', null, [2, 3]],
    ['day', 'lt', '2025-01-01', [0]],
    ['day', 'in', ['2026-01-01'], [1]],
    ['yes', 'eq', true, [0]],
    ['yes', 'ne', true, [1, 2, 3]],
    ['site', 'contains', 'X.EXAMPLE', [0]],
    ['tags', 'all_of', ['a', 'b'], [0]],
    ['tags', 'all_of', ['a', 'c'], []],
    ['tags', 'in', ['b', 'c'], [0, 1]],
    ['tags', 'not_contains', 'c', [0, 2, 3]],
    ['tier', 'in', ['gold', 'silver'], [0, 1]],
  ]
  for (const [key, op, value, expected] of cases) {
    assert.deepEqual(await asked(app, key, { op, value }), expected, `read: ${key} ${op}`)
  }
  for (const field of (await anna.get('/contacts/fields')).body.data) {
    await anna.patch(`/contacts/fields/${field.id}`, { filterable: true })
  }
  await app.drain()
  for (const [key, op, value, expected] of cases) {
    assert.deepEqual(await asked(app, key, { op, value }), expected, `copied: ${key} ${op}`)
  }
  await assert.rejects(asked(app, 'num', { op: 'contains', value: 'x' }), Invalid)
  await assert.rejects(asked(app, 'num', { op: 'eq', value: '5' }), Invalid)
  await assert.rejects(asked(app, 'day', { op: 'eq', value: '2023-02-31' }), Invalid)
  const sorted = await app.inTx(async (tx) => {
    const [field] = (await customFieldDefinitions(tx)).filter(({ key }) => key === 'num')
    const { rows } = await sql<{ email: string }>`
      select email from contacts.contact_rows c order by ${customFieldExpression(field!)} nulls last, email`.execute(
      tx.sql,
    )
    return rows.map(({ email }) => email.slice(0, 2))
  })
  assert.deepEqual(sorted, ['p1', 'p0', 'p2', 'p3'])
})

test('copies follow every write, and go with the field or the contact', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const { body: field } = await anna.post('/contacts/fields', { label: 'Num', type: 'number', filterable: true })
  await app.drain()
  const ids = await people(app, [{ num: 1 }, { num: 2 }, { num: 3 }])
  assert.equal(await copies(app), 3)
  await anna.patch(`/contacts/${ids[0]}`, { custom_fields: { num: 9 } })
  await anna.patch(`/contacts/${ids[1]}`, { custom_fields: { num: null } })
  await anna.patch(`/contacts/${ids[2]}`, { first_name: 'Other' })
  assert.deepEqual(await asked(app, 'num', { op: 'in', value: [3, 9] }), [0, 2])
  assert.equal(await copies(app), 2)
  await anna.delete(`/contacts/fields/${field.id}`)
  await app.drain()
  assert.equal(await copies(app), 0)
  await anna.patch(`/contacts/${ids[2]}`, { custom_fields: { num: 'free again' } })
  await anna.post(`/contacts/fields/${field.id}/restore`)
  await app.drain()
  assert.equal(await copies(app), 1)
})

async function people(app: TestApp, values: object[]): Promise<string[]> {
  const ids: string[] = []
  for (const [index, custom_fields] of values.entries()) {
    const person = { email: `p${index}@x.example`, first_name: 'P', custom_fields }
    const made = await app.as('anna').post('/contacts', person)
    assert.equal(made.status, 201, made.text)
    ids.push(made.body.id)
  }
  return ids
}

/** The numbers of the people who match. */
async function asked(app: TestApp, key: string, question: { op: string; value?: unknown }): Promise<number[]> {
  return app.inTx(async (tx) => {
    const field = (await customFieldDefinitions(tx)).find((each) => each.key === key)!
    const condition = customFieldCondition(field, question, '/filter')
    const { rows } = await sql<{ email: string }>`
      select email from contacts.contact_rows c where ${condition} order by email`.execute(tx.sql)
    return rows.map(({ email }) => Number(email.slice(1, 2)))
  })
}

async function copies(app: TestApp): Promise<number> {
  const { rows } = await app.inTx((tx) =>
    sql<{ count: number }>`select count(*) as count from contacts.custom_values`.execute(tx.sql),
  )
  return rows[0]!.count
}
