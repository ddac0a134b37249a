/**
 * RabbitMQ: our events go to a topic exchange with the event's name as routing key, persistent and confirmed; events of other
 * programs come from a durable queue that is bound to the names which our modules understand. What cannot be read goes to
 * `<queue>.dead`, where somebody can look at it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Connection, ConsumerStatus, type AsyncMessage, type Consumer, type Publisher } from 'rabbitmq-client'
import type { Db } from '../db/db.ts'
import { receiveEvent } from '../events/failed.ts'
import type { Event } from '../events/outbox.ts'
import type { Worker } from '../module.ts'
import type { Services } from '../services.ts'
import { readMessage } from './incoming.ts'
import { createPublishing } from './publishing.ts'

export interface RabbitmqOptions {
  url: string
  exchange: string
  queue: string
  /** Names of the events that other programs send. */
  hears: string[]
  /** The workspace that an event is for: the one it names, if that is here, or the only one. Null: nobody's. */
  workspaceOf(id: string | null): Promise<string | null>
}

const prefetch = 100
const closingMs = 5_000
/** Deliveries of one message before it counts as poison; RabbitMQ before 4.0 sets no limit of its own. */
const deliveriesMax = 20

/** Connects when it starts, and not before: a process that only answers requests needs no broker. */
export function createRabbitmq(db: Db, services: Services, options: RabbitmqOptions): Worker {
  let line: Line | undefined
  const opened = (): Line => (line ??= open(db, services, options))
  // Services of one installation may have an exchange each: every one of them is told of everything.
  const publishing = createPublishing(db, services, `rabbitmq ${options.exchange}`, async (event) => {
    await opened().publisher.send(envelopeFor(event, options.exchange), event)
    services.metrics.events.inc({ target: 'rabbitmq', outcome: 'relayed' })
  })
  return {
    start() {
      publishing.start()
      opened().listen()
    },
    drain: () => publishing.drain(),
    async stop() {
      await line?.quieten()
      await publishing.stop()
      await line?.close()
    },
  }
}

interface Line {
  publisher: Publisher
  listen(): void
  /** Takes no more messages; those in hand are finished. */
  quieten(): Promise<void>
  close(): Promise<void>
}

function open(db: Db, services: Services, options: RabbitmqOptions): Line {
  const connection = new Connection({ url: options.url, connectionName: 'rapport', retryHigh: 10_000 })
  connection.on('error', (error) => services.log.warn({ err: error }, 'RabbitMQ does not answer; events wait'))
  const exchange = { exchange: options.exchange, type: 'topic', durable: true }
  const publisher = connection.createPublisher({ confirm: true, maxAttempts: 2, exchanges: [exchange] })
  let consumer: Consumer | undefined
  return {
    publisher,
    listen() {
      if (options.hears.length) consumer ??= listen(connection, exchange, db, services, options)
    },
    quieten: async () => consumer?.close(),
    async close() {
      await publisher.close()
      // A channel that was lost to an error can keep the connection from ever being seen as empty.
      await Promise.race([connection.close(), pause(closingMs, undefined, { ref: false })])
      connection.unsafeDestroy()
    },
  }
}

function envelopeFor(event: Event, exchange: string) {
  return {
    exchange,
    routingKey: event.event,
    type: event.event,
    messageId: event.id,
    timestamp: Math.floor(Date.parse(event.timestamp) / 1_000),
    contentType: 'application/json',
    appId: 'rapport',
    durable: true,
  }
}

function listen(
  connection: Connection,
  exchange: { exchange: string; type: string; durable: boolean },
  db: Db,
  services: Services,
  options: RabbitmqOptions,
): Consumer {
  const { queue } = options
  // A dead letter without a queue would be thrown away, so the queue is there before the first one is.
  let deadLetters: Promise<void> | undefined
  const keepDeadLetters = () =>
    (deadLetters ??= declareDeadLetters(connection, queue).catch((error: unknown) => {
      deadLetters = undefined
      throw error
    }))
  const consumer = connection.createConsumer(
    {
      queue,
      queueOptions: {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-delivery-limit': deliveriesMax,
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': `${queue}.dead`,
        },
      },
      qos: { prefetchCount: prefetch },
      concurrency: prefetch / 2,
      exchanges: [exchange],
      queueBindings: options.hears.map((routingKey) => ({ exchange: exchange.exchange, queue, routingKey })),
    },
    async (message) => {
      const status = await take(db, services, options, message)
      if (status === ConsumerStatus.DROP) await keepDeadLetters()
      return status
    },
  )
  consumer.on('ready', () => {
    deadLetters = undefined
    keepDeadLetters().catch((error: unknown) =>
      services.log.warn({ err: error, queue }, 'the queue of dead letters could not be made'),
    )
  })
  consumer.on('error', (error) => services.log.warn({ err: error, queue }, 'a message of RabbitMQ was given back'))
  return consumer
}

async function declareDeadLetters(connection: Connection, queue: string): Promise<void> {
  await connection.queueDeclare({ queue: `${queue}.dead`, durable: true, arguments: { 'x-queue-type': 'quorum' } })
}

/** Throwing gives the message back, to be delivered again. */
async function take(
  db: Db,
  services: Services,
  options: RabbitmqOptions,
  message: AsyncMessage,
): Promise<ConsumerStatus> {
  if (message.appId === 'rapport') return ConsumerStatus.ACK // our own, by a binding of the operator's
  const read = readMessage(
    { body: bodyOf(message), messageId: message.messageId, routingKey: message.routingKey },
    new Date(),
  )
  const workspaceId = 'event' in read ? await options.workspaceOf(read.event.workspace_id) : null
  if (!('event' in read) || !workspaceId) {
    const reason = 'refused' in read ? read.refused : 'The event names no workspace of this installation.'
    services.log.warn({ routing_key: message.routingKey, reason }, 'a message of RabbitMQ was set aside')
    services.metrics.events.inc({ target: 'incoming', outcome: 'dead' })
    return ConsumerStatus.DROP
  }
  const event = { ...read.event, workspace_id: workspaceId }
  await db.transaction(workspaceId, (tx) => receiveEvent(tx, event))
  services.metrics.events.inc({ target: 'incoming', outcome: 'relayed' })
  return ConsumerStatus.ACK
}

/** The client has parsed what says that it is JSON; other programs forget to say so. */
function bodyOf({ body }: AsyncMessage): unknown {
  if (!Buffer.isBuffer(body) && typeof body !== 'string') return body
  try {
    return JSON.parse(String(body))
  } catch {
    return null
  }
}
