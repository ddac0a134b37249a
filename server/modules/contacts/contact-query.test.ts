import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start, type Client, type TestApp } from '#testing/start.ts'
import { newId } from '#platform/ids.ts'

/** Makes contacts straight in the table: these tests are about finding them. */
async function given(app: TestApp, people: Record<string, unknown>[]): Promise<void> {
  const rows = people.map((person, index) => ({
    workspace_id: app.world.workspaceId,
    id: newId(),
    email: `${index}@example.com`,
    ...person,
  }))
  await app.inTx((tx) => tx.sql.insertInto('contacts.contacts').values(rows).execute())
}

async function emailsOf(client: Client, query: string): Promise<string[]> {
  const reply = await client.get(`/contacts?${query}`)
  assert.equal(reply.status, 200, reply.text)
  return reply.body.data.map((contact: { email: string }) => contact.email)
}

test('search finds any part of name, e-mail and company, folded, every word of it', async () => {
  await using app = await start()
  await given(app, [
    { email: 'jo@moulin.example', first_name: 'José', last_name: 'Müller', company: 'Crédit Agricole' },
    { email: 'taro@example.jp', first_name: '太郎', last_name: '山田', company: '株式会社東京商事' },
    { email: 'max@percent.example', first_name: 'Max', last_name: '100% Sure_', company: null },
    { email: 'som@example.th', first_name: 'สมชาย', last_name: 'ใจดี' },
    { email: 'ivan@example.bg', first_name: 'Иван', last_name: 'Петров' },
  ])
  const cases: [search: string, found: string[]][] = [
    ['jose', ['jo@moulin.example']],
    ['MULLER', ['jo@moulin.example']],
    ['ülle', ['jo@moulin.example']],
    ['agricole jos', ['jo@moulin.example']],
    ['agricole max', []],
    ['lin.ex', ['jo@moulin.example']],
    ['jo', ['jo@moulin.example']],
    ['山田', ['taro@example.jp']],
    ['郎', ['taro@example.jp']],
    ['東京', ['taro@example.jp']],
    ['東京商', ['taro@example.jp']],
    ['京東', []],
    ['太郎 山田', ['taro@example.jp']],
    ['ใจ', ['som@example.th']],
    ['петр', ['ivan@example.bg']],
    ['0%', ['max@percent.example']],
    ['%', ['max@percent.example']],
    ['e_', ['max@percent.example']],
    ['a_x', []],
    ['\\', []],
    ["'; drop", []],
  ]
  for (const [search, found] of cases) {
    assert.deepEqual(await emailsOf(app.as('victor'), `search=${encodeURIComponent(search)}`), found, search)
  }
})

test('every filter narrows down, alone and together', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await given(app, [
    { email: 'a@x.example', company: 'Été SA', language: 'fr', source: 'import', engagement_score: 5 },
    { email: 'b@x.example', company: 'ete sa', language: 'en', status: 'bounced', engagement_score: 11 },
    {
      email: 'c@x.example',
      is_active: false,
      language: 'fr',
      engagement_score: 51,
      created_at: new Date('2020-01-01'),
    },
    { email: 'd@x.example', deleted_at: new Date(), company: 'Été SA' },
  ])
  const all = (await maria.get('/contacts?sort=email')).body.data
  const [a, b] = all
  const list = await maria.post('/lists', { name: 'List' })
  await maria.post(`/lists/${list.body.id}/contacts`, { contact_ids: [a.id, b.id] })
  await maria.patch(`/contacts/${a.id}`, { first_name: 'A', tags: ['red', 'blue'] })
  await maria.patch(`/contacts/${b.id}`, { first_name: 'B', tags: ['red'] })
  const cases: [query: string, found: string][] = [
    ['', 'abc'],
    [`list=${list.body.id}`, 'ab'],
    [`group=${list.body.id}`, 'ab'],
    [`list=${newId()}`, ''],
    ['tags=red', 'ab'],
    ['tags=RED,blue', 'a'],
    ['tags=none', ''],
    ['is_active=true', 'ab'],
    ['is_active=false', 'c'],
    ['status=bounced', 'b'],
    ['language=fr', 'ac'],
    ['company=ete%20sa', 'ab'],
    ['company=ete%20sa&deleted=true', 'd'],
    ['source=import', 'a'],
    ['engagement_level=low', 'a'],
    ['engagement_level=medium', 'b'],
    ['engagement_level=high', 'c'],
    ['deleted=true', 'd'],
    ['created_before=2021-01-01T00:00:00Z', 'c'],
    ['created_after=2021-01-01T00:00:00Z', 'ab'],
    [`tags=red&language=fr&list=${list.body.id}`, 'a'],
  ]
  for (const [query, found] of cases) {
    const sorted = query.includes('deleted') ? query : `sort=email&${query}`
    const emails = await emailsOf(maria, sorted)
    assert.equal(emails.map((email) => email[0]).join(''), found, query)
  }
  assert.equal((await maria.get('/contacts?lnaguage=fr')).status, 422, 'a parameter that is not there is refused')
})

const sorts = [
  'created_at',
  'updated_at',
  'email',
  'first_name',
  'last_name',
  'full_name',
  'company',
  'engagement_score',
  'last_booking_date',
  'last_email_opened_at',
]

test('in every order, pages hold everybody exactly once', async () => {
  await using app = await start()
  await given(
    app,
    Array.from({ length: 23 }, (_, index) => ({
      email: `${String.fromCharCode(97 + ((index * 7) % 23))}@x.example`,
      first_name: ['Ana', 'éva', 'Bob'][index % 3],
      company: [null, 'Été', 'Zed'][index % 3],
      engagement_score: index % 4,
      last_booking_date: index % 2 ? new Date(Date.UTC(2024, index, 1)) : null,
      last_email_opened_at: index % 5 ? null : new Date(Date.UTC(2024, 1, index + 1)),
      created_at: new Date(Date.UTC(2024, 1, 1 + (index % 6))),
    })),
  )
  for (const sort of sorts.flatMap((name) => [name, `-${name}`])) {
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const after: string = cursor ? `&cursor=${cursor}` : ''
      const reply = await app.as('victor').get(`/contacts?sort=${sort}&limit=5${after}`)
      assert.equal(reply.status, 200, reply.text)
      assert.equal(reply.body.total, 23)
      seen.push(...reply.body.data.map((contact: { email: string }) => contact.email))
      cursor = reply.body.next_cursor
    }
    assert.equal(seen.length, 23)
    assert.equal(new Set(seen).size, 23)
    const whole = await emailsOf(app.as('victor'), `sort=${sort}&limit=200`)
    assert.deepEqual(seen, whole, 'pages follow the order of the whole')
    if (sort.endsWith('email')) assert.deepEqual(sort === 'email' ? whole : whole.toReversed(), whole.toSorted())
  }
})

test('a cursor of another sort order, or of nobody, is refused', async () => {
  await using app = await start()
  await given(app, [{}, {}, {}])
  const { body } = await app.as('victor').get('/contacts?limit=1')
  assert.equal((await app.as('victor').get(`/contacts?limit=1&sort=email&cursor=${body.next_cursor}`)).status, 400)
  assert.equal((await app.as('victor').get('/contacts?cursor=abc')).status, 400)
  assert.equal((await app.as('victor').get('/contacts?sort=shoe_size')).status, 422)
})
