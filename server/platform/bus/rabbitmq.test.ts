// Events and a real RabbitMQ: everything leaves once committed, whatever happens to the broker; what comes in is heard once.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Connection, type AsyncMessage } from 'rabbitmq-client'
import { test } from 'vitest'
import { answers, RABBITMQ_URL } from '#testing/services.ts'
import { startAnother } from '#testing/start-another.ts'
import { start, type TestApp } from '#testing/start.ts'
import { newId } from '../ids.ts'
import { when } from '../module.ts'
import { createPublishing } from './publishing.ts'

const brokerTest = test.skipIf(!(await answers(RABBITMQ_URL)))

/** Names of its own, and what arrives in the exchange. */
async function startBroker() {
  const name = `test.${randomBytes(6).toString('hex')}`
  const connection = new Connection(RABBITMQ_URL)
  const arrived: AsyncMessage[] = []
  const queue = `${name}.watch`
  await connection.exchangeDeclare({ exchange: name, type: 'topic', durable: true })
  await connection.queueDeclare({ queue, exclusive: true })
  await connection.queueBind({ queue, exchange: name, routingKey: '#' })
  const consumer = connection.createConsumer({ queue, queueOptions: { passive: true } }, (message) => {
    arrived.push(message)
  })
  return {
    environment: { RABBITMQ_URL, RABBITMQ_EXCHANGE: name, RABBITMQ_QUEUE: `${name}.in` },
    name,
    connection,
    arrived,
    /** Other databases of the server can hold events back, so there may be more than one turn to it. */
    async until(count: number, app: Pick<TestApp, 'drain'>) {
      while (arrived.length < count) await app.drain()
    },
    async [Symbol.asyncDispose]() {
      await consumer.close()
      for (const left of [`${name}.in`, `${name}.in.dead`]) await connection.queueDelete({ queue: left })
      await connection.exchangeDelete({ exchange: name })
      // Not closed in order: that waits for channels which a question for a missing queue may have lost.
      connection.unsafeDestroy()
    },
  }
}

const publishSome = (app: TestApp, count: number) =>
  app.inTx((tx) =>
    tx.publishAll(
      Array.from({ length: count }, (_, number) => ({ event: 'probe.happened', subject: 'x', data: { number } })),
    ),
  )

brokerTest(
  'committed events arrive in order, in the envelope, under their own id; rolled back ones never',
  async () => {
    await using broker = await startBroker()
    await using app = await start(broker.environment)
    await app.drain()
    await publishSome(app, 250)
    await assert.rejects(
      app.inTx(async (tx) => {
        await tx.publish('probe.undone', 'x', {})
        throw new Error('no')
      }),
    )
    await broker.until(250, app)
    assert.deepEqual(
      broker.arrived.map(({ body }) => body.data.number),
      Array.from({ length: 250 }, (_, number) => number),
    )
    const [first] = broker.arrived as [AsyncMessage]
    assert.deepEqual(Object.keys(first.body).toSorted(), ['data', 'event', 'id', 'timestamp', 'workspace_id'])
    assert.equal(first.body.workspace_id, app.world.workspaceId)
    assert.deepEqual(
      [first.messageId, first.routingKey, first.type, first.contentType, first.durable],
      [first.body.id, 'probe.happened', 'probe.happened', 'application/json', true],
    )
  },
)

brokerTest(
  'two services with an exchange each, on one database, both tell of everything',
  async () => {
    await using one = await startBroker()
    await using other = await startBroker()
    await using app = await start(one.environment)
    await using second = await startAnother(app, other.environment)
    await app.drain()
    await second.app.worker.drain()
    await publishSome(app, 3)
    await Promise.all([one.until(3, app), other.until(3, { drain: () => second.app.worker.drain() })])
    for (const { arrived } of [one, other]) {
      assert.deepEqual(
        arrived.map(({ body }) => body.data.number),
        [0, 1, 2],
      )
    }
  },
  120_000,
)

brokerTest('what other programs send is heard once, whatever is bound; what cannot be read is kept aside', async () => {
  await using broker = await startBroker()
  const heard: unknown[] = []
  let wake = () => {}
  const reaction = when('probe.ordered', 'probe.hear', async (tx, events) => {
    tx.afterCommit(() => {
      heard.push(...events.map(({ data }) => data))
      wake()
    })
  })
  await using app = await start(broker.environment, { reactions: [reaction], hears: ['probe.ordered'] })
  app.app.worker.start()
  const publisher = broker.connection.createPublisher({ confirm: true })
  const to = { exchange: broker.name, routingKey: 'probe.ordered', contentType: 'application/json' }
  await boundTo(broker)
  const envelope = {
    id: newId(),
    event: 'probe.ordered',
    timestamp: new Date().toISOString(),
    workspace_id: app.world.workspaceId,
  }
  for (let copy = 0; copy < 3; copy++) await publisher.send(to, { ...envelope, data: { order: 1 } })
  await publisher.send(to, { ...envelope, id: newId(), workspace_id: newId(), data: { order: 'foreign' } })
  await publisher.send(to, { event: 'probe.ordered', data: [] })
  await publisher.send(to, { ...envelope, id: newId(), data: { order: 2 } })
  while (heard.length < 2) await new Promise<void>((resolve) => void (wake = resolve))
  assert.deepEqual(heard, [{ order: 1 }, { order: 2 }])
  const dead = []
  while (dead.length < 2) {
    const message = await deadLetter(broker)
    if (message) dead.push(message.body.data)
  }
  assert.deepEqual(dead, [{ order: 'foreign' }, []])
  await publisher.close()
  assert.equal(broker.arrived.filter(({ body }) => body.data?.order === 1).length, 3) // and it was not told to anybody again
})

brokerTest('what cannot be read is kept aside also when it waited for the very first moment', async () => {
  await using broker = await startBroker()
  const [queue, dead] = [`${broker.name}.in`, `${broker.name}.in.dead`]
  const withConsumer = () => start(broker.environment, { hears: ['probe.ordered'] })
  {
    await using app = await withConsumer()
    app.app.worker.start()
    await boundTo(broker)
  }
  await broker.connection.queueDelete({ queue: dead })
  const publisher = broker.connection.createPublisher({ confirm: true })
  for (let number = 0; number < 20; number++) await publisher.send(queue, { event: 'probe.ordered', data: [number] })
  await using app = await withConsumer()
  app.app.worker.start()
  await boundTo(broker)
  const kept = new Set<number>()
  while (kept.size < 20) {
    const message = await deadLetter(broker)
    if (message) kept.add(message.body.data[0])
  }
  await publisher.close()
})

/** Null while there is none, or no queue yet. */
async function deadLetter({ connection, name }: Awaited<ReturnType<typeof startBroker>>) {
  return connection.basicGet({ queue: `${name}.in.dead`, noAck: true }).catch(() => null)
}

/** The queue is bound once the consumer is ready: a message that finds it comes back as routed. */
async function boundTo(broker: Awaited<ReturnType<typeof startBroker>>): Promise<void> {
  for (;;) {
    try {
      const { consumerCount } = await broker.connection.queueDeclare({ queue: `${broker.name}.in`, passive: true })
      if (consumerCount) return
    } catch {
      // not declared yet
    }
  }
}

test('a broker that fails again and again delays events and loses none, also those that committed late', async () => {
  await using app = await start()
  const told: number[] = []
  let failing = 0
  const publishing = createPublishing(app.app.runtime.db, app.app.runtime, 'probe', async ({ event, data }) => {
    if (event !== 'probe.happened') return
    if (failing-- > 0) throw new Error('not now')
    told.push(data.number as number)
  })
  await publishing.drain()
  const { db } = app.app.runtime
  const late = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const slow = db.transaction(app.world.workspaceId, async (tx) => {
    await tx.publish('probe.happened', 'slow', { number: 100 })
    begun.resolve()
    await late.promise
  })
  await begun.promise
  await publishSome(app, 3)
  await publishing.drain() // the older transaction is still open: nothing may pass it by
  late.resolve()
  await slow
  failing = 2
  const refused: Error[] = []
  // Other databases of the server can hold events back, so there may be more than one turn to it.
  while (new Set(told).size < 4) await publishing.drain().catch((error: Error) => refused.push(error))
  assert.match(String(refused[0]), /not now/)
  assert.deepEqual(
    [...new Set(told)].toSorted((a, b) => a - b),
    [0, 1, 2, 100],
  )
  const before = told.length
  await publishing.drain()
  assert.equal(told.length, before) // and then it is quiet
})
