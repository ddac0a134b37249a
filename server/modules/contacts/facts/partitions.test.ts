// The timeline in its partitions: nothing is lost between them, nothing is written twice, and none can be reached directly.
import pg from 'pg'
import { expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { recordInteractions } from '../interactions.ts'
import { ensurePartitions } from './work.ts'

async function makeAna(app: TestApp): Promise<string> {
  const made = await app.as('maria').post('/contacts', { email: 'ana@example.com', first_name: 'Ana' })
  return String(made.body.id)
}

async function asOwner<T>(app: TestApp, run: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  try {
    return await run(owner)
  } finally {
    await owner.end()
  }
}

/** Entries by partition, as the owner sees them. */
const spread = (app: TestApp) =>
  asOwner(app, async (owner) => {
    const { rows } = await owner.query<{ part: string; count: number }>(
      'select tableoid::regclass::text as part, count(*)::int as count from contacts.interactions group by 1 order by 1',
    )
    return Object.fromEntries(rows.map(({ part, count }) => [part.replace('contacts_parts.interactions_', ''), count]))
  })

const thisMonth = () => new Date().toISOString().slice(0, 7).replace('-', '_')

test('a fact told again with another time, in another month, is still one entry', async () => {
  await using app = await start()
  const contactId = await makeAna(app)
  const fact = { contactId, type: 'purchase' as const, sourceKey: 'order:1' }
  const tell = (occurredAt: string) => app.inTx((tx) => recordInteractions(tx, [{ ...fact, occurredAt }]))
  const told = await Promise.all(['2023-01-05T10:00:00Z', '2024-07-05T10:00:00Z', new Date().toISOString()].map(tell))
  expect(told.flat()).toHaveLength(1)
  const both = await app.inTx((tx) =>
    recordInteractions(tx, [
      { ...fact, sourceKey: 'order:2', description: 'first' },
      { ...fact, sourceKey: 'order:2', description: 'second' },
    ]),
  )
  expect(both).toHaveLength(1)
  const { body } = await app.as('victor').get(`/contacts/${contactId}/interactions?type=purchase`)
  expect(body.total).toBe(2)
})

test('every month that fills up gets a partition of its own, and the timeline is the same as before', async () => {
  await using app = await start()
  const contactId = await makeAna(app)
  expect(await ensurePartitions(app.app.runtime)).toEqual([])
  expect(await spread(app)).toEqual({ [thisMonth()]: 1 })
  const days = (month: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({
      contactId,
      type: 'manual_entry' as const,
      description: `${n}`,
      occurredAt: new Date(Date.parse(`${month}-01T00:00:00Z`) + n * 60_000),
    }))
  await app.inTx((tx) => recordInteractions(tx, [...days('2024-02', 1_000), ...days('2024-03', 999)]))
  await app.inTx((tx) => recordInteractions(tx, days('1990-05', 1_000)))
  const timeline = async () =>
    (await app.as('victor').get(`/contacts/${contactId}/interactions?limit=200&count=exact`)).body
  const before = await timeline()
  expect(await ensurePartitions(app.app.runtime)).toEqual(['2024-02-01'])
  // Few entries of a month, and those of long ago, are found in the rest as quickly.
  expect(await spread(app)).toEqual({ [thisMonth()]: 1, '2024_02': 1_000, other: 1_999 })
  expect(await timeline()).toEqual(before)
  await app.inTx((tx) => recordInteractions(tx, days('2024-02', 5)))
  expect((await spread(app))['2024_02']).toBe(1_005)
  expect(await ensurePartitions(app.app.runtime)).toEqual([])
})

test('the next three months are there before they begin', async () => {
  await using app = await start()
  const parts = await asOwner(app, async (owner) => {
    const { rows } = await owner.query<{ name: string }>(`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'contacts.interactions'::regclass`)
    return rows.map(({ name }) => name)
  })
  const now = new Date()
  for (let ahead = 0; ahead <= 3; ahead++) {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1)).toISOString().slice(0, 7)
    expect(parts).toContain(`contacts_parts.interactions_${month.replace('-', '_')}`)
  }
})

test('no partition can be reached but through the whole, and the whole shows each workspace its own', async () => {
  await using app = await start()
  await makeAna(app)
  const part = `contacts_parts.interactions_${thisMonth()}`
  for (const statement of [`select * from ${part}`, `delete from ${part}`, `drop table ${part}`]) {
    await expect(app.inTx((tx) => tx.rawQuery(statement))).rejects.toThrow(/permission denied|must be owner/)
  }
  await expect(
    app.inTx((tx) => tx.rawQuery(`select contacts.add_interaction_partition('2020-01-01')`)),
  ).rejects.toThrow(/permission denied/)
  expect((await app.stranger.get('/contacts/interactions')).body.data).toEqual([])
})
