// What the documents of the services promise of their addresses: every endpoint answers under /api/v1, as its document
// writes it, and in service mode at the root. Read from docs/endpoints.tsv, so that a new endpoint is held to it at once.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { toConfig } from './config.ts'
import { serviceNames, type ServiceName } from './config/services.ts'

interface Endpoint {
  method: string
  address: string
  documents: string[]
  who: string
}

const endpoints: Endpoint[] = readFileSync(path.join(import.meta.dirname, '../docs/endpoints.tsv'), 'utf8')
  .split('\n')
  .filter((row) => row && !row.startsWith('#'))
  .map((row) => row.split('\t'))
  .filter(([, , status]) => status === 'mounted')
  .map(([method = '', address = '', , documents = '', who = '']) => ({
    method,
    address,
    documents: documents.split(','),
    who,
  }))

const probes = new Set(['/', '/health', '/status', '/metrics'])
/** The document that each service is written down in; the contacts have two. */
const documentsOf: Record<ServiceName, string[]> = {
  contacts: ['1', '5'],
  communication: ['2'],
  support: ['3'],
  customers: ['4'],
}

/** There is a door: whatever it says to a stranger with an id that is nobody's, it is not "nothing here". */
async function expectDoor(app: TestApp, method: string, url: string): Promise<void> {
  const filled = url.replaceAll(/\{\w+\}/g, newId())
  const reply = await app.as('anna').request(method, `/${filled}`)
  expect([method, url, reply.status === 405 || reply.body.detail === 'There is nothing at this address.']).toEqual([
    method,
    url,
    false,
  ])
  expect(reply.status, `${method} ${url}`).toBeLessThan(500)
}

describe('all of Rapport', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await start()
  })
  afterAll(() => app[Symbol.asyncDispose]())

  test('every endpoint answers under /api/v1, and probes at the root, with and without a slash at the end', async () => {
    expect(endpoints.length).toBeGreaterThan(60)
    for (const { method, address } of endpoints) {
      const url = probes.has(address) ? address : `/api/v1${address}`
      await expectDoor(app, method, url)
      if (address !== '/') await expectDoor(app, method, `${url}/`)
    }
  })

  test('documents 2 and 4 write their addresses without the version', async () => {
    const theirs = endpoints.filter(({ address }) => /^\/(communication|customers|gdpr)\b/.test(address))
    expect(theirs.length).toBeGreaterThan(15)
    for (const { method, address } of theirs) await expectDoor(app, method, `/api${address}`)
  })

  test('without a mode, the root is not theirs', async () => {
    for (const address of ['/customers', '/contacts', '/lists', '/public/subscribe', '/tickets']) {
      expect((await app.as('anna').get(`/${address}`)).status, address).toBe(404)
    }
    const welcome = await app.anonymous.get('//')
    expect(welcome.body).toMatchObject({ message: 'Welcome to Rapport.', service: 'Rapport', docs: '/docs' })
  })
})

describe.each(serviceNames)('the service %s', (name) => {
  let app: TestApp
  beforeAll(async () => {
    app = await start({}, undefined, name)
  })
  afterAll(() => app[Symbol.asyncDispose]())

  test('answers at the root, as its document writes it, and under /api/v1 as ever', async () => {
    const own = endpoints.filter(({ documents }) => documents.some((each) => documentsOf[name].includes(each)))
    for (const { method, address } of own) {
      await expectDoor(app, method, address)
      if (!probes.has(address)) await expectDoor(app, method, `/api/v1${address}`)
      if (name === 'customers' && !probes.has(address)) await expectDoor(app, method, `/api${address}/`)
    }
    expect(own.length).toBeGreaterThanOrEqual(name === 'support' ? 0 : 2)
  })

  test('tells who it is, and has no web application', async () => {
    const title = {
      contacts: 'contacts-service',
      support: 'sav-service',
      communication: 'communication-service',
      customers: 'customers-service',
    }[name]
    expect((await app.anonymous.get('//health')).body).toEqual({ status: 'ok', service: title })
    expect((await app.anonymous.get('//status')).body).toEqual({ status: 'ok', database: 'connected' })
    const welcome = await app.anonymous.get('//', { accept: 'text/html' })
    expect([welcome.status, welcome.body.service]).toEqual([200, title])
    expect((await app.anonymous.get('//metrics')).text).toContain('rapport_')
  })

  test('what is not its own stays away from the root, and what is half its own is not mistaken for it', async () => {
    const strange = name === 'contacts' ? ['/customers', '/contactsx'] : ['/contacts', `/${name}x`, '/lists']
    for (const address of strange) {
      const reply = await app.as('anna').get(`/${address}`)
      expect([address, reply.status]).toEqual([address, 404])
    }
  })
})

test('document 4’s requests work in its mode word for word', async () => {
  await using app = await start({}, undefined, 'customers')
  const agnes = app.as('agnes')
  const body = { full_name: 'John Doe', email: 'john.doe@example.com', phone: '0712345678', gender: 'male' }
  for (const [prefix, email] of [
    ['/api/customers/', 'one@example.com'],
    ['/customers/', 'two@example.com'],
    ['/api/v1/customers', 'three@example.com'],
  ] as const) {
    const made = await agnes.post(`/${prefix}`, { ...body, email })
    expect(made.status, made.text).toBe(201)
    const base = `/${prefix.replace(/\/$/, '')}/${made.body.id}`
    expect((await agnes.post(`${base}/tags`, { label: 'VIP', color: '#FFD700' })).status).toBe(201)
    expect((await agnes.post(`${base}/notes/`, { content: 'Sunat.' })).status).toBe(201)
    expect((await agnes.get(`${base}?`)).body).toMatchObject({ email, tags: [{ label: 'VIP', color: '#FFD700' }] })
  }
  const wrong = await agnes.put('//customers', {})
  expect([wrong.status, wrong.headers.allow]).toEqual([405, expect.stringContaining('POST')])
})

test('a mode brings the port and the names of its document, unless others are configured', () => {
  const rabbit = { RABBITMQ_HOST: 'mq' }
  expect(toConfig(rabbit, 'contacts')).toMatchObject({
    http: { port: 8008, publicUrl: 'http://localhost:8008' },
    rabbitmq: { exchange: 'contacts_exchange', queue: 'contacts_queue' },
  })
  expect(toConfig({ RABBITMQ_URL: 'amqp://mq' }, 'customers')).toMatchObject({
    http: { port: 8000 },
    rabbitmq: { exchange: 'bee.customers.events', queue: null },
  })
  expect(toConfig({ ...rabbit, RABBITMQ_EXCHANGE: 'mine', APP_PORT: '9000' }, 'support')).toMatchObject({
    http: { port: 9000 },
    rabbitmq: { exchange: 'mine', queue: 'sav_queue' },
  })
  expect(toConfig({}).service).toBeNull()
})
