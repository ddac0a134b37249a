/**
 * The door that mail servers knock at: SMTP, or LMTP behind a mail server of one's own. It takes mail for our own addresses
 * and for nobody else, so it cannot be used to send mail on; it asks for no sign-in, because strangers write to us.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import ipaddr from 'ipaddr.js'
import { CannotStart } from '../errors.ts'
import type { Worker } from '../module.ts'
import type { Runtime } from '../services.ts'
import { findDestinations, type Destination } from './addresses.ts'
import { receiveEach } from './receive.ts'

export interface SmtpDoorSettings {
  protocol: 'smtp' | 'lmtp'
  host: string
  /** 0 takes any free one. */
  port: number
  sizeBytesMax: number
  connectionsMax: number
  /** PEM; null: the connection stays as it is. */
  tls: { certificate: string; key: string } | null
  /** The name in the greeting. */
  name: string
}

export interface SmtpDoor extends Worker {
  /** Answers once it listens. */
  open(): Promise<{ port: number }>
}

const recipientsMax = 50
const silenceMs = 60_000
const messageMs = 300_000
/** Messages that one outside address may bring in a minute. */
const perAddress = { limit: 300, windowMs: 60_000 }

/** `onReceived` is told after each mail that is new. */
export function createSmtpDoor(runtime: Runtime, settings: SmtpDoorSettings, onReceived: () => void): SmtpDoor {
  const { log, db, limits } = runtime
  if (settings.tls) requirePair(settings.tls)
  /** What each session has named, by the address of its envelope. */
  const named = new WeakMap<SMTPServerSession, Map<string, Destination>>()

  const server = new SMTPServer({
    name: settings.name,
    banner: 'Rapport',
    lmtp: settings.protocol === 'lmtp',
    size: settings.sizeBytesMax,
    maxClients: settings.connectionsMax,
    authOptional: true,
    disabledCommands: settings.tls ? ['AUTH'] : ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    socketTimeout: silenceMs,
    closeTimeout: 5_000,
    logger: false,
    ...(settings.tls ? { cert: settings.tls.certificate, key: settings.tls.key } : {}),
    onMailFrom(_address, session, callback) {
      named.set(session, new Map())
      void answer(callback, async () => {
        if (isLocal(session.remoteAddress)) return
        const taken = await limits.take(`mail-in:${session.remoteAddress}`, perAddress)
        if (!taken.allowed) throw refusal(421, 'Too many messages for now; come back later')
      })
    },
    onRcptTo({ address }, session, callback) {
      void answer(callback, async () => {
        const list = named.get(session) ?? new Map<string, Destination>()
        if (list.size >= recipientsMax) throw refusal(452, 'Too many recipients; send the message again for the others')
        if (address.length > 320) throw refusal(501, 'This address is too long')
        const [destination] = await findDestinations(db, [address])
        if (!destination) throw refusal(550, 'There is no such mailbox here')
        list.set(address, destination)
        named.set(session, list)
      })
    },
    onData(stream, session, callback) {
      void answer(callback, async () => {
        const raw = await readAll(stream, settings.sizeBytesMax)
        if (!raw) throw refusal(552, `Larger than ${Math.floor(settings.sizeBytesMax / 1_000_000)} MB`)
        const list = named.get(session) ?? new Map<string, Destination>()
        const outcomes = await receiveEach(runtime, {
          door: 'smtp',
          raw,
          envelopeFrom: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
          recipients: [...list].map(([address, destination]) => ({ named: address, destination })),
          client: { ip: session.remoteAddress, greeting: String(session.hostNameAppearsAs).slice(0, 255) },
        })
        const failures = [...outcomes.values()].filter((outcome) => outcome instanceof Error)
        if ([...outcomes.values()].includes(true)) onReceived()
        for (const error of failures) log.error({ err: error }, 'a mail could not be taken in')
        // LMTP hears of each recipient; by SMTP all of it comes again, and who has it knows it.
        if (settings.protocol === 'lmtp')
          return session.envelope.rcptTo.map(({ address }) => {
            const outcome = outcomes.get(list.get(address)?.workspaceId ?? '')
            return typeof outcome === 'boolean' ? 'Kept' : later()
          })
        if (failures.length) throw later()
      })
    },
  })
  // Broken connections and lines that are no SMTP: the other side's affair.
  server.on('error', (error) => log.debug({ err: error }, 'smtp door'))

  /** What is no refusal of ours is a fault of ours: the other server keeps the mail, and tries again. */
  async function answer(
    callback: (error?: Error | null, replies?: (string | Error)[]) => void,
    work: () => Promise<(string | Error)[] | void>,
  ): Promise<void> {
    try {
      const replies = await work()
      if (replies) callback(null, replies)
      else callback()
    } catch (error) {
      if (error instanceof Error && 'responseCode' in error) return callback(error)
      log.error({ err: error }, 'a mail could not be taken in')
      callback(later())
    }
  }

  async function open(): Promise<{ port: number }> {
    const listener = server.listen(settings.port, settings.host)
    if (!listener.listening) await once(listener, 'listening')
    return { port: (listener.address() as AddressInfo).port }
  }

  let isOpen = false
  return {
    async open() {
      isOpen = true
      return open()
    },
    start() {
      isOpen = true
      open().then(
        ({ port }) => log.info({ port, protocol: settings.protocol }, 'mail is taken in'),
        (error: Error) => log.error({ err: error }, 'the door for mail could not be opened'),
      )
    },
    drain: async () => {},
    async stop() {
      if (isOpen) await new Promise<void>((resolve) => server.close(resolve))
    },
  }
}

function requirePair({ certificate: cert, key }: { certificate: string; key: string }): void {
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    const why = error instanceof Error ? error.message : ''
    throw new CannotStart(
      `MAIL_IN_TLS_CERTIFICATE and MAIL_IN_TLS_KEY must be a certificate in PEM and the key that belongs to it (${why}).`,
    )
  }
}

/** Null where it is too large; the rest is read and dropped, so that the answer is heard. Bounded in time as a whole. */
async function readAll(stream: SMTPServerDataStream, bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let size = 0
  const deadline = setTimeout(() => stream.destroy(new Error('the message took too long')), messageMs).unref()
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size <= bytesMax) chunks.push(chunk)
      else chunks.length = 0
    }
  } finally {
    clearTimeout(deadline)
  }
  return size > bytesMax || stream.sizeExceeded ? null : Buffer.concat(chunks)
}

function later(): Error {
  return refusal(451, 'Not possible at the moment; try again later')
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode })
}

/** Our own mail server in front of us brings everybody's mail. */
function isLocal(address: string): boolean {
  return !ipaddr.isValid(address) || ipaddr.process(address).range() !== 'unicast'
}
