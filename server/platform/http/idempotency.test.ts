// The same key gets the same answer, and the work is done once: at once, in turn, and across a crash.
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { Conflict } from '../errors.ts'
import { created, Reply, route } from './route.ts'
import { Closed } from './shapes.ts'

let runs = 0
let hold: Promise<void> | undefined
const make = route({
  method: 'POST',
  path: '/probe/things',
  may: 'signed in',
  summary: 'Probe',
  query: Closed({ colour: Type.Optional(Type.String()) }),
  body: Closed({ name: Type.String() }),
  replies: { 201: Type.Object({ name: Type.String(), run: Type.Integer() }) },
  run: async ({ tx, body, reply }) => {
    runs += 1
    await tx.publish('probe.made', body.name, {})
    await hold
    reply.header('x-own', 'kept')
    return created({ name: body.name, run: runs, secret: 'not in the shape' }, `/probe/things/${runs}`, 1)
  },
})
const refuse = route({
  method: 'POST',
  path: '/probe/refusals',
  may: 'signed in',
  summary: 'Probe',
  body: Closed({}),
  replies: { 204: Type.Null() },
  run: async () => {
    runs += 1
    if (runs === 1) throw new Conflict('not_now', 'Not now.')
  },
})
const text = route({
  method: 'POST',
  path: '/probe/texts',
  may: 'signed in',
  summary: 'Probe',
  body: Closed({}),
  replies: { 200: Type.String() },
  run: async () => new Reply(200, `run ${++runs}`, { 'content-type': 'text/csv; charset=utf-8' }),
})

let app: TestApp
beforeAll(async () => {
  app = await start({}, { routes: [make, refuse, text] })
})
afterAll(() => app[Symbol.asyncDispose]())

const things = async () => (await app.drainEvents()).filter((name) => name === 'probe.made').length
const key = (value: string) => ({ 'idempotency-key': value })

test('fifty at once are one execution', async () => {
  runs = 0
  const anna = app.as('anna')
  const replies = await Promise.all(
    Array.from({ length: 50 }, () => anna.post('/probe/things', { name: 'a' }, key('k50'))),
  )
  expect(runs).toBe(1)
  const made = replies.filter(({ status }) => status === 201)
  expect(made.length).toBeGreaterThan(0)
  expect(new Set(made.map((reply) => reply.text)).size).toBe(1)
  for (const reply of replies) {
    if (reply.status !== 201) expect([reply.status, reply.body.code]).toEqual([409, 'idempotency_in_progress'])
    if (reply.status !== 201) expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
  }
  const later = await anna.post('/probe/things/', { name: 'a' }, key('k50'))
  expect([later.status, later.body, later.headers.etag, later.headers['x-own']]).toEqual([
    201,
    { name: 'a', run: 1 },
    '"v1"',
    'kept',
  ])
  expect([later.headers.location, later.headers['idempotent-replayed']]).toEqual(['/api/v1/probe/things/1', 'true'])
  expect(await things()).toBe(1)
})

test('one that still runs is said to, and the answer is there when it ends', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  hold = promise
  runs = 0
  const first = app.as('anna').post('/probe/things', { name: 'slow' }, key('slow'))
  await expect.poll(() => runs).toBe(1)
  expect((await app.as('anna').post('/probe/things', { name: 'slow' }, key('slow'))).status).toBe(409)
  resolve()
  hold = undefined
  expect((await first).status).toBe(201)
  expect((await app.as('anna').post('/probe/things', { name: 'slow' }, key('slow'))).text).toBe((await first).text)
})

test('another body, or another query, under the same key is refused', async () => {
  await app.as('anna').post('/probe/things', { name: 'one' }, key('reused'))
  for (const [path, name] of [
    ['/probe/things', 'two'],
    ['/probe/things?colour=red', 'one'],
  ] as const) {
    const reply = await app.as('anna').post(path, { name }, key('reused'))
    expect([reply.status, reply.body.code]).toEqual([422, 'idempotency_key_reused'])
  }
})

test('workspaces, people and addresses do not share keys', async () => {
  runs = 0
  const same = key('shared')
  await app.as('anna').post('/probe/things', { name: 'x' }, same)
  await app.stranger.post('/probe/things', { name: 'x' }, same)
  await app.as('maria').post('/probe/things', { name: 'x' }, same)
  await app.as('anna').post('/probe/texts', {}, same)
  expect(runs).toBe(4)
})

test('what failed is tried again, and nothing of it is kept', async () => {
  runs = 0
  const attempt = () => app.as('anna').post('/probe/refusals', {}, key('again'))
  expect([(await attempt()).status, (await attempt()).status, (await attempt()).status]).toEqual([409, 204, 204])
  expect(runs).toBe(2)
  const invalid = await app.as('anna').post('/probe/things', { name: 1 }, key('invalid'))
  const valid = await app.as('anna').post('/probe/things', { name: 'v' }, key('invalid'))
  expect([invalid.status, valid.status]).toEqual([422, 201])
})

test('an answer that is no JSON comes back as it was', async () => {
  runs = 0
  const first = await app.as('anna').post('/probe/texts', {}, key('csv'))
  const second = await app.as('anna').post('/probe/texts', {}, key('csv'))
  expect([second.text, second.headers['content-type']]).toEqual([first.text, first.headers['content-type']])
  expect([runs, first.headers['content-type']]).toEqual([1, 'text/csv; charset=utf-8'])
})

test('a key has a length, and is printable', async () => {
  for (const wrong of ['x'.repeat(256), 'with space', 'é', '']) {
    const reply = await app.as('anna').post('/probe/things', { name: 'x' }, key(wrong))
    expect([wrong, reply.status]).toEqual([wrong, 422])
  }
})

test('the reply is stored with the work: lost between commit and client, the retry gets it; and it is sealed', async () => {
  runs = 0
  const { http } = app.app
  let cut = true
  // The process dies here, for all that the client can tell: the transaction is done, the reply never leaves.
  http.server.prependListener('request', (_request, response) => {
    if (cut) response.end = () => response.destroy() as never
  })
  const url = await http.listen({ port: 0, host: '127.0.0.1' })
  const { tokenOf } = await import('#testing/start.ts')
  const authorization = `Bearer ${await tokenOf(app.world.people.anna, app.world.workspaceId)}`
  const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': 'lost' }
  const send = () => fetch(`${url}/api/v1/probe/things`, { method: 'POST', headers, body: '{"name":"lost"}' })
  await things()
  await expect(send()).rejects.toThrow()
  cut = false
  const retried = await send()
  expect([retried.status, await retried.json(), runs]).toEqual([201, { name: 'lost', run: 1 }, 1])
  expect(await things()).toBe(1)
  const stored = await app.inTx((tx) => tx.sql.selectFrom('platform.idempotency_keys').select('body').execute())
  expect(stored.length).toBeGreaterThan(3)
  expect(stored.every(({ body }) => body.startsWith('s1.'))).toBe(true)
})
