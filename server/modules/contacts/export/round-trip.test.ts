/** What goes out comes back: an export that is imported again changes nothing, and into an empty house it brings everything. */
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'

const hard = [
  {
    email: 'hard@example.com',
    first_name: '"Ana" "; drop',
    last_name: '=1+1',
    phone: '+33 6 12 34 56 78',
    company: '-2+3|cmd',
    job_title: '007',
    notes: '  begins and ends with spaces,\r\nhas "quotes"; and\ta tab\nmulti\n\n ',
    tags: ['a,b', 'semi;colon', 'bar|bar', '["x"]', '=tag', 'emoji 🥧'],
    custom_fields: {
      number: 5,
      price: 1.5,
      yes: true,
      list: ['a', 'b'],
      zip: '00123',
      sum: '=1+1',
      'Shoe-Size': ' 42 ',
    },
    newsletter_subscribed: true,
  },
  {
    email: 'rtl@example.com',
    first_name: 'مرحبا',
    last_name: "'=quoted",
    notes: '👩‍👩‍👧 العربية עברית 中文',
    language: 'pt-BR',
    timezone: 'Asia/Kolkata',
    gender: 'other',
    avatar_url: 'https://example.com/a?b=c&d="e"',
  },
  {
    email: 'plain@example.com',
    first_name: 'x',
    last_name: '\u200b=1',
    company: '＝1',
    phone: '0612345678',
    tags: ['solo'],
  },
]

const notImported = new Set(['id', 'updated_at', 'lists', 'is_active', 'tracking_allowed', 'subscribed_at', 'version'])

async function seed(app: TestApp): Promise<void> {
  const made = await Promise.all(hard.map((contact) => app.as('maria').post('/contacts', contact)))
  expect(made.map(({ status, body }) => [status, body.detail])).toEqual(hard.map(() => [201, undefined]))
  await app.inTx((tx) =>
    sql`update contacts.contacts set last_booking_date = '2026-02-03 04:05:06.123456+00', lifetime_value = 12.5, total_orders = 3,
      created_at = '2025-01-02 03:04:05.678901+00' where email like 'hard%'`.execute(tx.sql),
  )
  const left = made.find(({ body }) => body.email.startsWith('rtl'))
  await app.as('maria').post(`/contacts/${left?.body.id}/unsubscribe`, { type: 'all' })
  await app.drainEvents()
}

test.each(['update', 'skip'])('imported again (%s), an exact export changes nothing', async (duplicates) => {
  await using app = await start()
  const maria = app.as('maria')
  await seed(app)
  const before = (await maria.get('/contacts?sort=email')).body
  const { text } = await maria.get('/contacts/export?reimport=true')
  const result = await importCsv(app, maria, text, { duplicates })
  expect(result).toMatchObject({ rows: 3, created: 0, updated: 0, merged: 0, skipped: 3, failed: 0 })
  expect(await app.drainEvents()).toEqual([])
  expect((await maria.get('/contacts?sort=email')).body).toEqual(before)
  expect((await maria.get('/contacts/export?reimport=true')).text).toBe(text)
})

test('imported into an empty house, it brings everything that an import can bring', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await seed(app)
  const { text } = await maria.get('/contacts/export?reimport=true')
  const before = (await maria.get('/contacts?sort=email')).body.data
  await app.inTx((tx) => sql`delete from contacts.contacts`.execute(tx.sql))
  const consent = { source: 'The house before', wording: 'As it was said there' }
  const result = await importCsv(app, maria, text, { consent })
  expect(result).toMatchObject({ rows: 3, created: 3, failed: 0 })
  const after = (await maria.get('/contacts?sort=email')).body.data
  expect(after.map(comparable)).toEqual(before.map(comparable))
})

test('the default, spreadsheet-safe export comes back as well', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await seed(app)
  const before = (await maria.get('/contacts?sort=email')).body
  const { text } = await maria.get('/contacts/export')
  for (const cell of text.split(/[,\r\n]+"?/)) expect(cell).not.toMatch(/^[=@\t＝]|^[+-](?![\d ]+$)/)
  const result = await importCsv(app, maria, text, { duplicates: 'update' })
  expect(result).toMatchObject({ rows: 3, updated: 0, skipped: 3, failed: 0 })
  expect((await maria.get('/contacts?sort=email')).body).toEqual(before)
})

test('any text in any field survives', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...`ab'"=+-@,;|\\\n\t é🥧`.split('')), maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
  )
  const clean = text.map((value) => value.toWellFormed().replace(/[\0\ufffd]/g, ''))
  const tag = clean.map((value) => `t${value.replace(/\s+/g, ' ')}`.trim())
  const person = fc.record({ last_name: clean, notes: clean, colour: clean, tags: fc.array(tag, { maxLength: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(person, { minLength: 1, maxLength: 4 }), async (people) => {
      await app.inTx((tx) => sql`delete from contacts.contacts`.execute(tx.sql))
      for (const [index, { colour, ...fields }] of people.entries()) {
        const contact = { email: `p${index}@example.com`, first_name: 'P', custom_fields: { colour }, ...fields }
        expect(await maria.post('/contacts', contact)).toMatchObject({ status: 201 })
      }
      const before = (await maria.get('/contacts?sort=email')).body
      for (const mode of ['reimport=true', 'fields=*']) {
        const { text: csv } = await maria.get(`/contacts/export?headers=names&${mode}`)
        const mapping = { email: 'email', last_name: 'last_name', notes: 'notes', tags: 'tags' }
        const options = mode === 'fields=*' ? { mapping } : {}
        const result = await importCsv(app, maria, csv, { duplicates: 'update', ...options })
        expect(result).toMatchObject({ rows: people.length, updated: 0, failed: 0 })
      }
      expect((await maria.get('/contacts?sort=email')).body).toEqual(before)
    }),
    { numRuns: 20 },
  )
}, 120_000)

async function importCsv(app: TestApp, client: Client, csv: string, options: object = {}): Promise<TestReply['body']> {
  const field = ([name, value]: [string, unknown]) =>
    `--edge\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${typeof value === 'string' ? value : JSON.stringify(value)}\r\n`
  const file = `--edge\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n${csv}\r\n`
  const body = Buffer.from(`${Object.entries(options).map(field).join('')}${file}--edge--\r\n`)
  const headers = { 'content-type': 'multipart/form-data; boundary=edge' }
  const reply = await client.post('/contacts/import', body, headers)
  expect(reply.status, JSON.stringify([reply.body, csv])).toBe(202)
  await app.drain()
  return (await client.get(`/contacts/imports/${reply.body.import_id}`)).body
}

/** What an import brings: without what the house itself gives, and with texts as cells are: trimmed, and text. */
function comparable(contact: TestReply['body']): object {
  const entries = Object.entries(contact).filter(([name]) => !notImported.has(name) && name !== 'unsubscribed_at')
  return {
    ...Object.fromEntries(entries),
    notes: contact.notes.trim(),
    created_at: contact.created_at,
    tags: contact.tags.toSorted(),
    custom_fields: Object.fromEntries(
      Object.entries(contact.custom_fields as Record<string, unknown>).map(([key, value]) => [key, asText(value)]),
    ),
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value.trim() : JSON.stringify(value).replaceAll('","', '", "')
}
