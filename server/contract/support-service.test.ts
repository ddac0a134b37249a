// Document 3: the support service, endpoint by endpoint, with its own example requests. Its tickets belong to customers with an
// account; whoever else has one finds nothing there.
import { expect, test } from 'vitest'
import { toConfig } from '../config.ts'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { driveScene, type Cases } from '#testing/contract/drive.ts'
import { atRoot, everything, withSlash } from '#testing/contract/endpoints.ts'
import { flag, id, message, object, text, time, whole, withFields } from '#testing/contract/matchers.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

/** A ticket of a customer, with an answer, a note of the house, a word of the customer's and a file in it. */
interface Desk {
  word: string
  chloe: Client & { id: string; email: string }
  agent: string
  ticket: { id: string; ticket_number: string }
  answer: { id: string }
  note: { id: string }
  own: { id: string }
  file: { id: string }
  /** Somebody without an account, where a case needs one. */
  guest?: { id: string; ticket_number: string; access_token: string }
}

const png = Buffer.from('\u0089PNG\r\n\u001a\n some pixels', 'latin1')
const multipart = { 'content-type': 'multipart/form-data; boundary=x' }

/** A body of multipart/form-data: the files, and the message that they belong to. */
function files(names: string[], messageId?: string): Buffer {
  const part = (head: string, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`--x\r\ncontent-disposition: form-data; ${head}\r\n\r\n`), content, Buffer.from('\r\n')])
  const about = messageId ? [part('name="message_id"', Buffer.from(messageId))] : []
  const parts = names.map((name) => part(`name="file"; filename="${name}"`, png))
  return Buffer.concat([...about, ...parts, Buffer.from('--x--\r\n')])
}

const question = (word: string) => ({
  subject: `Commande non reçue ${word}`,
  description: 'Elle devait arriver lundi.',
  priority: 'high',
})

async function prepare(app: TestApp): Promise<Desk> {
  const word = newId().slice(-12)
  const chloe = await customerOf(app, `chloe-${word}`)
  const agnes = app.as('agnes')
  const make = async (client: Client, path: string, body: unknown, headers?: Record<string, string>) => {
    const reply = await client.post(path, body, headers)
    expect(reply.status, reply.text).toBe(201)
    return reply.body as { id: string; ticket_number: string }
  }
  const ticket = await make(chloe, '/tickets', question(word))
  const path = `/tickets/${ticket.id}`
  const note = await make(agnes, `${path}/messages`, { content: 'Client difficile.', is_internal: true })
  const answer = await make(agnes, `${path}/messages`, { content: 'Elle est en route.' })
  const own = await make(chloe, `${path}/messages`, { content: 'Merci.' })
  const file = await make(chloe, `${path}/attachments`, files(['preuve.png'], own.id), multipart)
  return { word, chloe, agent: app.world.people.agnes.id, ticket, answer, note, own, file }
}

async function openAsGuest(app: TestApp, desk: Desk): Promise<NonNullable<Desk['guest']>> {
  const reply = await app.anonymous.post('/public/tickets?workspace=moulin', guestQuestion(desk))
  expect(reply.status, reply.text).toBe(201)
  desk.guest = reply.body as NonNullable<Desk['guest']>
  const notes = `/tickets/${desk.guest.id}/messages`
  await app.as('agnes').post(notes, { content: 'Client inconnu.', is_internal: true })
  await app.as('agnes').post(notes, { content: 'Nous cherchons.' })
  return desk.guest
}

const guestQuestion = ({ word }: Desk) => ({
  email: `zoe-${word}@guest.example`,
  subject: `Commande ${word}`,
  description: 'Où est-elle ?',
})
const byToken = (desk: Desk): Record<string, string> => ({ 'x-ticket-token': desk.guest?.access_token ?? 'none' })

const number = expect.stringMatching(/^TICKET-\d{8}-\d{3,}$/)

/** The columns of support_tickets that its requester reads. */
const ticket = (more: object = {}) =>
  withFields({
    id,
    ticket_number: number,
    user_id: id,
    subject: text,
    description: text,
    status: text,
    priority: 'high',
    category: null,
    source: 'web',
    contact_email: text,
    contact_name: text,
    first_response_at: null,
    resolved_at: null,
    closed_at: null,
    resolution_notes: null,
    satisfaction_rating: null,
    satisfaction_comment: null,
    created_at: time,
    updated_at: time,
    ...more,
  })
/** And those that the house alone reads. */
const ticketInside = (more: object = {}) =>
  ticket({ assigned_to: null, internal_notes: null, tags: [], metadata: {}, deleted_at: null, ...more })
const inside = ['assigned_to', 'internal_notes', 'tags', 'metadata', 'deleted_at']

/** The columns of ticket_messages. */
const word = ({ ticket: { id: ticketId } }: Desk, more: object = {}) =>
  withFields({
    id,
    ticket_id: ticketId,
    user_id: null,
    author_name: text,
    author_email: null,
    content: text,
    is_internal: false,
    is_read: flag,
    read_at: null,
    created_at: time,
    updated_at: time,
    ...more,
  })
const answer = (desk: Desk, more: object = {}) =>
  word(desk, { id: desk.answer.id, author_name: 'Agnes', content: 'Elle est en route.', is_read: false, ...more })
const ownWord = (desk: Desk, more: object = {}) =>
  word(desk, {
    user_id: desk.chloe.id,
    author_email: desk.chloe.email,
    content: 'Merci.',
    is_read: true,
    read_at: time,
    ...more,
  })

/** The columns of ticket_attachments. */
const file = (desk: Desk, more: object = {}) =>
  withFields({
    id,
    ticket_id: desk.ticket.id,
    message_id: desk.own.id,
    user_id: desk.chloe.id,
    file_name: 'preuve.png',
    file_url: text,
    file_type: 'image',
    file_size: png.length,
    mime_type: 'image/png',
    created_at: time,
    updated_at: time,
    ...more,
  })

const chloe = ({ chloe: one }: Desk): Client => one
const agnes = (_: Desk, app: TestApp): Client => app.as('agnes')
const ofTicket = ({ ticket: { id: ticketId } }: Desk) => `/tickets/${ticketId}`
const inBody = (messageId: string) => ({ id: messageId })

const cases: Cases<Desk> = {
  'GET /tickets': {
    least: 'customer',
    asks: chloe,
    status: 200,
    reply: (desk) => ({
      data: [ticket({ id: desk.ticket.id, user_id: desk.chloe.id, first_response_at: time, ...question(desk.word) })],
      next_cursor: null,
      total: 1,
    }),
    after: async ({ app, admin, given, reply }) => {
      for (const name of inside) expect(reply.body.data[0], name).not.toHaveProperty(name)
      const seen = async (client: Client) =>
        (await client.get(`/tickets?search=${given.word}`)).body.data.map((each: { id: string }) => each.id)
      const { body: open } = await given.chloe.post('/tickets', question(given.word))
      // It is Agnes' by her answer; the new one is nobody's yet. Another agent sees the second alone.
      const other = await customerOf(app, 'aida', { id: newId(), email: 'aida@x.example', name: 'Aida', role: 'agent' })
      expect(await seen(app.as('agnes'))).toEqual([open.id, given.ticket.id])
      expect(await seen(admin)).toEqual([open.id, given.ticket.id])
      expect(await seen(other)).toEqual([open.id])
      for (const name of ['maria', 'victor'] as const) expect(await seen(app.as(name)), name).toEqual([])
      const [first] = (await admin.get(`/tickets?search=${given.word}&assigned_to=${given.agent}`)).body.data
      expect(first).toEqual(ticketInside({ assigned_to: given.agent, status: text, first_response_at: time }))
    },
  },
  'POST /tickets': {
    least: 'customer',
    asks: chloe,
    body: (desk) => question(desk.word),
    status: 201,
    reply: (desk) =>
      ticket({ ...question(desk.word), user_id: desk.chloe.id, contact_email: desk.chloe.email, status: 'open' }),
    after: async ({ given }) => {
      const wrong: [change: object, pointer: string][] = [
        [{ subject: ' ' }, '/subject'],
        [{ description: undefined }, '/description'],
        [{ priority: 'extreme' }, '/priority'],
        [{ internal_notes: 'x' }, '/internal_notes'],
        [{ ticket_number: 'TICKET-1' }, '/ticket_number'],
      ]
      for (const [change, pointer] of wrong) {
        const reply = await given.chloe.post('/tickets', { ...question(given.word), ...change })
        expect([reply.status, reply.body.errors?.[0].pointer], reply.text).toEqual([422, pointer])
      }
    },
  },
  'GET /tickets/statistics': {
    least: 'agent',
    status: 200,
    reply: () =>
      withFields({
        now: {
          by_status: { open: whole, assigned: whole, in_progress: whole, waiting_customer: whole, resolved: whole, closed: whole }, // prettier-ignore
          by_priority: { low: whole, normal: whole, high: whole, urgent: whole },
          unassigned: whole,
          overdue: whole,
        },
        first_response: object,
        resolution: object,
        satisfaction: object,
        agents: expect.any(Array),
        escalated: whole,
      }),
  },
  'GET /tickets/{id}': {
    least: 'customer',
    asks: chloe,
    status: 200,
    reply: (desk) =>
      ticket({
        id: desk.ticket.id,
        first_response_at: time,
        messages: [answer(desk), ownWord(desk)],
        attachments: [file(desk, { id: desk.file.id })],
      }),
    after: async ({ app, given, reply }) => {
      for (const name of inside) expect(reply.body, name).not.toHaveProperty(name)
      expect(reply.body.attachments[0], 'where it lies is the house’s').not.toHaveProperty('file_path')
      expect(reply.text).not.toContain('Client difficile.')
      expect(reply.headers.etag).toMatch(/^"v\d+"$/)
      const { body } = await app.as('agnes').get(ofTicket(given))
      const notes = body.messages.map((each: { content: string; is_internal: boolean }) => [each.content, each.is_internal]) // prettier-ignore
      expect(notes).toEqual([
        ['Client difficile.', true],
        ['Elle est en route.', false],
        ['Merci.', false],
      ])
      const path = `tickets/${given.ticket.id}/${given.file.id}/preuve.png`
      expect(body.attachments).toEqual([file(given, { file_path: `${app.world.workspaceId}/${path}` })])
    },
  },
  'PUT /tickets/{id}': {
    least: 'customer',
    asks: agnes,
    body: () => ({
      priority: 'urgent',
      category: 'facturation',
      internal_notes: 'x',
      tags: ['vip'],
      metadata: { a: 1 },
    }),
    status: 200,
    reply: (desk) =>
      ticketInside({
        id: desk.ticket.id,
        priority: 'urgent',
        category: 'facturation',
        internal_notes: 'x',
        tags: ['vip'],
        metadata: { a: 1 },
        assigned_to: desk.agent,
        first_response_at: time,
      }),
    after: async ({ given }) => {
      const mended = await given.chloe.put(ofTicket(given), { subject: 'Commande 12 non reçue' })
      expect([mended.status, mended.body.subject]).toEqual([200, 'Commande 12 non reçue'])
      for (const name of inside) expect(mended.body, name).not.toHaveProperty(name)
      expect((await given.chloe.put(ofTicket(given), { tags: ['vip'] })).status).toBe(422)
    },
  },
  'DELETE /tickets/{id}': {
    least: 'admin',
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await given.chloe.get(ofTicket(given))).status).toBe(404)
      const kept = await admin.get(`${ofTicket(given)}?deleted=true`)
      expect([kept.status, kept.body.deleted_at], 'the history stays').toEqual([200, time])
    },
  },
  'POST /tickets/{id}/assign': {
    least: 'agent',
    asks: agnes,
    params: async (desk, app) => ({ id: (await app.as('anna').post('/tickets', forSomebody(desk))).body.id }),
    body: (desk) => ({ agent_id: desk.agent }),
    status: 200,
    reply: (desk) => ticketInside({ status: 'assigned', assigned_to: desk.agent, user_id: null }),
    after: async ({ app, admin, reply }) => {
      const path = `/tickets/${reply.body.id}/assign`
      const maria = await admin.post(path, { agent_id: app.world.people.maria.id })
      expect([maria.status, maria.body.errors[0].pointer], 'she is no agent').toEqual([422, '/agent_id'])
      expect((await admin.post(path, { agent_id: newId() })).status).toBe(422)
    },
  },
  'POST /tickets/{id}/resolve': {
    least: 'agent',
    asks: agnes,
    body: () => ({ resolution: 'Renvoyée.' }),
    status: 200,
    reply: (desk) =>
      ticketInside({ id: desk.ticket.id, status: 'resolved', resolution_notes: 'Renvoyée.', resolved_at: time, assigned_to: desk.agent, first_response_at: time }), // prettier-ignore
  },
  'POST /tickets/{id}/close': {
    least: 'customer',
    asks: chloe,
    status: 200,
    reply: (desk) => ticket({ id: desk.ticket.id, status: 'closed', closed_at: time, first_response_at: time }),
  },

  'GET /tickets/{ticketId}/messages': {
    least: 'customer',
    asks: chloe,
    status: 200,
    reply: (desk) => ({ data: [answer(desk), ownWord(desk)], next_cursor: null, total: 2 }),
  },
  'POST /tickets/{ticketId}/messages': {
    least: 'customer',
    asks: agnes,
    body: () => ({ content: 'Il s’énerve.', is_internal: true }),
    status: 201,
    reply: (desk) =>
      word(desk, { user_id: desk.agent, author_name: 'Agnes', author_email: 'agnes@moulin.example', content: 'Il s’énerve.', is_internal: true, is_read: true, read_at: time }), // prettier-ignore
    after: async ({ given }) => {
      const path = `${ofTicket(given)}/messages`
      expect((await given.chloe.get(path)).text).not.toContain('Il s’énerve.')
      const said = await given.chloe.post(path, { content: 'Encore.', is_internal: false })
      expect([said.status, said.body], said.text).toEqual([201, ownWord(given, { content: 'Encore.' })])
      const note = await given.chloe.post(path, { content: 'Encore.', is_internal: true })
      expect([note.status, note.body.code]).toEqual([403, 'internal'])
    },
  },
  'GET /tickets/{ticketId}/messages/unread-count': {
    least: 'customer',
    asks: chloe,
    status: 200,
    reply: () => ({ count: 1 }),
  },
  'POST /tickets/{ticketId}/messages/mark-all-read': {
    least: 'customer',
    asks: chloe,
    status: 200,
    reply: () => ({ message: text, count: 1 }),
    after: async ({ given }) => {
      expect((await given.chloe.get(`${ofTicket(given)}/messages/unread-count`)).body).toEqual({ count: 0 })
    },
  },
  'GET /tickets/{ticketId}/messages/{id}': {
    least: 'customer',
    asks: chloe,
    params: (desk) => inBody(desk.answer.id),
    status: 200,
    reply: (desk) => answer(desk),
    after: async ({ app, given }) => {
      const path = `${ofTicket(given)}/messages/${given.note.id}`
      expect((await given.chloe.get(path)).status, 'notes are not there').toBe(404)
      expect((await app.as('agnes').get(path)).body.content).toBe('Client difficile.')
    },
  },
  'PUT /tickets/{ticketId}/messages/{id}': {
    least: 'customer',
    asks: chloe,
    params: (desk) => inBody(desk.own.id),
    body: () => ({ content: 'Merci beaucoup.' }),
    status: 200,
    reply: (desk) => ownWord(desk, { id: desk.own.id, content: 'Merci beaucoup.' }),
    after: async ({ given }) => {
      const theirs = await given.chloe.put(`${ofTicket(given)}/messages/${given.answer.id}`, { content: 'Non.' })
      expect([theirs.status, theirs.body.code]).toEqual([403, 'not_the_author'])
    },
  },
  'DELETE /tickets/{ticketId}/messages/{id}': {
    least: 'customer',
    asks: chloe,
    params: (desk) => inBody(desk.own.id),
    status: 200,
    reply: () => message,
    after: async ({ given }) => {
      const path = `${ofTicket(given)}/messages`
      expect((await given.chloe.get(`${path}/${given.own.id}`)).status).toBe(404)
      expect((await given.chloe.delete(`${path}/${given.answer.id}`)).status).toBe(403)
    },
  },
  'POST /tickets/{ticketId}/messages/{id}/mark-read': {
    least: 'customer',
    asks: chloe,
    params: (desk) => inBody(desk.answer.id),
    status: 200,
    reply: () => message,
    after: async ({ given }) => {
      const { body } = await given.chloe.get(`${ofTicket(given)}/messages/${given.answer.id}`)
      expect(body).toEqual(answer(given, { is_read: true, read_at: time }))
    },
  },

  'GET /tickets/{ticketId}/attachments': {
    least: 'customer',
    asks: chloe,
    status: 200,
    reply: (desk) => ({ data: [file(desk, { id: desk.file.id })] }),
  },
  'POST /tickets/{ticketId}/attachments': {
    least: 'customer',
    asks: chloe,
    body: () => files(['capture.png']),
    headers: () => multipart,
    status: 201,
    reply: (desk) => file(desk, { file_name: 'capture.png', message_id: null }),
    after: async ({ given }) => {
      const send = (body: Buffer) => given.chloe.post(`${ofTicket(given)}/attachments`, body, multipart)
      expect((await send(files(['page.html']))).status, 'types are allowed by name').toBe(415)
      const large = Buffer.concat([png, Buffer.alloc(10_000_001)])
      const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
      const body = Buffer.concat([Buffer.from(head), large, Buffer.from('\r\n--x--\r\n')])
      expect((await send(body)).status, 'ten megabytes at most').toBe(413)
    },
  },
  'POST /tickets/{ticketId}/attachments/multiple': {
    least: 'customer',
    asks: chloe,
    body: () => files(['un.png', 'deux.png']),
    headers: () => multipart,
    status: 201,
    reply: (desk) => ({
      data: [
        file(desk, { file_name: 'un.png', message_id: null }),
        file(desk, { file_name: 'deux.png', message_id: null }),
      ],
    }),
  },
  'GET /tickets/{ticketId}/attachments/{id}': {
    least: 'customer',
    asks: chloe,
    params: (desk) => inBody(desk.file.id),
    status: 200,
    reply: (desk) => file(desk, { id: desk.file.id }),
  },
  'GET /tickets/{ticketId}/attachments/{id}/download': {
    least: 'customer',
    asks: chloe,
    params: (desk) => inBody(desk.file.id),
    status: 302,
    reply: () => ({ url: text, expires_at: time }),
    after: async ({ app, reply }) => {
      expect(reply.headers.location).toBe(reply.body.url)
      const found = await app.app.http.inject({ url: new URL(reply.body.url).pathname })
      expect([found.statusCode, found.rawPayload.equals(png)]).toEqual([200, true])
    },
  },
  'DELETE /tickets/{ticketId}/attachments/{id}': {
    least: 'customer',
    asks: chloe,
    params: (desk) => inBody(desk.file.id),
    status: 200,
    reply: () => message,
    after: async ({ given }) => {
      expect((await given.chloe.get(`${ofTicket(given)}/attachments`)).body).toEqual({ data: [] })
    },
  },
  'GET /tickets/{ticketId}/attachments/message/{messageId}': {
    least: 'customer',
    asks: chloe,
    params: (desk) => ({ messageId: desk.own.id }),
    status: 200,
    reply: (desk) => ({ data: [file(desk, { id: desk.file.id })] }),
    after: async ({ given }) => {
      const path = `${ofTicket(given)}/attachments/message`
      expect((await given.chloe.get(`${path}/${given.answer.id}`)).body).toEqual({ data: [] })
      expect((await given.chloe.get(`${path}/${given.note.id}`)).status).toBe(404)
    },
  },

  'POST /public/tickets': {
    least: 'none',
    query: '?workspace=moulin',
    body: guestQuestion,
    status: 201,
    reply: () => ({ ticket_number: number, id, access_token: text, status: 'open' }),
    after: async ({ admin, given, reply }) => {
      const { body } = await admin.get(`/tickets/${reply.body.id}`)
      expect(body).toMatchObject({ user_id: null, contact_email: guestQuestion(given).email, source: 'web' })
    },
  },
  'GET /public/tickets/{ticketNumber}': {
    least: 'none',
    params: async (desk, app) => ({ ticketNumber: (await openAsGuest(app, desk)).ticket_number }),
    headers: byToken,
    status: 200,
    reply: (desk) =>
      withFields({
        id,
        ticket_number: number,
        subject: guestQuestion(desk).subject,
        description: 'Où est-elle ?',
        status: 'in_progress',
        priority: 'normal',
        category: null,
        created_at: time,
        messages: [withFields({ id, author_name: 'Agnes', content: 'Nous cherchons.', created_at: time })],
      }),
    after: async ({ app, reply }) => {
      expect(reply.text).not.toContain('Client inconnu.')
      const number = `/public/tickets/${reply.body.ticket_number}`
      expect((await app.anonymous.get(number)).status, 'the number alone is no proof').toBe(404)
    },
  },
  'POST /public/tickets/{ticketId}/messages': {
    least: 'none',
    params: async (desk, app) => ({ ticketId: (await openAsGuest(app, desk)).id }),
    headers: byToken,
    body: () => ({ content: 'Toujours rien.' }),
    status: 201,
    reply: () => withFields({ id, ticket_id: id, ticket_number: number, content: 'Toujours rien.', created_at: time }),
    after: async ({ app, given }) => {
      const { id: ticketId, ticket_number: address } = given.guest!
      const shown = await app.anonymous.get(`/public/tickets/${address}`, byToken(given))
      expect(shown.body.messages.map((each: { content: string }) => each.content)).toEqual([
        'Nous cherchons.',
        'Toujours rien.',
      ])
      const wrong = await app.anonymous.post(`/public/tickets/${ticketId}/messages`, { content: 'x' })
      expect(wrong.status).toBe(404)
    },
  },
}

const forSomebody = (desk: Desk) => ({ ...question(desk.word), contact_email: `ines-${desk.word}@client.example` })

const params = ({ ticket: { id: ticketId } }: Desk) => ({ id: ticketId, ticketId })

driveScene({ prepare, params }, '3', cases, [
  everything,
  withSlash(everything),
  atRoot('support'),
  withSlash(atRoot('support')),
])

test('where tickets open by their number, it is all that is asked for, as the document has it', async () => {
  await using app = await start({ PUBLIC_TICKET_ACCESS: 'number' }, undefined, 'support')
  const body = { email: 'zoe@guest.example', subject: 'Commande', description: 'Où est-elle ?' }
  const made = await app.anonymous.post('//public/tickets', body)
  expect([made.status, made.body.ticket_number], made.text).toEqual([201, expect.stringMatching(/^TICKET-\d{8}-/)])
  const address = `//public/tickets/${made.body.ticket_number}`
  expect((await app.anonymous.post(`${address}/messages`, { content: 'Toujours rien.' })).status).toBe(201)
  const shown = await app.anonymous.get(address)
  expect([shown.status, shown.body.messages.length]).toEqual([200, 1])
})

test('a token is replaced by its holder or by the house, under the service’s own addresses', async () => {
  await using app = await start({}, undefined, 'support')
  const body = { email: 'zoe@guest.example', subject: 'Commande', description: 'Où est-elle ?' }
  const made = await app.anonymous.post('//public/tickets', body)
  const { id: ticketId, ticket_number: address, access_token: first } = made.body
  const replaced = { id: ticketId, ticket_number: address, access_token: text }
  const own = await app.anonymous.post(`//public/tickets/${address}/access-token`, undefined, {
    'x-ticket-token': first,
  })
  expect([own.status, own.body]).toEqual([201, replaced])
  const byHouse = await app.as('agnes').post(`//tickets/${ticketId}/access-token/`)
  expect([byHouse.status, byHouse.body]).toEqual([201, replaced])
  for (const [token, status] of [
    [first, 404],
    [own.body.access_token, 404],
    [byHouse.body.access_token, 200],
  ]) {
    expect((await app.anonymous.get(`//public/tickets/${address}`, { 'x-ticket-token': token })).status).toBe(status)
  }
})

test('the service is found, asked how it is and configured as the document writes it', async () => {
  const environment = {
    RABBITMQ_HOST: 'rabbitmq',
    RABBITMQ_PORT: '5672',
    RABBITMQ_USER: 'guest',
    RABBITMQ_PASSWORD: 'guest',
    RABBITMQ_VHOST: '/',
    MINIO_ENDPOINT: 'http://minio:9000',
    MINIO_ACCESS_KEY: 'admin',
    MINIO_SECRET_KEY: 'adminpass123',
    MINIO_BUCKET: 'sav',
    MINIO_REGION: 'us-east-1',
    TICKET_NUMBER_PREFIX: 'TICKET',
    AUTO_CLOSE_RESOLVED_DAYS: '7',
    ESCALATION_TIMEOUT_HOURS: '2',
    MAX_ATTACHMENT_SIZE_MB: '10',
  }
  const config = toConfig(environment, 'support')
  expect(config).toMatchObject({
    http: { port: 8007 },
    rabbitmq: { exchange: 'sav_exchange', queue: 'sav_queue' },
    s3: { bucket: 'sav' },
    tickets: { numberPrefix: 'TICKET', autoCloseDays: 7, escalationHours: 2, attachmentSizeBytesMax: 10_000_000 },
  })
  expect(toConfig({ RABBITMQ_HOST: 'mq' }, 'support').tickets, 'and so without saying it').toEqual(config.tickets)
  await using app = await start({ TICKET_NUMBER_PREFIX: 'SAV' }, undefined, 'support')
  expect((await app.anonymous.get('//health')).body).toEqual({ status: 'ok', service: 'sav-service' })
  expect((await app.anonymous.get('//status')).body).toEqual({ status: 'ok', database: 'connected' })
  const body = { email: 'zoe@guest.example', subject: 'Commande', description: 'Où est-elle ?' }
  expect((await app.anonymous.post('//public/tickets', body)).body.ticket_number).toMatch(/^SAV-\d{8}-001$/)
  const { text: metrics } = await app.anonymous.get('//metrics')
  const watched = ['ticket_first_response_seconds_average', 'ticket_resolution_seconds_average', 'tickets{status="open"}', 'tickets_open{priority="high"}', 'ticket_agent_load{of="average"}', 'ticket_satisfaction_average', 'ticket_escalation_ratio'] // prettier-ignore
  for (const name of watched) expect(metrics, name).toContain(`rapport_${name} `)
  const schedule = Object.fromEntries(app.app.tasks.map(({ name, cron }) => [name, cron]))
  expect(schedule).toMatchObject({
    'support.close_resolved': expect.stringMatching(/^\d+ \d+ \* \* \*$/),
    'support.escalate': '*/30 * * * *',
    'support.count_tickets': expect.stringMatching(/^\d+ \* \* \* \*$/),
  })
})
