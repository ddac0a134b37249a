import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start } from '#testing/start.ts'
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
  await app.inTx(async (tx) => {
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
  const copy = await app.inTx((tx) => personalData.export(tx, [ana]))
  assert.ok(JSON.stringify(copy).includes('Likes ducks'))
  assert.equal(JSON.stringify(copy).includes('bob'), false)
  const counts = await app.inTx((tx) => personalData.erase(tx, [ana]))
  assert.equal(counts['contacts.contacts'], 1)
  const empty = Object.keys(counts).filter((table) => counts[table] === 0)
  assert.deepEqual(empty, ['contacts.import_changes'], 'every other table had something')
  const left = await app.inTx((tx) => personalData.export(tx, [ana]))
  assert.deepEqual(Object.values(left).flat(), [])
  assert.equal((await maria.get(`/contacts/${bob}`)).status, 200)
  assert.equal((await maria.get(`/lists/${list.body.id}`)).body.contact_count, 1)
})
