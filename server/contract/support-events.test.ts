// The events of document 3: the seven that it publishes, each with its data when the thing happens and not otherwise, and the
// three that it hears of other programs, through the API and through RabbitMQ.
import { randomBytes } from 'node:crypto'
import { Connection, type AsyncMessage } from 'rabbitmq-client'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '#platform/ids.ts'
import { bound, taken } from '#testing/contract/broker.ts'
import { id, text, time, withFields } from '#testing/contract/matchers.ts'
import { toldBy, type Told } from '#testing/contract/told.ts'
import { customerOf } from '#testing/customer.ts'
import { answers, RABBITMQ_URL } from '#testing/services.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())
afterEach(() => vi.useRealTimers())

const number = expect.stringMatching(/^TICKET-\d{8}-\d{3,}$/)
const question = {
  subject: 'Commande non recue',
  description: 'Elle devait arriver lundi.',
  priority: 'high',
  category: 'delivery',
}

interface Scene {
  chloe: Client & { id: string }
  ticketId: string
  path: string
}

/** The fields of the document's example. */
const about = ({ ticketId, chloe }: Scene, more: object = {}) => ({
  ticket_id: ticketId,
  ticket_number: number,
  user_id: chloe.id,
  subject: 'Commande non recue',
  priority: 'high',
  category: 'delivery',
  ...more,
})

const assign = ({ path }: Scene) => app.as('agnes').post(`${path}/assign`, { agent_id: app.world.people.agnes.id })
const close = ({ path }: Scene) => app.as('agnes').post(`${path}/close`)

async function escalate(): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3_600_000 + 1_000 })
  for (const _ of ['once', 'and no more']) {
    await app.app.tasks.find(({ name }) => name === 'support.escalate')!.run(app.app.runtime)
  }
}

const steps: [
  names: string[],
  before: ((scene: Scene) => Promise<unknown>)[],
  step: (scene: Scene) => Promise<unknown>,
  data: (scene: Scene) => object,
][] = [
  [
    ['ticket.created'],
    [],
    ({ chloe }) => chloe.post('/tickets', question),
    (scene) => about(scene, { ticket_id: id, status: 'open', source: 'web', created_at: text }),
  ],
  [
    ['ticket.assigned'],
    [],
    assign,
    (scene) => about(scene, { status: 'assigned', agent_id: app.world.people.agnes.id, agent_name: 'Agnes' }),
  ],
  [
    ['ticket.resolved'],
    [assign],
    ({ path }) => app.as('agnes').post(`${path}/resolve`, { resolution: 'Renvoyée.' }),
    (scene) => about(scene, { status: 'resolved', resolution: 'Renvoyée.', resolved_at: time }),
  ],
  [['ticket.closed'], [assign], close, (scene) => about(scene, { status: 'closed', closed_at: time })],
  [
    ['ticket.message.new'],
    [],
    ({ chloe, path }) => chloe.post(`${path}/messages`, { content: 'Toujours rien.' }),
    (scene) =>
      about(scene, { message_id: id, is_internal: false, author_kind: 'requester', content: 'Toujours rien.' }),
  ],
  [
    ['ticket.escalated'],
    [({ path }) => app.as('agnes').put(path, { priority: 'urgent' })],
    escalate,
    (scene) => about(scene, { priority: 'urgent', escalated_at: time }),
  ],
  [
    ['ticket.satisfaction.received'],
    [assign, close],
    ({ chloe, path }) => chloe.post(`${path}/satisfaction`, { rating: 4, comment: 'Rapide.' }),
    (scene) => about(scene, { satisfaction_rating: 4, satisfaction_comment: 'Rapide.' }),
  ],
]

async function setScene(): Promise<Scene> {
  const chloe = await customerOf(app, `chloe-${newId().slice(-12)}`)
  const { body } = await chloe.post('/tickets', question)
  await app.drain()
  return { chloe, ticketId: body.id, path: `/tickets/${body.id}` }
}

/** The timeline of the contact moves along, and tells of that itself. */
async function toldOfTickets(step: () => Promise<unknown>): Promise<Told[]> {
  return (await toldBy(app, step)).filter(({ event }) => !/^(contact|customer)\./.test(event))
}

test.each(steps)('%s', async (names, before, step, data) => {
  const scene = await setScene()
  for (const each of before) await each(scene)
  await app.drain()
  const told = await toldOfTickets(() => step(scene))
  expect(told.map(({ event }) => event).toSorted(), 'this, and nothing else').toEqual(names.toSorted())
  for (const each of told) expect(each.data, each.event).toEqual(withFields(data(scene)))
})

test('every name that the document publishes is among them', () => {
  const names =
    'ticket.created ticket.assigned ticket.resolved ticket.closed ticket.message.new ticket.escalated ticket.satisfaction.received'
  expect(steps.flatMap(([each]) => each).toSorted()).toEqual(names.split(' ').toSorted())
})

test('of a note of the house, other programs hear that there is one, and not its words', async () => {
  const scene = await setScene()
  const note = { content: 'Client difficile.', is_internal: true }
  const told = await toldOfTickets(() => app.as('agnes').post(`${scene.path}/messages`, note))
  expect(told.map(({ event }) => event)).toEqual(['ticket.message.new'])
  expect(told[0]!.data).toMatchObject({ is_internal: true, message_id: id })
  expect(JSON.stringify(told)).not.toContain('difficile')
})

interface Heard {
  event: string
  data: Record<string, unknown>
  /** The tickets of that address afterwards, the newest first. */
  tickets: object[]
}

const userId = newId()
const fromOrder = {
  subject: 'Colis abîmé',
  description: 'Le carton est ouvert.',
  category: 'order',
  priority: 'high',
  contact_name: 'Zoé Blanc',
  status: 'open',
}
const fromProduct = {
  subject: 'Product Bouilloire',
  description: 'Elle fuit.',
  category: 'product',
  priority: 'normal',
}
/** In an order in which they build on each other. */
const heard: Heard[] = [
  {
    event: 'order.issue',
    data: {
      order_id: 789,
      customer_email: 'zoe@guest.example',
      customer_name: 'Zoé Blanc',
      subject: 'Colis abîmé',
      description: 'Le carton est ouvert.',
      priority: 'high',
    },
    tickets: [{ ...fromOrder, user_id: null, metadata: { order_id: 789 } }],
  },
  {
    event: 'product.issue_reported',
    data: { product_id: 12, product_name: 'Bouilloire', email: 'zoe@guest.example', message: 'Elle fuit.' },
    tickets: [
      { ...fromProduct, user_id: null, metadata: { product_id: 12, product_name: 'Bouilloire' } },
      { ...fromOrder, user_id: null },
    ],
  },
  {
    event: 'user.registered',
    data: { user_id: userId, email: 'Zoe@guest.example' },
    tickets: [
      { ...fromProduct, user_id: userId },
      { ...fromOrder, user_id: userId },
    ],
  },
]

const envelope = ({ event, data }: Heard) => ({ event, timestamp: '2024-01-15T10:30:00Z', data })

async function expectHeard(service: TestApp, { event, tickets }: Heard): Promise<void> {
  const { body } = await service.as('adrian').get('/tickets?search=zoe@guest.example')
  expect(body.data, event).toMatchObject(tickets)
}

test('through the API: each is heard once, however often it is sent', async () => {
  await using service = await start({}, undefined, 'support')
  const adrian = service.as('adrian')
  for (const each of heard) {
    for (const status of ['accepted', 'duplicate']) {
      const reply = await adrian.post('/events', envelope(each))
      expect([reply.status, reply.body], reply.text).toEqual([202, { id, status }])
      await service.drain()
    }
    await expectHeard(service, each)
  }
  const zoe = await customerOf(service, 'zoe', {
    id: userId,
    email: 'zoe@guest.example',
    name: 'Zoé',
    role: 'customer',
  })
  expect((await zoe.get('/tickets')).body.total, 'they are hers now').toBe(2)
  expect((await adrian.get('/events/failed')).body.data).toEqual([])
})

const brokerTest = test.skipIf(!(await answers(RABBITMQ_URL)))

brokerTest(
  'through RabbitMQ: the queue of the service hears each, and its exchange tells of the ticket as the document shows it',
  async () => {
    const name = `test.${randomBytes(6).toString('hex')}`
    const [queue, watch] = [`${name}.in`, `${name}.watch`]
    const connection = new Connection(RABBITMQ_URL)
    const publisher = connection.createPublisher({ confirm: true })
    const arrived: AsyncMessage[] = []
    await connection.exchangeDeclare({ exchange: name, type: 'topic', durable: true })
    await connection.queueDeclare({ queue: watch, exclusive: true })
    await connection.queueBind({ queue: watch, exchange: name, routingKey: 'ticket.created' })
    const consumer = connection.createConsumer({ queue: watch, queueOptions: { passive: true } }, (message) => {
      arrived.push(message)
    })
    try {
      const names = { RABBITMQ_URL, RABBITMQ_EXCHANGE: name, RABBITMQ_QUEUE: queue }
      await using service = await start(names, undefined, 'support')
      service.app.worker.start()
      await bound(connection, queue)
      for (const each of heard) {
        const message = { ...envelope(each), business_id: service.world.workspaceId }
        const to = { exchange: name, contentType: 'application/json', durable: true, routingKey: each.event }
        await publisher.send(to, message)
        await publisher.send(to, message)
        await taken(service, each.event)
        await service.drain()
        await expectHeard(service, each)
      }
      while (arrived.length < 2) await service.drain()
      const [message] = arrived as [AsyncMessage]
      expect(message).toMatchObject({ routingKey: 'ticket.created', contentType: 'application/json', durable: true })
      expect(message.body).toEqual({
        id,
        workspace_id: service.world.workspaceId,
        event: 'ticket.created',
        timestamp: time,
        data: withFields({
          ticket_id: id,
          ticket_number: number,
          user_id: null,
          subject: 'Colis abîmé',
          priority: 'high',
          category: 'order',
        }),
      })
    } finally {
      await consumer.close()
      await publisher.close()
      for (const left of [queue, `${queue}.dead`]) await connection.queueDelete({ queue: left })
      await connection.exchangeDelete({ exchange: name })
      connection.unsafeDestroy()
    }
  },
  // A broker hears what is older than every running transaction of the server, and others may be using it too.
  120_000,
)
