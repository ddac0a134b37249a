// The events that documents 1 and 4 publish: each name, with its data, when the thing happens and not otherwise. Both names go
// out where the documents have two for one thing.
import { randomBytes } from 'node:crypto'
import { Connection, type AsyncMessage } from 'rabbitmq-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { id, text, time, whole, withFields } from '#testing/contract/matchers.ts'
import { toldBy as toldOf } from '#testing/contract/told.ts'
import { decodeQuotedPrintable } from '#testing/mail.ts'
import { answers, RABBITMQ_URL } from '#testing/services.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())

const toldBy = (step: () => Promise<unknown>) => toldOf(app, step)

interface Scene {
  maria: Client
  email: string
  contactId: string
  listId: string
  tagId: string
  label: string
}

async function setScene(): Promise<Scene> {
  const maria = app.as('maria')
  const word = newId().slice(-12)
  const email = `ana-${word}@example.com`
  const contact = await maria.post('/contacts', { email, first_name: 'Ana', last_name: 'Pop' })
  const list = await maria.post('/lists', { name: `Guests ${word}` })
  const tag = await maria.post('/tags', { name: `VIP ${word}` })
  await app.drain()
  return { maria, email, contactId: contact.body.id, listId: list.body.id, tagId: tag.body.id, label: tag.body.name }
}

const ana = ({ contactId, email }: Scene) => ({
  contact_id: contactId,
  customer_id: contactId,
  email,
  first_name: 'Ana',
  last_name: 'Pop',
  full_name: 'Ana Pop',
})
const onlyAna = ({ contactId }: Scene) => ({ contact_ids: [contactId] })
const apply = (scene: Scene) => scene.maria.post(`/tags/${scene.tagId}/apply`, onlyAna(scene))

const steps: [
  names: string[],
  document: string,
  step: (scene: Scene) => Promise<unknown>,
  data: (scene: Scene) => object,
][] = [
  [
    ['contact.created', 'customer.created'],
    '1, 4',
    ({ maria }) =>
      maria.post('/contacts', { email: 'bob@example.com', first_name: 'Bob', company: 'Mill', source: 'fair' }),
    () => ({
      contact_id: id,
      customer_id: id,
      email: 'bob@example.com',
      first_name: 'Bob',
      company: 'Mill',
      source: text,
    }),
  ],
  [
    ['contact.updated', 'customer.updated'],
    '1, 4',
    ({ maria, contactId }) => maria.put(`/contacts/${contactId}`, { company: 'Moulin' }),
    (scene) => ({ ...ana(scene), company: 'Moulin', changed: ['company'] }),
  ],
  [
    ['contact.updated', 'customer.updated'],
    '1, 4, as document 4 changes it',
    ({ maria, contactId }) => maria.patch(`/customers/${contactId}`, { gender: 'female' }),
    (scene) => ({ ...ana(scene), changed: ['gender'] }),
  ],
  [
    ['contact.deleted', 'customer.deleted'],
    '4',
    ({ maria, contactId }) => maria.delete(`/customers/${contactId}`),
    ana,
  ],
  [
    ['contact.subscribed'],
    '1',
    ({ maria, contactId }) => maria.post(`/contacts/${contactId}/subscribe`, { type: 'newsletter' }),
    ({ contactId, email }) => ({
      contact_id: contactId,
      email,
      subscription_type: 'newsletter',
      source: 'person',
      double_optin: false,
    }),
  ],
  [
    ['contact.unsubscribed'],
    '1',
    ({ maria, contactId }) => maria.post(`/contacts/${contactId}/unsubscribe`, { type: 'marketing' }),
    ({ contactId, email }) => ({
      contact_id: contactId,
      email,
      subscription_type: 'marketing',
      source: text,
    }),
  ],
  [
    ['contact.engagement'],
    '1',
    ({ maria, contactId, listId }) =>
      maria.post(`/contacts/${contactId}/engagement`, { type: 'clicked', campaign_id: listId }),
    ({ contactId, listId, email }) => ({
      contact_id: contactId,
      email,
      type: 'clicked',
      campaign_id: listId,
      engagement_score: whole,
      occurred_at: time,
    }),
  ],
  [
    ['list.contact.added'],
    '1',
    (scene) => scene.maria.post(`/lists/${scene.listId}/contacts`, onlyAna(scene)),
    (scene) => ({ ...ana(scene), list_id: scene.listId, list_name: text }),
  ],
  [['tag.applied', 'customer.tag.added'], '1, 4', apply, (scene) => ({ ...ana(scene), tag_id: scene.tagId })],
  [
    ['tag.applied', 'customer.tag.added'],
    '1, 4, as document 4 does it',
    ({ maria, contactId, label }) => maria.post(`/customers/${contactId}/tags`, { label }),
    (scene) => ({ ...ana(scene), tag_id: scene.tagId }),
  ],
  [
    ['tag.removed', 'customer.tag.removed'],
    '4',
    async ({ maria, contactId, tagId }) => maria.delete(`/customers/${contactId}/tags/${tagId}`),
    (scene) => ({ ...ana(scene), tag_id: scene.tagId }),
  ],
  [
    ['customer.note.added'],
    '4',
    ({ maria, contactId }) => maria.post(`/customers/${contactId}/notes`, { content: 'Sună.' }),
    (scene) => ({ ...ana(scene), note_id: id, content: 'Sună.' }),
  ],
]

test.each(steps)('%s (document %s)', async (names, _document, step, data) => {
  const scene = await setScene()
  if (names.includes('tag.removed')) await toldBy(() => apply(scene))
  const told = await toldBy(() => step(scene))
  expect(told.map(({ event }) => event).toSorted(), 'these, and nothing else').toEqual(names.toSorted())
  for (const each of told) expect(each.data, each.event).toEqual(withFields(data(scene)))
})

test('every name that the documents publish is among them', () => {
  const names = new Set(steps.flatMap(([each]) => each))
  const documented = [
    'contact.created contact.updated contact.subscribed contact.unsubscribed contact.engagement list.contact.added tag.applied',
    'customer.created customer.updated customer.deleted customer.tag.added customer.tag.removed customer.note.added',
  ]
  expect([...names]).toEqual(expect.arrayContaining(documented.join(' ').split(' ')))
})

test('imports and bulk actions tell the same of each contact, under both names', async () => {
  const { contactId, tagId, label } = await setScene()
  const adrian = app.as('adrian')
  const told = await toldBy(() =>
    adrian.post('/contacts/bulk-action', { action: 'add_tag', contact_ids: [contactId], params: { tag: label } }),
  )
  expect(told.map(({ event }) => event).toSorted()).toEqual(['customer.tag.added', 'tag.applied'])
  expect(told[0]!.data).toMatchObject({ contact_id: contactId, customer_id: contactId, tag_id: tagId })
  const gone = await toldBy(() => adrian.post('/contacts/bulk-action', { action: 'delete', contact_ids: [contactId] }))
  expect(gone.map(({ event }) => event).toSorted()).toEqual(['contact.deleted', 'customer.deleted'])
})

const brokerTest = test.skipIf(!(await answers(RABBITMQ_URL)))

brokerTest(
  'the message of document 1 arrives as it shows it: a form in the footer, confirmed by its mail',
  async () => {
    const name = `test.${randomBytes(6).toString('hex')}`
    const connection = new Connection(RABBITMQ_URL)
    const queue = `${name}.watch`
    const arrived: AsyncMessage[] = []
    await connection.exchangeDeclare({ exchange: name, type: 'topic', durable: true })
    await connection.queueDeclare({ queue, exclusive: true })
    await connection.queueBind({ queue, exchange: name, routingKey: 'contact.subscribed' })
    const consumer = connection.createConsumer({ queue, queueOptions: { passive: true } }, (message) => {
      arrived.push(message)
    })
    try {
      const broker = { RABBITMQ_URL, RABBITMQ_EXCHANGE: name, RABBITMQ_QUEUE: `${name}.in` }
      await using service = await start(broker, undefined, 'contacts')
      await service.drain()
      const form = { email: 'user@example.com', first_name: 'User', newsletter: true, source: 'website_footer' }
      const asked = await service.anonymous.post('//public/subscribe?workspace=moulin', form)
      expect(asked.status, asked.text).toBe(202)
      await service.drain()
      const page = { 'content-type': 'application/x-www-form-urlencoded' }
      const [, link] = /(\/s\/[\w-]+)/.exec(decodeQuotedPrintable(service.mails().at(-1)!.raw))!
      expect((await service.anonymous.post(`/${link}`, '', page)).status).toBe(200)
      while (!arrived.length) await service.drain()
      const [message] = arrived as [AsyncMessage]
      expect(message).toMatchObject({
        routingKey: 'contact.subscribed',
        contentType: 'application/json',
        durable: true,
      })
      expect(message.body).toEqual({
        id,
        workspace_id: service.world.workspaceId,
        event: 'contact.subscribed',
        timestamp: time,
        data: {
          contact_id: id,
          email: 'user@example.com',
          subscription_type: 'newsletter',
          source: 'website_footer',
          double_optin: true,
        },
      })
    } finally {
      await consumer.close()
      await connection.exchangeDelete({ exchange: name })
      connection.unsafeDestroy()
    }
  },
  // A broker hears what is older than every running transaction of the server, and others may be using it too.
  120_000,
)
