/** Whatever is searched for in whatever text: what the indexes find is what is said. */
import fc from 'fast-check'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { says, saysByIndex, searchWords } from './search.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
})
afterAll(() => app[Symbol.asyncDispose]())

async function ask(word: string, text: string) {
  return app.inTx(async (tx) => {
    const folded = sql`platform.fold(${text}::text)`
    const { rows } = await sql<{ said: boolean; looked_up: boolean }>`
      select ${says(folded, word)} as said, ${saysByIndex(folded, word)} as looked_up`.execute(tx.sql)
    return rows[0]!
  })
}

test.each([
  ['tv', 'Mon TV ne marche plus', true],
  ['TV', 'le (tv) du salon', true],
  ['tv', 'MTV', false],
  ['tv', 'tvs', true],
  ['t', 'une télé', true],
  ['l', 'une télé', false],
  ['é', 'un Été', true],
  ['œ', 'Œufs', true],
  ['7', 'commande #7', true],
  ['77', 'n°1-77', true],
  ['да', 'Да, пожалуйста', true],
  ['да', 'когда', false],
  ['ημ', 'ημέρα', true],
  ['c#', 'écrit en C#', true],
  ['$', '5 $', true],
  ['%', 'cent', false],
  ['tél', 'hôtels', true],
  ['予約', '明日の予約をお願いします', true],
  ['約', '明日の予約をお願いします', true],
  ['約予', '明日の予約をお願いします', false],
  ['예약', '내일예약합니다', true],
  ['ชา', 'ขอชาเย็น', true],
  ['v予', 'mtv予約', true],
  ['、', 'はい、予約', true],
  ['、', 'a、b', true],
  ['〇', '〇八', true],
  ['㎞', '5 ㎞', true],
])('%j in %j: %s', async (word, text, expected) => {
  expect(await ask(word, text)).toEqual({ said: expected, looked_up: expected })
})

test('whatever the words and the texts, both ways of asking say the same', async () => {
  const sign = fc.constantFrom(...'aeéßœİıЖж0٣ \n\t.-_%\\[](){}^$*+?|#@«、〇㎞「予約を가각ชา𠮷🎉'.match(/./gsu)!)
  const text = fc.array(sign, { maxLength: 12 }).map((signs) => signs.join(''))
  await fc.assert(
    fc.asyncProperty(text, text, async (search, body) => {
      for (const word of searchWords(search)) {
        const { said, looked_up: lookedUp } = await ask(word, body)
        expect(lookedUp).toBe(said)
      }
    }),
    { numRuns: 300 },
  )
})

test('how a word begins is in the index of trigrams, from one letter on', async () => {
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query(`
    create temp table texts as select 'facture (colis-' || n || ') ' || case n when 7 then 'qx-7' else '' end as text
      from generate_series(1, 500) as n;
    create index on texts using gin (text gin_trgm_ops);
    set enable_seqscan = off`)
  for (const word of ['qx', 'q', 'Q']) {
    const { rows } = await owner.query<{ 'QUERY PLAN': [{ Plan: { Plans: [{ 'Actual Rows': number }] } }] }>(
      'explain (analyze, format json) select from texts where text ~ platform.begins_pattern($1)',
      [word],
    )
    expect(rows[0]!['QUERY PLAN'][0].Plan.Plans[0]['Actual Rows'], word).toBe(1)
  }
  await owner.end()
})
