/**
 * The compiler against an evaluator that knows nothing of it: it reads the JSON of a rule and plain facts, and goes
 * through them one by one. On random rules about random people the two must find the same.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { start } from '#testing/start.ts'
import { evaluate } from './agreement/evaluator.ts'
import { person, timezones, type Timed } from './agreement/people.ts'
import { tree } from './agreement/random-rules.ts'
import { settle, withLists } from './agreement/settle.ts'
import { compileRule } from './compile.ts'
import { explainRule } from './explain.ts'
import { resolveRule } from './resolve.ts'

class Undo extends Error {}

test('the database finds whom the evaluator finds, and explains it so', async () => {
  await using app = await start()
  let found = 0
  let judged = 0
  const property = fc.asyncProperty(
    fc.array(person, { minLength: 6, maxLength: 10 }),
    fc.array(tree, { minLength: 12, maxLength: 12 }),
    fc.constantFrom(...timezones),
    async (people, rules, timezone) => {
      const run = app.inTx(async (tx) => {
        await tx.rawQuery('update accounts.workspaces set timezone = $1 where id = $2', [timezone, tx.workspaceId])
        const { whole, lists } = await settle(tx, people)
        for (const rule of rules) {
          const real = withLists(rule, lists)
          const resolved = await resolveRule(tx, real)
          const purpose = judged % 2 ? 'page' : 'whole'
          const { rows } = await sql<{ id: string }>`
            select c.id from contacts.contact_rows c where ${compileRule(resolved, purpose)}`.execute(tx.sql)
          const facts = { now: tx.now, timezone }
          const expected = whole.filter((who) => evaluate(rule, who, facts)).map((who) => who.id)
          assert.deepEqual(
            rows.map((row) => row.id).toSorted(),
            expected.toSorted(),
            JSON.stringify({
              rule,
              timezone,
              wrong: whole.filter(({ id }) => expected.includes(id) !== rows.some((row) => row.id === id)),
            }),
          )
          const [who] = whole as [Timed]
          assert.equal((await explainRule(tx, real, resolved, who.id)).matches, expected.includes(who.id))
          found += rows.length
          judged += whole.length
        }
        throw new Undo()
      })
      await run.catch((error: unknown) => {
        if (!(error instanceof Undo)) throw error
      })
    },
  )
  await fc.assert(property, { numRuns: 30, endOnFailure: false })
  expect(found / judged, 'neither everybody nor nobody').toBeGreaterThan(0.2)
  expect(found / judged).toBeLessThan(0.8)
}, 120_000)
