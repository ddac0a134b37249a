// Messages that become a ticket of their own, and come back by a merge.
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { start, type Client } from '#testing/start.ts'

async function opened(client: Client, subject: string): Promise<string> {
  const reply = await client.post('/tickets', { subject, description: `About ${subject}` })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id as string
}

async function say(client: Client, ticketId: string, content: string, more: object = {}): Promise<string> {
  const reply = await client.post(`/tickets/${ticketId}/messages`, { content, ...more })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id as string
}

const contents = async (client: Client, id: string): Promise<string[]> => {
  const { body } = await client.get(`/tickets/${id}`)
  return (body.messages as { content: string }[]).map(({ content }) => content)
}

test('some messages become a ticket of the same person, linked to the old one, and a merge brings them back', async () => {
  await using app = await start()
  const [chloe, agnes] = [await customerOf(app, 'chloe'), app.as('agnes')]
  const old = await opened(chloe, 'parcel')
  const words = [await say(chloe, old, 'First'), await say(chloe, old, 'And my invoice?')]
  const note = await say(agnes, old, 'The invoice is wrong', { is_internal: true })
  const field = `--x\r\ncontent-disposition: form-data; name="message_id"\r\n\r\n${words[1]}\r\n`
  const file = '--x\r\ncontent-disposition: form-data; name="file"; filename="bill.txt"\r\n\r\nBill\r\n--x--\r\n'
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  assert.equal((await chloe.post(`/tickets/${old}/attachments`, field + file, form)).status, 201)
  await app.drainEvents()
  const reply = await agnes.post(`/tickets/${old}/split`, { message_ids: [words[1], note], subject: 'Invoice' })
  assert.equal(reply.status, 201, reply.text)
  assert.deepEqual([reply.body.user_id, reply.body.subject, reply.body.status], [chloe.id, 'Invoice', 'open'])
  assert.deepEqual(
    (await app.drainEvents()).filter((event) => event.startsWith('ticket')),
    ['ticket.created', 'ticket.updated', 'ticket.split'],
  )
  const id = reply.body.id as string
  assert.deepEqual(await contents(agnes, old), ['First'])
  assert.deepEqual(await contents(agnes, id), ['And my invoice?', 'The invoice is wrong'])
  assert.deepEqual(await contents(chloe, id), ['And my invoice?'])
  assert.equal((await chloe.get(`/tickets/${id}`)).body.attachments.length, 1)
  assert.equal((await chloe.get(`/tickets/${old}`)).body.attachments.length, 0)
  const said = await agnes.get(`/tickets/${id}/messages/${words[1]}`)
  assert.equal(reply.body.waiting_since, said.body.created_at, 'waits since the word was said')
  const links = await agnes.get(`/tickets/${old}/links`)
  assert.deepEqual(
    links.body.data.map((link: { relation: string; ticket: { id: string } }) => [link.relation, link.ticket.id]),
    [['related', id]],
  )
  for (const ticket of [old, id]) {
    const history = await agnes.get(`/tickets/${ticket}/history`)
    assert.ok(history.body.data.some(({ type }: { type: string }) => type === 'split'))
  }
  assert.equal((await agnes.post(`/tickets/${old}/merge`, { duplicate_ids: [id] })).status, 200)
  assert.deepEqual((await contents(agnes, old)).toSorted(), ['And my invoice?', 'First', 'The invoice is wrong'])
})

test('what is not there, not seen, or another’s cannot be split off, and then nothing happens', async () => {
  await using app = await start()
  const [chloe, dan, agnes, adrian] = [
    await customerOf(app, 'chloe'),
    await customerOf(app, 'dan'),
    app.as('agnes'),
    app.as('adrian'),
  ]
  const [one, two] = [await opened(chloe, 'one'), await opened(dan, 'two')]
  const [word, other] = [await say(chloe, one, 'One'), await say(dan, two, 'Two')]
  for (const foreign of [other, newId()]) {
    const reply = await agnes.post(`/tickets/${one}/split`, { message_ids: [word, foreign], subject: 'S' })
    assert.deepEqual([reply.status, reply.body.errors[0].pointer], [422, '/message_ids/1'])
  }
  assert.equal((await chloe.post(`/tickets/${one}/split`, { message_ids: [word], subject: 'S' })).status, 403)
  assert.equal((await app.stranger.post(`/tickets/${one}/split`, { message_ids: [word], subject: 'S' })).status, 404)
  const stale = await agnes.post(`/tickets/${one}/split`, { message_ids: [word], subject: 'S' }, { 'if-match': '"v7"' })
  assert.equal(stale.status, 412)
  const merge = { duplicate_ids: [two], different_requesters: true }
  assert.equal((await adrian.post(`/tickets/${one}/merge`, merge)).status, 200)
  const reply = await adrian.post(`/tickets/${one}/split`, { message_ids: [other], subject: 'S' })
  assert.deepEqual([reply.status, reply.body.code], [409, 'different_requesters'])
  const { rows } = await app.inTx((tx) =>
    sql<{ count: number }>`select count(*)::int as count from support.tickets`.execute(tx.sql),
  )
  assert.equal(rows[0]!.count, 2)
})

test('an undo of a merge leaves what was split off since, and says so', async () => {
  await using app = await start()
  const [chloe, adrian] = [await customerOf(app, 'chloe'), app.as('adrian')]
  const [one, two] = [await opened(chloe, 'one'), await opened(chloe, 'two')]
  const [word, stays] = [await say(chloe, two, 'Moves on'), await say(chloe, two, 'Returns')]
  assert.ok(stays)
  const merge = await adrian.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })
  const split = await adrian.post(`/tickets/${one}/split`, { message_ids: [word], subject: 'New' })
  assert.equal(split.status, 201, split.text)
  const undone = await adrian.post(`/tickets/merges/${merge.body.merge_id}/undo`)
  assert.deepEqual([undone.status, undone.body.merge.kept], [200, 1])
  assert.deepEqual(await contents(adrian, two), ['Returns'])
  assert.deepEqual(await contents(adrian, split.body.id), ['Moves on'])
})
