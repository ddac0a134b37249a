/** The token attacks that products of this kind have fallen to, one by one; each must end in 401. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start, testSecretKey, type TestApp } from '#testing/start.ts'
import { ConfigError, toConfig } from '#server/config.ts'

const shared = new TextEncoder().encode(testSecretKey)
const hour = 3_600

let service: KeyService
let app: TestApp
beforeAll(async () => {
  service = await startKeyService()
  app = await start({ AUTH_SERVICE_URL: service.url, OUTBOUND_ALLOW_LOOPBACK: 'true' })
})
afterAll(async () => {
  await app[Symbol.asyncDispose]()
  service.server.close()
})

test.each(['RS256', 'ES256', 'EdDSA'])('a token by %s of the auth service is good', async (alg) => {
  expect(await statusOf(await sign(service.keys[alg]!.privateKey, { alg, kid: alg }))).toBe(200)
})

test('a token by the shared key is good', async () => {
  expect(await statusOf(await sign(shared, { alg: 'HS256' }))).toBe(200)
})

test.each(['none', 'None', 'nOnE', 'NONE', ''])('alg %j is refused', async (alg) => {
  const [, payload] = new UnsecuredJWT(claims()).encode().split('.')
  const header = Buffer.from(JSON.stringify({ alg })).toString('base64url')
  for (const token of [`${header}.${payload}.`, `${header}.${payload}`]) expect(await statusOf(token)).toBe(401)
})

test('an empty or altered signature is refused', async () => {
  const token = await sign(shared, { alg: 'HS256' })
  const [header, payload, signature = ''] = token.split('.')
  const other = Buffer.from(JSON.stringify({ ...claims(), role: 'owner' })).toString('base64url')
  for (const broken of [
    `${header}.${payload}.`,
    `${header}.${other}.${signature}`,
    `${header}.${payload}.${signature.slice(0, -2)}`,
  ]) {
    expect(await statusOf(broken)).toBe(401)
  }
})

test.each(['RS256', 'ES256', 'EdDSA'])('HS256 with the public key of %s as its secret is refused', async (alg) => {
  const { publicKey } = service.keys[alg]!
  for (const secret of [await exportSPKI(publicKey), JSON.stringify(await exportJWK(publicKey))]) {
    for (const key of [secret, secret.trim()]) {
      expect(await statusOf(await sign(new TextEncoder().encode(key), { alg: 'HS256', kid: alg }))).toBe(401)
    }
  }
})

test('algorithms that nobody asked for are refused, also with the right key', async () => {
  expect(await statusOf(await sign(shared, { alg: 'HS384' }))).toBe(401)
  expect(await statusOf(await sign(shared, { alg: 'HS512' }))).toBe(401)
  expect(await statusOf(await sign(service.keys.PS256!.privateKey, { alg: 'PS256', kid: 'PS256' }))).toBe(401)
})

test('a shared secret that the key set publishes is no key', async () => {
  const published = Buffer.from('a secret that everybody can read, in the key set')
  expect(await statusOf(await sign(published, { alg: 'HS256', kid: 'oct' }))).toBe(401)
})

test('keys that a token brings along, or points to, are not used and not fetched', async () => {
  const own = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'mine', alg: 'RS256' }
  const jku = `${service.url}/attacker.json`
  service.asked.length = 0
  for (const extra of [{ jwk }, { jku }, { x5u: jku }, { jku, kid: 'mine' }, { jwk, kid: 'RS256' }]) {
    expect(await statusOf(await sign(own.privateKey, { alg: 'RS256', ...extra }))).toBe(401)
  }
  expect(service.asked.filter((path) => path !== '/.well-known/jwks.json')).toEqual([])
})

test.each([
  '../../../../dev/null',
  '/dev/null',
  "' or 1=1 --",
  'http://127.0.0.1/',
  '__proto__',
  'constructor',
  'x'.repeat(4_000),
])('kid %j leads nowhere', async (kid) => {
  expect(await statusOf(await sign(new TextEncoder().encode(''.padEnd(32, '\0')), { alg: 'HS256', kid }))).toBe(401)
  const own = await generateKeyPair('ES256')
  expect(await statusOf(await sign(own.privateKey, { alg: 'ES256', kid }))).toBe(401)
})

test('made-up key ids do not make us ask the service again and again', async () => {
  const own = await generateKeyPair('ES256')
  service.asked.length = 0
  for (let index = 0; index < 20; index++)
    await statusOf(await sign(own.privateKey, { alg: 'ES256', kid: `made-up-${index}` }))
  expect(service.asked.length).toBeLessThanOrEqual(1)
})

const now = () => Math.floor(Date.now() / 1_000)
const bad: [string, JWTPayload & { sub?: unknown }][] = [
  ['expired', { exp: now() - 60 }],
  ['not good yet', { nbf: now() + hour }],
  ['without exp', { exp: undefined }],
  ['with an exp that is no number', { exp: 'tomorrow' as unknown as number }],
  ['without sub', { sub: undefined }],
  ['with an empty sub', { sub: '' }],
  ['without a workspace', { workspace_id: undefined }],
  ['with a list as workspace', { workspace_id: ['a'] }],
  ['without a role', { role: undefined }],
  ['with an unknown role', { role: 'root' }],
  ['with an object as role', { role: { owner: true } }],
]
test.each(bad)('a token %s is refused', async (_what, changed) => {
  expect(await statusOf(await sign(shared, { alg: 'HS256' }, changed))).toBe(401)
})

test.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JWS'])('a token of type %s is for another use', async (typ) => {
  expect(await statusOf(await sign(shared, { alg: 'HS256', typ }))).toBe(401)
  expect(await statusOf(await sign(shared, { alg: 'HS256', typ: 'JWT' }))).toBe(200)
})

test.each([
  'Basic YTpi',
  'Bearer',
  'Bearer ',
  'Bearer a b',
  `Bearer ${'a'.repeat(9_000)}`,
  'Bearer a.b.c',
  'Bearer ..',
])('%j is refused like any other bad token', async (authorization) => {
  const reply = await app.anonymous.get('/session', { authorization })
  expect([reply.status, reply.body.code]).toEqual([401, 'invalid_token'])
})

test('issuer and audience are asked for when they are configured', async () => {
  await using strict = await start({ JWT_ISSUER: 'https://auth.example', JWT_AUDIENCE: 'rapport' })
  const good = { iss: 'https://auth.example', aud: 'rapport' }
  const status = async (changed: JWTPayload) => statusOf(await sign(shared, { alg: 'HS256' }, changed), strict)
  expect(await status(good)).toBe(200)
  expect(await status({ ...good, aud: ['other', 'rapport'] })).toBe(200)
  for (const wrong of [{}, { ...good, iss: 'https://evil.example' }, { ...good, aud: 'other' }, { iss: good.iss }]) {
    expect(await status(wrong)).toBe(401)
  }
})

test('without AUTH_SERVICE_URL no published key is good', async () => {
  await using alone = await start()
  expect(await statusOf(await sign(service.keys.RS256!.privateKey, { alg: 'RS256', kid: 'RS256' }), alone)).toBe(401)
})

test('users and workspaces are made on first sight, whatever their ids look like, and once', async () => {
  const named = {
    sub: 'auth0|42',
    workspace_id: undefined,
    business_id: 7,
    role: undefined,
    roles: ['viewer', 'admin'],
    email: 'z@shop.example',
    name: 'Zoé',
  }
  const token = await sign(shared, { alg: 'HS256' }, named)
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => app.anonymous.get('/session', { authorization: `Bearer ${token}` })),
  )
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(replies.map(({ body }) => `${body.user.id} ${body.workspace.id}`)).size).toBe(1)
  expect(replies[0]!.body).toMatchObject({
    user: { email: 'z@shop.example', full_name: 'Zoé' },
    role: 'admin',
    csrf_token: null,
  })
  const promoted = await sign(shared, { alg: 'HS256' }, { ...named, roles: undefined, role: 'owner', name: 'Zoé B.' })
  const later = await app.anonymous.get('/session', { authorization: `Bearer ${promoted}` })
  expect(later.body).toMatchObject({ user: { id: replies[0]!.body.user.id, full_name: 'Zoé B.' }, role: 'owner' })
})

test('a token with somebody’s address does not open that somebody’s account', async () => {
  await using alone = await start()
  const { maria } = alone.world.people
  const token = await sign(shared, { alg: 'HS256' }, { sub: 'mallory', email: maria.email })
  const reply = await alone.anonymous.get('/session', { authorization: `Bearer ${token}` })
  expect(reply.body.user.id).not.toBe(maria.id)
  await alone.anonymous.post('/password-resets', { email: maria.email })
  await alone.drain()
  const { rows } = await alone.inTx((tx) => tx.rawQuery('select user_id from accounts.password_resets'))
  expect(rows).toEqual([{ user_id: maria.id }])
})

test.each([
  'supersecretkey',
  'changeme',
  'your-secret-key',
  'secret',
  '',
  'x'.repeat(64),
  'only-thirty-one-bytes-long-0123',
])('SECRET_KEY=%j is refused outside of development', (key) => {
  expect(() => toConfig({ APP_ENV: 'production', SECRET_KEY: key })).toThrow(ConfigError)
})

function claims(): JWTPayload {
  return {
    sub: app.world.people.maria.id,
    email: 'maria@moulin.example',
    name: 'Maria',
    workspace_id: app.world.workspaceId,
    role: 'marketer',
    exp: now() + hour,
  }
}

async function sign(
  key: Parameters<SignJWT['sign']>[0],
  header: { alg: string; kid?: string; typ?: string; [extra: string]: unknown },
  changed: object = {},
): Promise<string> {
  return new SignJWT({ ...claims(), ...changed }).setProtectedHeader(header).sign(key)
}

async function statusOf(token: string, at: TestApp = app): Promise<number> {
  return (await at.anonymous.get('/session', { authorization: `Bearer ${token}` })).status
}

interface KeyService {
  server: Server
  url: string
  asked: string[]
  keys: Record<string, Awaited<ReturnType<typeof generateKeyPair>>>
}

/** The auth service of somebody else: publishes its keys, a shared secret by mistake, and an attacker's set beside them. */
async function startKeyService(): Promise<KeyService> {
  const keys: KeyService['keys'] = {}
  const published: object[] = [
    {
      kty: 'oct',
      kid: 'oct',
      k: Buffer.from('a secret that everybody can read, in the key set').toString('base64url'),
    },
  ]
  for (const alg of ['RS256', 'ES256', 'EdDSA', 'PS256']) {
    const pair = await generateKeyPair(alg, { extractable: true })
    keys[alg] = pair
    published.push({ ...(await exportJWK(pair.publicKey)), kid: alg, ...(alg === 'PS256' ? {} : { alg }) })
  }
  const asked: string[] = []
  const server = createServer((request, reply) => {
    asked.push(request.url ?? '')
    reply.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: published }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, keys }
}
