/** Attacks on what lets people in: tokens that leak, live too long or are replaced, and answers that tell by their work. */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { createLog } from '#platform/observe/log.ts'
import { countWork } from '#testing/count-work.ts'
import { customerOf } from '#testing/customer.ts'
import { openMailDoor } from '#testing/mail-door.ts'
import { startAnother } from '#testing/start-another.ts'
import { givePassword } from '#testing/browser.ts'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'
import { ratingToken } from '../satisfaction/links.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())

interface Opened {
  id: string
  number: string
  email: string
  token: string
  headers: { 'x-ticket-token': string }
}

let count = 0
async function opened(email = `zoe${++count}@guest.example`, where = app): Promise<Opened> {
  const reply = await where.app.http.inject({
    method: 'POST',
    url: '/api/v1/public/tickets',
    remoteAddress: `198.51.100.${++count % 250}`,
    payload: { email, name: 'Zoé', subject: 'Hello', description: 'Where is it?' },
  })
  expect(reply.statusCode, reply.body).toBe(201)
  const { id, ticket_number: number, access_token: token } = reply.json<Record<string, string>>()
  return { id: id!, number: number!, email, token: token!, headers: { 'x-ticket-token': token! } }
}
const read = (ticket: Opened, headers = ticket.headers, client: Client = app.anonymous) =>
  client.get(`/public/tickets/${ticket.number}`, headers)
const write = (ticket: Opened, headers = ticket.headers) =>
  app.anonymous.post(`/public/tickets/${ticket.id}/messages`, { content: 'x' }, headers)
/** From somewhere else each time: how often one may ask is shown elsewhere. */
async function knock(method: 'GET' | 'POST', path: string, headers: Record<string, string>, payload?: object) {
  const remoteAddress = `203.0.113.${++count % 250}`
  const url = `/api/v1/public/tickets/${path}`
  const reply = await app.app.http.inject({ method, url, headers, remoteAddress, ...(payload ? { payload } : {}) })
  const body = reply.json<Record<string, string>>()
  return { status: reply.statusCode, text: reply.body, headers: reply.headers, body }
}
const replace = (ticket: Opened, headers: Record<string, string> = ticket.headers) =>
  knock('POST', `${ticket.id}/access-token`, headers)
const headersOf = (reply: Pick<TestReply, 'body'>) => ({ 'x-ticket-token': String(reply.body.access_token) })

test('4: no token reaches a log line, a Referer, another page’s cache or an answer, whatever is done with it', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'trace', destination: { write: (line) => void lines.push(line) } })
  await using other = await startAnother(app, { SLOW_QUERY_MS: '1' }, log)
  const [ticket, merged] = [await opened(), await opened()]
  await app.as('agnes').post(`/tickets/${ticket.id}/close`)
  const rating = ratingToken(app.app.runtime, { workspaceId: app.world.workspaceId, ticketId: ticket.id }, new Date())
  const path = `/public/tickets/${ticket.number}`
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const { anonymous } = other
  const replies = [
    await anonymous.get(path, ticket.headers),
    await anonymous.get(`/public/tickets/${merged.number}`, ticket.headers),
    await anonymous.get(path, { 'x-ticket-token': `${ticket.token}x` }),
    await anonymous.get(`${path}?token=${ticket.token}`),
    await anonymous.get(`/public/tickets/${ticket.token}`),
    await anonymous.get(`/public/tickets/${ticket.token}/messages`),
    await anonymous.post(`${path}/messages`, { content: '' }, ticket.headers),
    await anonymous.post(`${path}/messages`, { content: 'x', token: ticket.token }, ticket.headers),
    await anonymous.post(`${path}/messages`, { content: 'x' }, ticket.headers),
    await anonymous.get(path, { authorization: `Bearer ${ticket.token}`, ...ticket.headers }),
    await anonymous.get(`//rate/${rating}`),
    await anonymous.post(`//rate/${rating}`, 'rating=9', form),
    await anonymous.post('/public/tickets/satisfaction', { token: rating, rating: 9 }),
    await anonymous.post('/public/tickets/satisfaction', { token: rating, rating: 4 }),
  ]
  const { transaction } = other.app.runtime.db
  other.app.runtime.db.transaction = () => Promise.reject(new Error(`broken for token=${ticket.token}`))
  replies.push(await anonymous.get(path, ticket.headers), await anonymous.get(`//rate/${rating}`))
  other.app.runtime.db.transaction = transaction
  const replaced = await anonymous.post(`${path}/access-token`, undefined, ticket.headers)
  expect([replaced.status, replaced.headers['cache-control']]).toEqual([201, 'no-store'])
  for (const [at, { text, headers }] of [...replies, replaced].entries()) {
    expect(headers['referrer-policy'], String(at)).toBe('no-referrer')
    expect(headers['cache-control'], String(at)).toMatch(/no-store/)
    expect(`${text} ${JSON.stringify(headers)}`, String(at)).not.toContain(ticket.token.slice(20, 60))
    // A page may load nothing from anywhere, and its form goes to where it came from.
    expect(text, String(at)).not.toMatch(/<(img|script|iframe|link)\b|(src|action)=|@import|url\(/i)
    expect(String(headers['content-security-policy']), String(at)).toMatch(/default-src '(none|self)'/)
  }
  expect(replies.slice(-2).map(({ status }) => status)).toEqual([500, 500])
  expect(lines.filter((line) => line.includes('broken for'))).toHaveLength(2)
  expect(lines.length).toBeGreaterThan(replies.length)
  const secrets = [ticket.token, rating, replaced.body.access_token].map((token) => String(token).slice(20, 60))
  for (const secret of secrets) expect(lines.filter((line) => line.includes(secret))).toEqual([])
})

test('5: a token is dead at the moment it is replaced by whoever shows it; shown at once by five, by one', async () => {
  const ticket = await opened()
  const replies = await Promise.all(Array.from({ length: 5 }, () => replace(ticket)))
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 404, 404, 404, 404])
  const made = replies.find(({ status }) => status === 201)!
  expect(made.body).toEqual({ id: ticket.id, ticket_number: ticket.number, access_token: expect.any(String) })
  for (const reply of [await read(ticket), await write(ticket), await replace(ticket)]) expect(reply.status).toBe(404)
  expect((await read(ticket, headersOf(made))).status).toBe(200)
  for (const wrong of [{}, { 'x-ticket-token': '' }, { 'x-ticket-token': 'x' }, (await opened()).headers]) {
    expect((await replace(ticket, wrong as Record<string, string>)).status).toBe(404)
  }
  expect((await read(ticket, headersOf(made))).status).toBe(200)
  const { data } = (await app.as('anna').get(`/tickets/${ticket.id}/history`)).body
  const entries = data.filter((entry: { data: { fields?: string[] } }) => entry.data.fields?.includes('access_token'))
  expect(entries).toMatchObject([{ type: 'changed', actor_kind: 'requester', actor_id: null }])
})

test('5: the key of a repetition brings nobody the answer of another', async () => {
  const ticket = await opened()
  const key = { 'idempotency-key': 'the-same' }
  const made = await replace(ticket, { ...ticket.headers, ...key })
  expect(made.status).toBe(201)
  for (const headers of [key, { ...ticket.headers, ...key }, { ...(await opened()).headers, ...key }]) {
    const reply = await replace(ticket, headers)
    expect([reply.status, reply.body.access_token]).toEqual([404, undefined])
  }
  const fields = { email: ticket.email, name: 'Zoé', subject: 'Hello', description: 'Where is it?' }
  const [one, other] = [
    await app.anonymous.post('/public/tickets', fields, key),
    await app.anonymous.post('/public/tickets', fields, key),
  ]
  expect([one.status, other.status]).toEqual([201, 201])
  expect(other.body.access_token).not.toBe(one.body.access_token)
})

test('5: the house takes a token away that was sent on, and its history says who did; nobody else does', async () => {
  const [agnes, ticket, chloe] = [app.as('agnes'), await opened(), await customerOf(app, 'chloe')]
  const path = `/tickets/${ticket.id}/access-token`
  for (const [client, status] of [
    [app.anonymous, 401],
    [chloe, 403],
    [app.as('maria'), 403],
    [app.as('victor'), 403],
    [app.stranger, 404],
  ] as const) {
    expect((await client.post(path)).status).toBe(status)
  }
  expect(
    (await app.as('adrian').post(`/tickets/${ticket.id}/assign`, { agent_id: app.world.people.anna.id })).status,
  ).toBe(200)
  expect((await agnes.post(path)).status, 'an agent who does not see the ticket').toBe(404)
  expect((await read(ticket)).status).toBe(200)
  await app.drainEvents()
  const made = await app.as('anna').post(path)
  expect([made.status, made.headers['cache-control']], made.text).toEqual([201, 'no-store'])
  expect((await read(ticket)).status).toBe(404)
  expect((await read(ticket, headersOf(made))).status).toBe(200)
  const { data } = (await app.as('anna').get(`/tickets/${ticket.id}/history`)).body
  expect(data.at(-1)).toMatchObject({ actor_id: app.world.people.anna.id, data: { fields: ['access_token'] } })
  expect(await app.drainEvents()).toEqual(['ticket.updated'])
  const secret = String(made.body.access_token)
  expect(JSON.stringify(data)).not.toContain(secret.slice(20, 60))
  const kept = await app.inTx((tx) =>
    sql`select data::text from platform.outbox union all select data::text from support.ticket_events`.execute(tx.sql),
  )
  expect(JSON.stringify(kept.rows)).not.toContain(secret.slice(20, 60))
  const own = await app
    .as('anna')
    .post('/tickets', { subject: 'S', description: 'D', contact_email: 'x@guest.example' })
  expect((await app.as('anna').post(`/tickets/${own.body.id}/access-token`)).body.code).toBe('no_access_token')
})

test('5: after a merge a token reads its own ticket alone, and ends with the token of the survivor', async () => {
  const [anna, email] = [app.as('anna'), 'victim@guest.example']
  const [victim, typed] = [await opened(email), await opened(email)]
  await anna.post(`/tickets/${victim.id}/messages`, { content: 'quokka' })
  const merged = await anna.post(`/tickets/${victim.id}/merge`, { duplicate_ids: [typed.id] })
  expect(merged.status, merged.text).toBe(200)
  await anna.post(`/tickets/${victim.id}/messages`, { content: 'quokka' })
  expect((await write(typed)).status).toBe(201)
  for (const address of [typed.number, typed.id, victim.number, victim.id]) {
    const reply = await app.anonymous.get(`/public/tickets/${address}`, typed.headers)
    expect(reply.status, address).toBe([typed.number, typed.id].includes(address) ? 200 : 404)
    expect(reply.text, address).not.toMatch(/quokka/)
  }
  expect((await anna.post(`/tickets/${victim.id}/access-token`)).status).toBe(201)
  for (const ticket of [victim, typed]) expect((await read(ticket)).status).toBe(404)
})

test('5: whoever typed somebody’s address reads nothing that its owner says, by mail, from an account, or in a merge', async () => {
  await using door = await openMailDoor(app)
  const [anna, victim] = [app.as('anna'), 'owner@guest.example']
  expect((await anna.post('/tickets/mailboxes', { address: 'aide@moulin.example', name: 'S' })).status).toBe(201)
  const typed = await opened(victim)
  await anna.post(`/tickets/${typed.id}/messages`, { content: 'When were you born?' })
  await app.drain()
  expect((await read(typed)).body.messages).toHaveLength(1)
  const replyTo = /^Reply-To: .*<(.+)>/im.exec(app.mails().at(-1)!.raw)![1]!
  await door.send({ from: victim, to: replyTo, subject: 'Re: Hello', text: 'quokka' })
  const { messages } = (await anna.get(`/tickets/${typed.id}`)).body
  expect(messages.at(-1)).toMatchObject({ content: 'quokka', author_email: victim })
  for (const reply of [await read(typed), await write(typed), await replace(typed)]) expect(reply.status).toBe(404)
  const given = await anna.post(`/tickets/${typed.id}/access-token`)
  const own = await read(typed, headersOf(given))
  expect(own.body.messages.map(({ content }: { content: string }) => content)).toEqual([
    'When were you born?',
    'quokka',
  ])
  expect((await read(typed, headersOf(await replace(typed, headersOf(given))))).status).toBe(200)

  const dan = await customerOf(app, 'dan')
  const [linked, survivor] = [await opened(dan.email), await opened(victim)]
  await app.inTx((tx) =>
    sql`update support.tickets set user_id = ${dan.id}::uuid where id = ${linked.id}`.execute(tx.sql),
  )
  expect((await read(linked)).status).toBe(200)
  expect((await dan.post(`/tickets/${linked.id}/messages`, { content: 'quokka' })).status).toBe(201)
  expect((await read(linked)).status).toBe(404)

  await door.send({ from: victim, to: 'aide@moulin.example', subject: 'Another', text: 'quokka' })
  const { data } = (await anna.get(`/tickets?search=${victim}&sort=-created_at`)).body
  await anna.post(`/tickets/${data[0].id}/messages`, { content: 'quokka' })
  const merged = await anna.post(`/tickets/${survivor.id}/merge`, { duplicate_ids: [data[0].id] })
  expect(merged.status, merged.text).toBe(200)
  const after = await read(survivor)
  expect([after.status, after.text.includes('quokka')]).toEqual([404, false])
})

test('5: for how long a token outlives its ticket is the operator’s to say', async () => {
  await using strict = await start({ PUBLIC_TICKET_DAYS: '3' })
  const ticket = await opened(undefined, strict)
  const closedFor = async (interval: string) => {
    await strict.inTx((tx) =>
      sql`update support.tickets set status = 'closed', closed_at = now() - ${interval}::interval where id = ${ticket.id}`.execute(
        tx.sql,
      ),
    )
    return (await read(ticket, ticket.headers, strict.anonymous)).status
  }
  expect([await closedFor('2 days 23 hours'), await closedFor('3 days 1 hour')]).toEqual([200, 404])
})

test('5: replacing a token ends the number that opened the ticket as well', async () => {
  await using byNumber = await start({ PUBLIC_TICKET_ACCESS: 'number' })
  const ticket = await opened(undefined, byNumber)
  const ask = (headers: Record<string, string> = {}) =>
    byNumber.anonymous.get(`/public/tickets/${ticket.number}`, headers)
  expect((await ask()).status).toBe(200)
  const path = `/public/tickets/${ticket.number}/access-token`
  expect((await byNumber.anonymous.post(path)).status, 'the number replaces nothing').toBe(404)
  const made = await byNumber.anonymous.post(path, undefined, ticket.headers)
  expect(made.status, made.text).toBe(201)
  expect((await ask()).status).toBe(404)
  expect((await ask(headersOf(made))).status).toBe(200)
})

/** All that is the same in every answer of a kind. */
const seen = ({ status, text, headers }: Pick<TestReply, 'status' | 'text' | 'headers'>) => [
  status,
  text.replace(/"request_id":"[^"]*"/, ''),
  Object.keys(headers).toSorted(),
  headers['content-length'],
]

test('6: what is missing, foreign or over costs the same work and gives the same answer, down to its length', async () => {
  const [own, other, over, gone] = [await opened(), await opened(), await opened(), await opened()]
  await app.as('anna').delete(`/tickets/${gone.id}`)
  const made = await replace(over)
  expect(made.status).toBe(201)
  const absent = own.number.replace(/\d+$/, '999')
  const forged = `${own.token.slice(0, -2)}${own.token.endsWith('AA') ? 'BB' : 'AA'}`
  const groups = [
    // Wrong tokens: nothing is looked up.
    ['', 'x', forged, own.token.slice(1), 'A'.repeat(own.token.length)].flatMap((token) =>
      [own.number, absent, own.id, newId()].map((address) => ({ address, token })),
    ),
    // Tokens of ours that do not open this one, and one that opens nothing any more.
    [
      { address: own.number, token: other.token },
      { address: absent, token: other.token },
      { address: own.id, token: other.token },
      { address: newId(), token: other.token },
      { address: over.number, token: over.token },
      { address: gone.number, token: gone.token },
    ],
  ]
  for (const [at, group] of groups.entries()) {
    for (const [method, path, payload] of [
      ['GET', ''],
      ['POST', '/access-token'],
      ['POST', '/messages', { content: 'x' }],
    ] as const) {
      const ask = (address: string, headers: Record<string, string>) =>
        knock(method, `${address}${path}`, headers, payload)
      await ask(own.number, { 'x-ticket-token': 'warm' })
      const answers = new Set<string>()
      const costs = new Map<string, Set<string>>()
      for (const { address, token } of group) {
        const cost = await countWork(async () => {
          const headers: Record<string, string> = token ? { 'x-ticket-token': token } : {}
          answers.add(JSON.stringify(seen(await ask(address, headers))))
        })
        if (at === 0) expect(cost.statements, `${address} ${token}`).toEqual([])
        // What has not even the form of a token is found out without a hash: that tells of the token alone.
        const key = at === 0 ? token : 'ours'
        costs.set(key, new Set([...(costs.get(key) ?? []), JSON.stringify(cost)]))
      }
      expect([...answers]).toHaveLength(1)
      for (const [token, each] of costs) expect([...each], `${method} ${path} ${token}`).toHaveLength(1)
      if (at === 1) expect([...costs.get('ours')!][0]).toMatch(/"comparisons":[1-9]/)
    }
  }
})

test('6: a rating link that is forged, of a missing ticket or of one that is gone costs and says the same', async () => {
  const [own, gone] = [await opened(), await opened()]
  await app.as('anna').delete(`/tickets/${gone.id}`)
  const { workspaceId } = app.world
  const link = (ticketId: string) => ratingToken(app.app.runtime, { workspaceId, ticketId }, new Date())
  const answers = new Set<string>()
  const costs = new Set<string>()
  for (const token of [link(newId()), link(gone.id)]) {
    const cost = await countWork(async () => {
      answers.add(JSON.stringify(seen(await app.anonymous.post('/public/tickets/satisfaction', { token, rating: 3 }))))
    })
    costs.add(JSON.stringify(cost))
  }
  expect([answers.size, costs.size], [...costs].join('\n')).toEqual([1, 1])
  const forged = await app.anonymous.post('/public/tickets/satisfaction', { token: own.token, rating: 3 })
  expect(JSON.stringify(seen(forged))).toBe([...answers][0])
})

test('6: opening a ticket says, and by its time shows, nothing of whether the address is known', async () => {
  await app.as('maria').post('/contacts', { email: 'known@guest.example', first_name: 'K' })
  const answers = new Set<string>()
  for (const email of ['known@guest.example', 'unheard-of@guest.example']) {
    const from = performance.now()
    const reply = await app.anonymous.post('/public/tickets', { email, subject: 'S', description: 'D' })
    // How much longer than a step is the machine's affair; timing-oracles among the benchmarks measures it.
    expect(performance.now() - from).toBeGreaterThan(195)
    const { headers, body } = reply
    answers.add(
      JSON.stringify([reply.status, Object.keys(body), body.status, Object.keys(headers), headers['content-length']]),
    )
  }
  expect([...answers]).toHaveLength(1)
  expect([...answers][0]).toMatch(/^\[201,/)
})

test('7: guessing at one ticket from a thousand networks is stopped; its holder is not', async () => {
  const [ticket, other] = [await opened(), await opened()]
  const guess = async (at: number, address: string, method: 'GET' | 'POST' = 'GET') =>
    (
      await app.app.http.inject({
        method,
        url: `/api/v1/public/tickets/${address}${method === 'POST' ? '/messages' : ''}`,
        remoteAddress: `2001:db8:${at.toString(16)}:${at.toString(16)}::1`,
        headers: { 'x-ticket-token': createHash('sha256').update(String(at)).digest('base64url') },
        ...(method === 'POST' ? { payload: { content: 'x' } } : {}),
      })
    ).statusCode
  for (const address of [ticket.number, newId()]) {
    const statuses = []
    for (let at = 1; at <= 80; at++) statuses.push(await guess(at, address, at % 2 ? 'GET' : 'POST'))
    expect(statuses.indexOf(429), 'whether it is there or not').toBe(60)
    expect(new Set(statuses)).toEqual(new Set([404, 429]))
    expect(new Set(statuses.slice(60))).toEqual(new Set([429]))
  }
  expect(await guess(1, other.number)).toBe(404)
  expect((await read(ticket)).status).toBe(200)
  expect((await write(ticket)).status).toBe(201)
})

test('7: nobody uses up what the holder of another ticket may write', async () => {
  const [ticket, mallory] = [await opened(), await opened()]
  for (let at = 0; at < 60; at++) {
    expect((await knock('POST', `${ticket.id}/messages`, mallory.headers, { content: 'x' })).status).toBe(404)
  }
  expect((await write(ticket)).status).toBe(201)
})

test('19: neither signing in nor asking for a new password looks up more for whom it knows', async () => {
  const { people } = app.world
  await givePassword(app, people.maria, 'seven green bicycles')
  await app.as('anna').post('/invitations', { email: 'invited@guest.example', role: 'agent' })
  await app.drain()
  const emails = [people.maria.email, people.agnes.email, 'invited@guest.example', 'nobody@guest.example']
  for (const ask of [
    (email: string) => app.anonymous.post('/session', { email, password: 'not this one' }),
    (email: string) => app.anonymous.post('/password-resets', { email }),
  ]) {
    await ask('warm@guest.example')
    const answers = new Set<string>()
    const costs = new Set<string>()
    for (const email of emails) {
      const cost = await countWork(async () => void answers.add(JSON.stringify(seen(await ask(email)))))
      expect(cost.statements.length).toBeGreaterThan(0)
      costs.add(JSON.stringify(cost))
    }
    expect([answers.size, costs.size], [...answers, ...costs].join('\n')).toEqual([1, 1])
  }
})
