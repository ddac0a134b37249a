// Exports of tickets through their doors: what is in the file, in whose eyes, and who may take it.
import assert from 'node:assert/strict'
import { parse } from 'csv-parse/sync'
import { readXlsx } from 'hucre/xlsx'
import { sql } from 'kysely'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { JobStopped, type Job } from '#platform/jobs/job.ts'
import { getJob } from '#platform/jobs/jobs.ts'
import { nobody } from '#platform/privacy/personal-data.ts'
import { customerOf } from '#testing/customer.ts'
import { clientOf, start, type Client, type TestApp } from '#testing/start.ts'
import { personalData } from '../personal-data.ts'
import { exportJob } from './job.ts'

const door = '/tickets/exports'

async function make(app: TestApp, subject: string, more: object = {}): Promise<string> {
  const body = { subject, description: 'D', contact_email: 'zoe@x.example', contact_name: 'Zoe', ...more }
  const reply = await app.as('adrian').post('/tickets', body)
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id
}

async function begin(client: Client, body: object): Promise<string> {
  const begun = await client.post(door, body)
  assert.equal(begun.status, 202, begun.text)
  return begun.body.export_id
}

async function fileOf(app: TestApp, client: Client, id: string): Promise<Buffer> {
  const shown = await client.get(`${door}/${id}`)
  assert.equal(shown.body.status, 'succeeded', shown.text)
  const reply = await app.app.http.inject({ url: new URL(shown.body.download_url).pathname })
  assert.equal(reply.statusCode, 200)
  return reply.rawPayload
}

async function taken(app: TestApp, client: Client, body: object): Promise<Buffer> {
  const id = await begin(client, body)
  await app.drain()
  return fileOf(app, client, id)
}

async function takenSubjects(app: TestApp, client: Client, body: object = {}): Promise<string[]> {
  const file = await taken(app, client, { format: 'json', columns: ['subject'], ...body })
  return JSON.parse(file.toString()).map(({ subject }: { subject: string }) => subject)
}

const tableOf = (file: Buffer): string[][] => parse(file, { bom: true })

test('a table has a row a ticket, in words that a spreadsheet does not compute', async () => {
  await using app = await start()
  const [adrian, agnes] = [app.as('adrian'), app.as('agnes')]
  const id = await make(app, '=1+1', {
    tags: ['vip', '@home'],
    category: '+33',
    assigned_to: app.world.people.agnes.id,
  })
  await agnes.post(`/tickets/${id}/messages`, { content: 'Hello' })
  await agnes.post(`/tickets/${id}/messages`, { content: 'Careful', is_internal: true })
  const shown = (await agnes.get(`/tickets/${id}`)).body
  const [header, row] = tableOf(await taken(app, agnes, { format: 'csv' }))
  assert.equal(
    header!.join(', '),
    'Ticket Number, Subject, Status, Priority, Category, Source, Tags, Requester, Requester E-mail, Agent, Created At, ' +
      'First Response At, Due At, Resolved At, Closed At, Satisfaction, Messages',
  )
  assert.deepEqual(row!.slice(0, 6), [shown.ticket_number, "'=1+1", 'in_progress', 'normal', '+33', 'web'])
  assert.deepEqual(row!.slice(7, 12), ['Zoe', 'zoe@x.example', 'Agnes', shown.created_at, shown.first_response_at])
  assert.deepEqual(row!.slice(-4), ['', '', '', '1'], 'of what was said in public alone')
  const bare = { format: 'csv', columns: ['subject', 'tags'], headers: 'names', safe: false }
  assert.deepEqual(tableOf(await taken(app, adrian, bare)), [
    ['subject', 'tags'],
    ['=1+1', 'vip, @home'],
  ])
  const sheet = { format: 'xlsx', columns: ['subject', 'message_count', 'created_at'] }
  const { sheets } = await readXlsx(await taken(app, agnes, sheet))
  assert.deepEqual(sheets[0]!.rows[0], ['Subject', 'Messages', 'Created At'])
  assert.deepEqual(sheets[0]!.rows[1]!.slice(0, 2), ['=1+1', 1])
  assert.ok(sheets[0]!.rows[1]![2] instanceof Date)
})

test('json has every field that the ticket shows and what was said in public; internal notes leave in no format', async () => {
  await using app = await start()
  const [adrian, agnes] = [app.as('adrian'), app.as('agnes')]
  const id = await make(app, 'Oven', { internal_notes: 'quokka', metadata: { shop: 7 }, tags: ['vip'] })
  await make(app, 'Silent')
  await agnes.post(`/tickets/${id}/messages`, { content: 'quokka too', is_internal: true })
  await agnes.post(`/tickets/${id}/messages`, { content: 'First' })
  const gone = (await agnes.post(`/tickets/${id}/messages`, { content: 'quokka three' })).body.id
  await agnes.delete(`/tickets/${id}/messages/${gone}`)
  await agnes.post(`/tickets/${id}/messages`, { content: 'Second' })
  const file = await taken(app, agnes, { format: 'json', sort: 'created_at' })
  const [whole, silent] = JSON.parse(file.toString())
  const { moves, internal_notes, messages, messages_next_cursor, attachments, merged_into, deleted_at, ...shown } = (
    await agnes.get(`/tickets/${id}`)
  ).body
  assert.ok(moves && internal_notes && messages && attachments)
  assert.deepEqual([messages_next_cursor, merged_into, deleted_at], [null, null, null])
  const { messages: said, message_count, ...fields } = whole
  assert.deepEqual(fields, shown)
  assert.equal(message_count, 2)
  assert.deepEqual(
    said.map(({ content, author_name }: { content: string; author_name: string }) => [author_name, content]),
    [
      ['Agnes', 'First'],
      ['Agnes', 'Second'],
    ],
  )
  assert.deepEqual([silent.subject, silent.messages], ['Silent', []])
  for (const format of ['csv', 'xlsx', 'json']) {
    const all = await taken(app, adrian, { format, columns: ['*'] })
    const text = format === 'xlsx' ? JSON.stringify(await readXlsx(all)) : all.toString()
    assert.ok(text.includes('Oven'))
    assert.doesNotMatch(text, /quokka/)
    const notes = await adrian.post(door, { format, columns: ['subject', 'internal_notes'] })
    assert.deepEqual([notes.status, notes.body.errors?.[0].pointer], [422, '/columns/1'])
  }
})

test('the parameters of the list choose what is in it, and a view its columns and order', async () => {
  await using app = await start()
  const [adrian, agnes] = [app.as('adrian'), app.as('agnes')]
  const a = await make(app, 'a', { priority: 'urgent', tags: ['vip'], assigned_to: app.world.people.agnes.id })
  const b = await make(app, 'b', { priority: 'low', category: 'Billing' })
  await make(app, 'c', { priority: 'high' })
  const of = (filter: object, more: object = {}) => takenSubjects(app, agnes, { filter, sort: 'created_at', ...more })
  assert.deepEqual(await of({}), ['a', 'b', 'c'])
  assert.deepEqual(await of({}, { sort: '-priority' }), ['a', 'c', 'b'])
  assert.deepEqual(await of({ priority: 'low,high' }), ['b', 'c'])
  assert.deepEqual(await of({ search: 'billing' }), [])
  assert.deepEqual(await of({ tag: 'VIP' }), ['a'])
  assert.deepEqual(await of({ assigned_to: 'me' }), ['a'])
  assert.deepEqual(await of({ view: 'unassigned', priority: 'low' }), ['b'])
  assert.deepEqual(await takenSubjects(app, agnes, { ticket_ids: [b, a, newId()], sort: 'created_at' }), ['a', 'b'])
  const columns = [{ field: 'subject' }, { field: 'internal_notes' }, { field: 'priority' }]
  const saved = { name: 'V', filter: { status: 'open' }, sort: '-created_at', columns }
  const view = (await agnes.post('/tickets/views', saved)).body.id
  const id = await begin(agnes, { format: 'csv', filter: { view } })
  await agnes.patch(`/tickets/views/${view}`, { filter: { status: 'closed' } })
  await app.drain()
  assert.deepEqual(tableOf(await fileOf(app, agnes, id)), [
    ['Subject', 'Priority'],
    ['c', 'high'],
    ['b', 'low'],
  ])
  const wrong: [object, string][] = [
    [{ columns: ['subject', 'shoe'] }, '/columns/1'],
    [{ columns: ['messages'] }, '/columns/0'],
    [{ sort: 'shoe' }, '?sort'],
    [{ filter: { shoe: 1 } }, '/filter/shoe'],
    [{ filter: { deleted: true } }, '/filter/deleted'],
    [{ filter: { view } }, '/filter/view'],
    [{ ticket_ids: [a], filter: { status: 'open' } }, '/ticket_ids'],
    [{ format: 'vcard' }, '/format'],
  ]
  for (const [body, pointer] of wrong) {
    const refused = await adrian.post(door, { format: 'csv', ...body })
    assert.deepEqual([refused.status, refused.body.errors?.[0].pointer], [422, pointer], refused.text)
  }
})

test('what whoever asked sees when it is written is in it, and nothing that is deleted or merged', async () => {
  await using app = await start()
  const [adrian, agnes] = [app.as('adrian'), app.as('agnes')]
  const own = await make(app, 'own', { assigned_to: app.world.people.agnes.id })
  const lost = await make(app, 'lost')
  const deleted = await make(app, 'deleted')
  const merged = await make(app, 'merged')
  await make(app, 'another’s', { assigned_to: app.world.people.adrian.id })
  const sorted = { format: 'json', columns: ['subject'], sort: 'created_at' }
  const [hers, his] = [await begin(agnes, sorted), await begin(adrian, sorted)]
  const chosen = await begin(agnes, { ...sorted, ticket_ids: [own, lost, deleted] })
  const theirs = await begin(app.stranger, sorted)
  await adrian.post(`/tickets/${lost}/assign`, { agent_id: app.world.people.adrian.id })
  await adrian.delete(`/tickets/${deleted}`)
  assert.equal((await adrian.post(`/tickets/${own}/merge`, { duplicate_ids: [merged] })).status, 200)
  await make(app, 'new')
  await app.drain()
  const subjects = async (client: Client, id: string) =>
    JSON.parse((await fileOf(app, client, id)).toString()).map(({ subject }: { subject: string }) => subject)
  assert.deepEqual(await subjects(agnes, hers), ['own', 'new'])
  assert.deepEqual(await subjects(agnes, chosen), ['own'])
  assert.deepEqual(await subjects(adrian, his), ['own', 'lost', 'another’s', 'new'])
  assert.deepEqual(await subjects(app.stranger, theirs), [])
})

test('whoever works at the help desk no more when it is written gets nothing, and nobody more than they asked with', async () => {
  await using app = await start()
  const [anna, agnes] = [app.as('anna'), app.as('agnes')]
  await make(app, 'hidden', { assigned_to: app.world.people.adrian.id })
  await make(app, 'open')
  const subjects = { format: 'json', columns: ['subject'] }
  const member = `/members/${app.world.people.agnes.id}`
  const change = async (role: string) => assert.equal((await anna.patch(member, { role })).status, 200)

  const raised = await begin(agnes, subjects)
  await change('admin')
  await app.drain()
  assert.deepEqual(JSON.parse((await fileOf(app, agnes, raised)).toString()), [{ subject: 'open' }])

  const lowered = await begin(app.as('adrian'), subjects)
  await anna.patch(`/members/${app.world.people.adrian.id}`, { role: 'agent' })
  await app.drain()
  const { length } = JSON.parse((await fileOf(app, app.as('adrian'), lowered)).toString())
  assert.equal(length, 2, 'his own and the open one')

  await change('agent')
  for (const leave of [() => change('viewer'), () => anna.delete(member)]) {
    const id = await begin(agnes, subjects)
    await leave()
    await app.drain()
    const ended = (await anna.get(`${door}/${id}`)).body
    assert.deepEqual([ended.status, ended.download_url, ended.rows], ['failed', null, 0])
    assert.match(ended.error, /may take out no tickets any more/)
  }

  const made = { name: 'K', role: 'agent', scopes: ['ticket.work', 'ticket.export'] }
  const { id: keyId, key } = (await anna.post('/api-keys', made)).body
  const program = clientOf(app.app, Promise.resolve(key))
  assert.deepEqual(await takenSubjects(app, program), ['open'])
  const revoked = await begin(program, subjects)
  await anna.delete(`/api-keys/${keyId}`)
  await app.drain()
  assert.equal((await anna.get(`${door}/${revoked}`)).body.status, 'failed')
  const files: string[] = []
  for await (const each of app.app.runtime.files.list(`${app.world.workspaceId}/exports`)) files.push(each)
  assert.equal(files.length, 3)
})

test('one knows of one’s own exports, and whoever sees all tickets of all', async () => {
  await using app = await start()
  const [adrian, agnes] = [app.as('adrian'), app.as('agnes')]
  await make(app, 'one')
  const hers = await begin(agnes, { format: 'csv' })
  const his = await begin(adrian, { format: 'json' })
  await app.drain()
  const idsOf = async (client: Client, query = '') =>
    (await client.get(`${door}${query}`)).body.data.map(({ id }: { id: string }) => id)
  assert.deepEqual(await idsOf(agnes), [hers])
  assert.deepEqual(await idsOf(adrian), [his, hers])
  assert.deepEqual(await idsOf(adrian, '?format=csv'), [hers])
  const first = (await adrian.get(`${door}?limit=1`)).body
  assert.deepEqual([first.total, await idsOf(adrian, `?limit=1&cursor=${first.next_cursor}`)], [2, [hers]])
  const { created_by, created_by_name, format, rows, request, download_url } = (await adrian.get(`${door}/${hers}`))
    .body
  assert.deepEqual(
    [created_by, created_by_name, format, rows, request],
    [app.world.people.agnes.id, 'Agnes', 'csv', 1, { format: 'csv', safe: true, filter: {} }],
  )
  assert.ok(download_url)
  const hidden = async (client: Client, id: string) => {
    assert.equal((await client.get(`${door}/${id}`)).status, 404)
    assert.equal((await client.delete(`${door}/${id}`)).status, 404)
  }
  await hidden(agnes, his)
  await hidden(app.stranger, hers)
  // What was taken out with the eyes of an admin is not for the agent that they became.
  const wanda = { id: newId(), email: 'wanda@moulin.example', name: 'Wanda' }
  const before = await customerOf(app, 'wanda', { ...wanda, role: 'admin' })
  await taken(app, before, { format: 'csv' })
  const after = await customerOf(app, 'wanda', { ...wanda, role: 'agent' })
  assert.equal((await idsOf(before)).length, 3)
  assert.deepEqual(await idsOf(after), [])
  const keyed = async (scopes: string[]) => {
    const made = await app.as('anna').post('/api-keys', { name: 'K', role: 'agent', scopes })
    return clientOf(app.app, Promise.resolve(made.body.key))
  }
  const reader = await keyed(['ticket.read', 'ticket.work'])
  const stray = await keyed(['ticket.export'])
  for (const client of [await customerOf(app, 'chloe'), app.as('maria'), app.as('victor'), reader, stray]) {
    assert.equal((await client.post(door, { format: 'csv' })).status, 403)
  }
  for (const client of [await customerOf(app, 'chloe'), app.as('maria'), app.as('victor'), reader]) {
    assert.equal((await client.get(door)).status, 403)
    assert.equal((await client.get(`${door}/${hers}`)).status, 403)
    assert.equal((await client.delete(`${door}/${hers}`)).status, 403)
  }
  assert.equal((await app.anonymous.post(door, { format: 'csv' })).status, 401)
})

test('a file is told of once, and goes when it is deleted, by time, and with its job', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  await make(app, 'one')
  await app.drainEvents()
  const ids = await Promise.all(Array.from({ length: 4 }, () => begin(agnes, { format: 'csv' })))
  const [deleted, expired, canceled, kept] = ids as [string, string, string, string]
  assert.equal((await agnes.get(`${door}/${deleted}`)).body.status, 'queued')
  const job = (await agnes.get(`${door}/${canceled}`)).body.job_id
  assert.equal((await agnes.post(`/jobs/${job}/cancel`)).status, 200)
  const stopped = await begin(agnes, { format: 'csv' })
  assert.equal((await agnes.delete(`${door}/${stopped}`)).status, 200)
  assert.deepEqual(await app.drainEvents(), ['ticket.exported', 'ticket.exported', 'ticket.exported'])
  const links = await Promise.all(ids.map(async (id) => (await agnes.get(`${door}/${id}`)).body.download_url))
  const isThere = async (url: string) => (await app.app.http.inject({ url: new URL(url).pathname })).statusCode === 200
  assert.equal(links[2], null)
  assert.equal((await agnes.delete(`${door}/${deleted}`)).status, 200)
  await app.inTx((tx) =>
    sql`update support.exports set expires_at = now() - interval '1 minute' where id = ${expired}::uuid`.execute(
      tx.sql,
    ),
  )
  await app.app.tasks.find(({ name }) => name === 'support.forget_exports')!.run(app.app.runtime)
  assert.deepEqual([await isThere(links[0]), await isThere(links[1]), await isThere(links[3])], [false, false, true])
  const states = await Promise.all(
    [deleted, expired, canceled, stopped, kept].map(async (id) => (await agnes.get(`${door}/${id}`)).body.status),
  )
  assert.deepEqual(states, ['deleted', 'expired', 'canceled', 'deleted', 'succeeded'])
})

test('stopped half-way, it begins anew; long conversations and many tickets stay whole and in order', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const long = await make(app, 'long')
  await app.inTx(async (tx) => {
    await sql`insert into support.tickets (workspace_id, id, ticket_number, subject, description, last_message_at, created_at)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), 'N-' || n, 'n' || n, 'D', now(), now() + make_interval(secs => n)
      from generate_series(1, 450) n`.execute(tx.sql)
    await sql`insert into support.messages (workspace_id, id, ticket_id, author_kind, content, is_internal, created_at)
      select t.workspace_id, gen_random_uuid(), t.id, 'house', t.subject || ' ' || n, n % 3 = 0, now() + make_interval(secs => n)
      from support.tickets t, generate_series(1, case when t.id = ${long}::uuid then 700 else 2 end) n
      where t.subject <> 'n200'`.execute(tx.sql)
  })
  const id = await begin(adrian, { format: 'json', columns: ['subject', 'messages'], sort: 'created_at' })
  const { job_id } = (await adrian.get(`${door}/${id}`)).body
  const { data } = await app.inTx((tx) => getJob(tx, job_id))
  let checkpoints = 0
  const attempt = () =>
    exportJob.run({
      ...({ data, workspaceId: app.world.workspaceId, signal: new AbortController().signal } as unknown as Job),
      runtime: app.app.runtime,
      transaction: (work) => app.inTx(work),
      checkpoint: async () => {
        if (++checkpoints === 2) throw new JobStopped('shutdown')
      },
    })
  await assert.rejects(attempt, JobStopped)
  assert.equal((await adrian.get(`${door}/${id}`)).body.finished_at, null)
  // Withdrawn meanwhile, because somebody was erased: what is read from now on is read without them.
  await app.inTx((tx) => sql`update support.exports set expires_at = now()`.execute(tx.sql))
  await app.drain()
  const tickets = JSON.parse((await fileOf(app, adrian, id)).toString()) as {
    subject: string
    messages: { content: string }[]
  }[]
  assert.deepEqual(
    tickets.map(({ subject }) => subject),
    ['long', ...Array.from({ length: 450 }, (_, index) => `n${index + 1}`)],
  )
  for (const { subject, messages } of tickets) {
    const last = subject === 'long' ? 700 : subject === 'n200' ? 0 : 2
    const expected = Array.from({ length: last }, (_, index) => index + 1).filter((n) => n % 3)
    assert.deepEqual(
      messages.map(({ content }) => content),
      expected.map((n) => `${subject} ${n}`),
    )
  }
})

test('who is erased stands in no file any more, and in no question that was asked of one', async () => {
  await using app = await start()
  const [anna, agnes] = [app.as('anna'), app.as('agnes')]
  const zoe = await customerOf(app, 'zoe')
  const { id: asked } = (await zoe.post('/tickets', { subject: 'Zoe asks', description: 'D' })).body
  const { contact_id } = (await agnes.get(`/tickets/${asked}`)).body
  await make(app, 'another')
  await app.drain()
  const search = { format: 'csv', filter: { search: 'ZOE@guest.example' } }
  const other = { format: 'csv', filter: { search: 'another' } }
  const [found, made] = [await begin(agnes, search), await begin(agnes, other)]
  const named = await begin(agnes, { format: 'csv', filter: { contact_id } })
  await app.drain()
  const { download_url: url } = (await agnes.get(`${door}/${made}`)).body
  const waiting = await begin(agnes, search)
  const { job_id: jobId } = (await agnes.get(`${door}/${waiting}`)).body
  await agnes.post(`/jobs/${jobId}/cancel`)
  assert.equal((await anna.post('/gdpr/delete', { user_id: zoe.id })).status, 202)
  await app.drain()
  assert.equal((await app.app.http.inject({ url: new URL(url).pathname })).statusCode, 404)
  assert.equal((await agnes.post(`/jobs/${jobId}/retry`)).status, 200)
  await app.drain()
  const all = (await anna.get(door)).body.data as { id: string; status: string; request: { filter?: object } }[]
  assert.deepEqual(
    all.map(({ id, status, request }) => [id, status, request.filter]),
    [
      [waiting, 'deleted', undefined],
      [named, 'expired', undefined],
      [made, 'expired', other.filter],
      [found, 'expired', undefined],
    ],
  )
  assert.doesNotMatch(JSON.stringify(all), /zoe/i)
  assert.equal(JSON.stringify(all).includes(contact_id), false)

  const whole = await begin(agnes, { format: 'csv' })
  await app.drain()
  assert.equal((await agnes.get(`${door}/${whole}`)).body.status, 'succeeded')
  await app.inTx((tx) => personalData.erase(tx, nobody(), app.app.runtime))
  assert.equal((await agnes.get(`${door}/${whole}`)).body.status, 'expired', 'from the erasure’s commit on')
})

test('in service mode, the doors are at the root as well', async () => {
  await using app = await start({}, undefined, 'support')
  const begun = await app.as('agnes').post(`/${door}`, { format: 'csv' })
  assert.equal(begun.status, 202, begun.text)
  assert.equal((await app.as('agnes').get(`/${door}/${begun.body.export_id}`)).body.status, 'queued')
  assert.equal((await app.as('agnes').get(`/${door}`)).body.total, 1)
})
