import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start } from '#testing/start.ts'
import { compileRule } from './compile.ts'
import { resolveRule } from './resolve.ts'

test('what a record said before it was merged, its survivor said', async () => {
  await using app = await start()
  const [stays, goes, quiet] = ['01', '02', '03'].map((end) => `01900000-0000-7000-8000-0000000000${end}`)
  await app.inTx(async (tx) => {
    await sql`
      insert into contacts.contacts (workspace_id, id, email, merged_into, merged_at, deleted_at)
      select ${tx.workspaceId}::uuid, n.id::uuid, n.id || '@consent.example', n.survivor::uuid,
        case when n.survivor is not null then now() end, case when n.survivor is not null then now() end
      from (values (${stays}::text, null::text), (${goes}, ${stays}), (${quiet}, null)) as n(id, survivor)`.execute(
      tx.sql,
    )
    await sql`
      insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source)
      values (${tx.workspaceId}::uuid, gen_random_uuid(), ${goes}::uuid, 'marketing', 'withdrawn', 'form')`.execute(
      tx.sql,
    )
  })
  const find = (field: string, op: string, value?: unknown) =>
    app.inTx(async (tx) => {
      const rule = await resolveRule(tx, { field, op, ...(value === undefined ? {} : { value }) })
      const { rows } = await sql<{ id: string }>`
        select c.id from contacts.contact_rows c
        where c.email_key like '%@consent.example' and c.deleted_at is null and ${compileRule(rule)} order by c.id`.execute(
        tx.sql,
      )
      return rows.map(({ id }) => id)
    })
  assert.deepEqual(await find('consent.marketing', 'eq', 'withdrawn'), [stays])
  assert.deepEqual(await find('consent.marketing', 'in', ['pending', 'withdrawn']), [stays])
  assert.deepEqual(await find('consent.marketing', 'eq', 'none'), [quiet])
  assert.deepEqual(await find('consent.marketing', 'neq', 'none'), [stays])
  assert.deepEqual(await find('consent.marketing.at', 'within_last_days', 2), [stays])
  assert.deepEqual(await find('consent.newsletter', 'eq', 'withdrawn'), [])
})
