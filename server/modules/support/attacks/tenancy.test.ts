/**
 * Attacks by those who have an account, or a workspace next door. Others are shown elsewhere: accounts/isolation.test.ts (every
 * door against another workspace and against every role, the database’s own walls), tickets.test.ts (who sees what, requesters
 * who set the house’s fields), accounts/members.test.ts (roles slipped into a change), accounts/setup.test.ts (the first visit,
 * again), accounts/tokens.test.ts and sessions.test.ts (forged and old credentials, somebody’s address in a token),
 * accounts/invitations.test.ts and passwords.test.ts (tokens once, expired, empty; who has an account), accounts/api-keys.test.ts
 * (keys are random, and restricted), platform/live/live.test.ts (another workspace’s news).
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { sample, type Schema } from '#testing/sample.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())

const question = { subject: 'Late parcel', description: 'Where is it?' }
const open = async (client: Client, more: object = {}): Promise<string> => {
  const made = await client.post('/tickets', { ...question, ...more })
  expect(made.status, made.text).toBe(201)
  return made.body.id
}
const attach = (client: Client, ticketId: string, fields: Record<string, string> = {}) => {
  const parts = Object.entries(fields).map(([name, value]) => `; name="${name}"\r\n\r\n${value}`)
  const all = [...parts, '; name="file"; filename="a.txt"\r\n\r\ntext']
  const body = `${all.map((part) => `--x\r\ncontent-disposition: form-data${part}\r\n`).join('')}--x--\r\n`
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  return client.post(`/tickets/${ticketId}/attachments`, body, form)
}
const colleague = (name: string) =>
  customerOf(app, name, { id: newId(), email: `${name}@moulin.example`, name, role: 'agent' })

test('11: an id of another workspace in a body is nobody’s', async () => {
  const [anna, stranger] = [app.as('anna'), app.stranger]
  const id = await open(anna, { contact_email: 'ana@guest.example' })
  const office = { name: 'Theirs', timezone: 'Europe/Paris', hours: { monday: [{ from: '09:00', to: '17:00' }] } }
  const made = async (path: string, body: object): Promise<string> => {
    const reply = await stranger.post(path, body)
    expect(reply.status, reply.text).toBe(201)
    return reply.body.id
  }
  const foreign = {
    contact: await made('/contacts', { email: 'theirs@guest.example', first_name: 'T' }),
    calendar: await made('/tickets/calendars', office),
    person: app.world.stranger.id,
    ticket: await open(stranger, { contact_email: 'theirs@guest.example' }),
  }
  const message = await stranger.post(`/tickets/${foreign.ticket}/messages`, { content: 'x' })
  for (const [path, body, pointer] of [
    ['/tickets', { ...question, contact_id: foreign.contact }, '/contact_id'],
    ['/tickets', { ...question, contact_email: 'b@x.example', assigned_to: foreign.person }, '/assigned_to'],
    [`/tickets/${id}/assign`, { agent_id: foreign.person }, '/agent_id'],
    [`/tickets/${id}/followers`, { user_id: foreign.person }, '/user_id'],
    [`/tickets/${id}/messages`, { content: 'x', is_internal: true, mentions: [foreign.person] }, '/mentions'],
    [
      '/tickets/sla-policies',
      { name: 'Ours', targets: { normal: { first_response: 60 } }, calendar_id: foreign.calendar },
      '/calendar_id',
    ],
  ] as const) {
    const refused = await anna.post(path, body)
    expect([refused.status, refused.body.errors?.[0].pointer.slice(0, pointer.length)], path).toEqual([422, pointer])
  }
  expect((await attach(anna, id, { message_id: message.body.id })).status).toBe(422)
  expect((await anna.get('/tickets?search=theirs')).body.total).toBe(0)
  const history = await anna.get(`/tickets/${id}/messages`)
  expect(history.body.data).toEqual([])
})

test('11: a message, file or version of another ticket is not reached through one’s own', async () => {
  const [chloe, dan] = [await customerOf(app, 'chloe1'), await customerOf(app, 'dan1')]
  const [own, other] = [await open(chloe), await open(dan)]
  const message = (await dan.post(`/tickets/${other}/messages`, { content: 'private' })).body.id as string
  const file = (await attach(dan, other)).body.id as string
  for (const [method, path] of [
    ['GET', `messages/${message}`],
    ['PATCH', `messages/${message}`],
    ['PUT', `messages/${message}`],
    ['DELETE', `messages/${message}`],
    ['POST', `messages/${message}/mark-read`],
    ['GET', `attachments/message/${message}`],
    ['GET', `attachments/${file}`],
    ['GET', `attachments/${file}/download`],
    ['DELETE', `attachments/${file}`],
  ] as const) {
    const body = method === 'PATCH' || method === 'PUT' ? { content: 'changed' } : undefined
    for (const client of [chloe, app.as('anna')]) {
      expect((await client.request(method, `/tickets/${own}/${path}`, body)).status, `${method} ${path}`).toBe(404)
    }
  }
  expect((await dan.get(`/tickets/${other}/messages/${message}`)).body.content).toBe('private')
  expect((await dan.get(`/tickets/${other}/attachments/${file}`)).status).toBe(200)
})

const slipped = {
  id: newId(),
  number: 'TICKET-1',
  ticket_number: 'TICKET-1',
  workspace_id: newId(),
  tenant_id: newId(),
  account_id: newId(),
  user_id: newId(),
  created_at: '2020-01-01T00:00:00Z',
  closed_at: '2020-01-01T00:00:00Z',
  first_response_at: '2020-01-01T00:00:00Z',
  author_id: newId(),
  author_kind: 'house',
  author_email: 'anna@moulin.example',
  version: 7,
  access_token: 'x',
  is_escalated: true,
  satisfaction_rating: 5,
  merged_into: newId(),
  opens_by_number: true,
}
test('12: no field that the program keeps itself is taken from a body', async () => {
  const chloe = await customerOf(app, 'chloe2')
  const id = await open(chloe)
  const { id: said } = (await chloe.post(`/tickets/${id}/messages`, { content: 'x' })).body
  for (const [field, value] of Object.entries(slipped)) {
    const tried: [Client, string, string, object][] = [
      [chloe, 'POST', '/tickets', question],
      [chloe, 'PATCH', `/tickets/${id}`, { subject: 'Other' }],
      [app.as('anna'), 'PATCH', `/tickets/${id}`, { subject: 'Other' }],
      [chloe, 'POST', `/tickets/${id}/messages`, { content: 'slipped' }],
      [chloe, 'PATCH', `/tickets/${id}/messages/${said}`, { content: 'slipped' }],
    ]
    for (const [client, method, path, body] of tried) {
      const refused = await client.request(method, path, { ...body, [field]: value })
      expect(refused.status, `${method} ${path} ${field}: ${refused.text}`).toBe(422)
      expect(refused.body.errors).toContainEqual(expect.objectContaining({ pointer: `/${field}` }))
    }
  }
  for (const more of [{ is_internal: true }, { status: 'resolved' }, { mentions: [app.world.people.agnes.id] }]) {
    const refused = await chloe.post(`/tickets/${id}/messages`, { content: 'slipped', ...more })
    expect([403, 422], refused.text).toContain(refused.status)
  }
  const after = await app.as('anna').get(`/tickets/${id}`)
  expect(after.body).toMatchObject({ subject: question.subject, status: 'open' })
  expect(after.body.messages).toMatchObject([{ content: 'x' }])
})

test('13: an agent from whom a ticket was taken finds no trace of it, nor of their own words in it', async () => {
  const [agnes, adrian] = [app.as('agnes'), app.as('adrian')]
  const wanda = await colleague('wanda')
  await wanda.get('/tickets')
  const id = await open(adrian, { contact_email: 'vip@guest.example', subject: 'quokka', tags: ['quokka'] })
  const { ticket_number: number } = (await adrian.get(`/tickets/${id}`)).body
  expect((await adrian.post(`/tickets/${id}/assign`, { agent_id: app.world.people.agnes.id })).status).toBe(200)
  const { id: said } = (await agnes.post(`/tickets/${id}/messages`, { content: 'quokka wombat' })).body
  const file = (await attach(agnes, id, { message_id: said })).body.id as string
  const whole = { format: 'json', ticket_ids: [id] }
  const begun = await agnes.post('/tickets/exports', whole)
  expect((await adrian.post(`/tickets/${id}/assign`, { agent_id: wanda.id })).status).toBe(200)
  const body = { content: 'x', user_id: app.world.people.agnes.id, agent_id: app.world.people.agnes.id }
  const only = (...names: (keyof typeof body)[]) => Object.fromEntries(names.map((name) => [name, body[name]]))
  for (const [method, path, sent] of [
    ['GET', ''],
    ['PATCH', '', { subject: 'mine' }],
    ['PUT', '', { subject: 'mine' }],
    ['POST', '/close'],
    ['POST', '/resolve', { resolution: 'x' }],
    ['POST', '/assign', only('agent_id')],
    ['POST', '/satisfaction', { rating: 5 }],
    ['GET', '/history'],
    ['GET', '/followers'],
    ['POST', '/followers', only('user_id')],
    ['DELETE', `/followers/${wanda.id}`],
    ['GET', '/messages'],
    ['POST', '/messages', only('content')],
    ['GET', '/messages/unread-count'],
    ['POST', '/messages/mark-all-read'],
    ['GET', `/messages/${said}`],
    ['GET', `/messages/${said}/versions`],
    ['PATCH', `/messages/${said}`, only('content')],
    ['PUT', `/messages/${said}`, only('content')],
    ['DELETE', `/messages/${said}`],
    ['POST', `/messages/${said}/mark-read`],
    ['GET', '/attachments'],
    ['GET', `/attachments/${file}`],
    ['GET', `/attachments/${file}/download`],
    ['GET', `/attachments/message/${said}`],
    ['DELETE', `/attachments/${file}`],
  ] as const) {
    const reply = await agnes.request(method, `/tickets/${id}${path}`, sent)
    expect(reply.status, `${method} ${path}: ${reply.text}`).toBe(404)
    expect(reply.text).not.toMatch(/quokka|wanda/)
  }
  expect((await attach(agnes, id)).status).toBe(404)
  for (const search of ['quokka', number, 'vip@guest.example']) {
    expect((await agnes.get(`/tickets?search=${search}`)).body, search).toMatchObject({ data: [], total: 0 })
    expect((await wanda.get(`/tickets?search=${search}`)).body.total, search).toBe(1)
  }
  expect((await agnes.get('/tickets?tag=quokka')).body.total).toBe(0)
  expect((await agnes.get(`/tickets?assigned_to=${wanda.id}`)).body.total).toBe(0)
  await app.drain()
  const { contact_id: contact } = (await adrian.get(`/tickets/${id}`)).body
  // Whoever reads a contact sees there that there is a ticket, and its subject; of the conversation nothing.
  for (const address of [`/contacts/${contact}/interactions`, '/contacts/interactions', '/jobs']) {
    const reply = await agnes.get(address)
    expect(reply.status, address).toBe(200)
    expect(reply.text, address).not.toMatch(/wombat|wanda/i)
  }
  expect((await agnes.get('/tickets?search=wombat')).body.total).toBe(0)
  // Nor in a file, also when it was asked for while she had the ticket.
  const hers = [begun, await agnes.post('/tickets/exports', whole)]
  for (const filter of [{}, { search: 'quokka' }, { tag: 'quokka' }, { assigned_to: wanda.id }]) {
    hers.push(await agnes.post('/tickets/exports', { format: 'json', filter }))
  }
  const theirs = await wanda.post('/tickets/exports', whole)
  await app.drain()
  const fileOf = async (client: Client, { body: { export_id: made } }: typeof begun) => {
    const shown = await client.get(`/tickets/exports/${made}`)
    expect(shown.body.status, shown.text).toBe('succeeded')
    return (await app.app.http.inject({ url: new URL(shown.body.download_url).pathname })).body
  }
  for (const reply of hers) expect(await fileOf(agnes, reply)).not.toMatch(/quokka|wombat|wanda/)
  expect(await fileOf(wanda, theirs)).toMatch(/quokka wombat/)
  expect((await agnes.get(`/tickets/exports/${theirs.body.export_id}`)).status).toBe(404)
  expect((await agnes.get('/tickets/exports')).text).not.toContain(theirs.body.export_id)
})

test('13: at every door of a ticket, one that is hidden and one that is not there look the same', async () => {
  const [adrian, agnes, chloe] = [app.as('adrian'), app.as('agnes'), await customerOf(app, 'chloe4')]
  const wanda = await colleague('wanda')
  await wanda.get('/tickets')
  const hidden = await open(adrian, { contact_email: 'vip@guest.example', subject: 'quokka', description: 'quokka' })
  // Of its age: tickets are held in the order of their ids.
  const nothing = newId()
  const visible = await open(adrian, { contact_email: 'vip@guest.example' })
  expect((await adrian.post(`/tickets/${hidden}/assign`, { agent_id: wanda.id })).status).toBe(200)
  const said = (await wanda.post(`/tickets/${hidden}/messages`, { content: 'quokka' })).body.id as string
  const file = (await attach(wanda, hidden, { message_id: said })).body.id as string
  const link = (await adrian.post(`/tickets/${hidden}/links`, { ticket_id: visible, kind: 'related' })).body
    .id as string
  const words = { shortcut: 'hello', title: 'Hello', content: 'Hello {{ticket.subject}}' }
  const reply = (await adrian.post('/tickets/canned-replies', words)).body.id as string
  const parts: Record<string, string> = { user_id: wanda.id, link_id: link, message_id: said, reply_id: reply }
  const doors = app.app.routes
    .map(({ options }) => options)
    .filter(({ path, may }) => /^\/tickets\/:(ticket_)?id/.test(path) && may !== 'public')
  expect(doors.length).toBeGreaterThan(35)
  const address = (path: string, ticket: string): string => {
    const own = path.includes('/attachments/') ? file : said
    return path
      .replace(/:(ticket_)?id/, ticket)
      .replaceAll(/:(\w+)/g, (_, name: string) => (name === 'id' ? own : parts[name]!))
  }
  let opened = 0
  for (const { method, path, body: shape } of doors) {
    const multipart = method === 'POST' && path.includes('/attachments')
    const send = async (client: Client, ticket: string) => {
      const body = shape ? sample(shape as Schema, said) : undefined
      const headers = multipart ? { 'content-type': 'multipart/form-data; boundary=x' } : undefined
      const form = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--x--\r\n'
      const { status, text } = await client.request(method, address(path, ticket), multipart ? form : body, headers)
      return [status, text.replace(/"request_id":"[^"]*"/, '').replaceAll(ticket, 'TICKET')]
    }
    for (const client of [agnes, chloe]) {
      const [there, absent] = [await send(client, hidden), await send(client, nothing)]
      expect(there, `${method} ${path}`).toEqual(absent)
      expect([403, 404, 422], `${method} ${path}`).toContain(there[0])
      expect(there[1]).not.toMatch(/quokka|wanda/)
    }
    if (method === 'GET' && (await send(adrian, hidden))[0] === 200) opened++
  }
  expect(opened, 'doors that open for who may').toBeGreaterThan(11)
})

test('14: whoever listens to what happens hears ids, and no word of a ticket', async () => {
  const heard: object[] = []
  const listener = { hear: (message: object) => void heard.push(message), end: () => {} }
  const leave = await app.app.runtime.live.subscribe(app.world.workspaceId, listener)
  const id = await open(app.as('adrian'), { contact_email: 'vip@guest.example', subject: 'axolotl', tags: ['axolotl'] })
  await app.as('adrian').post(`/tickets/${id}/messages`, { content: 'axolotl', is_internal: true })
  await app.as('adrian').post(`/tickets/${id}/messages`, { content: 'axolotl' })
  await app.as('adrian').post(`/tickets/${id}/close`)
  await app.drain()
  await app.inTx(async (tx) => tx.notify('end', {}))
  await expect.poll(() => heard).toContainEqual({ topic: 'end', data: {} })
  leave()
  expect(heard).toContainEqual({ topic: 'ticket', data: { id } })
  expect(JSON.stringify(heard)).not.toMatch(/axolotl|vip@/)
})

test('14: signs of patterns in a search are letters', async () => {
  const chloe = await customerOf(app, 'chloe3')
  await open(chloe, { subject: 'plain words' })
  await open(chloe, { subject: '100% off_line C:\\temp' })
  for (const [search, expected] of [
    ['%', 1],
    ['_', 1],
    ['\\', 1],
    ['%%%%', 0],
    ['pl%words', 0],
    ['p_ain', 0],
    ['*', 0],
    ['.', 0],
    ["' or 1=1 --", 0],
  ] as const) {
    const found = await chloe.get(`/tickets?search=${encodeURIComponent(search)}`)
    expect([found.status, found.body.total], search).toEqual([200, expected])
  }
})

test('15: an agent who became a viewer works no more, by door or by mention', async () => {
  const eve = await colleague('eve')
  await eve.get('/tickets')
  const id = await open(app.as('adrian'), { contact_email: 'x@guest.example' })
  const viewer = { id: eve.id, email: eve.email, name: 'eve', role: 'viewer' }
  const now = await customerOf(app, 'eve', viewer)
  expect((await eve.get(`/tickets/${id}`)).status).toBe(200)
  expect((await now.get(`/tickets/${id}`)).status).toBe(404)
  expect((await now.post(`/tickets/${id}/messages`, { content: 'x', is_internal: true })).status).not.toBe(201)
  expect((await now.get(`/tickets/${id}/history`)).status).toBe(403)
  const called = await app.as('adrian').post(`/tickets/${id}/followers`, { user_id: eve.id })
  expect(called.status).toBe(422)
})

test('18: an empty token, or none, or one that matches everything, opens nothing', async () => {
  const { email } = app.world.people.anna
  await app.anonymous.post('/password-resets', { email })
  await app.as('anna').post('/invitations', { email: 'new@guest.example', role: 'agent' })
  await app.drain()
  const newcomer = { full_name: 'Eve', password: 'seven green bicycles' }
  for (const token of [
    '',
    ' ',
    'null',
    'undefined',
    '%',
    '*',
    '\0',
    null,
    undefined,
    [],
    {},
    true,
    0,
    'x'.repeat(10_000),
  ]) {
    for (const [path, body] of [
      ['/password-resets/confirm', { token, new_password: 'seven green bicycles' }],
      ['/invitations/accept', { token, ...newcomer }],
      ['/public/tickets/satisfaction', { token, rating: 5 }],
    ] as const) {
      const refused = await app.anonymous.post(path, body)
      expect([400, 401, 404, 410, 422], `${path} ${JSON.stringify(token)}: ${refused.text}`).toContain(refused.status)
    }
    const headers = { 'x-ticket-token': typeof token === 'string' ? token.replace('\0', '') : String(token) }
    const id = await open(app.as('adrian'), { contact_email: 'x@guest.example' })
    expect((await app.anonymous.get(`/public/tickets/${id}`, headers)).status).toBe(404)
  }
  const { data } = (await app.as('anna').get('/members')).body
  expect(JSON.stringify(data)).not.toContain('new@guest.example')
})
