import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { start } from '#testing/start.ts'
import { scoreOf, scoreSql, type EngagementCounts } from './score.ts'

const weights = { openWeight: 1, clickWeight: 3, purchaseWeight: 10 }
const now = new Date('2026-06-30T12:00:00Z')
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000)

test.each([
  ['nothing ever', [0, 0, 0], null, 0],
  ['one open today', [1, 0, 0], 0, 11],
  ['on the seventh day', [1, 0, 0], 7, 11],
  ['on the eighth day', [1, 0, 0], 8, 6],
  ['on the thirtieth day', [1, 0, 0], 30, 6],
  ['later', [1, 0, 0], 31, 1],
  ['all together', [10, 5, 2], 100, 45],
])('%s', (_what, [opened, clicked, purchases], days, expected) => {
  const counts = {
    total_emails_opened: opened!,
    total_emails_clicked: clicked!,
    total_purchases: purchases!,
    last_engaged_at: days === null ? null : daysAgo(days),
  }
  expect(scoreOf(counts, weights, now)).toBe(expected)
})

test('one contact and many are reckoned alike', async () => {
  await using app = await start()
  const count = fc.nat(50_000)
  const contact: fc.Arbitrary<EngagementCounts> = fc.record({
    total_emails_opened: count,
    total_emails_clicked: count,
    total_purchases: count,
    last_engaged_at: fc.option(fc.date({ min: daysAgo(60), max: now, noInvalidDate: true })),
  })
  const weight = fc.oneof(fc.nat(1_000), fc.double({ min: 0, max: 1_000, noNaN: true }))
  const anyWeights = fc.record({ openWeight: weight, clickWeight: weight, purchaseWeight: weight })
  await fc.assert(
    fc.asyncProperty(fc.array(contact, { minLength: 1, maxLength: 200 }), anyWeights, async (contacts, chosen) => {
      const { rows } = await app.inTx((tx) =>
        sql<{ score: number }>`select ${scoreSql(chosen, now)} as score
          from jsonb_to_recordset(${JSON.stringify(contacts)}::jsonb) as c(total_emails_opened int,
            total_emails_clicked int, total_purchases int, last_engaged_at timestamptz)`.execute(tx.sql),
      )
      expect(rows.map((row) => row.score)).toEqual(contacts.map((counts) => scoreOf(counts, chosen, now)))
    }),
    { numRuns: 100 },
  )
})
