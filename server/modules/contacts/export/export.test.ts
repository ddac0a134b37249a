/** Exports through their doors: what is in the file, who may take it, what is written down. */
import { parse } from 'csv-parse/sync'
import { readXlsx } from 'hucre/xlsx'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { nobody } from '#platform/privacy/personal-data.ts'
import { start, tokenOf, type TestApp, type TestReply } from '#testing/start.ts'
import { personalData } from '../personal-data.ts'
import { exportsRoom } from './exports.ts'

const ana = {
  email: 'ana@example.com',
  first_name: 'Ana',
  last_name: '=1+1',
  phone: '+33 6 12 34 56 78',
  company: 'Moulin; "Fils", SARL',
  notes: 'line one\nline two',
  tags: ['vip', 'paris'],
  custom_fields: { shoe: 42, colour: 'blue' },
  newsletter_subscribed: true,
}
const bob = { email: 'bob@example.com', first_name: 'Bob' }

test('CSV has the columns of document 5, and nothing that a spreadsheet would compute', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await maria.post('/contacts', ana)
  const reply = await maria.get('/contacts/export')
  expect(reply.headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': expect.stringMatching(/^attachment; filename="contacts-\d{4}-\d\d-\d\d\.csv"/),
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
  })
  const [header, row] = parse(reply.text, { bom: true }) as string[][]
  expect(header!.join(', ')).toBe(
    'First Name, Last Name, Email, Phone, Company, Job Title, Notes, Tags, Total Bookings, Last Booking Date',
  )
  expect(row!.toSpliced(7, 1)).toEqual(['Ana', "'=1+1", ana.email, ana.phone, ana.company, '', ana.notes, '0', ''])
  expect(row![7]!.split(', ').toSorted()).toEqual(['paris', 'vip'])
  const raw = parse((await maria.get('/contacts/export?safe=false&headers=names')).text, { bom: true }) as string[][]
  expect([raw[0]![1], raw[1]![1]]).toEqual(['last_name', '=1+1'])
})

test('the parameters of the list choose who is in it, and in which order', async () => {
  await using app = await start()
  const maria = app.as('maria')
  for (const contact of [ana, bob, { ...bob, email: 'zoe@example.com', tags: ['vip'] }])
    await maria.post('/contacts', contact)
  const emails = async (query: string) =>
    (await maria.get(`/contacts/export?format=json&fields=email&${query}`)).body.map(
      (row: { email: string }) => row.email,
    )
  expect(await emails('sort=-email')).toEqual(['zoe@example.com', 'bob@example.com', 'ana@example.com'])
  expect(await emails('tags=vip&sort=email')).toEqual(['ana@example.com', 'zoe@example.com'])
  expect(await emails('search=bob@')).toEqual(['bob@example.com'])
  expect(await emails('search=nobody')).toEqual([])
  const refused = await maria.get('/contacts/export?fields=email,shoe_size')
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/fields/1', code: 'unknown_field' }] } })
  expect((await maria.get('/contacts/export?sort=shoe')).status).toBe(422)
  expect((await maria.get('/contacts/export?format=pdf')).status).toBe(422)
  expect((await maria.get('/contacts/export?unknown=1')).status).toBe(422)
})

test('every field can be had: lists, consent with its date, custom fields, in JSON as in the API', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const list = (await maria.post('/lists', { name: 'Fair, 2026' })).body
  const made = (await maria.post('/contacts', { ...ana, lists: [list.id] })).body
  const [whole] = (await maria.get('/contacts/export?format=json')).body as unknown as TestReply['body'][]
  const { updated_at: _touched, ...shown } = (await maria.get('/contacts')).body.data[0]
  expect(whole).toMatchObject({ ...shown, newsletter_consent: 'granted', marketing_consent: null })
  expect(Date.parse(whole!.newsletter_consent_at)).toBeGreaterThan(0)
  expect(whole!.id).toBe(made.id)
  const all = parse((await maria.get('/contacts/export?fields=*')).text, {
    bom: true,
    columns: true,
  }) as TestReply['body'][]
  expect(all[0]).toMatchObject({ shoe: '42', colour: 'blue', Lists: '["Fair, 2026"]', Newsletter: 'yes' })
  const chosen = await maria.get('/contacts/export?fields=custom_fields.shoe,lifetime_value,lists&format=json')
  expect(chosen.body).toEqual([
    { 'custom_fields.shoe': 42, lifetime_value: '0.00', lists: [{ id: list.id, name: 'Fair, 2026' }] },
  ])
})

test('XLSX keeps text as text', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await maria.post('/contacts', ana)
  const reply = await download(app, '/contacts/export?format=xlsx&fields=last_name,phone,total_bookings,created_at')
  const { sheets } = await readXlsx(reply)
  expect(sheets[0]!.rows[0]).toEqual(['Last Name', 'Phone', 'Total Bookings', 'Created At'])
  expect(sheets[0]!.rows[1]!.slice(0, 3)).toEqual(['=1+1', ana.phone, 0])
  expect(sheets[0]!.rows[1]![3]).toBeInstanceOf(Date)
})

test('a list is exported as document 1 asks', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const list = (await maria.post('/lists', { name: 'Fair' })).body
  await maria.post('/contacts', { ...ana, lists: [list.id] })
  await maria.post('/contacts', bob)
  const rows = parse((await maria.get(`/lists/${list.id}/export`)).text, { bom: true }) as string[][]
  expect(rows.map((row) => row[2])).toEqual(['Email', ana.email])
  const { sheets } = await readXlsx(await download(app, `/lists/${list.id}/export?format=xlsx`))
  expect(sheets[0]!.rows.length).toBe(2)
  expect((await app.stranger.get(`/lists/${list.id}/export`)).status).toBe(404)
  expect((await maria.get('/contacts/exports')).body.data.map((row: TestReply['body']) => row.list_id)).toEqual([
    list.id,
    list.id,
  ])
})

test('who took what is written down, downloads and files alike', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await maria.post('/contacts', ana)
  await maria.post('/contacts', bob)
  const { text } = await maria.get('/contacts/export?search=ana')
  const [entry] = (await maria.get('/contacts/exports')).body.data
  expect(entry).toMatchObject({
    delivery: 'download',
    format: 'csv',
    status: 'succeeded',
    rows: 1,
    size_bytes: Buffer.byteLength(text),
    request: { format: 'csv', filter: { search: 'ana' } },
    created_by: app.world.people.maria.id,
    created_by_name: 'Maria',
    download_url: null,
  })
  await app.drainEvents()
  const begun = await maria.post('/contacts/exports', { format: 'json', fields: ['email'], sort: 'email' })
  expect(begun).toMatchObject({ status: 202, body: { kind: 'contacts.export', progress: { total: 2 } } })
  expect((await maria.get(`/contacts/exports/${begun.body.export_id}`)).body).toMatchObject({ status: 'queued' })
  expect(await app.drainEvents()).toEqual(['contact.exported'])
  const done = (await maria.get(`/contacts/exports/${begun.body.export_id}`)).body
  expect(done).toMatchObject({ status: 'succeeded', rows: 2, delivery: 'file', job_id: begun.body.id })
  const file = await app.anonymous.get(`/${new URL(done.download_url).pathname}`)
  expect(JSON.parse(file.text)).toEqual([{ email: ana.email }, { email: bob.email }])
  expect(file.headers['content-disposition']).toContain('.json')
  expect((await maria.get('/contacts/exports?limit=1')).body.data).toMatchObject([{ id: done.id }])
  expect((await maria.get('/contacts/exports?format=csv')).body.data).toMatchObject([{ id: entry.id }])
})

test('a file is deleted by hand, by time, and when somebody in it is erased; its entry stays', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const { id: contactId } = (await maria.post('/contacts', ana)).body
  const make = async () => {
    const { body } = await maria.post('/contacts/exports', { format: 'csv' })
    await app.drain()
    return (await maria.get(`/contacts/exports/${body.export_id}`)).body
  }
  const isThere = async (url: string) => (await app.anonymous.get(`/${new URL(url).pathname}`)).status === 200
  const [first, second, third] = [await make(), await make(), await make()]
  expect(await isThere(first.download_url)).toBe(true)
  expect((await maria.delete(`/contacts/exports/${first.id}`)).status).toBe(200)
  await app.inTx((tx) =>
    sql`update contacts.exports set expires_at = now() - interval '1 minute' where id = ${second.id}`.execute(tx.sql),
  )
  await exportsRoom.forgetExports(app.app.runtime, app.world.workspaceId)
  expect(await Promise.all([first, second, third].map((one) => isThere(one.download_url)))).toEqual([
    false,
    false,
    true,
  ])
  await app.inTx((tx) => personalData.erase(tx, { ...nobody(), contactIds: [contactId] }, app.app.runtime))
  expect((await maria.get(`/contacts/exports/${third.id}`)).body).toMatchObject({
    status: 'expired',
    download_url: null,
  })
  await exportsRoom.forgetExports(app.app.runtime, app.world.workspaceId)
  expect(await isThere(third.download_url)).toBe(false)
  const left = (await maria.get('/contacts/exports')).body.data.map((row: TestReply['body']) => [row.id, row.status])
  expect(left).toEqual([
    [third.id, 'expired'],
    [second.id, 'expired'],
    [first.id, 'deleted'],
  ])
})

test('an export that is canceled or deleted while it waits makes no file', async () => {
  await using app = await start()
  const maria = app.as('maria')
  await maria.post('/contacts', ana)
  const one = (await maria.post('/contacts/exports', { format: 'csv' })).body
  await maria.post(`/jobs/${one.id}/cancel`)
  const two = (await maria.post('/contacts/exports', { format: 'csv' })).body
  await maria.delete(`/contacts/exports/${two.export_id}`)
  await app.drainEvents()
  expect((await maria.get(`/contacts/exports/${one.export_id}`)).body).toMatchObject({ status: 'canceled' })
  expect((await maria.get(`/contacts/exports/${two.export_id}`)).body).toMatchObject({ status: 'deleted' })
  const files: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/exports`)) files.push(key)
  expect(files).toEqual([])
})

test('whoever leaves, or may export no more, gets no file of what they asked for before', async () => {
  await using app = await start()
  const [anna, maria] = [app.as('anna'), app.as('maria')]
  await maria.post('/contacts', ana)
  const member = `/members/${app.world.people.maria.id}`
  const leavings = [() => anna.patch(member, { role: 'viewer' }), () => anna.delete(member)]
  for (const leave of leavings) {
    const asked = (await maria.post('/contacts/exports', { format: 'csv' })).body
    expect((await leave()).status).toBeLessThan(300)
    await app.drain()
    const ended = (await anna.get(`/contacts/exports/${asked.export_id}`)).body
    expect(ended).toMatchObject({ status: 'failed', rows: 0, error: expect.stringMatching(/no contacts any more/) })
    await anna.patch(member, { role: 'marketer' })
  }
  const files: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/exports`)) files.push(key)
  expect(files).toEqual([])
})

test('a chosen few, and the bulk action of admins, end in the same job', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const { id } = (await maria.post('/contacts', ana)).body
  await maria.post('/contacts', bob)
  const few = await maria.post('/contacts/exports', { format: 'csv', contact_ids: [id] })
  expect(few.body.progress.total).toBe(1)
  const both = { format: 'csv', contact_ids: [id], filter: { search: 'x' } }
  expect((await maria.post('/contacts/exports', both)).body.errors[0].pointer).toBe('/contact_ids')
  const bad = await maria.post('/contacts/exports', { format: 'csv', fields: ['email', 'nope'] })
  expect(bad).toMatchObject({ status: 422, body: { errors: [{ pointer: '/fields/1' }] } })
  const bulk = { action: 'export', filter: { search: 'bob' }, params: { format: 'xlsx', fields: ['email'] } }
  expect((await maria.post('/contacts/bulk-action', bulk)).status).toBe(403)
  expect((await app.as('adrian').post('/contacts/bulk-action', { ...bulk, dry_run: true })).body.matched).toBe(1)
  const job = await app.as('adrian').post('/contacts/bulk-action', bulk)
  expect(job).toMatchObject({ status: 202, body: { kind: 'contacts.export' } })
  await app.drain()
  const { result } = (await maria.get(`/jobs/${job.body.id}`)).body
  expect((await maria.get(`/contacts/exports/${result.export_id}`)).body).toMatchObject({ rows: 1, format: 'xlsx' })
})

test('only who may export does, and nobody sees another workspace’s', async () => {
  await using app = await start()
  await app.as('maria').post('/contacts', ana)
  const made = (await app.as('maria').post('/contacts/exports', { format: 'csv' })).body
  await app.drain()
  for (const person of ['agnes', 'victor'] as const) {
    expect((await app.as(person).get('/contacts/export')).status).toBe(403)
    expect((await app.as(person).get('/contacts/exports')).status).toBe(403)
    expect((await app.as(person).post('/contacts/exports', { format: 'csv' })).status).toBe(403)
    expect((await app.as(person).get(`/contacts/exports/${made.export_id}`)).status).toBe(403)
  }
  expect((await app.anonymous.get('/contacts/export')).status).toBe(401)
  expect((await app.stranger.get(`/contacts/exports/${made.export_id}`)).status).toBe(404)
  expect((await app.stranger.delete(`/contacts/exports/${made.export_id}`)).status).toBe(404)
  expect((await app.stranger.get('/contacts/export?format=json')).body).toEqual([])
  expect((await app.stranger.get('/contacts/exports')).body.data).toHaveLength(1) // its own
})

test('vCards are folded, escaped and whole', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const notes = `Zoé, ${'très '.repeat(30)}🥧\nsecond; line`
  await maria.post('/contacts', {
    ...ana,
    last_name: 'de la Cruz; Sr',
    notes,
    gender: 'female',
    timezone: 'Europe/Paris',
  })
  const { text } = await maria.get('/contacts/export?format=vcard')
  expect(Math.max(...text.split('\r\n').map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(75)
  const lines = text.replaceAll('\r\n ', '').trimEnd().split('\r\n')
  expect(lines).toEqual([
    'BEGIN:VCARD',
    'VERSION:4.0',
    expect.stringMatching(/^UID:urn:uuid:[0-9a-f-]{36}$/),
    'FN:Ana de la Cruz\\; Sr',
    'N:de la Cruz\\; Sr;Ana;;;',
    'EMAIL:ana@example.com',
    'TEL;VALUE=text:+33 6 12 34 56 78',
    'ORG:Moulin\\; "Fils"\\, SARL',
    expect.stringMatching(/^LANG:/),
    'GENDER:F',
    'TZ:Europe/Paris',
    `NOTE:${notes.replace(',', '\\,').replace(';', '\\;').replace('\n', '\\n')}`,
    expect.stringMatching(/^CATEGORIES:(vip,paris|paris,vip)$/),
    expect.stringMatching(/^REV:\d{8}T\d{6}Z$/),
    'END:VCARD',
  ])
  const three = (await maria.get('/contacts/export?format=vcard&version=3')).text
  expect(three).toContain('VERSION:3.0\r\n')
  expect(three).not.toContain('GENDER')
})

test('a client that goes away stops the reading, and the history says so', async () => {
  await using app = await start()
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, notes)
      select ${tx.workspaceId}, gen_random_uuid(), 'p' || n || '@example.com', repeat('n', 15000) from generate_series(1, 4000) n`.execute(
      tx.sql,
    ),
  )
  const address = await app.app.http.listen({ port: 0, host: '127.0.0.1' })
  const token = await tokenOf(app.world.people.maria, app.world.workspaceId)
  const leaving = new AbortController()
  const reply = await fetch(`${address}/api/v1/contacts/export?format=json`, {
    headers: { authorization: `Bearer ${token}` },
    signal: leaving.signal,
  })
  const first = await reply.body!.getReader().read()
  expect(first.value!.length).toBeGreaterThan(0)
  leaving.abort()
  const entry = async () => (await app.as('maria').get('/contacts/exports')).body.data[0]
  await expect.poll(async () => (await entry()).status, { timeout: 10_000 }).toBe('canceled')
  expect((await entry()).rows).toBeLessThan(4_000)
})

/** The bytes of a file: the test client reads replies as text. */
async function download(app: TestApp, address: string): Promise<Buffer> {
  const token = await tokenOf(app.world.people.maria, app.world.workspaceId)
  const reply = await app.app.http.inject({ url: `/api/v1${address}`, headers: { authorization: `Bearer ${token}` } })
  expect(reply.statusCode).toBe(200)
  return reply.rawPayload
}
