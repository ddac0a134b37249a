import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { customerOf } from '#testing/customer.ts'
import { copyOf } from '#testing/personal-data.ts'
import { start } from '#testing/start.ts'
import { personalData } from './personal-data.ts'

test('a copy holds everything, and an erasure leaves a ticket’s times without a word of anybody', async () => {
  await using app = await start()
  const [ana, bob] = [await customerOf(app, 'ana'), await customerOf(app, 'bob')]
  const [agnes, adrian] = [app.as('agnes'), app.as('adrian')]
  const own = (await ana.post('/tickets', { subject: 'Ana asks', description: 'Ana is unwell' })).body.id as string
  const other = (await bob.post('/tickets', { subject: 'Bob asks', description: 'Something else' })).body.id as string
  const { body: first } = await ana.post(`/tickets/${own}/messages`, { content: 'Ana, again' })
  await ana.put(`/tickets/${own}/messages/${first.id}`, { content: 'Ana, once more' })
  await agnes.post(`/tickets/${own}/messages`, { content: 'Dear Ana' })
  await agnes.post(`/tickets/${other}/messages`, { content: 'Dear Bob' })
  await ana.post(`/tickets/${own}/messages/mark-all-read`)
  const file = '--x\r\ncontent-disposition: form-data; name="file"; filename="ana.txt"\r\n\r\nAna\r\n--x--\r\n'
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  assert.equal((await ana.post(`/tickets/${own}/attachments`, file, form)).status, 201)
  await adrian.put(`/tickets/${own}`, { internal_notes: 'Ana is nice', tags: ['ana'], metadata: { who: 'Ana' } })
  await agnes.post(`/tickets/${own}/resolve`, { resolution: 'Told Ana' })
  const untag = { action: 'remove_tag', ticket_ids: [own, other], params: { tag: 'ana' } }
  assert.equal((await adrian.post('/tickets/bulk-action', untag)).status, 202)
  await app.drain()

  const person = await app.inTx((tx) => personalData.find!(tx, { email: 'ANA@guest.example' }))
  assert.deepEqual([person?.userIds, person?.emails], [[ana.id], ['ana@guest.example']])
  const copy = await app.inTx((tx) => copyOf(personalData, tx, person!))
  const text = JSON.stringify(copy)
  for (const words of ['Ana is unwell', 'Ana, again', 'Ana, once more', 'Dear Ana', 'Told Ana'])
    assert.ok(text.includes(words))
  assert.equal(text.includes('Bob'), false)
  assert.deepEqual(
    personalData.tables.filter((table) => !copy[table]?.length),
    ['support.ticket_mails'],
    'every table but that of mails, which this conversation has none of, had something',
  )

  const files = await app.inTx((tx) => personalData.files!(tx, person!))
  assert.match(files.map(({ name }) => name).join(), /^tickets\/[^/]+\/ana\.txt$/)
  const counts = await app.inTx((tx) => personalData.erase(tx, person!, app.app.runtime))
  assert.deepEqual(counts, {
    'support.tickets': 1,
    'support.ticket_mails': 0,
    'support.operation_changes': 1,
    'support.messages': 2,
    'support.message_versions': 1,
    'support.message_reads': 1,
    'support.attachments': 1,
  })
  const again = await app.inTx((tx) => personalData.erase(tx, person!, app.app.runtime))
  assert.deepEqual(new Set(Object.values(again)), new Set([0]))
  for (const table of personalData.tables) {
    const { rows } = await app.inTx((tx) => sql`select to_jsonb(t) as row from ${sql.table(table)} t`.execute(tx.sql))
    assert.equal(/ana/i.test(JSON.stringify(rows)), false, table)
    assert.equal(JSON.stringify(rows).includes(ana.id), false, table)
  }
  const [untagged] = (await adrian.get('/tickets/operations')).body.data
  assert.equal((await adrian.post(`/tickets/operations/${untagged.id}/undo`)).status, 202)
  await app.drain()
  const kept = await adrian.get(`/tickets/${own}`)
  assert.ok(kept.body.resolved_at && kept.body.first_response_at)
  assert.deepEqual(kept.body.tags, [], 'undoing writes nothing back')
  assert.equal((await ana.get(`/tickets/${own}`)).status, 404)
  assert.equal((await bob.get(`/tickets/${other}`)).body.messages[0].content, 'Dear Bob')
})
