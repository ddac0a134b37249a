// The copy that a person gets: everything, in a form that they and other programs can read, for a while, from an admin.
import { buffer } from 'node:stream/consumers'
import { sql } from 'kysely'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import yauzl from 'yauzl'
import { newId } from '#platform/ids.ts'
import { failNextDeletion, keysIn } from '#testing/files-away.ts'
import { start, type TestApp } from '#testing/start.ts'

const userId = newId()

async function makePerson(app: TestApp): Promise<string> {
  const maria = app.as('maria')
  const { body } = await maria.post('/customers', { full_name: 'Ana Radu', email: 'ana@x.example', user_id: userId })
  await maria.patch(`/contacts/${body.id}`, { language: 'ro', newsletter_subscribed: true })
  await maria.post(`/customers/${body.id}/notes`, { content: 'Preferă fereastra.' })
  await maria.post('/customers', { full_name: 'Bob Other', email: 'bob@x.example' })
  const picture = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#336699' } })
    .png()
    .toBuffer()
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
  const upload = Buffer.concat([Buffer.from(head), picture, Buffer.from('\r\n--x--\r\n')])
  await maria.post(`/contacts/${body.id}/avatar`, upload, { 'content-type': 'multipart/form-data; boundary=x' })
  await app.drain()
  return body.id
}

async function unzip(archive: Buffer): Promise<Map<string, Buffer>> {
  const zip = await yauzl.fromBufferPromise(archive)
  const files = new Map<string, Buffer>()
  for await (const entry of zip.eachEntry()) {
    files.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)))
  }
  return files
}

test('document 4’s request makes a ZIP with the data, the files and a page in the person’s language', async () => {
  await using app = await start()
  const id = await makePerson(app)
  const adrian = app.as('adrian')
  const reply = await adrian.post('/gdpr/export', { user_id: userId, business_id: app.world.workspaceId })
  expect(reply.status, reply.text).toBe(202)
  expect(reply.body).toMatchObject({ kind: 'privacy.export', status: 'queued', request_id: expect.any(String) })
  // While it is under way, asking again starts nothing new.
  expect((await adrian.post('/gdpr/export', { contact_id: id })).body.id).toBe(reply.body.id)
  await app.drain()
  const job = (await app.as('victor').get(`/jobs/${reply.body.id}`)).body
  expect(job, 'a viewer sees the job, and no link').toMatchObject({
    status: 'succeeded',
    result: { size_bytes: expect.any(Number) },
  })
  expect(JSON.stringify(job)).not.toContain('/files/')

  const request = (await adrian.get(`/gdpr/requests/${reply.body.request_id}`)).body
  expect(request).toMatchObject({ kind: 'export', status: 'succeeded', contacts: 1, asked_by_name: 'Adrian' })
  expect(JSON.stringify(request)).not.toContain('ana@')
  const lasts = Date.parse(request.download_expires_at) - Date.now()
  expect(Math.round(lasts / 3_600_000)).toBe(24)
  const download = await app.app.http.inject({ url: new URL(request.download_url).pathname })
  expect([download.statusCode, download.headers['content-type']]).toEqual([200, 'application/zip'])
  expect(download.headers['content-disposition']).toMatch(/personal-data-\d{4}-\d\d-\d\d\.zip/)

  const files = await unzip(download.rawPayload)
  expect([...files.keys()].toSorted()).toEqual([
    'README.txt',
    'data.json',
    'files/avatar-128.webp',
    'files/avatar-512.webp',
  ])
  expect(files.get('README.txt')!.toString()).toContain('Datele dumneavoastră personale')
  expect((await sharp(files.get('files/avatar-512.webp')).metadata()).width).toBe(512)
  const data = JSON.parse(files.get('data.json')!.toString())
  expect(data).toMatchObject({
    schema: 'rapport.personal-data',
    schema_version: 1,
    workspace: { id: app.world.workspaceId, name: 'Le Vieux Moulin' },
    person: { contact_ids: [id], user_ids: [userId], emails: ['ana@x.example'], names: ['Ana Radu'] },
    files: ['files/avatar-512.webp', 'files/avatar-128.webp'],
  })
  expect(data.sections.contacts['contacts.contacts']).toMatchObject([{ id, first_name: 'Ana', language: 'ro' }])
  expect(data.sections.contacts['contacts.notes']).toMatchObject([{ content: 'Preferă fereastra.' }])
  expect(data.sections.contacts['contacts.consents']).toMatchObject([{ purpose: 'newsletter', decision: 'granted' }])
  expect(data.sections.contacts['contacts.interactions'].length).toBeGreaterThan(3)
  expect(data.sections.communication).toHaveProperty(['communication.deliveries'], [])
  expect(JSON.stringify(data)).not.toContain('bob@x.example')
})

test('every table that a module says it keeps people in has its place in the copy', async () => {
  await using app = await start()
  await makePerson(app)
  const reply = await app.as('adrian').post('/gdpr/export?inline=true', { email: 'ANA@x.example' })
  expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
  const tables = Object.values(reply.body.sections as Record<string, object>).flatMap((section) => Object.keys(section))
  const promised = app.app.runtime.personalData
    .filter(({ name }) => !['platform', 'privacy'].includes(name))
    .flatMap(({ data }) => data.tables)
  expect(tables.toSorted()).toEqual(promised.toSorted())
  expect((await app.as('adrian').get('/gdpr/requests')).body.data).toMatchObject([
    { kind: 'export', status: 'succeeded', job_id: null },
  ])
})

test('a long history is written as it is read; at once it would be too much, and becomes a job', async () => {
  await using app = await start()
  const id = await makePerson(app)
  await app.inTx((tx) =>
    sql`insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, description)
      select ${tx.workspaceId}, gen_random_uuid(), ${id}, 'manual_entry', repeat('x', 200) || n
      from generate_series(1, 12000) as n`.execute(tx.sql),
  )
  const reply = await app.as('adrian').post('/gdpr/export?inline=true', { contact_id: id })
  expect(reply.status).toBe(202)
  await app.drain()
  const { body } = await app.as('adrian').get(`/gdpr/requests/${reply.body.request_id}`)
  const download = await app.app.http.inject({ url: new URL(body.download_url).pathname })
  const data = JSON.parse((await unzip(download.rawPayload)).get('data.json')!.toString())
  expect(data.sections.contacts['contacts.interactions'].length).toBeGreaterThan(12_000)
})

test('a copy whose file cannot be deleted is remembered until it can', async () => {
  await using app = await start()
  await makePerson(app)
  await app.as('adrian').post('/gdpr/export', { email: 'ana@x.example' })
  await app.drain()
  await app.inTx((tx) => sql`update privacy.requests set file_until = now() - interval '1 second'`.execute(tx.sql))
  const task = app.app.tasks.find(({ name }) => name === 'privacy.forget_copies')!
  failNextDeletion(app)
  await expect(task.run(app.app.runtime)).rejects.toThrow('away')
  expect(await keysIn(app, 'privacy')).toHaveLength(1)
  await task.run(app.app.runtime)
  expect(await keysIn(app, 'privacy')).toEqual([])
})

test('a copy goes after its time, and with the person', async () => {
  await using app = await start()
  const id = await makePerson(app)
  const adrian = app.as('adrian')
  const ask = async () => {
    const reply = await adrian.post('/gdpr/export', { contact_id: id })
    await app.drain()
    return (await adrian.get(`/gdpr/requests/${reply.body.request_id}`)).body
  }
  const first = await ask()
  await app.inTx((tx) => sql`update privacy.requests set file_until = now() - interval '1 second'`.execute(tx.sql))
  expect((await adrian.get(`/gdpr/requests/${first.id}`)).body.download_url).toBeNull()
  const task = app.app.tasks.find(({ name }) => name === 'privacy.forget_copies')!
  await task.run(app.app.runtime)
  expect((await app.app.http.inject({ url: new URL(first.download_url).pathname })).statusCode).toBe(404)
  const second = await ask()
  expect(second.id).not.toBe(first.id)
  await adrian.post('/gdpr/delete', { contact_id: id })
  await app.drain()
  expect((await app.app.http.inject({ url: new URL(second.download_url).pathname })).statusCode).toBe(404)
  expect((await adrian.get(`/gdpr/requests/${second.id}`)).body).toMatchObject({
    download_url: null,
    status: 'succeeded',
  })
})

test('requests and ledger are lists with pages; the ledger says who did what, and notices a change', async () => {
  await using app = await start()
  const id = await makePerson(app)
  const adrian = app.as('adrian')
  for (let round = 0; round < 3; round++) {
    await adrian.post('/gdpr/export', { contact_id: id })
    await app.drain()
  }
  const first = (await adrian.get('/gdpr/requests?limit=2')).body
  const rest = (await adrian.get(`/gdpr/requests?limit=2&cursor=${first.next_cursor}`)).body
  expect([first.data.length, rest.data.length, rest.next_cursor, first.total]).toEqual([2, 1, null, 3])
  await adrian.post('/gdpr/delete', { contact_id: id, preview: true })
  await adrian.post('/gdpr/delete', { contact_id: id })
  await app.drain()
  const ledger = (await adrian.get('/gdpr/audit')).body
  expect(ledger.total).toBe(9)
  expect(ledger.data.slice(0, 3).map(({ action }: { action: string }) => action)).toEqual([
    'delete.done',
    'delete.requested',
    'delete.previewed',
  ])
  expect(ledger.data[1]).toMatchObject({
    actor_name: 'Adrian',
    actor_id: app.world.people.adrian.id,
    request_id: expect.any(String),
  })
  const subjects = new Set(ledger.data.map(({ subject }: { subject: string }) => subject))
  expect(subjects.size).toBe(1)
  expect(JSON.stringify(ledger)).not.toMatch(/ana@|Radu/)
  expect((await adrian.get('/gdpr/audit?action=export.made')).body.total).toBe(3)
  const verify = async () => (await adrian.get('/gdpr/audit/verification')).body
  expect(await verify()).toEqual({ intact: true, entries: 9, broken_at: null })
  expect((await app.stranger.get('/gdpr/audit')).body.total).toBe(0)

  // The application itself cannot change an entry; whoever owns the database can, and is seen.
  await expect(
    app.inTx((tx) => tx.rawQuery("update privacy.audit_entries set actor_name = 'Nobody' where number = 4")),
  ).rejects.toThrow(/permission denied/)
  await asOwner(app, "update privacy.audit_entries set actor_name = 'Nobody' where number = 4")
  expect(await verify()).toEqual({ intact: false, entries: 3, broken_at: 4 })
  await asOwner(app, "update privacy.audit_entries set actor_name = 'Adrian' where number = 4")
  await asOwner(app, 'delete from privacy.audit_entries where number = 2')
  expect(await verify()).toEqual({ intact: false, entries: 1, broken_at: 3 })
})

async function asOwner(app: TestApp, statement: string): Promise<void> {
  const { default: pg } = await import('pg')
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query(statement)
  await owner.end()
}
