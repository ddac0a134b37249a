// Document 5: the contacts app, endpoint by endpoint. It writes a slash at the end of every address.
import { expect, test } from 'vitest'
import { driveDocument, type Cases, type Given } from '#testing/contract/drive.ts'
import { atRoot, everything, withSlash } from '#testing/contract/endpoints.ts'
import { id, message, pageOf, text, time, whole, withFields } from '#testing/contract/matchers.ts'
import { form } from '#testing/import-file.ts'
import { start } from '#testing/start.ts'

/** The document's Contact. */
const contact = (more: object = {}) =>
  withFields({
    id,
    first_name: text,
    last_name: text,
    full_name: text,
    email: text,
    phone: null,
    company: null,
    job_title: null,
    notes: '',
    tags: [],
    total_bookings: 0,
    last_booking_date: null,
    is_active: true,
    ...more,
  })

/** Its ContactGroup. */
const group = (more: object = {}) =>
  withFields({ id, name: text, description: text, color: '#0066cc', contact_count: whole, created_at: time, ...more })

/** Its ContactInteraction. */
const interaction = (more: object = {}) =>
  withFields({ id, contact_id: id, interaction_type: text, description: text, booking_id: null, metadata: {}, ...more })

const full = ({ word }: Given) => ({
  first_name: 'Ana',
  last_name: 'Pop',
  email: `ana.pop-${word}@example.com`,
  phone: '+40721234567',
  company: 'Moulin',
  job_title: 'Chef',
  notes: 'Likes the window table.',
  tags: [`Regular ${word}`, `VIP ${word}`],
})
const ofGroup = ({ list }: Given) => ({ id: list.id, group_id: list.id })

const csv = ({ word }: Given) =>
  `email,first_name,last_name,phone,company,job_title,notes,tags\r\nnew-${word}@example.com,Nora,New,+33612345678,Moulin,Cook,Met in May,"a ${word}, b ${word}"\r\n`

const cases: Cases = {
  'GET /contacts': {
    least: 'viewer',
    query: '?is_active=true&limit=200',
    status: 200,
    reply: (given) =>
      pageOf(contact({ id: given.contact.id, tags: [given.tag.name] }), contact({ id: given.other.id })),
    after: async ({ admin, given }) => {
      const found = async (query: string) =>
        (await admin.get(`/contacts/?${query}`)).body.data.map((one: { id: string }) => one.id)
      await admin.patch(`/contacts/${given.other.id}`, { company: `Mill ${given.word}`, is_active: false })
      expect(await found(`search=${given.contact.email}`)).toEqual([given.contact.id])
      expect(await found(`search=mill%20${given.word}`)).toEqual([given.other.id])
      expect(await found(`group=${given.list.id}`)).toEqual([given.contact.id])
      expect(await found(`tags=${encodeURIComponent(given.tag.name)}`)).toEqual([given.contact.id])
      expect(await found(`tags=${encodeURIComponent(`${given.tag.name},${given.otherTag.name}`)}`)).toEqual([])
      expect(await found(`search=${given.word}&is_active=false`)).toEqual([given.other.id])
    },
  },
  'POST /contacts': {
    least: 'writer',
    body: full,
    status: 201,
    reply: (given) => contact({ ...full(given), full_name: 'Ana Pop' }),
    after: async ({ admin, given }) => {
      const wrong: [change: object, pointer: string][] = [
        [{ email: 'not an address' }, '/email'],
        [{ email: undefined }, '/email'],
        [{ first_name: '' }, '/first_name'],
        [{ phone: 'call me' }, '/phone'],
        [{ tags: 'VIP' }, '/tags'],
        [{ first_name: 'x'.repeat(101) }, '/first_name'],
        [{ company: 'x'.repeat(201) }, '/company'],
        [{ total_bookings: 3 }, '/total_bookings'],
      ]
      for (const [change, pointer] of wrong) {
        const reply = await admin.post('/contacts/', { ...full(given), email: 'free@example.com', ...change })
        expect([reply.status, reply.body.errors?.[0].pointer], reply.text).toEqual([422, pointer])
      }
      const taken = await admin.post('/contacts/', { ...full(given), email: full(given).email.toUpperCase() })
      expect([taken.status, taken.body.code]).toEqual([409, 'email_taken'])
    },
  },
  'GET /contacts/{id}': {
    least: 'viewer',
    status: 200,
    reply: (given) => contact({ id: given.contact.id, full_name: 'Ana', tags: [given.tag.name] }),
  },
  'PUT /contacts/{id}': {
    least: 'writer',
    body: full,
    status: 200,
    reply: (given) => contact({ ...full(given), id: given.contact.id }),
  },
  'DELETE /contacts/{id}': {
    least: 'writer',
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => expect((await admin.get(`/contacts/${given.contact.id}/`)).status).toBe(404),
  },
  'GET /contacts/groups': {
    least: 'viewer',
    query: '?limit=200',
    status: 200,
    reply: (given) => pageOf(group({ id: given.list.id, name: `List ${given.word}`, contact_count: 1 })),
  },
  'POST /contacts/groups': {
    least: 'writer',
    body: ({ word, contact: { id: first } }) => ({
      name: `Friends ${word}`,
      description: 'Since school',
      contacts: [first],
    }),
    status: 201,
    reply: ({ word }) => group({ name: `Friends ${word}`, description: 'Since school', contact_count: 1 }),
    after: async ({ admin, given, reply }) => {
      const path = `/contacts/groups/${reply.body.id}/`
      const both = [given.contact.id, given.other.id]
      expect((await admin.put(path, { contacts: both })).body).toMatchObject({ contact_count: 2 })
      expect((await admin.put(path, { contacts: [given.other.id] })).body).toMatchObject({ contact_count: 1 })
      expect((await admin.get(`/contacts/?group=${reply.body.id}`)).body.data).toMatchObject([{ id: given.other.id }])
      const plain = await admin.post('/contacts/groups/', { name: `Empty ${given.word}` })
      expect([plain.status, plain.body.contact_count]).toEqual([201, 0])
      const again = await admin.post('/contacts/groups/', { name: `Friends ${given.word}` })
      expect(again.status, 'unique in the workspace').toBe(409)
      for (const color of ['red', '#12345', '#gggggg']) {
        const reply = await admin.post('/contacts/groups/', { name: `Other ${given.word}`, color })
        expect([reply.status, reply.body.errors[0].pointer]).toEqual([422, '/color'])
      }
      const long = await admin.post('/contacts/groups/', { name: 'x'.repeat(101) })
      expect([long.status, long.body.errors[0].pointer]).toEqual([422, '/name'])
    },
  },
  'GET /contacts/groups/{id}': {
    least: 'viewer',
    params: ofGroup,
    status: 200,
    reply: (given) => group({ id: given.list.id, contact_count: 1 }),
  },
  'PUT /contacts/groups/{id}': {
    least: 'writer',
    params: ofGroup,
    body: () => ({ color: '#ff8800' }),
    status: 200,
    reply: (given) => group({ id: given.list.id, name: `List ${given.word}`, color: '#ff8800' }),
  },
  'DELETE /contacts/groups/{id}': {
    least: 'writer',
    params: ofGroup,
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await admin.get(`/contacts/groups/${given.list.id}/`)).status).toBe(404)
      expect((await admin.get(`/contacts/${given.contact.id}/`)).status, 'the contact stays').toBe(200)
    },
  },
  'POST /contacts/{contact_id}/groups/{group_id}/add': {
    least: 'writer',
    params: (given) => ({ ...ofGroup(given), contact_id: given.other.id }),
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await admin.get(`/contacts/groups/${given.list.id}/`)).body.contact_count).toBe(2)
    },
  },
  'POST /contacts/{contact_id}/groups/{group_id}/remove': {
    least: 'writer',
    params: ofGroup,
    status: 200,
    reply: () => message,
    after: async ({ admin, given }) => {
      expect((await admin.get(`/contacts/groups/${given.list.id}/`)).body.contact_count).toBe(0)
    },
  },
  'GET /contacts/{contact_id}/interactions': {
    least: 'viewer',
    status: 200,
    reply: (given) => pageOf(interaction({ contact_id: given.contact.id, interaction_type: 'contact_created' })),
    after: ({ reply }) => {
      const times = reply.body.data.map((one: { occurred_at: string }) => one.occurred_at)
      expect(times, 'newest first').toEqual(times.toSorted().toReversed())
    },
  },
  'GET /contacts/interactions': {
    least: 'viewer',
    query: '?limit=3',
    status: 200,
    reply: () => ({
      data: expect.arrayContaining([withFields({ id, contact_id: id, contact_name: text, interaction_type: text })]),
      next_cursor: text,
      total: expect.anything(),
    }),
  },
  'POST /contacts/{contact_id}/interactions/add': {
    least: 'writer',
    body: () => ({ interaction_type: 'manual_entry', description: 'Met at the fair', metadata: { stand: 12 } }),
    status: 201,
    reply: (given) =>
      interaction({ contact_id: given.contact.id, interaction_type: 'manual_entry', description: 'Met at the fair', metadata: { stand: 12 } }), // prettier-ignore
    after: async ({ admin, given }) => {
      const path = `/contacts/${given.contact.id}/interactions/add/`
      for (const type of ['booking_created', 'booking_completed', 'booking_cancelled', 'email_sent', 'note_added']) {
        const reply = await admin.post(path, { interaction_type: type, description: 'By hand', booking_id: 'b-1' })
        expect([reply.status, reply.body.booking_id], type).toEqual([201, 'b-1'])
      }
      const wrong: [body: object, pointer: string][] = [
        [{ interaction_type: 'dreamt', description: 'x' }, '/interaction_type'],
        [{ interaction_type: 'manual_entry' }, '/description'],
        [{ interaction_type: 'manual_entry', description: 'x', metadata: 'x' }, '/metadata'],
      ]
      for (const [body, pointer] of wrong) {
        const reply = await admin.post(path, body)
        expect([reply.status, reply.body.errors[0].pointer], reply.text).toEqual([422, pointer])
      }
    },
  },
  'GET /contacts/stats': {
    least: 'viewer',
    status: 200,
    reply: () =>
      withFields({
        total: whole,
        active: whole,
        inactive: whole,
        groups: withFields({ total: whole, memberships: whole }),
        recent_interactions: expect.arrayContaining([{ interaction_type: text, count: whole }]),
        top_companies: expect.any(Array),
        bookings: withFields({ total: whole, average_per_contact: whole }),
      }),
  },
  'POST /contacts/import': {
    least: 'marketer',
    body: (given) => form(csv(given))[0],
    headers: () => form('')[1],
    status: 202,
    reply: () => withFields({ id, kind: 'contacts.import', status: 'queued', import_id: id }),
    after: async ({ app, admin, given, reply }) => {
      await app.drain()
      const { body } = await admin.get(`/contacts/imports/${reply.body.import_id}/`)
      expect(body).toMatchObject({ status: 'succeeded', rows: 1, created: 1, updated: 0, skipped: 0, failed: 0 })
      const { body: found } = await admin.get(`/contacts/?email=new-${given.word}@example.com`)
      expect(found.data[0]).toMatchObject({
        first_name: 'Nora',
        company: 'Moulin',
        job_title: 'Cook',
        notes: 'Met in May',
        tags: [`a ${given.word}`, `b ${given.word}`],
      })
    },
  },
  'GET /contacts/export': {
    least: 'marketer',
    status: 200,
    after: ({ reply, given }) => {
      expect(reply.headers['content-type']).toContain('text/csv')
      const [head = ''] = reply.text.replace(/^\uFEFF/, '').split('\r\n')
      expect(head).toBe(
        'First Name,Last Name,Email,Phone,Company,Job Title,Notes,Tags,Total Bookings,Last Booking Date',
      )
      expect(reply.text).toContain(given.contact.email)
    },
  },
  'POST /contacts/merge': {
    least: 'writer',
    body: (given) => ({ primary_id: given.contact.id, duplicate_ids: [given.other.id] }),
    status: 200,
    reply: (given) => withFields({ id: given.contact.id, merge_id: id, tags: [given.tag.name] }),
    after: async ({ admin, given }) => expect((await admin.get(`/contacts/${given.other.id}/`)).status).toBe(404),
  },
}

driveDocument('5', cases, [withSlash(everything), everything, withSlash(atRoot('contacts')), atRoot('contacts')])

test('a booking makes the contact, or finds it by its address, and counts', async () => {
  await using app = await start()
  const adrian = app.as('adrian')
  const tell = async (number: number, data: object) => {
    const id = `00000000-0000-7000-8000-00000000000${number}`
    const reply = await adrian.post('/events', {
      id,
      event: 'booking.created',
      timestamp: '2026-03-01T10:00:00Z',
      data,
    })
    expect(reply.status).toBe(202)
    await app.drain()
  }
  const invitee = { invitee_name: 'Ana Maria Pop', invitee_email: 'ana@example.com', invitee_phone: '+40721234567' }
  await tell(1, { booking_id: 'b-1', ...invitee, start_time: '2026-03-05T10:00:00Z' })
  await tell(2, { booking_id: 'b-2', ...invitee, invitee_name: 'A. Pop', start_time: '2026-03-07T10:00:00Z' })
  const { body } = await adrian.get('/contacts?email=ana@example.com')
  expect(body.data).toEqual([
    contact({
      first_name: 'Ana Maria',
      last_name: 'Pop',
      phone: '+40721234567',
      total_bookings: 2,
      last_booking_date: '2026-03-07T10:00:00.000Z',
    }),
  ])
  const entries = (await adrian.get(`/contacts/${body.data[0].id}/interactions/?type=booking_created`)).body.data
  expect(entries.map((entry: { booking_id: string }) => entry.booking_id).toSorted()).toEqual(['b-1', 'b-2'])
})
