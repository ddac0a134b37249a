/**
 * Drives every endpoint of a document through the real application: who is refused, what the document's own request is
 * answered, in each mode. A row of docs/endpoints.tsv without a case fails.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import type { Role } from '#platform/actor.ts'
import { clientOf, start, tokenOf, type Client, type TestApp, type TestReply } from '../start.ts'
import { endpointsOf, probes, type Document, type Endpoint, type Mode } from './endpoints.ts'

/** Things of one case, and of no other: a contact in a list, with a tag and a note. */
export interface Given {
  contact: { id: string; email: string }
  other: { id: string; email: string }
  list: { id: string }
  tag: { id: string; name: string }
  otherTag: { id: string; name: string }
  note: { id: string }
  /** Of no other thing: addresses and names that are still free. */
  word: string
  userId: string
}

/** The least of the roles that may; `none` stands for nobody at all, and what a `customer` may, everybody with an account may. */
export type Least = 'none' | 'customer' | 'viewer' | 'writer' | 'marketer' | 'agent' | 'admin'

export interface Case<G = Given> {
  least: Least
  /** Who it is for; somebody with just enough of a role unless told otherwise. */
  asks?: (given: G, app: TestApp) => Client
  /** Names in the address, such as {tag_id}, besides those of the scene. */
  params?: (given: G, app: TestApp) => Record<string, string> | Promise<Record<string, string>>
  /** Added to the address. */
  query?: string
  body?: (given: G) => unknown
  headers?: (given: G) => Record<string, string>
  status: number
  reply?: (given: G) => unknown
  /** What else the answer, and the world after it, must be. */
  after?: (call: After<G>) => Promise<void> | void
}

export interface After<G = Given> {
  app: TestApp
  admin: Client
  given: G
  reply: TestReply
}

export type Cases<G = Given> = Record<string, Case<G>>

/** What the cases of a document happen in. */
export interface Scene<G> {
  /** Makes things of one case, and of no other. */
  prepare: (app: TestApp) => Promise<G>
  /** What names in an address stand for, unless a case tells otherwise. */
  params: (given: G) => Record<string, string>
}

/** Who is too little for each, and who is just enough. */
const tooLittle: Record<Exclude<Least, 'none' | 'customer'>, Role> = {
  viewer: 'customer',
  writer: 'viewer',
  marketer: 'agent',
  agent: 'marketer',
  admin: 'marketer',
}
const enough: Record<Exclude<Least, 'none'>, Role> = {
  customer: 'customer',
  viewer: 'viewer',
  writer: 'agent',
  marketer: 'marketer',
  agent: 'agent',
  admin: 'admin',
}

/** A document about contacts. */
export function driveDocument(document: Document, cases: Cases, modes: Mode[]): void {
  driveScene({ prepare, params: paramsOf }, document, cases, modes)
}

export function driveScene<G>(scene: Scene<G>, document: Document, cases: Cases<G>, modes: Mode[]): void {
  const endpoints = endpointsOf(document)
  const mounted = endpoints.filter(({ isMounted }) => isMounted)

  test('every endpoint of the document has a case, and every case an endpoint', () => {
    expect(Object.keys(cases).toSorted()).toEqual(expect.arrayContaining(mounted.map(({ name }) => name).toSorted()))
    expect(endpoints.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(cases)))
  })

  describe.each(modes)('$name', (mode) => {
    let app: TestApp
    beforeAll(async () => {
      app = await start({ CUSTOMER_PATCH_RATE: '1000/minute' }, undefined, mode.service)
    })
    afterAll(() => app[Symbol.asyncDispose]())

    test.each(mounted)('$name', async (endpoint) => {
      const one = cases[endpoint.name]
      if (!one) throw new Error(`${endpoint.name} of document ${document} has no case`)
      const given = await scene.prepare(app)
      const ask = asker(endpoint, one, mode, given, { ...scene.params(given), ...(await one.params?.(given, app)) })
      if (one.least !== 'none') await expectRefusals(app, ask, one.least, endpoint.address.includes('{'))
      const client = one.asks?.(given, app) ?? (one.least === 'none' ? app.anonymous : clientAs(app, enough[one.least]))
      const reply = await ask(client)
      expect(reply.status, reply.text).toBe(one.status)
      if (one.reply) expect(reply.body).toEqual(one.reply(given))
      await one.after?.({ app, admin: app.as('adrian'), given, reply })
    })
  })
}

/** {id} is the contact. */
const paramsOf = ({ contact: { id } }: Given) => ({ id, contact_id: id, customer_id: id })

function asker<G>(endpoint: Endpoint, one: Case<G>, mode: Mode, given: G, params: Record<string, string>) {
  const address = endpoint.address.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (!params[name]) throw new Error(`${endpoint.name} needs a ${name}`)
    return params[name]
  })
  const url = probes.has(address) ? address : mode.write(address)
  return (client: Client): Promise<TestReply> =>
    client.request(endpoint.method, `/${url}${one.query ?? ''}`, one.body?.(given), one.headers?.(given))
}

/** Refused before anything is written: the case itself comes after, on the same things. */
async function expectRefusals(
  app: TestApp,
  ask: (client: Client) => Promise<TestReply>,
  least: Exclude<Least, 'none'>,
  isAboutOne: boolean,
): Promise<void> {
  const nobody = await ask(app.anonymous)
  expect([nobody.status, nobody.body.code], nobody.text).toEqual([401, 'unauthenticated'])
  expect(nobody.headers['content-type']).toContain('application/problem+json')
  if (least !== 'customer') {
    const little = await ask(clientAs(app, tooLittle[least]))
    expect([little.status, little.body.code], little.text).toEqual([403, 'forbidden'])
  } else if (isAboutOne) {
    // What is another's is not there either, whoever asks without working here.
    for (const role of ['customer', 'viewer', 'marketer'] as const) {
      expect((await ask(clientAs(app, role))).status, role).toBe(404)
    }
  }
  // What belongs to another workspace is not there, for its owner's neighbour.
  if (isAboutOne) expect((await ask(app.stranger)).status).toBe(404)
}

function clientAs(app: TestApp, role: Role): Client {
  const person = { id: newId(), email: `${role}-${newId()}@moulin.example`, name: role, role }
  return clientOf(app.app, tokenOf(person, app.world.workspaceId))
}

async function prepare(app: TestApp): Promise<Given> {
  const maria = app.as('maria')
  const word = newId().slice(-12)
  const userId = newId()
  const make = async (path: string, body: object): Promise<TestReply['body'] & { id: string }> => {
    const reply = await maria.post(path, body)
    expect(reply.status, reply.text).toBe(201)
    return reply.body as TestReply['body'] & { id: string }
  }
  const contact = await make('/contacts', { email: `ana-${word}@example.com`, first_name: 'Ana', user_id: userId })
  const other = await make('/contacts', { email: `bob-${word}@example.com`, first_name: 'Bob' })
  const list = await make('/lists', { name: `List ${word}`, description: 'For tests' })
  await maria.post(`/lists/${list.id}/contacts`, { contact_ids: [contact.id] })
  const tag = await make('/tags', { name: `Tag ${word}`, color: '#ffd700' })
  const otherTag = await make('/tags', { name: `Other ${word}` })
  await maria.post(`/tags/${tag.id}/apply`, { contact_ids: [contact.id] })
  const note = await make(`/customers/${contact.id}/notes`, { content: 'Sună săptămâna viitoare.' })
  return {
    contact: { id: contact.id, email: contact.email },
    other: { id: other.id, email: other.email },
    list: { id: list.id },
    tag: { id: tag.id, name: tag.name },
    otherTag: { id: otherTag.id, name: otherTag.name },
    note: { id: note.id },
    word,
    userId,
  }
}
