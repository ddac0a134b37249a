// What every reply carries, who may call from where, how often, and which addresses take what.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { checkVersion } from '../errors.ts'
import { record, route } from './route.ts'
import { Closed } from './shapes.ts'

const versioned = route({
  method: 'PUT',
  path: '/probe/records/:id',
  may: 'signed in',
  summary: 'Probe',
  params: Closed({ id: Type.String() }),
  body: Closed({}),
  replies: { 200: Type.Object({ id: Type.String() }) },
  run: async ({ params, ifVersion }) => {
    checkVersion(3, ifVersion)
    return record({ id: params.id }, 4)
  },
})
const limited = route({
  method: 'GET',
  path: '/probe/limited',
  may: 'public',
  summary: 'Probe',
  rate: '3/minute',
  replies: { 200: Type.Object({ ip: Type.String() }) },
  run: async ({ ip }) => ({ ip }),
})

let app: TestApp
beforeAll(async () => {
  app = await start(
    { CORS_ORIGINS: 'https://app.example', PUBLIC_URL: 'https://crm.example' },
    { routes: [versioned, limited] },
  )
})
afterAll(() => app[Symbol.asyncDispose]())

test('every address answers with the security headers, whatever it answers', async () => {
  const paths: [method: string, path: string][] = [
    ['GET', '//health'],
    ['GET', '//status'],
    ['GET', '//metrics'],
    ['GET', '//openapi.json'],
    ['GET', '//docs/'],
    ['GET', '/jobs'],
    ['GET', '/nowhere'],
    ['PUT', '/jobs'],
    ['POST', '/session'],
  ]
  for (const [method, address] of paths) {
    const { headers } = await app.anonymous.request(method, address)
    const csp = String(headers['content-security-policy'])
    expect([address, csp]).toEqual([address, expect.stringContaining("default-src 'self'")])
    for (const part of ["script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
      expect(csp).toContain(part)
    expect(csp).not.toMatch(/script-src[^;]*unsafe|script-src[^;]*\*/)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
    })
    expect(headers['x-powered-by'] ?? headers.server).toBeUndefined()
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  }
  expect((await app.as('anna').get('/jobs')).headers['cache-control']).toBe('no-store')
  const unreadable = await app.anonymous.get('//%ff')
  expect(unreadable.headers).toMatchObject({
    'content-security-policy': "default-src 'none'",
    'x-content-type-options': 'nosniff',
  })
})

test('other sites may call only when they are named, and never with cookies', async () => {
  const from = (origin: string) => ({
    origin,
    'access-control-request-method': 'PATCH',
    'access-control-request-headers': 'authorization',
  })
  const preflight = (origin: string) => app.anonymous.request('OPTIONS', '/contacts', undefined, from(origin))
  const allowed = await preflight('https://app.example')
  expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example')
  expect(allowed.headers['access-control-allow-methods']).toContain('PATCH')
  for (const origin of [
    'null',
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'https://app.example:8443',
  ]) {
    for (const reply of [await preflight(origin), await app.anonymous.get('//health', { origin })]) {
      expect([origin, reply.headers['access-control-allow-origin']]).toEqual([origin, undefined])
    }
  }
  expect(allowed.headers['access-control-allow-credentials']).toBeUndefined()
})

describe('addresses', () => {
  test('a wrong method is 405 with what the address takes, at parameters, older prefixes and the root too', async () => {
    const cases: [method: string, path: string, allow: string][] = [
      ['PUT', '/jobs', 'GET, HEAD'],
      ['DELETE', '/jobs/0198c7a0-0000-7000-8000-000000000000', 'GET, HEAD'],
      ['GET', '/jobs/x/cancel', 'POST'],
      ['GET', '/probe/records/1/', 'PUT'],
      ['POST', '//health', 'GET, HEAD'],
      ['TRACE', '//status', 'GET, HEAD'],
    ]
    for (const [method, address, allow] of cases) {
      const reply = await app.as('anna').request(method, address)
      expect([address, reply.status, reply.headers.allow, reply.body.code]).toEqual([
        address,
        405,
        allow,
        'method_not_allowed',
      ])
    }
    expect((await app.as('anna').patch('//api/communication/campaigns', {})).status).toBe(405)
    expect((await app.as('anna').get('//api/communication/nowhere')).status).toBe(404)
    expect((await app.as('anna').get('//api/v2/jobs')).status).toBe(404)
  })

  test('a trailing slash never matters, and HEAD answers like GET without a body', async () => {
    for (const address of ['/jobs', '/jobs/', '/jobs?limit=1', '/jobs/?limit=1']) {
      expect((await app.as('anna').get(address)).status).toBe(200)
    }
    const head = await app.as('anna').request('HEAD', '/jobs')
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await app.anonymous.request('HEAD', '//health')).status).toBe(200)
  })

  test('a method in disguise stays what it is', async () => {
    const reply = await app.as('victor').get('/probe/limited', { 'x-http-method-override': 'DELETE' })
    expect(reply.status).toBe(200)
  })
})

test('If-Match is checked, and must be readable', async () => {
  const put = (ifMatch?: string) => app.as('anna').put('/probe/records/1', {}, ifMatch ? { 'if-match': ifMatch } : {})
  expect([(await put()).status, (await put('"v3"')).status, (await put('*')).status]).toEqual([200, 200, 200])
  expect((await put()).headers.etag).toBe('"v4"')
  const stale = await put('"v2"')
  expect([stale.status, stale.body.code]).toEqual([412, 'stale'])
  for (const bad of ['v3', '3', '""', 'W/"v3"', '"v99999999999"', '"v3", "v4"']) {
    expect([bad, (await put(bad)).body.code]).toEqual([bad, 'bad_if_match'])
  }
})

test('limits count by address behind a trusted proxy only, say what is left, and refuse with Retry-After', async () => {
  const call = (forwarded?: string) =>
    app.anonymous.get('/probe/limited', forwarded ? { 'x-forwarded-for': forwarded } : {})
  const first = await call('1.1.1.1')
  expect(first.headers['ratelimit-policy']).toContain('"route";q=3;w=60')
  expect([first.body.ip, first.headers.ratelimit]).toEqual(['127.0.0.1', expect.stringMatching(/^"route";r=\d;t=\d+$/)])
  const statuses = []
  for (const address of ['2.2.2.2', '3.3.3.3', '4.4.4.4', '5.5.5.5']) statuses.push((await call(address)).status)
  expect(statuses).toContain(429)
  const refused = await call('6.6.6.6')
  expect([refused.status, refused.body.code]).toEqual([429, 'too_many_requests'])
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)

  await using behind = await start({ TRUSTED_PROXIES: '127.0.0.1' }, { routes: [limited] })
  const through = (forwarded: string) => behind.anonymous.get('/probe/limited', { 'x-forwarded-for': forwarded })
  // The nearest address that is not a trusted proxy's counts; what the client itself wrote before it does not.
  for (let turn = 0; turn < 4; turn++)
    expect((await through(`9.9.9.${turn}, 7.7.7.7`)).body.ip ?? '').toMatch(turn < 3 ? /7\.7\.7\.7/ : /^$/)
  expect((await through('8.8.8.8')).status).toBe(200)
})

test('the general limit holds for wrong credentials as well', async () => {
  await using small = await start({ RATE_LIMIT_PER_MINUTE: '5' })
  const statuses = []
  for (let turn = 0; turn < 7; turn++)
    statuses.push((await small.anonymous.get('/jobs', { authorization: 'Bearer wrong' })).status)
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
})

test('who may not come in hears so before any word on the input', async () => {
  expect((await app.anonymous.put('/probe/records/1', { wrong: true })).status).toBe(401)
  expect((await app.as('victor').post('/contacts', { wrong: true })).status).toBe(403)
  expect((await app.anonymous.get('/probe/limited', { authorization: 'Bearer stale' })).status).toBeOneOf([200, 429])
})

test('the web application answers browsers, never in place of the API', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rapport-web-'))
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>Rapport</title>')
  const { default: fastify } = await import('fastify')
  const { addWebApplication } = await import('./web.ts')
  const web = fastify()
  await addWebApplication(web, folder, { message: 'Welcome.' })
  const get = (url: string, accept: string) => web.inject({ url, headers: { accept } })
  expect((await get('/contacts/1', 'text/html')).body).toContain('<title>Rapport')
  expect((await get('/api/v1/nowhere', 'text/html')).statusCode).toBe(404)
  expect((await get('/contacts/1', 'application/json')).statusCode).toBe(404)
  expect((await get('/', 'application/json')).body).toBe('{"message":"Welcome."}')
  await web.close()
  rmSync(folder, { recursive: true })
})
