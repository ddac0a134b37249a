// An SMTP server that takes everything and counts, or behaves as badly as it is told. Counting by recipient and by
// Message-ID is what "lost 0, duplicates 0" is measured with, so it counts what was acknowledged, from outside.
import type { AddressInfo, Socket } from 'node:net'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'

export type SinkRule = {
  /** Which recipients (or senders, for `mail`) it concerns. */
  address: RegExp
  /** `connection` for every new connection, whatever the address. */
  at: 'connection' | 'mail' | 'rcpt' | 'message'
  /** A reply such as '550 5.1.1 no such user'; 'drop' closes the connection there; 'hang' never answers. */
  answer: string
  /** How often; for ever when absent. */
  times?: number
}

export type SunkMail = { from: string; to: string[]; messageId: string; raw: Buffer }

export type SmtpSink = AsyncDisposable & {
  port: number
  url: string
  /** Messages acknowledged with 250. */
  accepted: number
  /** RCPT commands seen, refused ones included. */
  recipientsSeen: string[]
  byRecipient: Map<string, number>
  byMessageId: Map<string, number>
  connections: number
  mails: SunkMail[]
  rules: SinkRule[]
  reset(): void
  close(): Promise<void>
}

export type SmtpSinkOptions = {
  port?: number
  keepBodies?: boolean
  rules?: SinkRule[]
  user?: { name: string; password: string }
  /** Connections at once; more are turned away with 421. */
  clientsMax?: number
  /** Speaks TLS: from the first byte or after STARTTLS. Without a key and certificate, with one that nobody trusts. */
  tls?: { mode: 'implicit' | 'starttls'; key?: string; cert?: string }
}

/** Listens on loopback; `port` 0 takes a free one. */
export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const { keepBodies = false, user, tls } = options
  const hanging = new Set<SMTPServerSession['id']>()

  const server = new SMTPServer({
    ...(tls?.key ? { key: tls.key, cert: tls.cert } : {}),
    ...(options.clientsMax ? { maxClients: options.clientsMax } : {}),
    secure: tls?.mode === 'implicit',
    disabledCommands: [...(tls?.mode === 'starttls' ? [] : ['STARTTLS']), ...(user ? [] : ['AUTH'])],
    allowInsecureAuth: true,
    authOptional: !user,
    hideENHANCEDSTATUSCODES: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 100,
    onAuth: (auth, _session, done) => {
      if (auth.username === user?.name && auth.password === user?.password) done(null, { user: auth.username })
      else done(reply('535 5.7.8 bad credentials'))
    },
    onConnect: (session, done) => {
      sink.connections++
      obey('connection', '', session, done)
    },
    onMailFrom: (address, session, done) => obey('mail', address.address, session, done),
    onRcptTo: (address, session, done) => {
      if (sink.recipientsSeen.length < 10_000) sink.recipientsSeen.push(address.address)
      obey('rcpt', address.address, session, done)
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      let bytes = 0
      stream.on('data', (chunk: Buffer) => {
        // Without bodies only the head is needed, for the Message-ID.
        if (keepBodies || bytes < 65_536) chunks.push(chunk)
        bytes += chunk.length
      })
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map((recipient) => recipient.address)
        obey('message', to[0] ?? '', session, (error) => {
          if (!error) count(session, to, Buffer.concat(chunks))
          done(error)
        })
      })
    },
  })
  server.on('error', () => {})

  function obey(
    at: SinkRule['at'],
    address: string,
    session: SMTPServerSession,
    done: (error?: Error | null) => void,
  ): void {
    const rule = sink.rules.find(
      (one) => one.at === at && one.times !== 0 && (at === 'connection' || one.address.test(address)),
    )
    if (!rule) return done()
    if (rule.times) rule.times--
    if (rule.answer === 'hang') return void hanging.add(session.id)
    if (rule.answer === 'drop') return void socketOf(session.id)?.destroy()
    done(reply(rule.answer))
  }

  function count(session: SMTPServerSession, to: string[], raw: Buffer): void {
    const head = raw.subarray(0, 65_536).toString('latin1').split('\r\n\r\n', 1)[0] ?? ''
    const messageId = /^message-id:\s*(<[^>]*>)/im.exec(head)?.[1] ?? ''
    sink.accepted++
    for (const address of to) sink.byRecipient.set(address, (sink.byRecipient.get(address) ?? 0) + 1)
    sink.byMessageId.set(messageId, (sink.byMessageId.get(messageId) ?? 0) + 1)
    const { mailFrom } = session.envelope
    if (keepBodies) sink.mails.push({ from: mailFrom ? mailFrom.address : '', to, messageId, raw })
  }

  function socketOf(id: string): Socket | undefined {
    // The package does not type its connections, and offers no other way to cut one.
    const all = (server as unknown as { connections: Set<{ id: string; _socket: Socket }> }).connections
    return Array.from(all).find((connection) => connection.id === id)?._socket
  }

  const sink: SmtpSink = {
    port: 0,
    url: '',
    accepted: 0,
    recipientsSeen: [],
    byRecipient: new Map(),
    byMessageId: new Map(),
    connections: 0,
    mails: [],
    rules: options.rules ?? [],
    reset() {
      sink.accepted = 0
      sink.connections = 0
      sink.recipientsSeen = []
      sink.byRecipient.clear()
      sink.byMessageId.clear()
      sink.mails = []
    },
    close: async () => {
      for (const id of hanging) socketOf(id)?.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
    [Symbol.asyncDispose]: () => sink.close(),
  }
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  sink.port = (server.server.address() as AddressInfo).port
  sink.url = `smtp://127.0.0.1:${sink.port}`
  return sink
}

function reply(text: string): Error {
  return Object.assign(new Error(text.slice(4)), { responseCode: Number(text.slice(0, 3)) })
}
