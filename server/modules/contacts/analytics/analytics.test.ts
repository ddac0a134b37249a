import assert from 'node:assert/strict'
import { test } from 'vitest'
import { sql } from 'kysely'
import { start, type TestApp } from '#testing/start.ts'
import { metrics } from './analytics.ts'
import { addDays, dayIn } from './days.ts'
import { updateStatistics } from './tasks.ts'

/** Far from UTC, so that its days are other days. */
const zone = 'America/New_York'

test('every metric is a chart, and says so when it cannot', async () => {
  await using app = await start()
  await fill(app)
  for (const metric of metrics) {
    const { status, body, text } = await app.as('victor').get(`/contacts/analytics?metric=${metric}`)
    assert.equal(status, 200, text)
    assert.equal(body.metric, metric)
    for (const series of body.series) {
      assert.deepEqual([series.data.length, series.previous.length], [30, 30])
      assert.equal(series.data.at(-1).date, body.to)
    }
  }
  for (const query of [
    '',
    '?metric=fun',
    '?metric=growth&from=2026-02-30',
    '?metric=growth&from=2026-02-02&to=2026-01-01',
  ]) {
    assert.equal((await app.as('victor').get(`/contacts/analytics${query}`)).status, 422, query)
  }
  const stranger = await app.stranger.get('/contacts/analytics?metric=growth')
  assert.equal(stranger.body.figures.contacts, 0)
})

test('kept figures answer as counting does, before and after the hour, and after something late', async () => {
  await using app = await start()
  await useZone(app, zone)
  await fill(app)
  const ask = async (): Promise<Reply[]> => {
    const replies: Reply[] = []
    for (const metric of ['growth', 'interactions', 'subscriptions', 'sources']) {
      const { body } = await app
        .as('victor')
        .get(`/contacts/analytics?metric=${metric}&from=${addDays(dayIn(zone, new Date()), -60)}&interval=week`)
      replies.push({ ...body, computed_at: null })
    }
    return replies
  }
  const counted = await ask()
  assert.ok(counted[1]!.series![0]!.total > 50)
  await hourly(app)
  assert.ok((await kept(app)) > 20)
  assert.deepEqual(await ask(), counted)
  // A booking that another system tells of late, and people who were imported with the date of their making.
  await app.inTx((tx) =>
    sql`insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, occurred_at)
      select workspace_id, gen_random_uuid(), id, 'booking_created', now() - interval '20 days' from contacts.contacts`.execute(
      tx.sql,
    ),
  )
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, source, created_at)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), 'late' || n || '@x.example', 'import', now() - n * interval '1 day'
      from generate_series(1, 40) as n`.execute(tx.sql),
  )
  assert.deepEqual(
    await ask(),
    withoutLevels(await ask(), counted),
    'until the next hour, days that ended stay as they were',
  )
  await hourly(app)
  const late = await ask()
  const bookings = late[1]!.series!.find(({ key }) => key === 'booking_created')
  assert.equal(bookings?.total, 90)
  await forget(app)
  assert.deepEqual(await ask(), late)
  await hourly(app)
  await useZone(app, 'Asia/Tokyo')
  const elsewhere = await ask()
  await hourly(app)
  assert.deepEqual(await ask(), elsewhere)
  assert.equal((await notes(app)).length, 0)
})

test('growth counts back from today, with the deleted ones while they were there', async () => {
  await using app = await start()
  await useZone(app, 'UTC')
  await app.inTx((tx) =>
    sql`insert into contacts.contacts (workspace_id, id, email, created_at, deleted_at)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), n || '@x.example', now() - n * interval '1 day',
        case when n = 5 then now() - interval '2 days' end
      from generate_series(1, 10) as n`.execute(tx.sql),
  )
  const { body } = await app
    .as('victor')
    .get(`/contacts/analytics?metric=growth&from=${addDays(dayIn('UTC', new Date()), -6)}`)
  const [created, deleted, total] = body.series
  const values = (series: { data: { value: number }[] }) => series.data.map(({ value }) => value)
  assert.deepEqual(values(created), [1, 1, 1, 1, 1, 1, 0])
  assert.deepEqual(values(deleted), [0, 0, 0, 0, 1, 0, 0])
  assert.deepEqual(values(total), [5, 6, 7, 8, 8, 9, 9])
  assert.deepEqual([created.total, created.previous_total, created.change], [6, 4, 0.5])
  assert.equal(body.figures.contacts, 9)
})

test('a filter narrows down every figure about people', async () => {
  await using app = await start()
  await fill(app)
  const ask = async (metric: string) =>
    (await app.as('victor').get(`/contacts/analytics?metric=${metric}&company=mill`)).body
  assert.equal((await ask('growth')).figures.contacts, 30)
  assert.equal((await ask('engagement')).figures.contacts, 30)
  const all = (await app.as('victor').get('/contacts/analytics?metric=interactions')).body.series[0].total
  const some = (await ask('interactions')).series[0].total
  assert.ok(some > 0 && some < all)
  assert.deepEqual(
    (await ask('companies')).items.map(({ label, value, share }: Record<string, unknown>) => [label, value, share]),
    [['Mill', 30, 1]],
  )
})

test('bookings convert by people, not by entries', async () => {
  await using app = await start()
  const ids = await fill(app)
  await app.inTx((tx) =>
    sql`insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, occurred_at)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), id::uuid, type, now() - interval '1 hour'
      from (values (${ids[0]}, 'booking_created'), (${ids[0]}, 'booking_created'), (${ids[1]}, 'booking_created'),
        (${ids[0]}, 'booking_completed'), (${ids[1]}, 'booking_cancelled'), (${ids[2]}, 'booking_created'),
        (${ids[3]}, 'booking_created')) as v(id, type)`.execute(tx.sql),
  )
  const { body } = await app.as('victor').get('/contacts/analytics?metric=booking_conversion')
  assert.deepEqual(
    body.items.map(({ key, value, share }: Record<string, unknown>) => [key, value, share]),
    [
      ['booking_created', 4, 1],
      ['booking_completed', 1, 0.25],
      ['booking_cancelled', 1, 0.25],
    ],
  )
  assert.equal(body.figures.completion_rate, 0.25)
})

test('industries come from the custom field that names them', async () => {
  await using app = await start()
  const anna = app.as('anna')
  const none = await anna.get('/contacts/analytics?metric=industries')
  assert.deepEqual([none.body.field, none.body.items], [null, []])
  await anna.post('/contacts/fields', {
    label: 'Secteur',
    type: 'choice',
    choices: [{ value: 'food', label: 'Bouche' }, { label: 'Bois' }],
  })
  for (const [index, secteur] of ['food', 'food', 'Bois'].entries()) {
    await anna.post('/contacts', { email: `${index}@x.example`, first_name: 'A', custom_fields: { secteur } })
  }
  const { body } = await anna.get('/contacts/analytics?metric=industries')
  assert.equal(body.field, 'secteur')
  assert.deepEqual(
    body.items.map(({ label, value, current }: Record<string, unknown>) => [label, value, current]),
    [
      ['Bouche', 2, 2],
      ['Bois', 1, 1],
    ],
  )
})

test('a list and a tag tell how they stand and grow', async () => {
  await using app = await start()
  await useZone(app, 'UTC')
  const maria = app.as('maria')
  const ids = await fill(app)
  const list = (await maria.post('/lists', { name: 'VIP' })).body.id as string
  const tag = (await maria.post('/tags', { name: 'gold' })).body.id as string
  const few = ids.slice(0, 20)
  await maria.post(`/lists/${list}/contacts`, { contact_ids: few })
  await maria.delete(`/lists/${list}/contacts`, { contact_ids: few.slice(0, 5) })
  await maria.post(`/tags/${tag}/apply`, { contact_ids: few })
  await maria.delete(`/contacts/${few[10]}`)
  await app.inTx((tx) =>
    sql`insert into contacts.list_statistics (workspace_id, list_id, day, added) values
      (${tx.workspaceId}, ${list}, contacts.local_day(${tx.workspaceId}) - 40, 3)`.execute(tx.sql),
  )
  const { body, status, text } = await app.as('victor').get(`/lists/${list}/stats`)
  assert.equal(status, 200, text)
  assert.deepEqual([body.members, body.growth.added, body.growth.removed, body.growth.previous.added], [14, 20, 5, 3])
  assert.equal(body.levels.low + body.levels.medium + body.levels.high, 14)
  assert.deepEqual(body.growth.series.at(-1), { date: body.growth.to, added: 20, removed: 5, members: 14 })
  await hourly(app)
  assert.equal((await figuresToday(app, 'list_statistics'))[0]?.members, 14)
  assert.equal((await app.as('victor').get(`/tags/${tag}/stats`)).body.members, 19)
  await maria.delete(`/tags/${tag}`)
  assert.equal((await app.as('victor').get(`/tags/${tag}/stats`)).status, 404)
  assert.equal((await app.stranger.get(`/lists/${list}/stats`)).status, 404)
  const all = (await app.as('victor').get('/contacts/analytics?metric=lists')).body
  assert.deepEqual([all.items[0].label, all.items[0].current, all.series[0].total], ['VIP', 15, 20])
  const stats = (await app.as('victor').get('/contacts/stats')).body
  assert.deepEqual(stats.groups, {
    total: 1,
    memberships: 15,
    added_last_30_days: 20,
    removed_last_30_days: 5,
    growth_rate: 0,
  })
})

test('the dashboard knows rates, tags and bulk operations', async () => {
  await using app = await start()
  const ids = await fill(app)
  await app.as('anna').post('/contacts/bulk-action', { action: 'add_tag', contact_ids: ids, params: { tag: 'all' } })
  await app.drain()
  const { body } = await app.as('victor').get('/contacts/stats')
  assert.equal(body.subscription_rate, 0.5)
  assert.deepEqual([body.tags.total, body.tags.uses, body.tags.top[0]], [1, 90, { name: 'all', count: 90 }])
  assert.equal(body.tags.distribution[2].tags, 1)
  assert.deepEqual([body.bulk_operations.total, body.bulk_operations.contacts], [1, 90])
})

test('Prometheus sees the sums of the last hour', async () => {
  await using app = await start()
  await fill(app)
  assert.match((await app.anonymous.get('//metrics')).text, /^rapport_contacts 0$/m)
  const task = app.app.tasks.find(({ name }) => name === 'contacts.update_statistics')!
  await task.run(app.app.runtime)
  const { text } = await app.anonymous.get('//metrics')
  assert.match(text, /^rapport_contacts 90$/m)
  assert.match(text, /^rapport_contacts_subscription_ratio 0.5$/m)
  assert.match(text, /^rapport_contacts_tags\{contacts="1-10"\} 0$/m)
})

/** Ninety contacts over ninety days, each with an entry on the day it was made and half of them with consent. */
async function fill(app: TestApp): Promise<string[]> {
  return app.inTx(async (tx) => {
    const { rows } = await sql<{ id: string }>`
      insert into contacts.contacts (workspace_id, id, email, company, source, created_at, newsletter_subscribed, engagement_score, is_active)
      select ${tx.workspaceId}::uuid, gen_random_uuid(), 'p' || n || '@x.example',
        (array['Mill', 'Été', null])[n % 3 + 1], (array['web', 'api'])[n % 2 + 1], now() - n * interval '23 hours', n % 2 = 0, n, n % 9 > 0
      from generate_series(0, 89) as n returning id`.execute(tx.sql)
    await sql`
      insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, occurred_at)
      select workspace_id, gen_random_uuid(), id, type, created_at
      from contacts.contacts, unnest(array['contact_created', 'email_opened']) as type`.execute(tx.sql)
    await sql`
      insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, recorded_at)
      select workspace_id, gen_random_uuid(), id, 'newsletter', 'granted', 'form', created_at
      from contacts.contacts where newsletter_subscribed`.execute(tx.sql)
    return rows.map(({ id }) => id)
  })
}

async function hourly(app: TestApp): Promise<void> {
  await updateStatistics(app.app.runtime, app.world.workspaceId)
}

async function useZone(app: TestApp, timezone: string): Promise<void> {
  const { numAffectedRows } = await app.inTx((tx) =>
    sql`update accounts.workspaces set timezone = ${timezone} where id = ${app.world.workspaceId}`.execute(tx.sql),
  )
  assert.equal(numAffectedRows, 1n)
}

/** Levels count from what is there now; everything else of a day that ended is told as it was. */
function withoutLevels(now: Reply[], before: Reply[]): Reply[] {
  return before.map((reply, index) => ({ ...reply, ...pick(now[index]!, reply.metric) }))
}
type Reply = Record<string, unknown> & { metric?: string; series?: { key: string; total: number }[] }
function pick(reply: Reply, metric: string | undefined): Reply {
  return metric === 'growth' || metric === 'sources'
    ? { series: reply.series, items: reply.items, figures: reply.figures }
    : {}
}

async function forget(app: TestApp): Promise<void> {
  await app.inTx(async (tx) => {
    await sql`delete from contacts.daily_statistics`.execute(tx.sql)
    await sql`delete from contacts.statistics_state`.execute(tx.sql)
  })
}

async function kept(app: TestApp): Promise<number> {
  const { rows } = await app.inTx((tx) =>
    sql<{ count: number }>`select count(*) as count from contacts.daily_statistics`.execute(tx.sql),
  )
  return rows[0]!.count
}

async function notes(app: TestApp): Promise<unknown[]> {
  return (await app.inTx((tx) => sql`select days from contacts.changed_days`.execute(tx.sql))).rows
}

async function figuresToday(app: TestApp, table: 'list_statistics'): Promise<{ members: number }[]> {
  const { rows } = await app.inTx((tx) =>
    sql<{
      members: number
    }>`select members from ${sql.table(`contacts.${table}`)} where computed_at is not null`.execute(tx.sql),
  )
  return rows
}
