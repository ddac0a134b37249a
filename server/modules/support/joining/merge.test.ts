// Tickets that are merged into one, and put back as they were.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import { test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { copyOf } from '#testing/personal-data.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'
import { personalData } from '../personal-data.ts'
import { foldClocks } from '../sla/clocks.ts'
import { tellClocks } from '../sla/ledger-clocks.ts'
import { readLedger } from '../history.ts'

async function opened(client: Client, subject: string, more: object = {}): Promise<string> {
  const reply = await client.post('/tickets', { subject, description: `About ${subject}`, ...more })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id as string
}

const attach = (client: Client, ticketId: string, name: string) =>
  client.post(
    `/tickets/${ticketId}/attachments`,
    `--x\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n${name}\r\n--x--\r\n`,
    { 'content-type': 'multipart/form-data; boundary=x' },
  )

/** Every row that a merge could touch, without what counts the touches. */
async function dump(app: TestApp): Promise<string> {
  const rows: unknown[] = []
  for (const table of [
    'tickets',
    'messages',
    'attachments',
    'followers',
    'mentions',
    'message_reads',
    'ticket_links',
    'ticket_mails',
  ]) {
    const { rows: found } = await app.inTx((tx) =>
      sql`select to_jsonb(t) - array['version', 'updated_at'] as row from ${sql.table(`support.${table}`)} t
        order by to_jsonb(t)::text`.execute(tx.sql),
    )
    rows.push([table, ...found.map((each) => JSON.stringify(each)).toSorted()])
  }
  return JSON.stringify(rows, null, 1)
}

const contents = (body: object): string[] =>
  (body as { messages: { content: string }[] }).messages.map(({ content }) => content)

test('what was said in the duplicate goes on in the survivor, and the world hears of it once', async () => {
  await using app = await start()
  const [chloe, agnes, adrian] = [await customerOf(app, 'chloe'), app.as('agnes'), app.as('adrian')]
  const [one, two] = [await opened(chloe, 'parcel'), await opened(chloe, 'parcel again')]
  await adrian.put(`/tickets/${one}`, { tags: ['Late'] })
  await adrian.put(`/tickets/${two}`, { tags: ['late', 'vip'] })
  await chloe.post(`/tickets/${two}/messages`, { content: 'Hello?' })
  await agnes.post(`/tickets/${two}/messages`, { content: 'A note', is_internal: true })
  assert.equal((await attach(chloe, two, 'photo.txt')).status, 201)
  await agnes.post(`/tickets/${two}/followers`, {})
  await app.drainEvents()
  const reply = await agnes.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })
  assert.equal(reply.status, 200, reply.text)
  assert.deepEqual(reply.body.tags, ['Late', 'vip'])
  assert.deepEqual(
    (await app.drainEvents()).filter((event) => event.startsWith('ticket')),
    ['ticket.closed', 'ticket.merged'],
  )
  const shown = await agnes.get(`/tickets/${one}`)
  assert.deepEqual(contents(shown.body).toSorted(), ['A note', 'About parcel again', 'Hello?'])
  assert.deepEqual(contents((await chloe.get(`/tickets/${one}`)).body).toSorted(), ['About parcel again', 'Hello?'])
  assert.deepEqual(
    (await chloe.get(`/tickets/${one}`)).body.attachments.map(({ file_name }: { file_name: string }) => file_name),
    ['photo.txt'],
  )
  assert.equal((await agnes.get(`/tickets/${one}/followers`)).body.data.length, 1)
  for (const client of [chloe, agnes, adrian]) {
    const gone = await client.get(`/tickets/${two}`)
    assert.deepEqual([gone.status, gone.body.code, gone.body.merged_into], [404, 'merged', one])
    assert.equal((await client.post(`/tickets/${two}/messages`, { content: 'x' })).status, 404)
    assert.deepEqual(
      (await client.get('/tickets')).body.data.map(({ id }: { id: string }) => id),
      [one],
    )
  }
  await app.drain()
  assert.deepEqual(app.mails(), [], 'nobody is asked how a merged ticket went')
  const list = await agnes.get(`/tickets/${one}/merges`)
  assert.deepEqual([list.body.total, list.body.data[0].id], [1, reply.body.merge_id])
  assert.equal((await agnes.get(`/tickets/merges/${reply.body.merge_id}`)).body.survivor_id, one)
  await chloe.post(`/tickets/${one}/messages`, { content: 'Since' })
  await app.drainEvents()
  const undone = await agnes.post(`/tickets/merges/${reply.body.merge_id}/undo`)
  assert.equal(undone.status, 200, undone.text)
  assert.deepEqual([undone.body.merge.kept, undone.body.ticket.tags], [0, ['Late']])
  assert.deepEqual(
    (await app.drainEvents()).filter((event) => event.startsWith('ticket')),
    ['ticket.reopened', 'ticket.unmerged'],
  )
  assert.deepEqual(contents((await agnes.get(`/tickets/${one}`)).body), ['Since'])
  const back = await agnes.get(`/tickets/${two}`)
  assert.deepEqual([back.body.status, contents(back.body)], ['open', ['Hello?', 'A note']])
  assert.equal((await agnes.post(`/tickets/merges/${reply.body.merge_id}/undo`)).body.code, 'already_undone')
})

test('a merge and its undoing leave every row as it was', async () => {
  await using app = await start()
  const [chloe, dan, agnes, adrian] = [
    await customerOf(app, 'chloe'),
    await customerOf(app, 'dan'),
    app.as('agnes'),
    app.as('adrian'),
  ]
  const ticket = fc.record({
    byDan: fc.boolean(),
    tags: fc.uniqueArray(fc.constantFrom('a', 'A', 'b', 'é', 'c'), { maxLength: 3 }),
    words: fc.array(fc.constantFrom('customer', 'house', 'note', 'call'), { maxLength: 3 }),
    hasFile: fc.boolean(),
    follows: fc.boolean(),
    end: fc.constantFrom('none', 'none', 'none', 'resolved', 'closed'),
  })
  const life = fc.record({
    tickets: fc.array(ticket, { minLength: 3, maxLength: 4 }),
    merges: fc.array(fc.tuple(fc.nat(3), fc.uniqueArray(fc.integer({ min: 1, max: 2 }), { minLength: 1 })), {
      minLength: 1,
      maxLength: 3,
    }),
  })
  let merged = 0
  await fc.assert(
    fc.asyncProperty(life, async ({ tickets, merges }) => {
      const ids: string[] = []
      for (const { byDan, tags, words, hasFile, follows, end } of tickets) {
        const requester = byDan ? dan : chloe
        const id = await opened(requester, `t${ids.length}`)
        ids.push(id)
        await adrian.put(`/tickets/${id}`, { tags })
        for (const word of words) {
          const note = { is_internal: true, ...(word === 'call' ? { mentions: [app.world.people.agnes.id] } : {}) }
          if (word === 'customer') await requester.post(`/tickets/${id}/messages`, { content: word })
          else await adrian.post(`/tickets/${id}/messages`, { content: word, ...(word === 'house' ? {} : note) })
        }
        if (hasFile) await attach(requester, id, 'f.txt')
        if (follows) await adrian.post(`/tickets/${id}/followers`, {})
        if (end === 'resolved') await adrian.post(`/tickets/${id}/resolve`, { resolution: 'Done' })
        if (end === 'closed') await adrian.post(`/tickets/${id}/close`)
      }
      await agnes.get('/tickets')
      await app.drain()
      const before = await dump(app)
      const done: string[] = []
      for (const [survivor, steps] of merges) {
        const duplicate_ids = steps.map((step) => ids[(survivor + step) % ids.length]!)
        const asked = { duplicate_ids, different_requesters: true }
        const reply = await adrian.post(`/tickets/${ids[survivor % ids.length]}/merge`, asked)
        assert.ok([200, 404, 409, 422].includes(reply.status), reply.text)
        if (reply.status === 200) done.push(reply.body.merge_id)
      }
      merged += done.length
      if (done.length) assert.notEqual(await dump(app), before)
      for (const id of done.toReversed()) {
        const reply = await adrian.post(`/tickets/merges/${id}/undo`)
        assert.deepEqual([reply.status, reply.body.merge?.kept], [200, 0], reply.text)
      }
      assert.equal(await dump(app), before)
    }),
    { numRuns: 8 },
  )
  assert.ok(merged > 0)
}, 120_000)

test('the record of a person counts what was merged once, and all of them when it is undone', async () => {
  await using app = await start()
  const [agnes, maria] = [app.as('agnes'), app.as('maria')]
  const person = { contact_email: 'ana@example.com', contact_name: 'Ana Pop' }
  const ids: string[] = []
  for (const subject of ['one', 'two', 'three']) ids.push(await opened(agnes, subject, person))
  const figures = async () => {
    await app.drain()
    const [ana] = (await maria.get('/contacts?search=ana@example.com')).body.data
    return [ana.total_tickets, ana.open_tickets]
  }
  assert.deepEqual(await figures(), [3, 3])
  const first = await agnes.post(`/tickets/${ids[1]}/merge`, { duplicate_ids: [ids[2]] })
  assert.equal(first.status, 200, first.text)
  assert.deepEqual(await figures(), [2, 2])
  const second = await agnes.post(`/tickets/${ids[0]}/merge`, { duplicate_ids: [ids[1]] })
  assert.deepEqual(await figures(), [1, 1])
  for (const [merge, expected] of [
    [second, 2],
    [first, 3],
  ] as const) {
    const undone = await agnes.post(`/tickets/merges/${merge.body.merge_id}/undo`)
    assert.equal(undone.status, 200, undone.text)
    assert.deepEqual(await figures(), [expected, expected])
  }
})

test('two people: it must be said, the other’s words stay with the house, and the other takes no part', async () => {
  await using app = await start()
  const [chloe, dan, agnes] = [await customerOf(app, 'chloe'), await customerOf(app, 'dan'), app.as('agnes')]
  const [one, two] = [await opened(chloe, 'mine'), await opened(dan, 'private')]
  await dan.post(`/tickets/${two}/messages`, { content: 'private word' })
  await attach(dan, two, 'private.txt')
  const refused = await agnes.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })
  assert.deepEqual(
    [refused.status, refused.body.code, refused.body.errors[0].pointer],
    [409, 'different_requesters', '/duplicate_ids/0'],
  )
  const asked = { duplicate_ids: [two], different_requesters: true }
  const { body: merge } = await agnes.post(`/tickets/${one}/merge`, asked)
  assert.ok((await agnes.get(`/tickets/${one}`)).text.includes('private word'))
  assert.equal((await chloe.get(`/tickets/${one}`)).text.includes('private'), false)
  assert.equal((await chloe.get('/tickets?search=private')).body.total, 0)
  for (const id of [one, two]) {
    const reply = await dan.get(`/tickets/${id}`)
    assert.deepEqual([reply.status, reply.body.code, 'merged_into' in reply.body], [404, 'not_found', false])
  }
  const find = async (email: string) => (await app.inTx((tx) => personalData.find!(tx, { email })))!
  const copy = async (email: string) => {
    const person = await find(email)
    return JSON.stringify(await app.inTx((tx) => copyOf(personalData, tx, person)))
  }
  assert.equal((await copy(chloe.email)).includes('private'), false, 'a copy for one has nothing of the other')
  assert.ok((await copy(dan.email)).includes('private word'))
  const erased = await find(dan.email)
  await app.inTx((tx) => personalData.erase(tx, erased, app.app.runtime))
  const left = await agnes.get(`/tickets/${one}`)
  assert.equal(left.text.includes('private'), false, left.text)
  assert.equal(left.body.description, 'About mine')
  assert.equal((await agnes.post(`/tickets/merges/${merge.merge_id}/undo`)).status, 200)
})

test('the token of a merged ticket opens that one, and its words go on to the survivor of the same person alone', async () => {
  await using app = await start()
  const agnes = app.as('agnes')
  const publicly = async (email: string) => {
    const { body } = await app.anonymous.post('/public/tickets', { email, subject: 'S', description: 'D' })
    return { id: body.id, number: body.ticket_number, headers: { 'x-ticket-token': body.access_token } }
  }
  const [one, two, other] = [
    await publicly('zoe@x.example'),
    await publicly('zoe@x.example'),
    await publicly('yan@x.example'),
  ]
  const all = { duplicate_ids: [two.id, other.id], different_requesters: true }
  assert.equal((await agnes.post(`/tickets/${one.id}/merge`, all)).status, 200)
  await agnes.post(`/tickets/${one.id}/messages`, { content: 'Only for the survivor' })
  const word = await app.anonymous.post(`/public/tickets/${two.id}/messages`, { content: 'Hello' }, two.headers)
  assert.deepEqual([word.status, word.body.ticket_id], [201, two.id])
  const said = async (ticket: typeof one) => {
    const { body } = await app.anonymous.get(`/public/tickets/${ticket.number}`, ticket.headers)
    return [body.ticket_number, ...body.messages.map(({ content }: { content: string }) => content)]
  }
  assert.deepEqual(await said(two), [two.number, 'D', 'Hello'])
  assert.deepEqual(await said(one), [one.number, 'Only for the survivor'])
  assert.equal((await app.anonymous.get(`/public/tickets/${one.number}`, two.headers)).status, 404)
  for (const address of [other.number, one.number]) {
    assert.equal((await app.anonymous.get(`/public/tickets/${address}`, other.headers)).status, 404)
  }
  // Anybody can type the address of somebody who has an account.
  const chloe = await customerOf(app, 'chloe')
  const [own, typed] = [await opened(chloe, 'own'), await publicly(chloe.email)]
  assert.equal((await agnes.post(`/tickets/${own}/merge`, { duplicate_ids: [typed.id] })).status, 200)
  assert.equal((await app.anonymous.get(`/public/tickets/${typed.number}`, typed.headers)).status, 404)
})

test('only who sees all of them merges them, and only who sees the survivor undoes it', async () => {
  await using app = await start()
  const [chloe, agnes, adrian] = [await customerOf(app, 'chloe'), app.as('agnes'), app.as('adrian')]
  const person = { id: newId(), email: 'bea@moulin.example', name: 'Bea', role: 'agent' }
  const bea = await customerOf(app, 'bea', person)
  await bea.get('/tickets')
  const [one, two, three] = [await opened(chloe, '1'), await opened(chloe, '2'), await opened(chloe, '3')]
  await adrian.post(`/tickets/${two}/assign`, { agent_id: bea.id })
  const unseen = await agnes.post(`/tickets/${one}/merge`, { duplicate_ids: [three, two] })
  assert.deepEqual([unseen.status, unseen.body.errors[0].pointer], [422, '/duplicate_ids/1'])
  assert.equal((await agnes.post(`/tickets/${two}/merge`, { duplicate_ids: [one] })).status, 404)
  assert.equal((await agnes.post(`/tickets/${one}/merge`, { duplicate_ids: [one] })).status, 422)
  assert.equal((await chloe.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })).status, 403)
  assert.equal((await app.stranger.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })).status, 404)
  assert.equal(
    (await adrian.post(`/tickets/${one}/merge`, { duplicate_ids: [two] }, { 'if-match': '"v9"' })).status,
    412,
  )
  const { body: first } = await bea.post(`/tickets/${two}/merge`, { duplicate_ids: [one] })
  assert.equal((await agnes.get(`/tickets/${one}`)).body.code, 'not_found', 'not where it went either')
  for (const client of [agnes, app.stranger]) {
    assert.equal((await client.get(`/tickets/merges/${first.merge_id}`)).status, 404)
    assert.equal((await client.post(`/tickets/merges/${first.merge_id}/undo`)).status, 404)
  }
  const again = await adrian.post(`/tickets/${three}/merge`, { duplicate_ids: [one] })
  assert.deepEqual([again.status, again.body.code, again.body.merged_into], [409, 'merged', two])
  const { body: second } = await adrian.post(`/tickets/${three}/merge`, { duplicate_ids: [two] })
  assert.equal((await adrian.get(`/tickets/${one}`)).body.merged_into, three, 'in one step')
  const early = await adrian.post(`/tickets/merges/${first.merge_id}/undo`)
  assert.deepEqual([early.status, early.body.code, early.body.merge_id], [409, 'merged_again', second.merge_id])
  await app.inTx((tx) => sql`update support.ticket_merges set created_at = now() - interval '31 days'`.execute(tx.sql))
  assert.equal((await adrian.post(`/tickets/merges/${second.merge_id}/undo`)).body.code, 'too_late')
  await adrian.post(`/tickets/${three}/close`)
  const four = await opened(chloe, '4')
  assert.equal((await adrian.post(`/tickets/${three}/merge`, { duplicate_ids: [four] })).body.code, 'ticket_ended')
})

test('of merges that share a ticket at the same time one wins, and no word is lost', async () => {
  await using app = await start()
  const [chloe, adrian] = [await customerOf(app, 'chloe'), app.as('adrian')]
  const ids: string[] = []
  for (const name of ['a', 'b', 'c']) ids.push(await opened(chloe, name))
  const [a, b, c] = ids as [string, string, string]
  const replies = await Promise.all(
    [
      [a, [b, c]],
      [b, [a, c]],
      [c, [b]],
    ].map(([id, duplicate_ids]) => adrian.post(`/tickets/${id as string}/merge`, { duplicate_ids })),
  )
  assert.ok(replies.some(({ status }) => status === 200))
  for (const { status } of replies) assert.ok([200, 404, 409].includes(status))
  const { body } = await adrian.get('/tickets')
  const said: string[] = []
  for (const { id, description } of body.data)
    said.push(description, ...contents((await adrian.get(`/tickets/${id}`)).body))
  for (const name of ['a', 'b', 'c']) assert.ok(said.includes(`About ${name}`), said.join())
})

test('the clocks of a duplicate stand while it is merged, and go on when it is back: by the ledger alone', async () => {
  await using app = await start()
  const [chloe, adrian] = [await customerOf(app, 'chloe'), app.as('adrian')]
  const promise = { name: 'Usual', targets: { normal: { first_response: 60, resolution: 600 } } }
  assert.equal((await adrian.post('/tickets/sla-policies', promise)).status, 201)
  const [one, two] = [await opened(chloe, '1'), await opened(chloe, '2')]
  assert.ok((await adrian.get(`/tickets/${two}`)).body.due_at)
  const { body } = await adrian.post(`/tickets/${one}/merge`, { duplicate_ids: [two] })
  assert.ok(body.due_at, 'the survivor’s promise stands')
  assert.equal((await adrian.get(`/tickets/${two}?deleted=true`)).body.due_at, null)
  const { body: undone } = await adrian.post(`/tickets/merges/${body.merge_id}/undo`)
  assert.ok(undone.restored[0].first_response_due_at && undone.restored[0].resolution_due_at)
  const ledger = await app.inTx((tx) => readLedger(tx, two))
  assert.deepEqual(
    ledger
      .map(({ type, to_value }) => (type === 'status' ? `${type} ${to_value}` : type))
      .filter((type) => type !== 'sla'),
    ['created', 'merged', 'status closed', 'unmerged', 'status open'],
  )
  const told = tellClocks(ledger, null, new Map())!
  const { rows } = await app.inTx((tx) =>
    sql<{ state: { clocks: unknown } }>`select state from support.ticket_clocks where ticket_id = ${two}`.execute(
      tx.sql,
    ),
  )
  assert.deepEqual(told.state.clocks, rows[0]!.state.clocks)
  assert.equal(foldClocks([], told.state)!.isGone, false)
})
