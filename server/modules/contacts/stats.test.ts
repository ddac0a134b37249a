import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start } from '#testing/start.ts'

test('the numbers of the dashboard are those of the contacts that are there', async () => {
  await using app = await start()
  const empty = await app.as('victor').get('/contacts/stats/')
  assert.equal(empty.status, 200, empty.text)
  assert.deepEqual([empty.body.total, empty.body.average_score, empty.body.growth.length], [0, 0, 30])
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, company, status, is_active, newsletter_subscribed,
        engagement_score, created_at, deleted_at, total_bookings, last_booking_date)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), n || '@x.example', company, status, active, newsletter, score,
        now() - age * interval '1 day', deleted, bookings, case when bookings > 0 then now() end
      from (values
        (1, 'Été', 'active', true, true, 0, 0, null::timestamptz, 0),
        (2, 'ete', 'active', true, false, 20, 3, null, 2),
        (3, 'Moulin', 'bounced', true, false, 60, 40, null, 4),
        (4, null, 'unsubscribed', false, false, 0, 400, null, 0),
        (5, 'Moulin', 'active', true, true, 99, 1, now(), 9)
      ) as v(n, company, status, active, newsletter, score, age, deleted, bookings)`.execute(tx.sql),
  )
  const { body } = await app.as('victor').get('/contacts/stats')
  assert.deepEqual(
    [body.total, body.active, body.inactive, body.subscribed, body.average_score, body.new_last_30_days],
    [4, 3, 1, 1, 20, 2],
  )
  assert.deepEqual(body.by_status, { active: 2, unsubscribed: 1, bounced: 1, complained: 0 })
  assert.deepEqual(body.by_engagement_level, { low: 2, medium: 1, high: 1 })
  assert.deepEqual(
    body.top_companies.map((top: { count: number }) => top.count),
    [2, 1],
  )
  assert.deepEqual(body.bookings, { total: 6, contacts_with_bookings: 2, average_per_contact: 3 })
  assert.equal(body.growth.at(-1).created, 1)
  assert.equal(body.growth.at(-4).created, 1)
})
