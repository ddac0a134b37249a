// The events that documents 1 and 5 hear of other programs, in the envelope that document 1 shows: through the API, and
// through RabbitMQ where it answers.
import { randomBytes } from 'node:crypto'
import { Connection } from 'rabbitmq-client'
import { expect, test } from 'vitest'
import { modules } from '../modules.ts'
import { bound, taken } from '#testing/contract/broker.ts'
import { id, time } from '#testing/contract/matchers.ts'
import { answers, RABBITMQ_URL } from '#testing/services.ts'
import { start, type TestApp } from '#testing/start.ts'

interface Heard {
  event: string
  data: object
  /** What the contact is afterwards, and what its timeline has gained. */
  contact: object
  entry: string
}

/** In an order in which they build on each other: a mail to nobody makes nobody. */
const heard: Heard[] = [
  {
    event: 'user.registered',
    data: { user_id: 456, email: 'user@example.com', first_name: 'Ada', last_name: 'Pop' },
    contact: { first_name: 'Ada', last_name: 'Pop', source: 'registration' },
    entry: 'contact_created',
  },
  {
    event: 'order.completed',
    data: { order_id: 789, user_id: 456, email: 'user@example.com', total: '99.90', currency: 'EUR' },
    contact: { total_orders: 1, lifetime_value: '99.90', last_order_date: time },
    entry: 'purchase',
  },
  {
    event: 'newsletter.subscribed',
    data: { email: 'user@example.com', subscription_type: 'newsletter', source: 'website_footer', double_optin: true },
    contact: { newsletter_subscribed: true, subscribed_at: time },
    entry: 'subscribed',
  },
  {
    event: 'email.sent',
    data: { to: 'user@example.com', subject: 'Votre commande', message_id: '<1@shop.example>' },
    contact: { total_emails_opened: 0 },
    entry: 'email_sent',
  },
  {
    event: 'booking.created',
    data: {
      booking_id: 'b-1',
      invitee_name: 'Ada Pop',
      invitee_email: 'user@example.com',
      start_time: '2026-02-01T10:00:00Z',
    },
    contact: { total_bookings: 1, last_booking_date: '2026-02-01T10:00:00.000Z' },
    entry: 'booking_created',
  },
  {
    event: 'appointment.created',
    data: { appointment_id: 'a-1', customer_email: 'user@example.com', start_time: '2026-02-02T10:00:00Z' },
    contact: { total_appointments: 1, last_appointment_date: '2026-02-02T10:00:00.000Z' },
    entry: 'appointment_created',
  },
  {
    event: 'order.returned',
    data: { order_id: 789, refund_amount: '9.90' },
    contact: { lifetime_value: '90.00' },
    entry: 'order_returned',
  },
]

const envelope = ({ event, data }: Heard) => ({ event, timestamp: '2024-01-15T10:30:00Z', data })

async function expectHeard(app: TestApp, { contact, entry }: Heard): Promise<void> {
  const victor = app.as('victor')
  const { body } = await victor.get('/contacts?email=user@example.com')
  expect(body.data).toEqual([expect.objectContaining({ id, ...contact })])
  const timeline = await victor.get(`/contacts/${body.data[0].id}/interactions?type=${entry}`)
  expect(timeline.body.total, entry).toBe(1)
}

test('through the API: each is heard once, however often it is sent', async () => {
  await using app = await start({}, undefined, 'contacts')
  const adrian = app.as('adrian')
  for (const each of heard) {
    for (const status of ['accepted', 'duplicate']) {
      const reply = await adrian.post('/events/', envelope(each))
      expect([reply.status, reply.body], reply.text).toEqual([202, { id, status }])
      await app.drain()
    }
    await expectHeard(app, each)
  }
  expect((await adrian.get('/events/failed')).body.data).toEqual([])
  expect((await app.as('maria').post('/events', envelope(heard[0]!))).status).toBe(403)
  expect((await app.anonymous.post('/events', envelope(heard[0]!))).status).toBe(401)
})

test('RabbitMQ is asked for every event of other programs that something here reacts to', () => {
  const asked = new Set(modules.flatMap(({ hears = [] }) => hears))
  expect([...asked]).toEqual(expect.arrayContaining(heard.map(({ event }) => event)))
  const reactedTo = new Set(modules.flatMap(({ reactions = [] }) => reactions.map(({ event }) => event)))
  expect(
    [...asked].filter((event) => !reactedTo.has(event)),
    'nobody would do anything with these',
  ).toEqual([])
})

const brokerTest = test.skipIf(!(await answers(RABBITMQ_URL)))

brokerTest('through RabbitMQ: the queue of the service hears each, in its document’s envelope', async () => {
  const name = `test.${randomBytes(6).toString('hex')}`
  const queue = `${name}.in`
  const connection = new Connection(RABBITMQ_URL)
  const publisher = connection.createPublisher({ confirm: true })
  try {
    await using app = await start(
      { RABBITMQ_URL, RABBITMQ_EXCHANGE: name, RABBITMQ_QUEUE: queue },
      undefined,
      'contacts',
    )
    app.app.worker.start()
    await bound(connection, queue)
    const to = { exchange: name, contentType: 'application/json', durable: true }
    for (const each of heard) {
      // Two workspaces are here, so the event says which it is for, as one of the documents calls it.
      const message = { ...envelope(each), business_id: app.world.workspaceId }
      await publisher.send({ ...to, routingKey: each.event }, message)
      await publisher.send({ ...to, routingKey: each.event }, message)
      await taken(app, each.event)
      await app.drain()
      await expectHeard(app, each)
    }
  } finally {
    await publisher.close()
    for (const left of [queue, `${queue}.dead`]) await connection.queueDelete({ queue: left })
    await connection.exchangeDelete({ exchange: name })
    connection.unsafeDestroy()
  }
})
