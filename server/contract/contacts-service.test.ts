// Document 1: the contacts service, endpoint by endpoint, with its own example requests.
import { expect } from 'vitest'
import { sendMail } from '#testing/contract/delivery.ts'
import { driveDocument, type Case, type Cases, type Given } from '#testing/contract/drive.ts'
import { atRoot, everything, withSlash } from '#testing/contract/endpoints.ts'
import { color, id, message, object, pageOf, text, time, whole, withFields } from '#testing/contract/matchers.ts'

/** Every column of the document's table of contacts. */
const contact = (more: object = {}) =>
  withFields({
    id,
    email: text,
    first_name: text,
    last_name: text,
    company: null,
    phone: null,
    language: 'en',
    timezone: null,
    source: 'manual',
    status: 'active',
    newsletter_subscribed: false,
    marketing_subscribed: false,
    subscribed_at: null,
    unsubscribed_at: null,
    last_email_opened_at: null,
    last_email_clicked_at: null,
    total_emails_opened: 0,
    total_emails_clicked: 0,
    engagement_score: 0,
    custom_fields: {},
    created_at: time,
    updated_at: time,
    deleted_at: null,
    ...more,
  })

const list = (more: object = {}) =>
  withFields({
    id,
    name: text,
    description: text,
    type: 'static',
    criteria: null,
    contact_count: whole,
    is_active: true,
    created_at: time,
    updated_at: time,
    ...more,
  })

const tag = (more: object = {}) =>
  withFields({ id, name: text, slug: text, color, description: null, contact_count: whole, created_at: time, updated_at: time, ...more }) // prettier-ignore

const ofList = ({ list: { id: listId } }: Given) => ({ id: listId })
const ofTag = ({ tag: { id: tagId } }: Given) => ({ id: tagId })
const both = (given: Given) => ({ contact_ids: [given.contact.id, given.other.id] })
const onlyOther = (given: Given) => ({ contact_ids: [given.other.id] })

const cases: Cases = {
  'GET /health': {
    least: 'none',
    status: 200,
    after: ({ app, reply }) =>
      expect(reply.body).toEqual({
        status: 'ok',
        service: app.app.runtime.config.service ? 'contacts-service' : 'Rapport',
      }),
  },
  'GET /status': { least: 'none', status: 200, reply: () => ({ status: 'ok', database: 'connected' }) },

  'GET /contacts': {
    least: 'viewer',
    query: '?status=active&limit=200&sort=-created_at',
    status: 200,
    reply: (given) =>
      pageOf(contact({ id: given.contact.id, tags: [given.tag.name] }), contact({ id: given.other.id })),
  },
  'POST /contacts': {
    least: 'writer',
    body: ({ word }) => ({ email: `User-${word}@example.com`, first_name: 'Ada', last_name: 'Pop' }),
    status: 201,
    reply: ({ word }) => contact({ email: `User-${word}@example.com`, first_name: 'Ada', last_name: 'Pop' }),
    after: async ({ admin, reply, given }) => {
      expect(reply.headers).toMatchObject({ location: `/api/v1/contacts/${reply.body.id}`, etag: '"v1"' })
      const again = await admin.post('/contacts', { email: `user-${given.word}@example.com`, first_name: 'Ada' })
      expect([again.status, again.body.code]).toEqual([409, 'email_taken'])
    },
  },
  'GET /contacts/{id}': {
    least: 'viewer',
    status: 200,
    reply: (given) =>
      contact({
        id: given.contact.id,
        lists: [{ id: given.list.id, name: `List ${given.word}` }],
        engagement: expect.arrayContaining([withFields({ interaction_type: 'contact_created', occurred_at: time })]),
        subscriptions: { newsletter: false, marketing: false, transactional: true },
      }),
  },
  'PUT /contacts/{id}': {
    least: 'writer',
    body: () => ({ company: 'Moulin', custom_fields: { size: 42 } }),
    status: 200,
    reply: (given) =>
      contact({ id: given.contact.id, first_name: 'Ana', company: 'Moulin', custom_fields: { size: 42 } }),
  },
  'DELETE /contacts/{id}': {
    least: 'writer',
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      const path = `/contacts/${given.contact.id}`
      expect((await admin.get(path)).status).toBe(404)
      const kept = await admin.get(`${path}?deleted=true`)
      expect(kept.body, 'deleted softly').toMatchObject({ deleted_at: time })
    },
  },
  'POST /contacts/{id}/subscribe': {
    least: 'writer',
    body: () => ({ type: 'newsletter' }),
    status: 200,
    reply: (given) => contact({ id: given.contact.id, newsletter_subscribed: true, subscribed_at: time }),
  },
  'POST /contacts/{id}/unsubscribe': {
    least: 'writer',
    body: () => ({ type: 'newsletter' }),
    status: 200,
    reply: (given) => contact({ id: given.contact.id, status: text, unsubscribed_at: expect.anything() }),
    after: async ({ admin, given }) => {
      const reply = await admin.post(`/contacts/${given.contact.id}/unsubscribe`, { type: 'transactional' })
      expect([reply.status, reply.body.errors[0].code], 'receipts are always on').toEqual([422, 'always_on'])
    },
  },
  'POST /contacts/{id}/engagement': {
    least: 'writer',
    body: ({ list: { id: any } }) => ({ type: 'opened', campaign_id: any }),
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      const { body } = await admin.get(`/contacts/${given.contact.id}`)
      // One open, and the bonus for somebody who has just been heard of.
      expect(body).toMatchObject({ total_emails_opened: 1, last_email_opened_at: time })
      expect(body.engagement_score).toBeGreaterThanOrEqual(1)
      expect(body.engagement[0]).toMatchObject({ interaction_type: 'email_opened', campaign_id: given.list.id })
    },
  },
  'POST /contacts/bulk-action': {
    least: 'admin',
    body: (given) => ({ action: 'add_tag', params: { tag: given.otherTag.name }, ...both(given) }),
    status: 202,
    reply: () =>
      withFields({ id, kind: 'contacts.bulk', status: 'queued', progress: withFields({ done: 0, total: 2 }) }),
    after: async ({ app, admin, given, reply }) => {
      await app.drain()
      const job = await admin.get(`/jobs/${reply.body.id}`)
      expect(job.body).toMatchObject({ status: 'succeeded', progress: { done: 2, total: 2 } })
      expect((await admin.get(`/tags/${given.otherTag.id}`)).body.contact_count).toBe(2)
    },
  },

  'GET /lists': {
    least: 'viewer',
    query: '?limit=200',
    status: 200,
    reply: (given) => pageOf(list({ id: given.list.id, name: `List ${given.word}`, contact_count: 1 })),
  },
  'POST /lists': {
    least: 'writer',
    body: ({ word }) => ({ name: `Clients ${word}`, description: 'Achats 30 derniers jours' }),
    status: 201,
    reply: ({ word }) => list({ name: `Clients ${word}`, description: 'Achats 30 derniers jours', contact_count: 0 }),
  },
  'GET /lists/{id}': {
    least: 'viewer',
    params: ofList,
    status: 200,
    reply: (given) => list({ id: given.list.id, contacts: [contact({ id: given.contact.id })] }),
  },
  'PUT /lists/{id}': {
    least: 'writer',
    params: ofList,
    body: () => ({ description: 'Autre', is_active: false }),
    status: 200,
    reply: (given) => list({ id: given.list.id, name: `List ${given.word}`, description: 'Autre', is_active: false }),
  },
  'DELETE /lists/{id}': {
    least: 'writer',
    params: ofList,
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await admin.get(`/lists/${given.list.id}`)).status).toBe(404)
      expect((await admin.get(`/contacts/${given.contact.id}`)).body.lists, 'the contact stays').toEqual([])
    },
  },
  'POST /lists/{id}/contacts': {
    least: 'writer',
    params: ofList,
    body: both,
    status: 200,
    reply: () => ({ ...message, changed: 1, not_found: 0 }),
    after: expectMembers(2),
  },
  'DELETE /lists/{id}/contacts': {
    least: 'writer',
    params: ofList,
    body: both,
    status: 200,
    reply: () => ({ ...message, changed: 1, not_found: 0 }),
    after: expectMembers(0),
  },
  'POST /lists/{id}/sync': {
    least: 'writer',
    params: ofList,
    body: onlyOther,
    status: 200,
    reply: () => ({ ...message, added: 1, removed: 1, contact_count: 1, not_found: 0 }),
    after: expectMembers(1),
  },
  'POST /lists/{id}/duplicate': {
    least: 'writer',
    params: ofList,
    status: 201,
    reply: ({ word }) => list({ name: `List ${word} (2)`, contact_count: 1 }),
  },
  'GET /lists/{id}/stats': {
    least: 'viewer',
    params: ofList,
    status: 200,
    reply: () =>
      withFields({ members: 1, average_score: whole, open_rate: whole, click_rate: whole, growth: object, computed_at: time }), // prettier-ignore
  },
  'GET /lists/{id}/export': {
    least: 'marketer',
    params: ofList,
    query: '?format=csv',
    status: 200,
    after: async ({ admin, given, reply }) => {
      expect(reply.headers['content-type']).toContain('text/csv')
      expect(reply.text).toContain(given.contact.email)
      expect(reply.text).not.toContain(given.other.email)
      const workbook = await admin.get(`/lists/${given.list.id}/export?format=xlsx`)
      expect([workbook.status, workbook.text.slice(0, 2)]).toEqual([200, 'PK'])
    },
  },

  'GET /tags': {
    least: 'viewer',
    query: '?limit=200',
    status: 200,
    reply: (given) => pageOf(tag({ id: given.tag.id, name: given.tag.name, color: '#ffd700', contact_count: 1 })),
  },
  'POST /tags': {
    least: 'writer',
    body: ({ word }) => ({ name: `VIP ${word}`, color: '#0066cc' }),
    status: 201,
    reply: ({ word }) => tag({ name: `VIP ${word}`, slug: `vip-${word}`, color: '#0066cc', contact_count: 0 }),
    after: async ({ admin, given }) => {
      const again = await admin.post('/tags', { name: `vip ${given.word}` })
      expect(again.status, 'names are unique, whatever their case').toBe(409)
    },
  },
  'GET /tags/popular': {
    least: 'viewer',
    query: '?limit=100',
    status: 200,
    reply: (given) => pageOf(tag({ id: given.tag.id, contact_count: 1 })),
    after: ({ reply, given }) => {
      const counts = reply.body.data.map((each: { contact_count: number }) => each.contact_count)
      expect(counts).toEqual(counts.toSorted((a: number, b: number) => b - a))
      expect(reply.text, 'unused ones are not popular').not.toContain(given.otherTag.id)
    },
  },
  'GET /tags/{id}': {
    least: 'viewer',
    params: ofTag,
    status: 200,
    reply: (given) => tag({ id: given.tag.id, contacts: [contact({ id: given.contact.id })] }),
  },
  'PUT /tags/{id}': {
    least: 'writer',
    params: ofTag,
    body: ({ word }) => ({ name: `Or ${word}`, color: '#112233', description: 'Les meilleurs' }),
    status: 200,
    reply: ({ word }) => tag({ name: `Or ${word}`, color: '#112233', description: 'Les meilleurs', contact_count: 1 }),
  },
  'DELETE /tags/{id}': {
    least: 'writer',
    params: ofTag,
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await admin.get(`/tags/${given.tag.id}`)).status).toBe(404)
      expect((await admin.get(`/contacts/${given.contact.id}`)).body.tags).toEqual([])
    },
  },
  'GET /tags/{id}/contacts': {
    least: 'viewer',
    params: ofTag,
    status: 200,
    reply: (given) => ({ data: [contact({ id: given.contact.id })], next_cursor: null, total: 1 }),
  },
  'POST /tags/{id}/apply': {
    least: 'writer',
    params: ofTag,
    body: both,
    status: 200,
    reply: () => ({ ...message, changed: 1, not_found: 0 }),
  },
  'DELETE /tags/{id}/remove': {
    least: 'writer',
    params: ofTag,
    body: both,
    status: 200,
    reply: () => ({ ...message, changed: 1, not_found: 0 }),
  },
  'POST /tags/{id}/merge': {
    least: 'writer',
    params: ofTag,
    body: (given) => ({ target_tag_id: given.otherTag.id }),
    status: 200,
    reply: (given) => tag({ id: given.otherTag.id, contact_count: 1 }),
    after: async ({ admin, given }) => expect((await admin.get(`/tags/${given.tag.id}`)).status).toBe(404),
  },
  'GET /tags/{id}/stats': {
    least: 'viewer',
    params: ofTag,
    status: 200,
    reply: () => withFields({ members: 1, average_score: whole, growth: object, computed_at: time }),
  },

  'POST /public/subscribe': {
    least: 'none',
    body: ({ word }) => ({ email: `new-${word}@example.com`, first_name: 'Ada', newsletter: true }),
    status: 202,
    reply: () => message,
    after: async ({ app, given }) => {
      await app.drain()
      const mail = app.mails().find(({ to }) => to === `new-${given.word}@example.com`)
      expect(mail?.raw, 'double opt-in: first a mail with a link').toMatch(/http:\/\/localhost:\d+\/s\//)
    },
  },
  'POST /public/unsubscribe': {
    least: 'none',
    body: (given) => ({ email: given.contact.email, type: 'all' }),
    status: 202,
    reply: () => message,
    after: async ({ app, given }) => {
      await app.drain()
      expect(app.mails().some(({ to }) => to === given.contact.email)).toBe(true)
    },
  },
  'POST /public/track/{contact}/opened': track('opened'),
  'POST /public/track/{contact}/clicked': track('clicked'),
}

function track(kind: 'opened' | 'clicked'): Case {
  return {
    least: 'none',
    params: async (given, app) => ({ contact: await sendMail(app, given.contact) }),
    headers: () => ({ 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0' }),
    status: 200,
    reply: () => message,
    after: async ({ app, admin, given }) => {
      await app.drain()
      const { body } = await admin.get(`/contacts/${given.contact.id}`)
      expect(body).toMatchObject({ [`total_emails_${kind}`]: 1, [`last_email_${kind}_at`]: time })
    },
  }
}

function expectMembers(count: number): Case['after'] {
  return async ({ admin, given }) => {
    expect((await admin.get(`/lists/${given.list.id}`)).body.contact_count).toBe(count)
  }
}

driveDocument('1', cases, [everything, withSlash(everything), atRoot('contacts'), withSlash(atRoot('contacts'))])
