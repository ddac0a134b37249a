// Document 4: the customers service, endpoint by endpoint, with its own example requests.
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { driveDocument, type Cases, type Given } from '#testing/contract/drive.ts'
import { atRoot, everything, withoutVersion, withSlash } from '#testing/contract/endpoints.ts'
import { id, message, money, pageOf, text, time, withFields } from '#testing/contract/matchers.ts'
import { clientOf, start, tokenOf } from '#testing/start.ts'

/** The Customer of the document, and its CustomerHistory. */
const customer = (more: object = {}) =>
  withFields({
    id,
    user_id: null,
    business_id: id,
    full_name: text,
    email: text,
    phone: null,
    gender: null,
    avatar_url: null,
    total_orders: 0,
    total_appointments: 0,
    last_order_date: null,
    last_appointment_date: null,
    lifetime_value: money,
    created_at: time,
    updated_at: time,
    first_order_date: null,
    first_appointment_date: null,
    returned_orders: 0,
    cancelled_appointments: 0,
    ...more,
  })

const customerTag = (given: Given, more: object = {}) =>
  withFields({ id, customer_id: given.contact.id, label: text, color: '#FFD700', priority: 0, created_by: id, ...more })

const customerNote = (given: Given, more: object = {}) =>
  withFields({ id, customer_id: given.contact.id, content: text, created_by: id, created_at: time, ...more })

const body = ({ word }: Given) => ({
  full_name: 'John Doe',
  email: `john.doe-${word}@example.com`,
  phone: '0712345678',
  gender: 'male',
})

const picture = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#336699' } })
  .png()
  .toBuffer()
const upload = Buffer.concat([
  Buffer.from(
    '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\ncontent-type: image/png\r\n\r\n',
  ),
  picture,
  Buffer.from('\r\n--x--\r\n'),
])

const cases: Cases = {
  'POST /customers': {
    least: 'writer',
    body,
    status: 201,
    reply: (given) => customer({ ...body(given), created_at: time }),
    after: async ({ app, admin, given, reply }) => {
      expect(reply.body.business_id).toBe(app.world.workspaceId)
      // The same person under the names of the other documents.
      expect((await admin.get(`/contacts/${reply.body.id}`)).body).toMatchObject({
        first_name: 'John',
        last_name: 'Doe',
      })
      const foreign = await admin.post('/customers', {
        ...body(given),
        email: 'x@example.com',
        business_id: given.userId,
      })
      expect([foreign.status, foreign.body.errors[0].pointer]).toEqual([422, '/business_id'])
    },
  },
  'GET /customers': {
    least: 'viewer',
    query: '?limit=200&sort=-created_at',
    status: 200,
    reply: (given) =>
      pageOf(customer({ id: given.contact.id, user_id: given.userId }), customer({ id: given.other.id })),
    after: async ({ admin, given }) => {
      const found = async (query: string) => (await admin.get(`/customers?${query}`)).body.data.map((one: { id: string }) => one.id) // prettier-ignore
      expect(await found(`email=${given.contact.email}`)).toEqual([given.contact.id])
      expect(await found(`user_id=${given.userId}`)).toEqual([given.contact.id])
      expect(await found(`tag=${encodeURIComponent(given.tag.name)}`)).toEqual([given.contact.id])
      expect(await found(`search=${given.word}&gender=male`)).toEqual([])
    },
  },
  'GET /customers/{customer_id}': {
    least: 'viewer',
    status: 200,
    reply: (given) => customer({ id: given.contact.id, user_id: given.userId, full_name: 'Ana' }),
    after: ({ reply }) => expect(reply.headers.etag).toMatch(/^"v\d+"$/),
  },
  'PATCH /customers/{customer_id}': {
    least: 'writer',
    body: () => ({ full_name: 'Ana Maria Pop', phone: '0712345678', gender: 'female' }),
    status: 200,
    reply: (given) => customer({ id: given.contact.id, user_id: given.userId, full_name: 'Ana Maria Pop', phone: '0712345678', gender: 'female' }), // prettier-ignore
  },
  'POST /customers/{customer_id}/avatar': {
    least: 'writer',
    body: () => upload,
    headers: () => ({ 'content-type': 'multipart/form-data; boundary=x' }),
    status: 201,
    reply: (given) => customer({ id: given.contact.id, user_id: given.userId, avatar_url: text }),
    after: async ({ admin, reply }) => {
      const shown = await admin.get(`/${reply.body.avatar_url}`)
      expect([shown.status, shown.headers['content-type']]).toEqual([200, 'image/webp'])
    },
  },
  'DELETE /customers/{customer_id}': {
    least: 'writer',
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => expect((await admin.get(`/customers/${given.contact.id}`)).status).toBe(404),
  },
  'GET /customers/{customer_id}/stats': {
    least: 'viewer',
    status: 200,
    reply: (given) =>
      withFields({
        customer_id: given.contact.id,
        total_orders: 0,
        total_appointments: 0,
        lifetime_value: money,
        last_order_date: null,
        last_appointment_date: null,
        history: {
          id,
          customer_id: given.contact.id,
          first_order_date: null,
          first_appointment_date: null,
          returned_orders: 0,
          cancelled_appointments: 0,
        },
      }),
  },
  'POST /customers/tags': {
    least: 'writer',
    body: ({ contact, word }) => ({ customer_id: contact.id, label: `VIP ${word}`, color: '#FFD700', priority: 5 }),
    status: 201,
    reply: (given) => customerTag(given, { label: `VIP ${given.word}`, priority: 5 }),
  },
  'GET /customers/tags/customer/{customer_id}': {
    least: 'viewer',
    status: 200,
    reply: (given) => pageOf(customerTag(given, { id: given.tag.id, label: given.tag.name, color: '#ffd700' })),
  },
  'DELETE /customers/tags/{tag_id}': {
    least: 'writer',
    params: ({ tag }) => ({ tag_id: tag.id }),
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => expect((await admin.get(`/tags/${given.tag.id}`)).status).toBe(404),
  },
  'POST /customers/{customer_id}/tags': {
    least: 'writer',
    body: ({ word }) => ({ label: `VIP ${word}`, color: '#FFD700' }),
    status: 201,
    reply: (given) => customerTag(given, { label: `VIP ${given.word}` }),
    after: async ({ admin, given }) => {
      const several = [{ label: `Blacklist ${given.word}` }, { label: `VIP ${given.word}` }]
      const reply = await admin.post(`/customers/${given.contact.id}/tags`, several)
      expect([reply.status, reply.body.data?.length], reply.text).toEqual([201, 2])
    },
  },
  'DELETE /customers/{customer_id}/tags/{tag_id}': {
    least: 'writer',
    params: ({ tag }) => ({ tag_id: tag.id }),
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await admin.get(`/tags/${given.tag.id}`)).body.contact_count, 'the tag stays').toBe(0)
    },
  },
  'POST /customers/{customer_id}/notes': {
    least: 'writer',
    body: () => ({ content: 'Clientul a solicitat un apel de urmărire săptămâna viitoare.' }),
    status: 201,
    reply: (given) => customerNote(given, { content: 'Clientul a solicitat un apel de urmărire săptămâna viitoare.' }),
    after: async ({ admin, given }) => {
      const path = `/customers/${given.contact.id}/notes`
      expect((await admin.post(path, { content: 'ț'.repeat(500) })).status).toBe(201)
      const long = await admin.post(path, { content: 'ț'.repeat(501) })
      expect([long.status, long.body.errors[0].pointer]).toEqual([422, '/content'])
    },
  },
  'GET /customers/{customer_id}/notes': {
    least: 'viewer',
    status: 200,
    reply: (given) => pageOf(customerNote(given, { id: given.note.id, content: 'Sună săptămâna viitoare.' })),
  },
  'DELETE /customers/{customer_id}/notes/{note_id}': {
    least: 'writer',
    params: ({ note }) => ({ note_id: note.id }),
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await admin.get(`/customers/${given.contact.id}/notes`)).body.total).toBe(0)
    },
  },
  'POST /gdpr/export': {
    least: 'admin',
    body: ({ userId }) => ({ user_id: userId }),
    status: 202,
    reply: () => withFields({ id, kind: 'privacy.export', status: 'queued', request_id: id }),
    after: async ({ app, admin, reply }) => {
      await app.drain()
      const { body: request } = await admin.get(`/gdpr/requests/${reply.body.request_id}`)
      expect(request).toMatchObject({ status: 'succeeded', contacts: 1, download_url: text })
    },
  },
  'POST /gdpr/delete': {
    least: 'admin',
    body: ({ userId }) => ({ user_id: userId }),
    status: 202,
    reply: () => withFields({ id, kind: 'privacy.delete', status: 'queued', request_id: id }),
    after: async ({ app, admin, given }) => {
      await app.drain()
      expect((await admin.get(`/customers/${given.contact.id}`)).status).toBe(404)
      expect((await admin.get(`/contacts/${given.contact.id}?deleted=true`)).status, 'not even softly').toBe(404)
      expect((await admin.get(`/customers/${given.other.id}`)).status).toBe(200)
    },
  },
  'GET /': {
    least: 'none',
    status: 200,
    after: ({ app, reply }) => {
      const service = app.app.runtime.config.service ? 'customers-service' : 'Rapport'
      expect(reply.body).toMatchObject({ message: text, service, status: 'ok' })
    },
  },
  'GET /metrics': {
    least: 'none',
    status: 200,
    after: ({ reply }) => {
      expect(reply.headers['content-type']).toContain('text/plain')
      expect(reply.text).toMatch(/^rapport_http_request_duration_seconds_count\{/m)
    },
  },
}

driveDocument('4', cases, [
  withSlash(withoutVersion(null)),
  withoutVersion(null),
  everything,
  atRoot('customers'),
  withSlash(atRoot('customers')),
  withSlash(withoutVersion('customers')),
])

test('the document’s requests word for word: its business is the workspace of its token', async () => {
  await using app = await start({}, undefined, 'customers')
  const businessId = '123e4567-e89b-12d3-a456-426614174001'
  const userId = '123e4567-e89b-12d3-a456-426614174000'
  const who = { id: businessId, email: 'admin@bee.example', name: 'Admin', role: 'admin' }
  const bee = clientOf(app.app, tokenOf(who, businessId))
  const made = await bee.post('//api/customers/', {
    full_name: 'John Doe',
    email: 'john.doe@example.com',
    phone: '0712345678',
    gender: 'male',
    user_id: userId,
    business_id: businessId,
  })
  expect(made.status, made.text).toBe(201)
  expect(made.body).toMatchObject({ user_id: userId, business_id: businessId, full_name: 'John Doe' })
  const address = `//api/customers/${made.body.id}`
  expect((await bee.get(address)).body).toEqual(made.body)
  expect((await bee.post(`${address}/tags`, { label: 'VIP', color: '#FFD700' })).status).toBe(201)
  const exported = await bee.post('//api/gdpr/export', { user_id: userId, business_id: businessId })
  expect(exported.status, exported.text).toBe(202)
  expect((await bee.post('//api/gdpr/delete', { user_id: userId, business_id: businessId })).status).toBe(202)
  await app.drain()
  expect((await bee.get(address)).status).toBe(404)
})

test('a customer is changed five times a minute and no more, unless CUSTOMER_PATCH_RATE says otherwise', async () => {
  await using app = await start({}, undefined, 'customers')
  const agnes = app.as('agnes')
  const { body: made } = await agnes.post('/customers', { full_name: 'John Doe', email: 'john.doe@example.com' })
  const change = () => agnes.patch(`//api/customers/${made.id}`, { phone: '0712345678' })
  for (let turn = 0; turn < 5; turn++) expect((await change()).status).toBe(200)
  const refused = await change()
  expect([refused.status, refused.body.code]).toEqual([429, 'too_many_requests'])
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expect((await app.as('anna').patch(`/customers/${made.id}`, { phone: null })).status, 'others have their own').toBe(
    200,
  )
})
