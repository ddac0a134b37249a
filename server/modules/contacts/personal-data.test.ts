import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { newId } from '#platform/ids.ts'
import { copyOf } from '#testing/personal-data.ts'
import { start } from '#testing/start.ts'
import { adoptFigures } from './facts/figures.ts'
import { personalData } from './personal-data.ts'

test('no table of this module that names a contact is forgotten', async () => {
  await using app = await start()
  const { rows } = await app.inTx((tx) =>
    sql<{ name: string }>`
      select distinct c.table_schema || '.' || c.table_name as name from information_schema.columns c
      join information_schema.tables t using (table_schema, table_name)
      where c.table_schema = 'contacts' and t.table_type = 'BASE TABLE'
        and (c.column_name = 'contact_id' or c.table_name = 'contacts')`.execute(tx.sql),
  )
  const missing = rows.map((row) => row.name).filter((name) => !personalData.tables.includes(name))
  assert.deepEqual(missing, [])
})

test('a copy holds everything, and an erasure leaves nothing', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const list = await maria.post('/lists', { name: 'L' })
  const people = await Promise.all(
    ['ana', 'bob'].map((name) =>
      maria.post('/contacts', {
        email: `${name}@x.example`,
        first_name: name,
        tags: ['t'],
        lists: [list.body.id],
        newsletter_subscribed: true,
      }),
    ),
  )
  const [ana, bob] = people.map((person) => person.body.id as string) as [string, string]
  await maria.post(`/contacts/${ana}/notes`, { content: 'Likes ducks' })
  for (const id of [ana, bob]) await maria.patch(`/contacts/${id}`, { phone: '+33611111111' })
  await app.drain() // the same number: suggested as one person
  for (const [event, data] of Object.entries({
    'user.registered': { id: 7 },
    'order.completed': { order_id: 1, total: 5 },
    'booking.created': { booking_id: 1 },
    'ticket.created': { ticket_id: 1 },
  })) {
    const envelope = {
      id: newId(),
      timestamp: '2026-01-01T00:00:00Z',
      event,
      data: { ...data, email: 'ana@x.example' },
    }
    await app.as('adrian').post('/events', envelope)
  }
  await app.drain()
  const entry = { interaction_type: 'manual_entry', description: 'Called' }
  const added = await maria.post(`/contacts/${ana}/interactions/add`, entry)
  await maria.delete(`/contacts/${ana}/interactions/${added.body.id}`)
  const report = await maria.post('/contacts/reports', { name: 'R' })
  const schedules = `/contacts/reports/${report.body.id}/schedules`
  const sent = { frequency: 'daily', time: '08:00', addresses: ['Ana@x.example'] }
  const schedule = await app.as('adrian').post(schedules, sent)
  await maria.post(`${schedules}/${schedule.body.id}/run`)
  await app.inTx(async (tx) => {
    await sql`update contacts.contacts set lifetime_value = 9 where id = ${ana}`.execute(tx.sql)
    await adoptFigures(tx, [ana])
    const { rows } = await sql<{ id: string }>`
      insert into contacts.imports (workspace_id, id, upload_id, file_key, file_name, encoding, delimiter, newline,
        has_header, header, targets, duplicates, bytes_total)
      values (${tx.workspaceId}, gen_random_uuid(), gen_random_uuid(), 'k', 'f.csv', 'utf-8', ',', 'lf', true, '{}', '{}',
        'skip', 1) returning id`.execute(tx.sql)
    await sql`
      insert into contacts.import_errors (workspace_id, import_id, line, code, detail, cells)
      values (${tx.workspaceId}, ${rows[0]!.id}, 1, 'x', 'x', array['Ana', ' ANA@x.example ']),
        (${tx.workspaceId}, ${rows[0]!.id}, 2, 'x', 'x', array['Cat', 'cat@x.example'])`.execute(tx.sql)
  })
  await app.inTx((tx) =>
    sql`insert into contacts.avatars (workspace_id, contact_id, file_id, sha256, size_bytes)
      values (${tx.workspaceId}, ${ana}, gen_random_uuid(), 'x', 1)`.execute(tx.sql),
  )
  await maria.post('/contacts/exports', { format: 'csv', contact_ids: [ana, bob] })
  const old = await maria.post('/contacts', { email: 'ana.old@x.example', first_name: 'Ana' })
  const merged = await maria.post('/contacts/merge', { primary_id: ana, duplicate_ids: [old.body.id] })
  assert.equal(merged.status, 200)
  const person = await app.inTx((tx) => personalData.find!(tx, { email: 'ana.old@x.example' }))
  assert.ok(person)
  assert.deepEqual(person.contactIds.toSorted(), [ana, old.body.id as string].toSorted())
  const copy = await app.inTx((tx) => copyOf(personalData, tx, person))
  assert.ok(JSON.stringify(copy).includes('Likes ducks'))
  assert.equal(JSON.stringify(copy).includes('bob'), false)
  const counts = await app.inTx((tx) => personalData.erase(tx, person, app.app.runtime))
  assert.equal(counts['contacts.contacts'], 2)
  const empty = Object.keys(counts).filter((table) => counts[table] === 0)
  assert.deepEqual(
    empty,
    ['contacts.import_changes', 'contacts.custom_values', 'contacts.public_requests'],
    'every other table had something',
  )
  const left = await app.inTx((tx) => copyOf(personalData, tx, person))
  assert.deepEqual(Object.values(left).flat(), [])
  assert.equal((await maria.get(`/contacts/${bob}`)).status, 200)
  assert.equal((await maria.get(`/lists/${list.body.id}`)).body.contact_count, 1)
})
