import { createServer, type RequestListener } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { createAddressGuard, isPublicAddress } from './addresses.ts'
import { createBreakers } from './breaker.ts'
import { createOutbound, refuseUrl, type OutboundLine, type OutboundOptions } from './outbound.ts'

async function startServer(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function createClient(options: OutboundOptions = {}) {
  const client = createOutbound({ allowLoopback: true, retryBaseMs: 1, ...options })
  return { ...client, [Symbol.asyncDispose]: () => client.close() }
}

describe('addresses', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a00:1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '2001::1',
    '2001:db8::1',
    'fd00:ec2::254',
    'fc00::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '100::1',
    '10.0.0.1:dead',
    '127.1',
    '2130706433',
    '',
    'localhost',
    '5f00::1',
    '4000::1',
    'a000::1',
    '3fff::1',
  ])('%s is not public', (address) => expect(isPublicAddress(address)).toBe(false))

  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '193.0.6.139', '2606:4700:4700::1111', '2a00:1450:4007::1'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  )
})

describe('no spelling of a private address reaches a listener', () => {
  let hits = 0
  const canary = createTcpServer((socket) => {
    hits++
    socket.destroy()
  })
  const listening = new Promise<number>((resolve) => {
    canary.listen(0, '0.0.0.0', () => resolve((canary.address() as AddressInfo).port))
  })
  afterAll(() => canary.close())

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '017700000001',
    '0177.0.0.1',
    '0',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[::ffff:7f00:1]',
    '[64:ff9b::a9fe:a9fe]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    '169.254.169.254',
    '10.0.0.1',
    '192.168.0.1',
    '172.16.0.1',
    '100.64.0.1',
    'user@127.0.0.1',
    '127.0.0.1:80@evil.example',
    '%31%32%37.0.0.1',
  ])('%s', async (host) => {
    const port = await listening
    await using client = createClient({ allowLoopback: false, connectTimeoutMs: 1000 })
    for (const url of [`http://${host}/`, `https://${host}/`, `http://${host}:${port}/`]) {
      const result = await client.request({ url, attempts: 1, timeoutMs: 2000 })
      expect(result).toMatchObject({ ok: false, failed: expect.stringMatching(/refused|dns/) })
    }
    // The listener's own port is not among the allowed ones, so the guard itself is asked about it as well.
    const guard = createAddressGuard()
    const name = URL.parse(`http://${host}/`)?.hostname ?? ''
    if (!guard.checkHost(name)) {
      await new Promise<void>((resolve) => {
        const socket = connect({ host: name.replace(/^\[|\]$/g, ''), port, lookup: guard.lookup })
        socket.once('error', () => resolve()).once('connect', () => resolve(void socket.destroy()))
      })
    }
    expect(hits).toBe(0)
  })

  test('the canary does sing when the guard is off', async () => {
    const guard = createAddressGuard({ allowLoopback: true })
    const port = await listening
    await new Promise<void>((resolve) => {
      connect({ host: 'localhost', port, family: 4, lookup: guard.lookup })
        .once('close', () => resolve())
        .resume()
    })
    expect(hits).toBe(1)
  })
})

test('a name with one private address among public ones is refused, and so is one that changes', async () => {
  let round = 0
  const resolve = (hostname: string) => {
    if (hostname === 'mixed.example') {
      return Promise.resolve([
        { address: '93.184.215.14', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    }
    // Public when it is saved, private when it is used.
    return Promise.resolve([{ address: round++ === 0 ? '93.184.215.14' : '127.0.0.1', family: 4 }])
  }
  const guard = createAddressGuard({ resolve })
  const look = (name: string) =>
    new Promise((settle) => guard.lookup(name, { all: true }, (error, addresses) => settle(error?.name ?? addresses)))
  expect(await look('mixed.example')).toBe('AddressRefused')
  expect(await look('rebinding.example')).toEqual([{ address: '93.184.215.14', family: 4 }])
  expect(await look('rebinding.example')).toBe('AddressRefused')
  await using client = createClient({ allowLoopback: false, resolve })
  expect(await client.request({ url: 'http://mixed.example/' })).toMatchObject({ failed: 'refused', attempts: 1 })
})

test.each([
  ['ftp://a.example/', true],
  ['file:///etc/passwd', true],
  ['javascript:alert(1)', true],
  ['http://a.example:22/', true],
  ['http://a.example:8080/', true],
  ['http://u:p@a.example/', true],
  ['http://u@a.example/', true],
  ['https://a.example/', false],
  ['http://a.example:443/', false],
])('%s refused: %s', (url, isRefused) => {
  expect(refuseUrl(new URL(url), false) !== null).toBe(isRefused)
  expect(refuseUrl(new URL(url), true) !== null).toBe(isRefused)
})

test('the same rule holds when a URL is saved', async () => {
  await using strict = createClient({ allowLoopback: false })
  for (const url of [
    'http://127.1/',
    'http://[::1]/',
    'https://localhost/',
    'http://[::ffff:a9fe:a9fe]/',
    'ftp://a.example/',
    'nonsense',
  ]) {
    expect(await strict.check(url), url).toEqual(expect.any(String))
  }
  for (const url of ['https://nobody.invalid/hook', 'http://8.8.8.8/']) expect(await strict.check(url), url).toBeNull()
  await using lenient = createClient()
  expect(await lenient.check('http://localhost:8123/hook')).toBeNull()
  expect(await lenient.check('http://10.0.0.1/hook')).toEqual(expect.any(String))
})

test('the operator’s own services are reached inside, and no other address beside them', async () => {
  await using server = await startServer((_request, reply) => reply.end('keys'))
  await using other = await startServer((_request, reply) => reply.end('secrets'))
  await using client = createClient({ allowLoopback: false, trustedOrigins: [new URL(server.url).origin] })
  expect(await client.request({ url: `${server.url}/.well-known/jwks.json` })).toMatchObject({ ok: true, status: 200 })
  expect(await client.request({ url: other.url })).toMatchObject({ ok: false, failed: 'refused' })
  expect(await client.check(server.url)).not.toBeNull() // what a customer saves is judged without trust
})

test('posts and reads, without following redirects', async () => {
  await using server = await startServer((request, reply) => {
    if (request.url === '/moved') return void reply.writeHead(302, { location: '/echo' }).end()
    let body = ''
    request
      .on('data', (chunk) => (body += String(chunk)))
      .on('end', () => reply.end(`${request.method} ${body} ${request.headers['user-agent']}`))
  })
  await using client = createClient({ userAgent: 'Rapport-test' })
  const echoed = await client.request({ url: `${server.url}/echo`, method: 'POST', body: 'hi' })
  expect(echoed).toMatchObject({ ok: true, status: 200, attempts: 1 })
  expect(echoed.ok && echoed.body.toString()).toBe('POST hi Rapport-test')
  expect(await client.request({ url: `${server.url}/moved` })).toMatchObject({ ok: true, status: 302 })
})

test('bounds the size and the time of a reply', async () => {
  await using server = await startServer((request, reply) => {
    if (request.url === '/big') return void reply.end('x'.repeat(200_000))
    if (request.url === '/endless') {
      const write = () => reply.write('x'.repeat(16_384), () => !reply.destroyed && setImmediate(write))
      return write()
    }
    reply.write('a') // and never anything more
  })
  await using client = createClient()
  for (const path of ['/big', '/endless']) {
    expect(await client.request({ url: server.url + path, responseBytesMax: 100_000 })).toMatchObject({
      failed: 'too_large',
      attempts: 1,
    })
  }
  expect(await client.request({ url: `${server.url}/slow`, timeoutMs: 100, attempts: 2 })).toMatchObject({
    failed: 'timeout',
    attempts: 2,
  })
  const gone = new AbortController()
  const pending = client.request({ url: `${server.url}/slow`, signal: gone.signal })
  gone.abort()
  expect(await pending).toMatchObject({ failed: 'aborted' })
})

test('repeats what may be repeated, and only that', async () => {
  let calls = 0
  await using server = await startServer((request, reply) => {
    calls++
    if (request.url === '/drop') return void request.socket.destroy()
    if (request.url === '/patient') return void reply.writeHead(503, { 'retry-after': '3600' }).end()
    reply.writeHead(calls < 3 ? 503 : 200).end()
  })
  await using client = createClient({ breaker: { failuresMax: 1000 } })
  const ask = async (path: string, rest: object) => {
    calls = 0
    const result = await client.request({ url: server.url + path, ...rest })
    return [result.ok ? result.status : result.failed, calls]
  }
  expect(await ask('/', {})).toEqual([200, 3])
  expect(await ask('/', { attempts: 2 })).toEqual([503, 2])
  expect(await ask('/', { method: 'POST' })).toEqual([503, 1])
  expect(await ask('/', { method: 'POST', isRepeatable: true })).toEqual([200, 3])
  expect(await ask('/drop', { method: 'POST' })).toEqual(['broken', 1])
  expect(await ask('/drop', {})).toEqual(['broken', 3])
  expect(await ask('/patient', {})).toEqual([503, 1])
})

test('leaves a failing destination alone for a while', async () => {
  let calls = 0
  let status = 500
  let clock = 0
  await using server = await startServer((_request, reply) => {
    calls++
    reply.writeHead(status).end()
  })
  await using client = createClient({ breaker: { failuresMax: 3, pauseMs: 1000, now: () => clock } })
  for (let index = 0; index < 10; index++) await client.request({ url: server.url })
  expect(calls).toBe(3)
  expect(await client.request({ url: server.url })).toMatchObject({ failed: 'circuit_open', attempts: 0 })
  clock = 1000
  await client.request({ url: server.url }) // the probe fails
  expect(await client.request({ url: server.url })).toMatchObject({ failed: 'circuit_open' })
  expect(calls).toBe(4)
  clock = 2000
  status = 200
  for (let index = 0; index < 3; index++)
    expect(await client.request({ url: server.url })).toMatchObject({ status: 200 })
})

test('the breaker lets one probe through after each pause, and is bounded', () => {
  let clock = 0
  const breakers = createBreakers({ failuresMax: 1, pauseMs: 10, keysMax: 2, now: () => clock })
  for (const key of ['a', 'b', 'c']) breakers.report(key, false)
  expect(['a', 'b', 'c'].map((key) => breakers.admits(key))).toEqual([true, false, false])
  clock = 10
  expect([breakers.admits('b'), breakers.admits('b')]).toEqual([true, false])
  clock = 20
  expect(breakers.admits('b')).toBe(true)
})

test('the log line tells where, how long and what became of it, and no secret', async () => {
  const lines: OutboundLine[] = []
  await using server = await startServer((_request, reply) => reply.end())
  await using client = createClient({ log: (line) => lines.push(line) })
  const secret = 's3cret'
  await client.request({ url: `${server.url}/hooks/${secret}?token=${secret}`, headers: { authorization: secret } })
  await client.request({ url: `http://u:${secret}@127.0.0.1/` })
  await client.request({ url: `nonsense ${secret}` })
  expect(lines).toMatchObject([
    { method: 'GET', origin: server.url, status: 200, attempts: 1 },
    { origin: 'http://127.0.0.1', failed: 'refused' },
    { origin: 'not a URL', failed: 'refused' },
  ])
  expect(JSON.stringify(lines)).not.toContain(secret)
})
