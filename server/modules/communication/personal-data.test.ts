import { expect, test } from 'vitest'
import { sql } from 'kysely'
import { newId } from '#platform/ids.ts'
import { nobody } from '#platform/privacy/personal-data.ts'
import { copyOf } from '#testing/personal-data.ts'
import { start } from '#testing/start.ts'
import { personalData } from './personal-data.ts'

test('no table of this module that names a contact is forgotten', async () => {
  await using app = await start()
  const { rows } = await app.inTx((tx) =>
    sql<{ name: string }>`
      select distinct table_schema || '.' || table_name as name from information_schema.columns
      where table_schema = 'communication' and column_name = 'contact_id'`.execute(tx.sql),
  )
  expect(rows.map((row) => row.name).toSorted()).toEqual(personalData.tables.toSorted())
})

test('an erasure leaves the campaign’s numbers, and nothing that leads to the person', async () => {
  await using app = await start()
  const workspaceId = app.world.workspaceId
  const [ana, bob, campaignId] = [newId(), newId(), newId()]
  await app.inTx(async (tx) => {
    const own = { workspace_id: workspaceId, campaign_id: campaignId }
    await tx.sql
      .insertInto('communication.campaigns')
      .values({ workspace_id: workspaceId, id: campaignId, name: 'c', target_audience: '{}' })
      .execute()
    for (const [contactId, name] of [
      [ana, 'ana'],
      [bob, 'bob'],
    ] as const) {
      const email = `${name}@x.example`
      const row = { ...own, contact_id: contactId, id: newId(), email, full_name: name, domain: 'x.example', opens: 2 }
      await tx.sql
        .insertInto('communication.deliveries')
        .values({ ...row, state: name === 'ana' ? 'queued' : 'sent' })
        .execute()
      await tx.sql
        .insertInto('communication.link_clicks')
        .values({ ...own, number: 0, contact_id: contactId, first_at: new Date(), clicks: 1 })
        .execute()
      await app.app.runtime.mail.send({
        from: { address: 'a@b.example' },
        to: { address: email },
        subject: name,
        text: name,
        headers: {},
        messageId: `<${contactId}@b.example>`,
        context: { workspaceId, campaignId, contactId },
      })
    }
  })
  const person = { ...nobody(), contactIds: [ana], emails: ['ana@x.example'] }
  const copy = await app.inTx((tx) => copyOf(personalData, tx, person))
  expect(Object.values(copy).map((rows) => rows.length)).toEqual([1, 1, 1, 0])
  expect(JSON.stringify(copy)).not.toContain('bob')
  const counts = await app.inTx((tx) => personalData.erase(tx, person, app.app.runtime))
  expect(Object.values(counts)).toEqual([1, 1, 1, 0])
  const rows = await app.inTx((tx) =>
    tx.rawQuery<{ row: string }>(
      `select d::text as row from communication.deliveries d union all select m::text from communication.sandbox_messages m
       union all select l::text from communication.link_clicks l`,
    ),
  )
  const left = rows.rows.map(({ row }) => row).join('\n')
  expect(left).not.toMatch(new RegExp(`ana|${ana}`))
  expect(left.match(/bob@x\.example/g)?.length).toBeGreaterThanOrEqual(2)
  const kept = await app.inTx((tx) =>
    tx.sql
      .selectFrom('communication.deliveries')
      .select(['state', 'reason', 'opens'])
      .where('email', '=', '')
      .execute(),
  )
  expect(kept).toEqual([{ state: 'skipped', reason: 'deleted', opens: 2 }])
})
