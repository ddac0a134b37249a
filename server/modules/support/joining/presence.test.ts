// Who else is at a ticket, and answers that cross.
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

async function opened(client: Client): Promise<string> {
  const reply = await client.post('/tickets', { subject: 'Parcel', description: 'Where is it?' })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id as string
}

const who = async (client: Client, id: string): Promise<[string, string][]> => {
  const reply = await client.get(`/tickets/${id}/presence`)
  assert.equal(reply.status, 200, reply.text)
  return reply.body.data.map(({ name, state }: { name: string; state: string }) => [name, state])
}

const silent = (app: TestApp, seconds: number) =>
  app.inTx((tx) =>
    sql`update support.ticket_presence set seen_at = seen_at - make_interval(secs => ${seconds})`.execute(tx.sql),
  )

test('each sees the others, until they leave or fall silent', async () => {
  await using app = await start()
  const [chloe, agnes, adrian] = [await customerOf(app, 'chloe'), app.as('agnes'), app.as('adrian')]
  const id = await opened(chloe)
  assert.deepEqual((await agnes.post(`/tickets/${id}/presence`, { state: 'viewing' })).body.data, [])
  const others = await adrian.post(`/tickets/${id}/presence`, { state: 'typing' })
  assert.deepEqual(
    others.body.data.map(({ name, state }: { name: string; state: string }) => [name, state]),
    [['Agnes', 'viewing']],
  )
  assert.deepEqual(await who(agnes, id), [['Adrian', 'typing']])
  assert.equal((await adrian.delete(`/tickets/${id}/presence`)).status, 200)
  assert.equal((await adrian.delete(`/tickets/${id}/presence`)).status, 200)
  assert.deepEqual(await who(agnes, id), [])
  await silent(app, 59)
  assert.deepEqual(await who(adrian, id), [['Agnes', 'viewing']])
  await silent(app, 2)
  assert.deepEqual(await who(adrian, id), [])
  await agnes.post(`/tickets/${id}/presence`, { state: 'viewing' })
  assert.deepEqual(await who(adrian, id), [['Agnes', 'viewing']])
})

test('who may not see the ticket neither says nor hears anything', async () => {
  await using app = await start()
  const [chloe, agnes, adrian] = [await customerOf(app, 'chloe'), app.as('agnes'), app.as('adrian')]
  const bea = await customerOf(app, 'bea', { id: newId(), email: 'bea@moulin.example', name: 'Bea', role: 'agent' })
  await bea.get('/tickets')
  const id = await opened(chloe)
  await adrian.post(`/tickets/${id}/assign`, { agent_id: bea.id })
  for (const client of [agnes, app.stranger]) {
    assert.equal((await client.post(`/tickets/${id}/presence`, { state: 'viewing' })).status, 404)
    assert.equal((await client.get(`/tickets/${id}/presence`)).status, 404)
    assert.equal((await client.delete(`/tickets/${id}/presence`)).status, 404)
  }
  assert.equal((await chloe.get(`/tickets/${id}/presence`)).status, 403)
  assert.equal((await bea.post(`/tickets/${id}/presence`, { state: 'asleep' })).status, 422)
})

test('open screens hear of each change once, by the id of the ticket alone', async () => {
  await using app = await start()
  const [chloe, agnes] = [await customerOf(app, 'chloe'), app.as('agnes')]
  const id = await opened(chloe)
  const heard: unknown[] = []
  const end = await app.app.runtime.live.subscribe(app.world.workspaceId, {
    hear: ({ topic, data }) =>
      void (topic.startsWith('ticket.presence') || topic === 'end' ? heard.push([topic, data]) : 0),
    end: () => {},
  })
  for (const state of ['viewing', 'viewing', 'typing', 'typing', 'viewing']) {
    await agnes.post(`/tickets/${id}/presence`, { state })
  }
  await agnes.delete(`/tickets/${id}/presence`)
  await app.inTx(async (tx) => tx.notify('end', {}))
  await expect.poll(() => heard.at(-1)).toEqual(['end', {}])
  end()
  assert.deepEqual(heard.slice(0, -1), Array(4).fill(['ticket.presence', { id }]))
})

test('an answer that says what its author has seen is refused when somebody answered meanwhile', async () => {
  await using app = await start()
  const [chloe, agnes, adrian] = [await customerOf(app, 'chloe'), app.as('agnes'), app.as('adrian')]
  const id = await opened(chloe)
  const say = (client: Client, content: string, more: object) =>
    client.post(`/tickets/${id}/messages`, { content, ...more })
  const first = await say(agnes, 'On its way', { if_last_message_id: null })
  assert.equal(first.status, 201, first.text)
  const late = await say(adrian, 'It is lost', { if_last_message_id: null })
  assert.deepEqual([late.status, late.body.code, late.body.last_message_id], [409, 'answered_meanwhile', first.body.id])
  assert.equal((await adrian.get(`/tickets/${id}/messages`)).body.total, 1, 'and nothing was said')
  const seen = await say(adrian, 'It is lost', { if_last_message_id: late.body.last_message_id })
  assert.equal(seen.status, 201)
  const both = await Promise.all(
    [agnes, adrian].map((client) => say(client, 'Me', { if_last_message_id: seen.body.id, is_internal: true })),
  )
  assert.deepEqual(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  )
  const unseen = await say(chloe, 'Thank you', { if_last_message_id: seen.body.id })
  assert.equal(unseen.status, 201, 'a note that she cannot see holds nobody up')
})
