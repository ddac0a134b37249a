// T27: a person who has been everywhere is erased, and then nowhere. The whole database and all files are searched.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'

const userId = newId()
const person = {
  full_name: 'Zenobia Wintermute-Quill',
  email: 'Zenobia.Quill@Traces.example',
  phone: '+33 6 12 34 98 76',
  gender: 'female',
  user_id: userId,
}
/** What nobody may find any more; the user's id too, because others know the person by it. */
const words = ['zenobia', 'wintermute', 'quill', '+33 6 12 34 98 76', '+33612349876', userId]

test('after an erasure, nothing in the database or the files leads to the person', { timeout: 60_000 }, async () => {
  await using app = await start()
  const id = await live(app)
  const before = await findAll(app)
  expect(before).toEqual(
    expect.arrayContaining([
      'platform.outbox',
      'platform.jobs',
      'contacts.contacts',
      expect.stringMatching(/^contacts_parts\.interactions_/),
      'contacts.import_errors',
      'communication.deliveries',
      'communication.sandbox_messages',
      expect.stringMatching(/^file .*imports/),
      expect.stringMatching(/^file .*privacy/),
    ]),
  )
  await app.drainEvents()
  const reply = await app.as('adrian').post('/gdpr/delete', { user_id: userId, business_id: app.world.workspaceId })
  expect(reply.status, reply.text).toBe(202)
  expect(reply.headers.location).toBe(`/api/v1/jobs/${reply.body.id}`)
  expect(await app.drainEvents()).toEqual(
    expect.arrayContaining(['contact.erased', 'contact.deleted', 'customer.deleted']),
  )
  const job = (await app.as('adrian').get(`/jobs/${reply.body.id}`)).body
  expect(job.status, job.error).toBe('succeeded')
  expect(job.result.rows).toMatchObject({
    'contacts.contacts': 3,
    'contacts.avatars': 1,
    'contacts.import_errors': 1,
    'contacts.import_uploads': 1,
    'communication.deliveries': 1,
    'privacy.requests': 1,
  })
  expect(await findAll(app)).toEqual([])
  expect(await filesNaming(app, id)).toEqual([])
  expect((await app.as('anna').get(`/contacts/${id}?deleted=true`)).status).toBe(404)

  // The others are as they were, and the campaign's figures too.
  expect((await app.as('anna').get('/contacts?search=bystander')).body.data).toMatchObject([
    { first_name: 'Bystander', tags: ['guests'] },
  ])
  const [campaign] = (await app.as('anna').get('/communication/campaigns')).body.data
  const { body } = await app.as('anna').get(`/communication/campaigns/${campaign.id}`)
  expect(body.counts).toMatchObject({ total: 2, sent: 1, skipped: 1 })
})

test('nobody writes to the person again, and whoever asks again is told of the first time', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const adrian = app.as('adrian')
  const { body: made } = await maria.post('/customers', { ...person, user_id: userId })
  const first = await adrian.post('/gdpr/delete', { user_id: userId })
  await app.drain()
  for (const body of [{ user_id: userId }, { email: person.email.toLowerCase() }, { contact_id: made.id }]) {
    const again = await adrian.post('/gdpr/delete', body)
    expect([again.status, again.body.request_id]).toEqual([202, first.body.request_id])
  }
  expect((await adrian.get('/gdpr/requests')).body.total).toBe(1)
  // The address comes back by an import or by hand: the record is new, and gets no mail.
  const again = await maria.post('/contacts', {
    email: person.email,
    first_name: 'Z',
    newsletter_subscribed: true,
    marketing_subscribed: true,
  })
  const list = await maria.post('/lists', { name: 'All' })
  await maria.post(`/lists/${list.body.id}/contacts`, { contact_ids: [again.body.id] })
  const campaign = await maria.post('/communication/campaigns', {
    name: 'C',
    target_audience: { list_ids: [list.body.id] },
    channels: [{ type: 'email', config: { subject: 'Hello' }, content_template: '<p>Hi {{unsubscribe_url}}</p>' }],
  })
  await maria.post(`/communication/campaigns/${campaign.body.id}/launch`)
  await app.drain()
  expect(app.mails()).toEqual([])
  // And that record can be erased as well.
  const second = await adrian.post('/gdpr/delete', { contact_id: again.body.id })
  expect([second.status, second.body.request_id === first.body.request_id]).toEqual([202, false])
})

test('an address that is no contact is forgotten too; a user whom nobody knows is not there', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  await adrian.post('/events', {
    id: newId(),
    event: 'newsletter.seen',
    timestamp: new Date().toISOString(),
    data: { email: 'Loose.End@traces.example', note: 'also a word' },
  })
  await app.drain()
  expect(await findAll(app, ['loose.end'])).toEqual(['platform.outbox'])
  expect((await adrian.post('/gdpr/delete', { user_id: newId() })).status).toBe(404)
  expect((await adrian.post('/gdpr/delete', { contact_id: newId() })).status).toBe(404)
  expect((await adrian.post('/gdpr/delete', { email: 'loose.end@traces.example' })).status).toBe(202)
  await app.drain()
  expect(await findAll(app, ['loose.end', 'also a word'])).toEqual([])
})

test('a preview counts what an erasure would do, and does nothing', async () => {
  await using app = await start()
  const { body } = await app.as('maria').post('/customers', person)
  await app.as('maria').post(`/customers/${body.id}/tags`, { label: 'VIP' })
  await app.drainEvents()
  const reply = await app.as('adrian').post('/gdpr/delete', { contact_id: body.id, preview: true })
  expect(reply.status).toBe(200)
  expect(reply.body).toMatchObject({ preview: true, contacts: 1, files: 0 })
  expect(reply.body.rows).toMatchObject({ 'contacts.contacts': 1, 'contacts.contact_tags': 1 })
  expect(await app.drainEvents()).toEqual([])
  expect((await app.as('maria').get(`/customers/${body.id}`)).body).toMatchObject({ email: person.email })
  await app.as('adrian').post('/gdpr/delete', { contact_id: body.id })
  await app.drain()
  const [request] = (await app.as('adrian').get('/gdpr/requests?kind=delete')).body.data
  expect(request.report.rows['contacts.contacts']).toBe(reply.body.rows['contacts.contacts'])
})

test('a worker that dies between the rows and the files is followed by one that goes on', async () => {
  await using app = await start()
  const { body } = await app.as('maria').post('/customers', person)
  await upload(app, `/customers/${body.id}/avatar`, await picture())
  const { files } = app.app.runtime
  const real = files.delete
  let broken = 1
  files.delete = async (key) => {
    if (broken-- > 0) throw new Error('the disk is away')
    return real(key)
  }
  const reply = await app.as('adrian').post('/gdpr/delete', { contact_id: body.id })
  await app.drain()
  const status = async () => (await app.as('adrian').get(`/jobs/${reply.body.id}`)).body
  if ((await status()).status === 'queued') {
    // The queue waits before it tries again; a person need not.
    await app.inTx((tx) => tx.rawQuery("update platform.jobs set status = 'failed' where kind = 'privacy.delete'"))
    await app.as('adrian').post(`/jobs/${reply.body.id}/retry`)
    await app.drain()
  }
  expect(await status()).toMatchObject({ status: 'succeeded', result: { rows: { 'contacts.contacts': 1 }, files: 2 } })
  expect(await filesNaming(app, body.id)).toEqual([])
})

describe('who may', () => {
  test.each(['maria', 'agnes', 'victor'] as const)('%s may not', async (name) => {
    await using app = await start()
    for (const [method, address] of [
      ['POST', '/gdpr/export'],
      ['POST', '/gdpr/delete'],
      ['GET', '/gdpr/requests'],
      ['GET', `/gdpr/requests/${newId()}`],
      ['GET', '/gdpr/audit'],
      ['GET', '/gdpr/audit/verification'],
    ] as const) {
      expect((await app.as(name).request(method, address)).status).toBe(403)
      expect((await app.anonymous.request(method, address)).status).toBe(401)
    }
  })

  test('a stranger finds nobody here, and erases nobody', async () => {
    await using app = await start()
    const { body } = await app.as('maria').post('/customers', person)
    for (const subject of [{ user_id: userId }, { contact_id: body.id }]) {
      expect((await app.stranger.post('/gdpr/export', subject)).status).toBe(404)
      expect((await app.stranger.post('/gdpr/delete', subject)).status).toBe(404)
    }
    const business = { user_id: userId, business_id: app.world.workspaceId }
    expect((await app.stranger.post('/gdpr/delete', business)).status).toBe(422)
    expect((await app.stranger.post('/gdpr/delete', { email: person.email })).status).toBe(202)
    await app.drain()
    expect((await app.as('maria').get(`/customers/${body.id}`)).status).toBe(200)
    const { body: requests } = await app.as('adrian').get('/gdpr/requests')
    expect([requests.data, requests.total]).toEqual([[], 0])
  })

  test.each([
    [{}, '/user_id', 'required'],
    [{ user_id: newId(), email: 'a@b.example' }, '/user_id', 'ambiguous'],
    [{ user_id: 'x' }, '/user_id', 'format'],
    [{ email: 'x' }, '/email', 'format'],
    [{ user_id: newId(), business_id: newId() }, '/business_id', 'not_found'],
    [{ user_id: newId(), reason: 'x' }, '/reason', 'unknown_field'],
  ])('%j is no request', async (body, pointer, code) => {
    await using app = await start()
    for (const address of ['/gdpr/export', '/gdpr/delete']) {
      const reply = await app.as('adrian').post(address, body)
      expect([reply.status, reply.body.errors?.[0]]).toMatchObject([422, { pointer, code }])
    }
  })
})

/** A life with us: record, duplicate, deleted record, picture, notes, import, form, campaign, events, searches, a copy. */
async function live(app: TestApp): Promise<string> {
  const maria = app.as('maria')
  const { body } = await maria.post('/customers', person)
  const id: string = body.id
  await upload(app, `/customers/${id}/avatar`, await picture())
  await maria.post(`/customers/${id}/notes`, { content: 'Zenobia likes the window table.' })
  await maria.post(`/customers/${id}/tags`, { label: 'guests' })
  await maria.post('/contacts', { email: 'by@stander.example', first_name: 'Bystander', tags: ['guests'] })
  await maria.patch(`/contacts/${id}`, {
    company: 'Quill & Daughters',
    notes: 'Ask Zenobia.',
    marketing_subscribed: true,
  })
  // The same user under an older address, and a deleted record of the same address.
  await maria.post('/customers', { full_name: 'Z. Quill', email: 'old.quill@traces.example', user_id: userId })
  const gone = await maria.post('/customers', { full_name: 'Gone Quill', email: 'gone@traces.example' })
  await maria.delete(`/customers/${gone.body.id}`)
  await app.inTx((tx) =>
    tx.rawQuery('update contacts.contacts set email = $1 where id = $2', [person.email.toLowerCase(), gone.body.id]),
  )
  const csv = `email,first_name,phone\nnot an address;${person.email},Zenobia,\nother@traces.example,Other,\n`
  const file = `--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n${csv}\r\n--x--\r\n`
  expect(
    (await maria.post('/contacts/import', file, { 'content-type': 'multipart/form-data; boundary=x' })).status,
  ).toBe(202)
  await app.anonymous.post('/public/subscribe?workspace=moulin', {
    email: person.email,
    first_name: 'Zenobia',
    newsletter: true,
  })
  await app.drain()
  const campaign = await maria.post('/communication/campaigns', {
    name: 'C',
    target_audience: { tags: ['guests'] },
    channels: [
      {
        type: 'email',
        config: { subject: 'Hello {{contact.first_name}}' },
        content_template: '<p>Hi {{contact.full_name}} {{unsubscribe_url}}</p>',
      },
    ],
  })
  await maria.post(`/contacts/${id}/subscribe`, { type: 'marketing' })
  const launched = await maria.post(`/communication/campaigns/${campaign.body.id}/launch`)
  expect(launched.status, launched.text).toBeLessThan(300)
  const order = {
    order_id: 'A-1',
    user_id: userId,
    email: person.email,
    customer_name: person.full_name,
    total: '12.50',
  }
  await app.as('adrian').post('/events', {
    id: newId(),
    event: 'order.noticed',
    timestamp: new Date().toISOString(),
    data: order,
  })
  await app.as('adrian').post('/contacts/bulk-action', {
    action: 'add_tag',
    filter: { search: person.email },
    params: { tag: 'found' },
  })
  await app.as('adrian').post('/gdpr/export', { email: person.email })
  await app.drain()
  return id
}

/** Tables and files in which any of the words stands; as the owner, who sees everything. */
async function findAll(app: TestApp, wanted = words): Promise<string[]> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  const found: string[] = []
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' order by 1`,
  )
  for (const { name } of tables) {
    const { rows } = await owner.query<{ text: string }>(`select lower(t::text) as text from ${name} t`)
    // Bytes are shown as hexadecimal digits: mails as they were sent.
    const hex = wanted.map((word) => Buffer.from(word).toString('hex'))
    if (rows.some(({ text }) => wanted.some((word, index) => text.includes(word) || hexHolds(text, hex[index]!)))) {
      found.push(name)
    }
  }
  await owner.end()
  return [...found, ...(await filesHolding(app, wanted))]
}

function hexHolds(text: string, hex: string): boolean {
  return text.includes('\\x') && (text.includes(hex) || text.includes(capitalised(hex)))
}

/** In mails, names begin with a capital. */
function capitalised(hex: string): string {
  const word = Buffer.from(hex, 'hex').toString()
  return Buffer.from(word.charAt(0).toUpperCase() + word.slice(1)).toString('hex')
}

async function filesHolding(app: TestApp, wanted: string[]): Promise<string[]> {
  const found: string[] = []
  for (const file of await allFiles(app)) {
    const content = (await readFile(file)).toString('latin1').toLowerCase()
    // A copy is packed, and known by its place.
    if (/privacy/.test(file) || wanted.some((word) => content.includes(word))) found.push(`file ${file}`)
  }
  return found
}

async function filesNaming(app: TestApp, id: string): Promise<string[]> {
  return (await allFiles(app)).filter((file) => file.includes(id))
}

async function allFiles(app: TestApp): Promise<string[]> {
  const folder = path.join(app.app.runtime.config.app.dataDir, 'files')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
}

function picture(): Promise<Buffer> {
  return sharp({ create: { width: 20, height: 20, channels: 3, background: '#336699' } })
    .png()
    .toBuffer()
}

async function upload(app: TestApp, address: string, content: Buffer): Promise<void> {
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--x--\r\n')])
  const reply = await app.as('agnes').post(address, body, { 'content-type': 'multipart/form-data; boundary=x' })
  expect(reply.status, reply.text).toBe(201)
}
