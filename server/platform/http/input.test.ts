// Whatever comes in, the answer is a problem document that says what is wrong, and never a 500.
import { connect } from 'node:net'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { start, tokenOf, type TestApp } from '#testing/start.ts'
import { route } from './route.ts'
import { Closed, Email, JsonObject } from './shapes.ts'

const echo = route({
  method: 'POST',
  path: '/probe/echo/:id',
  may: 'signed in',
  summary: 'Probe',
  params: Closed({ id: Type.Integer() }),
  query: Closed({ flag: Type.Optional(Type.Boolean()) }),
  body: Closed({
    email: Type.Optional(Email),
    name: Type.Optional(Type.String({ minLength: 2, maxLength: 20 })),
    age: Type.Optional(Type.Integer({ minimum: 0, maximum: 150 })),
    tags: Type.Optional(Type.Array(Type.String(), { maxItems: 3 })),
    fields: Type.Optional(JsonObject),
    'a/b~c': Type.Optional(Type.Boolean()),
  }),
  replies: { 200: Type.Unknown() },
  run: async ({ body, tx }) => {
    await tx.rawQuery('select $1::jsonb, $2::text', [JSON.stringify(body), body.name ?? ''])
    return { seen: body }
  },
})

let app: TestApp
let url: string
let token: string
beforeAll(async () => {
  app = await start({}, { routes: [echo] })
  url = await app.app.http.listen({ port: 0, host: '127.0.0.1' })
  token = await tokenOf(app.world.people.maria, app.world.workspaceId)
})
afterAll(() => app[Symbol.asyncDispose]())

async function send(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  path = '/probe/echo/1',
) {
  const reply = await fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
  })
  const text = await reply.text()
  return { status: reply.status, type: reply.headers.get('content-type') ?? '', body: JSON.parse(text) }
}

const pointers = (body: { errors?: { pointer: string; code: string }[] }) =>
  body.errors?.map(({ pointer, code }) => `${pointer} ${code}`)

describe('each kind of fault is pointed at', () => {
  const cases: [what: string, body: unknown, pointer: string][] = [
    ['unknown field', { nmae: 'x' }, '/nmae unknown_field'],
    ['format', { email: 'not an address' }, '/email format'],
    ['type', { name: 12 }, '/name type'],
    ['no coercion', { age: '12' }, '/age type'],
    ['object for text', { name: { $ne: 1 } }, '/name type'],
    ['too short', { name: 'x' }, '/name too_short'],
    ['too long', { name: 'x'.repeat(21) }, '/name too_long'],
    ['too small', { age: -1 }, '/age too_small'],
    ['too large', { age: 151 }, '/age too_large'],
    ['too many', { tags: ['a', 'b', 'c', 'd'] }, '/tags too_many'],
    ['inside a list', { tags: ['a', 2] }, '/tags/1 type'],
    ['escaped name', { 'a/b~c': 1 }, '/a~1b~0c type'],
    ['list for object', [], ' type'],
    ['nothing for object', null, ' type'],
  ]
  test.each(cases)('%s', async (_what, body, pointer) => {
    const reply = await send(JSON.stringify(body))
    expect([reply.status, reply.body.code, pointers(reply.body)]).toEqual([422, 'invalid', [pointer]])
    expect(reply.type).toContain('application/problem+json')
    expect(reply.body).toMatchObject({ type: 'about:blank', title: 'Unprocessable Entity', status: 422 })
    expect(reply.body.request_id).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('all faults of a form come together, and a million wrong items make one short answer', async () => {
    const form = await send(JSON.stringify({ email: 'x', age: -1, nmae: 1 }))
    expect(pointers(form.body)?.toSorted()).toEqual(['/age too_small', '/email format', '/nmae unknown_field'])
    const startedAt = performance.now()
    const many = await send(`{"tags":[${'1,'.repeat(400_000)}1]}`)
    expect([many.status, many.body.errors.length]).toEqual([422, 1])
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe('nothing that comes in makes a 500', () => {
  const deep = (levels: number) => `{"fields":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`
  const cases: [what: string, body: string | Uint8Array<ArrayBuffer>, status: number, code: string][] = [
    ['no JSON', '{"name":', 400, 'unreadable'],
    ['nothing at all', '', 400, 'unreadable'],
    ['NUL in text', '{"name":"a\\u0000b"}', 422, 'invalid'],
    ['NUL deep inside', '{"fields":{"x":["\\u0000"]}}', 422, 'invalid'],
    ['half of a character pair', '{"name":"\\ud800\\ud800"}', 422, 'invalid'],
    [
      'bytes that are no UTF-8',
      new Uint8Array([...Buffer.from('{"name":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
      200,
      '',
    ],
    ['prototype', '{"__proto__":{"admin":true}}', 400, 'unreadable'],
    ['constructor', '{"constructor":{"prototype":{"admin":true}}}', 400, 'unreadable'],
    ['prototype deep inside', '{"fields":{"__proto__":{"admin":true}}}', 400, 'unreadable'],
    ['ten thousand levels', deep(10_000), 400, 'too_deep'],
    ['three hundred thousand levels', deep(300_000), 400, 'too_deep'],
    ['brackets inside of text', `{"name":"${'['.repeat(100)}"}`, 422, 'invalid'],
    ['a number beyond all numbers', '{"age":1e999}', 422, 'invalid'],
    ['more than two megabytes', `{"name":"${'x'.repeat(2_100_000)}"}`, 413, 'too_large'],
  ]
  test.each(cases)('%s', async (_what, body, status, code) => {
    const reply = await send(body)
    expect([reply.status, reply.body.code ?? '']).toEqual([status, code])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('other content types', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'multipart/form-data; boundary=x',
    ]) {
      const reply = await send('{"name":"anna"}', { 'content-type': type })
      expect([type, reply.status]).toEqual([type, 415])
    }
  })

  test('addresses, parameters, cursors and sorts', async () => {
    const maria = app.as('maria')
    const expectStatus = async (address: string, status: number, code?: string) => {
      const reply = await maria.get(address)
      expect([address, reply.status, reply.body.code]).toEqual([address, status, code ?? reply.body.code])
      expect(reply.headers['content-type']).toContain('application/problem+json')
    }
    await expectStatus('/jobs/not-an-id', 422, 'invalid')
    await expectStatus('/jobs/%ff', 400, 'unreadable')
    await expectStatus('/jobs/%', 400, 'unreadable')
    await expectStatus(`/jobs/${'x'.repeat(5_000)}`, 414, 'too_long')
    await expectStatus('/jobs?limit=1&limit=2', 422)
    await expectStatus('/jobs?limit[]=1', 422)
    await expectStatus('/jobs?limit[__proto__]=1', 422)
    await expectStatus('/jobs?__proto__=1', 422)
    for (const limit of ['0', '-1', '201', '1e9', '1.5', 'NaN', '', 'x', '99999999999999999999']) {
      await expectStatus(`/jobs?limit=${limit}`, 422, 'invalid')
    }
    const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const id = app.world.workspaceId
    for (const wrong of ['x', '%00', cursor(1), cursor([1, 2, 3]), cursor(['-created_at', 'yesterday', id])]) {
      await expectStatus(`/jobs?cursor=${wrong}`, 400, 'bad_cursor')
    }
    await expectStatus(`/jobs?cursor=${cursor(['-created_at', '2026-01-01', 'x'])}`, 400, 'bad_cursor')
    await expectStatus(`/jobs?cursor=${cursor(['-email', '2026-01-01', id])}`, 400, 'bad_cursor')
    await expectStatus(`/jobs?cursor=${cursor(['-created_at', '2024-02-31', id])}`, 422, 'invalid')
    await expectStatus('/contacts?sort=password', 422, 'invalid')
    await expectStatus("/contacts?sort=email'%20--", 422, 'invalid')
    await expectStatus('/contacts?sort=constructor', 422, 'invalid')
  })

  test('naughty texts in every place of a contact come back as they were, or are refused', async () => {
    const naughty = [
      "Robert'); DROP TABLE contacts;--",
      '<script>alert(1)</script>',
      '\u202Egnp.exe',
      '👩‍👩‍👧‍👦',
      'İ',
      '\ufeff',
      '\r\nBcc: x@y.z',
      '${7*7}{{7*7}}',
      '1e1000',
      '../../etc/passwd',
      '\\',
      '%00',
      "' or 1=1",
    ]
    for (const text of naughty) {
      const reply = await app.as('maria').post('/contacts', {
        email: `n${naughty.indexOf(text)}@x.example`,
        first_name: text,
        company: text,
        custom_fields: { [text]: text },
      })
      expect([text, reply.status < 500]).toEqual([text, true])
      if (reply.status === 201) expect(reply.body.company).toBe(text.trim())
      expect((await app.as('maria').get(`/contacts?search=${encodeURIComponent(text)}`)).status).toBeLessThan(500)
    }
  })
})

/** What a client sends byte by byte, and the first line of each answer. */
function raw(text: string): Promise<string[]> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text))
    let heard = ''
    socket.on('data', (chunk) => (heard += chunk.toString()))
    socket.on('close', () => resolve(heard.match(/^HTTP\/1\.1 \d+/gm) ?? []))
    socket.on('error', () => {}) // what it had not read yet is answered with a reset
    socket.setTimeout(5_000, () => socket.destroy())
  })
}

describe('on the wire', () => {
  test('a request that could be two is refused, and the connection ends', async () => {
    const head = 'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    const two = '0\r\n\r\nGET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    expect(await raw(`${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${two}`)).toEqual(['HTTP/1.1 400'])
    expect(await raw(`${head}Transfer-Encoding: xchunked\r\n\r\n${two}`)).toEqual(['HTTP/1.1 400'])
    expect(await raw(`${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`)).toEqual(['HTTP/1.1 400'])
    expect(await raw('GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n')).toEqual(['HTTP/1.1 400'])
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'x'.repeat(70_000)}\r\n\r\n`)).toEqual(['HTTP/1.1 431'])
  })

  test('TRACE and methods that are not ours are refused', async () => {
    for (const method of ['TRACE', 'PROPFIND', 'CONNECT']) {
      const [status] = await raw(`${method} /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      expect([method, status]).not.toEqual([method, 'HTTP/1.1 200'])
      expect(status ?? 'closed').not.toContain(' 5')
    }
  })
})
