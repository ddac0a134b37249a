// What the timelines of contacts tell of tickets, and to whom.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'

interface Entry {
  interaction_type: string
  description: string
  metadata: object
  is_hidden: boolean
  occurred_at: string
}

async function opened(app: TestApp, subject: string): Promise<string> {
  const body = { subject, description: 'D', contact_email: 'ana@x.example', contact_name: 'Ana Pop' }
  const reply = await app.as('anna').post('/tickets', body)
  assert.equal(reply.status, 201, reply.text)
  await app.drain()
  return reply.body.id as string
}

const agent = (app: TestApp, name: string) =>
  customerOf(app, name, { id: newId(), email: `${name}@moulin.example`, name, role: 'agent' })

/** What each of the three doors shows of tickets, newest first; all must tell the same. */
async function told(client: Client, contactId: string): Promise<string[]> {
  const replies = await Promise.all(
    ['/contacts/interactions', `/contacts/${contactId}/interactions`, `/contacts/${contactId}`].map((path) =>
      client.get(path),
    ),
  )
  const [all, own, single] = replies.map((reply, index) => describe(reply, index === 2 ? 'engagement' : 'data'))
  assert.deepEqual(all, own)
  assert.deepEqual(single, own)
  return own!
}

function describe(reply: TestReply, list: 'data' | 'engagement'): string[] {
  assert.equal(reply.status, 200, reply.text)
  const entries = (reply.body[list] as Entry[]).filter((entry) => entry.interaction_type.startsWith('ticket_'))
  return entries.map(({ interaction_type: type, description, metadata, is_hidden: isHidden, occurred_at: at }) => {
    assert.ok(!Number.isNaN(Date.parse(at)))
    if (!isHidden) return `${type}: ${description.split(' · ').at(-1)}`
    assert.deepEqual([description, metadata], ['', {}])
    return type
  })
}

test('a timeline tells of a ticket what whoever reads may know of it, whoever read it before', async () => {
  await using app = await start()
  const { agnes: a } = app.world.people
  const [adrian, agnes, maria, victor, bea] = [
    app.as('adrian'),
    app.as('agnes'),
    app.as('maria'),
    app.as('victor'),
    await agent(app, 'bea'),
  ]
  const [one, two] = [await opened(app, 'Divorce'), await opened(app, 'Parcel')]
  const contactId = (await maria.get('/contacts?search=ana@x.example')).body.data[0].id as string
  const all = ['ticket_created: Parcel', 'ticket_created: Divorce']
  const none = ['ticket_created', 'ticket_created']
  // The first to ask leaves the record in the cache for the others.
  for (const [client, expected] of [
    [adrian, all],
    [victor, none],
    [bea, all],
    [maria, none],
    [agnes, all],
  ] as const) {
    assert.deepEqual(await told(client, contactId), expected)
  }
  assert.equal((await adrian.post(`/tickets/${one}/assign`, { agent_id: a.id })).status, 200)
  await app.drain()
  const hers = ['ticket_created: Parcel', 'ticket_created']
  assert.deepEqual([await told(bea, contactId), await told(agnes, contactId)], [hers, all])
  // Called into it, she sees it; nothing of the contact was written.
  assert.equal((await agnes.post(`/tickets/${one}/followers`, { user_id: bea.id })).status, 200)
  assert.deepEqual(await told(bea, contactId), all)
  assert.equal((await adrian.delete(`/tickets/${two}`)).status, 200)
  assert.deepEqual(await told(bea, contactId), ['ticket_created', 'ticket_created: Divorce'])
  assert.deepEqual(await told(adrian, contactId), all)
})

test('a merged ticket is told to whoever sees what it became, and that of another help desk to everybody', async () => {
  await using app = await start()
  const [adrian, agnes, bea] = [app.as('adrian'), app.as('agnes'), await agent(app, 'bea')]
  const [one, two] = [await opened(app, 'Parcel'), await opened(app, 'Parcel again')]
  const contactId = (await adrian.get('/contacts?search=ana@x.example')).body.data[0].id as string
  await adrian.post(`/tickets/${one}/assign`, { agent_id: app.world.people.agnes.id })
  assert.equal((await agnes.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })).status, 200)
  await app.drain()
  const all = ['ticket_closed: Parcel again', 'ticket_created: Parcel again', 'ticket_created: Parcel']
  assert.deepEqual(await told(agnes, contactId), all)
  assert.deepEqual(await told(bea, contactId), ['ticket_closed', 'ticket_created', 'ticket_created'])

  const data = { ticket_id: 'desk-7', requester_email: 'ana@x.example', subject: 'Elsewhere' }
  const envelope = { id: newId(), event: 'ticket.created', timestamp: new Date().toISOString(), data }
  assert.equal((await adrian.post('/events', envelope)).status, 202)
  await app.drain()
  assert.equal((await told(bea, contactId))[0], 'ticket_created: Elsewhere')
  // Of a ticket that nobody knows any more only its having been is told, but to those who see all of them.
  const gone = { ...envelope, id: newId(), data: { ...data, ticket_id: newId(), subject: 'Gone' } }
  await adrian.post('/events', gone)
  await app.drain()
  const newest = async (client: Client) => (await told(client, contactId)).slice(0, 2).toSorted()
  assert.deepEqual(await newest(bea), ['ticket_created', 'ticket_created: Elsewhere'])
  assert.deepEqual(await newest(adrian), ['ticket_created: Elsewhere', 'ticket_created: Gone'])
})

test('a key that reads contacts alone reads nothing of tickets, whatever its role', async () => {
  await using app = await start()
  await opened(app, 'Divorce')
  const contactId = (await app.as('maria').get('/contacts?search=ana@x.example')).body.data[0].id as string
  const keyed = async (scopes: string[]) => {
    const made = await app.as('anna').post('/api-keys', { name: 'K', role: 'admin', scopes })
    assert.equal(made.status, 201, made.text)
    const headers = { authorization: `Bearer ${made.body.key}` }
    return describe(await app.anonymous.get(`/contacts/${contactId}`, headers), 'engagement')
  }
  assert.deepEqual(await keyed(['contact.read', 'ticket.read']), ['ticket_created: Divorce'])
  assert.deepEqual(await keyed(['contact.read']), ['ticket_created'])
})
