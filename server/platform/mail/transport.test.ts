// The contract of the transports, and SMTP against a real server that answers, refuses, drops and hangs.
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startSmtpSink, type SinkRule } from '#testing/smtp-sink.ts'
import { createAddressGuard } from '#platform/outbound/addresses.ts'
import { MailRefused, type OutgoingMail } from './mail.ts'
import { createSandboxTransport } from './sandbox.ts'
import type { SmtpSettings } from './smtp-connection.ts'
import { createSmtpTransport, parseSmtpUrl } from './smtp.ts'

function mailTo(address: string, change: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    from: { address: 'noreply@moulin.example', name: 'Le Vieux Moulin' },
    to: { address },
    subject: 'Bonjour',
    text: 'Bonjour\n.\n..points\n',
    headers: { 'X-Campaign': 'one' },
    messageId: `<${address.split('@')[0]}.campaign-1@moulin.example>`,
    date: new Date('2026-11-21T08:00:00Z'),
    ...change,
  }
}

async function startSmtp(rules: SinkRule[] = [], settings: Partial<SmtpSettings> = {}) {
  const sink = await startSmtpSink({ keepBodies: true, rules })
  const transport = createSmtpTransport({ host: '127.0.0.1', port: sink.port, tls: 'auto', ...settings })
  return {
    sink,
    transport,
    async [Symbol.asyncDispose]() {
      await transport.close()
      await sink.close()
    },
  }
}

const rcpt = (answer: string, times?: number): SinkRule => ({
  address: /^bad/,
  at: 'rcpt',
  answer,
  ...(times ? { times } : {}),
})
const message = (answer: string): SinkRule => ({ address: /^bad/, at: 'message', answer })

describe('every transport', () => {
  test('hands over the same bytes to one recipient', async () => {
    await using smtp = await startSmtp()
    const kept: { raw: Buffer; to: string }[] = []
    const sandbox = createSandboxTransport((raw, envelope) => {
      kept.push({ raw, to: envelope.to })
      return Promise.resolve()
    })
    for (const transport of [smtp.transport, sandbox]) {
      expect(await transport.verify()).toEqual({ ok: true })
      expect(await transport.send(mailTo('ana@moulin.example'))).toMatchObject({ outcome: 'sent' })
      await expect(transport.send(mailTo('a@b.example', { subject: 'x\r\nBcc: c@d.example' }))).rejects.toThrow(
        MailRefused,
      )
    }
    expect(smtp.sink.recipientsSeen).toEqual(['ana@moulin.example'])
    expect(kept.map(({ to }) => to)).toEqual(['ana@moulin.example'])
    expect(smtp.sink.mails[0]?.raw.toString()).toBe(kept[0]?.raw.toString())
    await sandbox.close()
  })
})

test.each<[string, SinkRule, object]>([
  ['421', rcpt('421 4.3.2 going down'), { outcome: 'deferred', code: 421, scope: 'connection' }],
  ['450', rcpt('450 4.2.0 greylisted'), { outcome: 'deferred', code: 450, enhanced: '4.2.0', scope: 'recipient' }],
  ['452', rcpt('452 4.2.2 mailbox full'), { outcome: 'deferred', code: 452, scope: 'recipient' }],
  ['550', rcpt('550 5.1.1 no such user'), { outcome: 'failed', code: 550, kind: 'invalid_mailbox' }],
  ['552', rcpt('552 5.2.2 mailbox full'), { outcome: 'failed', code: 552, kind: 'mailbox_full' }],
  [
    'sender',
    { address: /noreply/, at: 'mail', answer: '550 5.7.1 blocked', times: 1 },
    { outcome: 'failed', kind: 'policy', scope: 'sender' },
  ],
  [
    '550 after the message',
    message('550 5.7.515 authentication level'),
    { outcome: 'failed', kind: 'policy', scope: 'sender' },
  ],
  ['451 after the message', message('451 4.3.0 later'), { outcome: 'deferred', scope: 'connection' }],
  ['drop at RCPT', rcpt('drop'), { outcome: 'deferred', scope: 'connection' }],
  ['drop after the final dot', message('drop'), { outcome: 'unknown' }],
  ['silence after the final dot', message('hang'), { outcome: 'unknown' }],
  ['silence at RCPT', rcpt('hang'), { outcome: 'deferred', scope: 'connection' }],
  [
    'refusal at the door',
    { address: /./, at: 'connection', answer: '554 5.7.1 go away', times: 1 },
    { outcome: 'deferred', code: 554, scope: 'connection' },
  ],
])('%s: the value says so, and the next mail goes out', async (_name, rule, expected) => {
  await using smtp = await startSmtp([rule], { replyTimeoutMs: 300, connections: 1 })
  expect(await smtp.transport.send(mailTo('bad@moulin.example'))).toMatchObject(expected)
  expect(await smtp.transport.send(mailTo('good@moulin.example'))).toMatchObject({ outcome: 'sent' })
  expect(Array.from(smtp.sink.byRecipient)).toEqual([['good@moulin.example', 1]])
})

test('many mails share few connections, and each arrives once', async () => {
  await using smtp = await startSmtp([], { connections: 3, messagesPerConnection: 50 })
  const addresses = Array.from({ length: 200 }, (_, index) => `person${index}@moulin.example`)
  const results = await Promise.all(addresses.map((address) => smtp.transport.send(mailTo(address))))
  expect(results.filter((result) => result.outcome !== 'sent')).toEqual([])
  expect(smtp.sink.byRecipient.size).toBe(200)
  expect(smtp.sink.byMessageId.size).toBe(200)
  expect(smtp.sink.accepted).toBe(200)
  expect(smtp.sink.connections).toBeGreaterThanOrEqual(4)
  expect(smtp.sink.connections).toBeLessThanOrEqual(6)
})

test('a server that takes fewer connections than we want still gets every mail', async () => {
  await using sink = await startSmtpSink({ clientsMax: 2 })
  const transport = createSmtpTransport({ host: '127.0.0.1', port: sink.port, tls: 'none', connections: 5 })
  const results = await Promise.all(
    Array.from({ length: 60 }, (_, index) => transport.send(mailTo(`person${index}@moulin.example`))),
  )
  expect(results.filter((result) => result.outcome !== 'sent')).toEqual([])
  expect(sink.byRecipient.size).toBe(60)
  await transport.close()
})

test('a connection that was closed meanwhile is replaced without a word, but nothing is ever sent twice', async () => {
  await using smtp = await startSmtp([], { connections: 1 })
  expect(await smtp.transport.send(mailTo('first@moulin.example'))).toMatchObject({ outcome: 'sent' })
  smtp.sink.rules.push(rcpt('drop', 1))
  expect(await smtp.transport.send(mailTo('bad@moulin.example'))).toMatchObject({ outcome: 'sent' })
  smtp.sink.rules.push(message('drop'))
  expect(await smtp.transport.send(mailTo('bad2@moulin.example'))).toMatchObject({ outcome: 'unknown' })
  expect(smtp.sink.recipientsSeen.filter((address) => address.startsWith('bad2'))).toHaveLength(1)
})

test('with no server, those who wait are told at once', async () => {
  const transport = createSmtpTransport({ host: '127.0.0.1', port: 1, tls: 'none', connections: 2 })
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => transport.send(mailTo(`p${index}@moulin.example`))),
  )
  expect(new Set(results.map((result) => result.outcome === 'deferred' && result.scope))).toEqual(
    new Set(['connection']),
  )
  expect(await transport.verify()).toMatchObject({ ok: false })
  await transport.close()
})

test('closing lets the running delivery finish, bounds the wait, and turns the rest away', async () => {
  await using smtp = await startSmtp([message('hang')], { connections: 1, closeTimeoutMs: 100 })
  const running = smtp.transport.send(mailTo('bad@moulin.example'))
  await expect.poll(() => smtp.sink.recipientsSeen.length).toBe(1)
  const waiting = smtp.transport.send(mailTo('good@moulin.example'))
  await smtp.transport.close()
  expect((await running).outcome).toMatch(/unknown|deferred/)
  expect(await waiting).toMatchObject({ outcome: 'deferred', scope: 'connection' })
  expect(await smtp.transport.send(mailTo('late@moulin.example'))).toMatchObject({ outcome: 'deferred' })
})

test('signs in; a wrong password defers instead of failing people', async () => {
  await using sink = await startSmtpSink({ user: { name: 'moulin', password: 's3cret' } })
  const open = (password: string) =>
    createSmtpTransport({ host: '127.0.0.1', port: sink.port, tls: 'none', auth: { user: 'moulin', password } })
  const [good, bad] = [open('s3cret'), open('wrong')]
  expect(await good.verify()).toEqual({ ok: true })
  expect(await good.send(mailTo('ana@moulin.example'))).toMatchObject({ outcome: 'sent' })
  const refused = await bad.send(mailTo('ana@moulin.example'))
  expect(refused).toMatchObject({ outcome: 'deferred', scope: 'connection' })
  expect(JSON.stringify([refused, await bad.verify()])).not.toContain('wrong')
  await Promise.all([good.close(), bad.close()])
})

test.each(['implicit', 'starttls'] as const)('a certificate that nobody trusts is refused: %s', async (mode) => {
  await using sink = await startSmtpSink({ tls: { mode } })
  for (const tls of mode === 'implicit' ? (['implicit'] as const) : (['require', 'auto'] as const)) {
    const transport = createSmtpTransport({ host: 'localhost', port: sink.port, tls })
    expect(await transport.send(mailTo('ana@moulin.example'))).toMatchObject({
      outcome: 'deferred',
      scope: 'connection',
    })
    await transport.close()
  }
  expect(sink.accepted).toBe(0)
})

test('a server without STARTTLS gets nothing when it is required', async () => {
  await using smtp = await startSmtp([], { tls: 'require' })
  expect(await smtp.transport.send(mailTo('ana@moulin.example'))).toMatchObject({
    outcome: 'deferred',
    scope: 'connection',
  })
  expect(smtp.sink.recipientsSeen).toEqual([])
})

test('a loss in the middle of a large message is not ambiguous: its end was never sent', async () => {
  const server = createServer((socket) => {
    socket.write('220 hi\r\n')
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (text.startsWith('EHLO')) socket.write('250 hi\r\n')
      else if (/^(MAIL|RCPT)/.test(text)) socket.write('250 ok\r\n')
      else if (text.startsWith('DATA')) socket.write('354 go\r\n')
      // Some of the message has come: it will never be read to its end.
      else socket.pause().resetAndDestroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const transport = createSmtpTransport({ host: '127.0.0.1', port, tls: 'none' })
  const large = mailTo('ana@moulin.example', { text: 'Bonjour le monde\n'.repeat(2_000_000) })
  expect(await transport.send(large)).toMatchObject({ outcome: 'deferred', scope: 'connection' })
  await transport.close()
  await new Promise((resolve) => server.close(resolve))
})

test('a server that a customer names may not be in our own network', async () => {
  await using smtp = await startSmtp([], { guard: createAddressGuard() })
  expect(await smtp.transport.send(mailTo('ana@moulin.example'))).toMatchObject({ outcome: 'deferred' })
  expect(smtp.sink.connections).toBe(0)
  await using allowed = await startSmtp([], { guard: createAddressGuard({ allowLoopback: true }), host: 'localhost' })
  expect(await allowed.transport.send(mailTo('ana@moulin.example'))).toMatchObject({ outcome: 'sent' })
})

test.each([
  ['smtp://localhost:1025', { host: 'localhost', port: 1025, tls: 'auto' }],
  [
    'smtps://u%40x:p%2F@mail.example',
    { host: 'mail.example', port: 465, tls: 'implicit', auth: { user: 'u@x', password: 'p/' } },
  ],
  ['smtp://mail.example?tls=require', { host: 'mail.example', port: 587, tls: 'require' }],
  ['smtp://[::1]:25?tls=none', { host: '::1', port: 25, tls: 'none' }],
  ['http://mail.example', null],
  ['smtp://mail.example?tls=maybe', null],
  ['mail.example', null],
])('%s is read', (url, settings) => expect(parseSmtpUrl(url)).toEqual(settings))
