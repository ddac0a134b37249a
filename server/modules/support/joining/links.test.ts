import assert from 'node:assert/strict'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { start, type Client } from '#testing/start.ts'

async function opened(client: Client, subject: string): Promise<string> {
  const reply = await client.post('/tickets', { subject, description: `About ${subject}` })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id as string
}

const linksOf = async (client: Client, id: string): Promise<[string, string][]> => {
  const { body } = await client.get(`/tickets/${id}/links`)
  assert.equal(body.total, body.data.length)
  return body.data.map((link: { relation: string; ticket: { subject: string } }) => [
    link.relation,
    link.ticket.subject,
  ])
}

test('a link reads from both ends, once, and goes from either', async () => {
  await using app = await start()
  const [chloe, agnes] = [await customerOf(app, 'chloe'), app.as('agnes')]
  const [one, two] = [await opened(chloe, 'one'), await opened(chloe, 'two')]
  const link = (from: string, ticket_id: string, kind: string) =>
    agnes.post(`/tickets/${from}/links`, { ticket_id, kind })
  const kinds = ['related', 'duplicate_of', 'blocks', 'causes']
  await app.drainEvents()
  for (const kind of kinds) assert.equal((await link(one, two, kind)).status, 201)
  assert.deepEqual(
    (await app.drainEvents()).filter((event) => event.startsWith('ticket')),
    kinds.map(() => 'ticket.updated'),
  )
  assert.deepEqual(
    await linksOf(agnes, one),
    kinds.map((kind) => [kind, 'two']),
  )
  const reversed = ['related', 'duplicated_by', 'blocked_by', 'caused_by']
  assert.deepEqual(
    await linksOf(agnes, two),
    reversed.map((relation) => [relation, 'one']),
  )
  for (const reply of [await link(one, two, 'blocks'), await link(two, one, 'blocks')]) {
    assert.deepEqual([reply.status, reply.body.code], [409, 'link_exists'])
  }
  assert.equal((await link(one, one, 'related')).body.errors[0].code, 'itself')
  assert.equal((await link(one, two, 'likes')).status, 422)
  const paged = await agnes.get(`/tickets/${one}/links?limit=3`)
  const rest = await agnes.get(`/tickets/${one}/links?limit=3&cursor=${paged.body.next_cursor}`)
  assert.deepEqual([paged.body.data.length, rest.body.data.length, rest.body.next_cursor], [3, 1, null])
  assert.equal((await agnes.delete(`/tickets/${two}/links/${rest.body.data[0].id}`)).status, 200)
  assert.equal((await agnes.delete(`/tickets/${two}/links/${rest.body.data[0].id}`)).status, 404)
  assert.equal((await linksOf(agnes, one)).length, 3)
})

test('a link to what one may not see is not there, and nobody outside sees any', async () => {
  await using app = await start()
  const [chloe, agnes, adrian] = [await customerOf(app, 'chloe'), app.as('agnes'), app.as('adrian')]
  const bea = await customerOf(app, 'bea', { id: newId(), email: 'bea@moulin.example', name: 'Bea', role: 'agent' })
  await bea.get('/tickets')
  const [one, two] = [await opened(chloe, 'one'), await opened(chloe, 'two')]
  const { body: link } = await adrian.post(`/tickets/${one}/links`, { ticket_id: two, kind: 'blocks' })
  await adrian.post(`/tickets/${two}/assign`, { agent_id: bea.id })
  assert.deepEqual(await linksOf(agnes, one), [])
  assert.equal((await agnes.delete(`/tickets/${one}/links/${link.id}`)).status, 404)
  assert.equal((await agnes.get(`/tickets/${two}/links`)).status, 404)
  const hidden = await agnes.post(`/tickets/${one}/links`, { ticket_id: two, kind: 'related' })
  assert.deepEqual([hidden.status, hidden.body.errors[0].pointer], [422, '/ticket_id'])
  assert.equal((await chloe.get(`/tickets/${one}/links`)).status, 403)
  assert.equal((await app.stranger.get(`/tickets/${one}/links`)).status, 404)
  assert.deepEqual(await linksOf(bea, two), [['blocked_by', 'one']])
})

test('links of a merged ticket are the survivor’s until the merge is undone', async () => {
  await using app = await start()
  const [chloe, adrian] = [await customerOf(app, 'chloe'), app.as('adrian')]
  const [one, two, three] = [await opened(chloe, 'one'), await opened(chloe, 'two'), await opened(chloe, 'three')]
  await adrian.post(`/tickets/${two}/links`, { ticket_id: three, kind: 'causes' })
  await adrian.post(`/tickets/${one}/links`, { ticket_id: two, kind: 'related' })
  const { body } = await adrian.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })
  assert.deepEqual(await linksOf(adrian, one), [['causes', 'three']])
  assert.deepEqual(await linksOf(adrian, three), [['caused_by', 'one']])
  const merged = await adrian.post(`/tickets/${three}/links`, { ticket_id: two, kind: 'blocks' })
  assert.deepEqual([merged.status, merged.body.errors[0].code], [422, 'merged'])
  await adrian.post(`/tickets/merges/${body.merge_id}/undo`)
  assert.deepEqual(await linksOf(adrian, one), [['related', 'two']])
  assert.deepEqual(await linksOf(adrian, three), [['caused_by', 'two']])
})
