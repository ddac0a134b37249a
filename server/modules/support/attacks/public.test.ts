/**
 * Attacks by people without an account. Others are shown elsewhere: public-tickets.test.ts (missing, wrong and foreign tokens
 * look the same; nothing of the house in the reply; robots, floods for one address, known people; no Referer, no token in an
 * address), satisfaction/satisfaction.test.ts (ratings twice, out of range, early, forged; one mail for a victim, with nothing
 * that was typed), crypto/tokens.test.ts (forged tokens of every kind).
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { readToken } from '../public/tickets.ts'
import { ratingToken } from '../satisfaction/links.ts'

let app: TestApp
beforeAll(async () => {
  app = await start({ TRUSTED_PROXIES: '192.0.2.1' })
})
afterAll(() => app[Symbol.asyncDispose]())

let count = 0
async function opened(email = `zoe${++count}@guest.example`) {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/api/v1/public/tickets',
    // A house of its own for each: openings are counted by network.
    remoteAddress: `198.51.100.${++count}`,
    payload: { email, name: 'Zoé', subject: 'Hello', description: 'Where is it?' },
  })
  expect(reply.statusCode, reply.body).toBe(201)
  const { id, ticket_number: number, access_token: token } = reply.json<Record<string, string>>()
  return { id: id!, number: number!, email, token: token!, headers: { 'x-ticket-token': token! } }
}

test('1, 2: walking along the numbers with a token, or an address, finds one’s own ticket alone', async () => {
  const tickets = await Promise.all(Array.from({ length: 5 }, () => opened()))
  const own = tickets[2]!
  const last = Math.max(...tickets.map(({ number }) => Number(number.slice(-3))))
  const found = []
  for (let number = 0; number <= last + 5; number++) {
    const address = own.number.replace(/\d{3}$/, String(number).padStart(3, '0'))
    const reply = await app.anonymous.get(`/public/tickets/${address}`, own.headers)
    if (reply.status !== 404) found.push([reply.status, reply.body.ticket_number])
    expect((await app.anonymous.get(`/public/tickets/${address}?email=${own.email}`, own.headers)).status).toBe(422)
  }
  expect(found).toEqual([[200, own.number]])
})

test('3: a token of one use, or of one ticket, is none for another', async () => {
  const [own, other] = [await opened(), await opened()]
  const { workspaceId } = app.world
  await app.as('agnes').post(`/tickets/${own.id}/close`)
  const rating = ratingToken(app.app.runtime, { workspaceId, ticketId: own.id }, new Date())
  const read = (address: string, token: string) =>
    app.anonymous.get(`/public/tickets/${address}`, { 'x-ticket-token': token })
  expect((await read(own.number, own.token)).status).toBe(200)
  expect((await read(own.number, rating)).status).toBe(404)
  const { tokens } = app.app.runtime
  const payload = tokens.open('support.ticket', own.token)!
  expect(payload).toHaveLength(48)
  for (const purpose of ['support.satisfaction', 'contacts.unsubscribe', 'communication.delivery', '']) {
    const same = tokens.sign(purpose, payload)
    expect(readToken(app.app.runtime, same), purpose).toBeNull()
    expect((await read(own.number, same)).status).toBe(404)
  }
  expect((await read(other.number, own.token)).status).toBe(404)
  const word = await app.anonymous.post(`/public/tickets/${other.id}/messages`, { content: 'x' }, own.headers)
  expect(word.status).toBe(404)
  const rate = (token: string) => app.anonymous.post('/public/tickets/satisfaction', { token, rating: 1 })
  expect((await rate(own.token)).status).toBe(410)
  for (const path of ['', '/attachments', '/messages', '/history']) {
    const asked = await app.anonymous.get(`/tickets/${own.id}${path}`, {
      authorization: `Bearer ${own.token}`,
      ...own.headers,
    })
    expect(asked.status, path).toBe(401)
  }
  expect((await rate(rating)).status).toBe(200)
})

test('5: whoever was sent the link writes in the ticket, without the requester’s address', async () => {
  const ticket = await opened()
  const said = await app.anonymous.post(`/public/tickets/${ticket.id}/messages`, { content: 'Hi' }, ticket.headers)
  expect(said.status).toBe(201)
  const { messages } = (await app.as('anna').get(`/tickets/${ticket.id}`)).body
  expect(messages).toMatchObject([{ content: 'Hi', author_kind: 'requester', author_email: '', user_id: null }])
  await app.drain()
  expect(app.mails().filter(({ to }) => to === ticket.email)).toEqual([])
})

test('5: a token opens nothing once the person is erased', async () => {
  const ticket = await opened()
  const { personalData } = app.app.runtime
  const { data } = personalData.find(({ name }) => name === 'support')!
  await app.inTx(async (tx) => {
    const person = await data.find!(tx, { email: ticket.email })
    await data.erase(tx, person!, app.app.runtime)
  })
  expect((await app.anonymous.get(`/public/tickets/${ticket.number}`, ticket.headers)).status).toBe(404)
  const word = await app.anonymous.post(`/public/tickets/${ticket.id}/messages`, { content: 'x' }, ticket.headers)
  expect(word.status).toBe(404)
})

interface Visitor {
  remoteAddress: string
  headers?: Record<string, string>
}

async function guess(times: number, visitor: (at: number) => Visitor): Promise<number[]> {
  const statuses = []
  for (let at = 0; at < times; at++) {
    const { remoteAddress, headers } = visitor(at)
    const url = `/api/v1/public/tickets/TICKET-20261103-${at}`
    const reply = await app.app.http.inject({ url, remoteAddress, headers: { ...headers, 'x-ticket-token': `x${at}` } })
    statuses.push(reply.statusCode)
  }
  return statuses
}
const count404 = (statuses: number[]) => statuses.filter((status) => status === 404).length

test('7, 44: guessing from one address, whatever it says it is forwarded for, is stopped', async () => {
  const forged = (at: number) => ({
    'x-forwarded-for': `203.0.113.${at}`,
    forwarded: `for=203.0.113.${at}`,
    'x-real-ip': `203.0.113.${at}`,
    'cf-connecting-ip': `203.0.113.${at}`,
    'true-client-ip': `203.0.113.${at}`,
  })
  const statuses = await guess(130, (at) => ({ remoteAddress: '192.0.2.77', headers: forged(at) }))
  expect([count404(statuses), statuses.at(-1)]).toEqual([120, 429])
  // Behind our own proxy the last address alone is its word; what stands before was sent along.
  const behind = await guess(130, (at) => ({
    remoteAddress: '192.0.2.1',
    headers: { 'x-forwarded-for': `203.0.113.${at}, 198.51.100.200` },
  }))
  expect([count404(behind), behind.at(-1)]).toEqual([120, 429])
})

test('7: guessing from all addresses of one IPv6 network is stopped as one', async () => {
  const statuses = await guess(130, (at) => ({ remoteAddress: `2001:db8:1:2:${at.toString(16)}::${at + 1}` }))
  expect([count404(statuses), statuses.at(-1)]).toEqual([120, 429])
  expect(await guess(1, () => ({ remoteAddress: '2001:db8:1:3::1' }))).toEqual([404])
})
