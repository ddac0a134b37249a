/** The import through its doors, on a real database. */
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { sql } from 'kysely'
import pg from 'pg'
import { expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { form, importFile } from '#testing/import-file.ts'
import { start, type TestApp, type TestReply } from '#testing/start.ts'
import { suppress } from '../suppression.ts'

test('a file becomes contacts, lists what it cannot read, and a second time changes nothing', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const csv = [
    'E-mail;Prénom;Nom;Société;Téléphone;Tags;Couleur',
    'ana@example.com;Ana;Ionescu;Moulin;06 12 34 56 78;vip, paris;bleu',
    'not an address;=Bad;Row;;;;',
    'ANA@example.com;Ana;Again;;;;',
    ';No;Address;;;;',
    '"broken"quote;x;;;;;',
    'bob@example.com;Bob;"Quoted; name";;+33 6 00 00 00 00;vip;',
    '',
  ].join('\r\n')
  const list = (await maria.post('/lists', { name: 'Fair' })).body
  const first = await importFile(app, maria, csv, { list_id: list.id })
  expect(first).toMatchObject({
    status: 'succeeded',
    rows: 6,
    created: 2,
    skipped: 1,
    failed: 3,
    updated: 0,
    merged: 0,
  })
  const ana = (await maria.get('/contacts?search=ana')).body.data[0]
  expect(ana).toMatchObject({ email: 'ana@example.com', first_name: 'Ana', last_name: 'Ionescu', company: 'Moulin' })
  expect(ana).toMatchObject({ phone: '06 12 34 56 78', custom_fields: { couleur: 'bleu' } })
  expect(ana.tags.toSorted()).toEqual(['paris', 'vip'])
  expect((await maria.get(`/lists/${list.id}`)).body.contact_count).toBe(2)
  expect(await app.drainEvents()).toEqual([
    'contact.created',
    'contact.created',
    'customer.created',
    'customer.created',
  ])

  const errors = (await maria.get(`/contacts/imports/${first.id}/errors`)).text.split('\r\n')
  expect(errors[0]).toBe(
    '\ufeffE-mail,Prénom,Nom,Société,Téléphone,Tags,Couleur,_line,_error_column,_error_code,_error',
  )
  expect(errors[1]).toBe(`not an address,'=Bad,Row,,,,,3,E-mail,email,This is not an e-mail address.`)
  expect(errors.slice(2, 4).map((line) => line.split(',').slice(7, 10))).toEqual([
    ['5', 'E-mail', 'required'],
    ['6', '', 'bad_quote'],
  ])

  for (const duplicates of ['skip', 'merge', 'update']) {
    const again = await importFile(app, maria, csv.replace('Again', ''), { duplicates, list_id: list.id })
    expect(again).toMatchObject({ rows: 6, created: 0, updated: 0, merged: 0, skipped: 3, failed: 3 })
  }
  expect(await app.drainEvents()).toEqual([])
})

test('a preview says what the file is, and a dry run what it would do, and nothing is written', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await importFile(app, maria, 'email,company\nold@example.com,Old\n')
  const windows = Buffer.from(
    'sep=;\r\nAdresse e-mail;Prénom;Geburtstag\r\nold@example.com;Zoé;1\r\nnew@example.com;Ada;2\r\nbad;;\r\n',
    'latin1',
  )
  const preview = (await maria.post('/contacts/import/preview', ...form(windows))).body
  expect(preview).toMatchObject({ encoding: 'windows-1252', delimiter: ';', has_header: true, rows_previewed: 3 })
  expect(preview.columns.map((column: Record<string, unknown>) => [column.header, column.suggested_field])).toEqual([
    ['Adresse e-mail', 'email'],
    ['Prénom', 'first_name'],
    ['Geburtstag', 'custom:geburtstag'],
  ])
  await app.drainEvents()
  const request = {
    upload_id: preview.upload_id,
    mapping: { 'Adresse e-mail': 'email', 1: 'first_name' },
    duplicates: 'update',
  }
  const dry = await maria.post('/contacts/import/preview', request)
  expect(dry.status).toBe(202)
  await app.drain()
  const counts = { rows: 3, created: 1, updated: 1, merged: 0, skipped: 0, failed: 1 }
  expect((await maria.get(`/jobs/${dry.body.id}`)).body.result).toMatchObject(counts)
  expect((await maria.get('/contacts')).body.total).toBe(1)
  expect(await app.drainEvents()).toEqual([])

  const real = await maria.post('/contacts/import', request)
  await app.drain()
  expect((await maria.get(`/contacts/imports/${real.body.import_id}`)).body).toMatchObject(counts)
  expect((await maria.get('/contacts?search=zoe')).body.data[0]).toMatchObject({ first_name: 'Zoé', company: 'Old' })
})

test('what is no table is refused at once', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const send = async (content: string | Buffer, options = {}) => {
    const reply = await maria.post('/contacts/import', ...form(content, options))
    return [reply.status, reply.body.errors?.[0]?.code ?? reply.body.code]
  }
  expect(await send('')).toEqual([422, 'empty_file'])
  expect(await send(Buffer.from([1, 0, 2]))).toEqual([422, 'not_text'])
  expect(await send('x'.repeat(3_000_000))).toEqual([422, 'line_too_long'])
  expect(await send(`${'a,'.repeat(100_000)}b\n`)).toEqual([422, 'too_many_columns'])
  expect(await send('"never closed\n')).toEqual([422, 'bad_quote'])
  expect(await send('name\nAna\n')).toEqual([422, 'email_missing'])
  expect(await send('email\n', { mapping: { email: 'shoe_size' } })).toEqual([422, 'unknown_field'])
  expect(await send('email\n', { list_id: newId() })).toEqual([404, 'not_found'])
  expect((await app.as('victor').post('/contacts/import', ...form('email\n'))).status).toBe(403)
  expect((await maria.post('/contacts/import', { upload_id: newId() })).status).toBe(404)
})

test('UTF-16 is read, and a byte that does not fit the chosen encoding fails its row', async () => {
  await using app = await start()
  const wide = Buffer.from('\ufeffemail,first_name\r\nș@example.com,Ștefan\r\n', 'utf16le')
  expect(await importFile(app, app.as('maria'), wide)).toMatchObject({ encoding: 'utf-16le', created: 1 })
  const mixed = Buffer.concat([
    Buffer.from('email,first_name\na@example.com,Zo'),
    Buffer.from([0xe9]),
    Buffer.from('\nb@example.com,B\n'),
  ])
  const told = await importFile(app, app.as('maria'), mixed, { encoding: 'utf-8' })
  expect(told).toMatchObject({ created: 1, failed: 1 })
})

test('a no stays a no, whatever the importer declares', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await importFile(app, maria, 'email,status\ngone@example.com,unsubscribed\nopen@example.com,\n')
  await app.inTx((tx) => suppress(tx, app.app.runtime, ['never@example.com'], 'manual'))
  const consent = { newsletter: true, source: 'Trade fair 2026', wording: 'Yes, write to me.' }
  const csv = 'email\ngone@example.com\nopen@example.com\nnew@example.com\nNever@example.com\n'
  expect(await importFile(app, maria, csv, { duplicates: 'merge', consent })).toMatchObject({
    created: 2,
    merged: 1,
    skipped: 1,
  })
  const contacts = (await maria.get('/contacts?sort=email')).body.data
  expect(contacts.map((contact: Record<string, unknown>) => [contact.email, contact.newsletter_subscribed])).toEqual([
    ['gone@example.com', false],
    ['Never@example.com', false],
    ['new@example.com', true],
    ['open@example.com', true],
  ])
  const ledger = await app.inTx((tx) =>
    sql<{ email: string; decision: string; wording: string; evidence: object }>`
      select c.email, k.decision, k.wording, k.evidence from contacts.consents k join contacts.contacts c on c.id = k.contact_id
      where k.purpose = 'newsletter' order by c.email`.execute(tx.sql),
  )
  expect(ledger.rows.map(({ email, decision, wording }) => [email, decision, wording])).toEqual([
    ['gone@example.com', 'withdrawn', ''],
    ['new@example.com', 'granted', 'Yes, write to me.'],
    ['open@example.com', 'granted', 'Yes, write to me.'],
  ])
  expect(ledger.rows[1]!.evidence).toMatchObject({ declared_source: 'Trade fair 2026', line: 4 })
  // Nobody is subscribed a second time, nor told of again.
  expect(await importFile(app, maria, csv, { duplicates: 'merge', consent })).toMatchObject({ skipped: 4 })
})

test('an undo takes back what the import did, and leaves alone whom somebody worked with since', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const list = (await maria.post('/lists', { name: 'Everybody' })).body
  await importFile(app, maria, 'email,company,notes\nold@example.com,Before,first\nkept@example.com,Before,\n')
  const csv =
    'email,company,notes,tags\nold@example.com,After,second,vip\nkept@example.com,After,,vip\na@example.com,A,,vip\nb@example.com,B,,vip\n'
  const done = await importFile(app, maria, csv, { duplicates: 'update', list_id: list.id })
  expect(done).toMatchObject({ created: 2, updated: 2 })
  const touched = (await maria.get('/contacts?search=b@example.com')).body.data[0]
  await maria.patch(`/contacts/${touched.id}`, { company: 'Touched' })
  const kept = (await maria.get('/contacts?search=kept')).body.data[0]
  await maria.patch(`/contacts/${kept.id}`, { company: 'Mine' })

  const undo = await maria.post(`/contacts/imports/${done.id}/undo`)
  expect(undo.status).toBe(202)
  await app.drain()
  expect((await maria.get(`/jobs/${undo.body.id}`)).body.result).toMatchObject({ removed: 1, restored: 1, kept: 2 })
  expect((await maria.get(`/contacts/imports/${done.id}`)).body.status).toBe('undone')
  const left = (await maria.get('/contacts?sort=email')).body.data
  expect(
    left.map((contact: Record<string, unknown>) => [contact.email, contact.company, contact.notes, contact.tags]),
  ).toEqual([
    ['b@example.com', 'Touched', '', ['vip']],
    ['kept@example.com', 'Mine', '', []],
    ['old@example.com', 'Before', 'first', []],
  ])
  expect((await maria.get(`/lists/${list.id}`)).body.contact_count).toBe(1)
  // The same undo again is the same job.
  expect((await maria.post(`/contacts/imports/${done.id}/undo`)).body.id).toBe(undo.body.id)
})

/** Thirteen thousand rows are three batches; a hundred in each thousand cannot be read. */
function manyRows(): string {
  const rows = Array.from({ length: 13_000 }, (_, index) =>
    index % 10 ? `p${index}@example.com,P${index},vip` : `wrong${index},,`,
  )
  return ['email,first_name,tags', ...rows].join('\n')
}

/** Lets something happen whenever more than 200 kB of a file were read, until the answer is called. */
function whenRead(app: TestApp, happen: () => Promise<void>): () => void {
  const { files } = app.app.runtime
  const get = files.get.bind(files)
  files.get = async (key) => {
    const source = await get(key)
    async function* interrupted(): AsyncGenerator<Buffer> {
      let read = 0
      for await (const chunk of source as AsyncIterable<Buffer>) {
        yield chunk
        read += chunk.length
        if (read > 200_000) await happen()
      }
    }
    return Readable.from(interrupted(), { objectMode: false })
  }
  return () => void (files.get = get)
}

test('an import that dies in the middle goes on where it was: no row lost, none twice', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const preview = (await maria.post('/contacts/import/preview', ...form(manyRows()))).body
  const { body: job } = await maria.post('/contacts/import', { upload_id: preview.upload_id, tags: ['fair'] })
  const comeBack = whenRead(app, async () => {
    throw new Error('the disk went away')
  })
  await app.drain()
  const halfway = (await maria.get(`/contacts/imports/${job.import_id}`)).body
  expect(halfway.status).toBe('queued')
  expect(halfway.rows).toBeGreaterThan(0)
  expect(halfway.rows).toBeLessThan(13_000)
  expect(halfway.created + halfway.failed).toBe(halfway.rows)

  comeBack()
  await retryNow(app)
  expect((await maria.get(`/contacts/imports/${job.import_id}`)).body).toMatchObject({
    status: 'succeeded',
    rows: 13_000,
    created: 11_700,
    failed: 1_300,
    skipped: 0,
  })
  expect((await maria.get('/contacts?count=exact')).body.total).toBe(11_700)
  const lines = (await maria.get(`/contacts/imports/${job.import_id}/errors`)).text.trim().split('\r\n')
  expect(lines).toHaveLength(1_301)
  expect(new Set(lines.slice(1).map((line) => line.split(',')[3])).size).toBe(1_300)
})

test('a canceled import keeps what it has done, counts it, and can be undone', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const { body: job } = await maria.post('/contacts/import', ...form(manyRows(), { mapping: { email: 'email' } }))
  const rowsDone = async (): Promise<number> => (await maria.get(`/contacts/imports/${job.import_id}`)).body.rows
  whenRead(app, async () => {
    while ((await rowsDone()) === 0); // the first batch is on its way while the file is read
    await maria.post(`/contacts/imports/${job.import_id}/cancel`)
  })
  await app.drain()
  const canceled = (await maria.get(`/contacts/imports/${job.import_id}`)).body
  expect(canceled.status).toBe('canceled')
  expect(canceled.rows).toBe(5_000)
  expect((await maria.get('/contacts?count=exact')).body.total).toBe(canceled.created)
  await maria.post(`/contacts/imports/${job.import_id}/undo`)
  await app.drain()
  expect((await maria.get('/contacts')).body.total).toBe(0)
})

/** The queue waits a second before it tries again; a test does not. */
async function retryNow(app: TestApp): Promise<void> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query(`update pgboss.job set start_after = now() where state = 'retry'`)
  await owner.end()
  await app.drain()
}

test('another workspace sees no import, and its file cannot be imported there', async () => {
  await using app = await start()
  const preview = (await app.as('maria').post('/contacts/import/preview', ...form('email\na@example.com\n'))).body
  const done = await importFile(app, app.as('maria'), 'email\na@example.com\n')
  expect((await app.stranger.get(`/contacts/imports/${done.id}`)).status).toBe(404)
  expect((await app.stranger.get(`/contacts/imports/${done.id}/errors`)).status).toBe(404)
  expect((await app.stranger.post('/contacts/import', { upload_id: preview.upload_id })).status).toBe(404)
})

type Person = { company: string | null; notes: string; tags: Set<string> }

/** The rules one row at a time, as somebody would explain them. */
function naive(people: Map<string, Person>, rows: string[][], duplicates: string) {
  const counts = { rows: 0, created: 0, updated: 0, merged: 0, skipped: 0, failed: 0 }
  for (const [email, company, notes, tags] of rows as [string, string, string, string][]) {
    if (!email && !company && !notes && !tags) continue
    counts.rows++
    const key = email.toLowerCase()
    const names = tags.split('|').filter(Boolean)
    const known = people.get(key)
    if (!/^[a-z]@example\.com$/.test(key)) counts.failed++
    else if (!known) {
      people.set(key, { company: company || null, notes, tags: new Set(names) })
      counts.created++
    } else if (duplicates === 'skip') counts.skipped++
    else {
      const before = JSON.stringify([known.company, known.notes, known.tags.size])
      if (duplicates === 'update') {
        known.company = company || known.company
        known.notes = notes || known.notes
      } else {
        known.company ??= company || null
        if (!known.notes.includes(notes)) known.notes += (known.notes && '\n') + notes
      }
      for (const name of names) known.tags.add(name)
      const changed = before !== JSON.stringify([known.company, known.notes, known.tags.size])
      counts[changed ? (duplicates === 'update' ? 'updated' : 'merged') : 'skipped']++
    }
  }
  return counts
}

test('any file in any mode does what the rules say row by row, and its counts add up', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const row = fc.tuple(
    fc.constantFrom('a@example.com', 'A@example.com', 'b@example.com', 'c@example.com', 'd@example.com', 'wrong', ''),
    fc.constantFrom('', 'One', 'Two'),
    fc.constantFrom('', 'note', 'word'),
    fc.constantFrom('', 'red', 'red|blue'),
  )
  const step = fc.record({
    rows: fc.array(row, { minLength: 1, maxLength: 25 }),
    duplicates: fc.constantFrom('skip', 'update', 'merge'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 3 }), async (steps) => {
      await app.inTx((tx) => sql`delete from contacts.contacts`.execute(tx.sql))
      const people = new Map<string, Person>()
      for (const { rows, duplicates } of steps) {
        const csv = ['email,company,notes,tags', ...rows.map((cells) => cells.join(','))].join('\n')
        const expected = naive(people, rows, duplicates)
        expect(await importFile(app, maria, csv, { duplicates })).toMatchObject(expected)
      }
      const found = (await maria.get('/contacts?sort=email')).body.data.map((contact: TestReply['body']) => [
        contact.email.toLowerCase(),
        { company: contact.company, notes: contact.notes, tags: new Set(contact.tags) },
      ])
      expect(new Map(found)).toEqual(people)
    }),
    { numRuns: 25 },
  )
}, 120_000)
