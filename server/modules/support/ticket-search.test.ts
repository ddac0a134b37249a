/** Searches for words that thousands of tickets say: they are read along the order, and must find what the indexes would. */
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'

const count = 24_000
let app: TestApp

/** All say "ubiquitous"; the 3,000 newest do not say "ancient"; each thousandth says "seldom" in a message. */
beforeAll(async () => {
  app = await start()
  await app.inTx(async (tx) => {
    await sql`
      insert into support.tickets (workspace_id, id, ticket_number, subject, description, contact_email, contact_name,
        category, tags, last_message_at, created_at)
      select ${tx.workspaceId}::uuid, md5('t' || n)::uuid, 'T-' || n, 'ubiquitous ' || n,
        case when n <= ${count - 3_000} then 'ancient' else 'recent' end, 'g@guests.example', 'G', case when n % 2 = 0 then 'Billing' end,
        case when n % 2 = 1 then array['odd', 'category billing'] when n % 1000 = 0 then array['even', 'few'] else array['even'] end, now(),
        timestamptz '2020-01-01' + n * interval '1 minute'
      from generate_series(1, ${sql.lit(count)}) as n`.execute(tx.sql)
    await sql`
      insert into support.messages (workspace_id, id, ticket_id, author_kind, content)
      select ${tx.workspaceId}::uuid, md5('s' || n)::uuid, md5('t' || n)::uuid, 'requester', text
      from (values (7, '明日の予約をお願いします'), (8, 'Mon TV (neuf)'), (9, 'MTV')) as said(n, text)`.execute(tx.sql)
    await sql`
      insert into support.messages (workspace_id, id, ticket_id, author_kind, content)
      select ${tx.workspaceId}::uuid, md5('m' || n)::uuid, md5('t' || n)::uuid, 'requester', 'said seldom'
      from generate_series(1000, ${sql.lit(count)}, 1000) as n`.execute(tx.sql)
  })
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query('analyze support.tickets, support.messages')
  await owner.end()
})
afterAll(() => app[Symbol.asyncDispose]())

async function find(query: string) {
  const reply = await app.as('anna').get(`/tickets?${query}`)
  expect(reply.status, reply.text).toBe(200)
  const {
    data,
    total,
    next_cursor: cursor,
  } = reply.body as {
    data: { subject: string }[]
    total: unknown
    next_cursor: string | null
  }
  return { numbers: data.map(({ subject }) => Number(subject.split(' ')[1])), total, cursor }
}
const down = (from: number, length: number, step = 1) => Array.from({ length }, (_, n) => from - n * step)

test('a word that all say: pages follow each other in both directions, and the total says that it was not counted out', async () => {
  const first = await find('search=UBIQUITOUS&limit=200')
  expect(first.numbers).toEqual(down(count, 200))
  expect(first.total).toEqual({ at_least: 6_000 })
  const second = await find(`search=ubiquitous&limit=200&cursor=${first.cursor}`)
  expect(second.numbers).toEqual(down(count - 200, 200))
  const oldest = await find('search=ubiquitous&sort=created_at&limit=3')
  expect(oldest.numbers).toEqual([1, 2, 3])
  expect((await find('search=ubiquitous&limit=1&count=exact')).total).toBe(count)
})

test('one that only older ones say is found beyond the newest', async () => {
  const { numbers, total } = await find('search=ancient&limit=5')
  expect(numbers).toEqual(down(count - 3_000, 5))
  expect(total).toEqual({ at_least: 10_000 })
  expect((await find('search=ancient recent')).numbers).toEqual([])
})

test('of several words the rarest decides, wherever it is said', async () => {
  const { numbers, total } = await find('search=ubiquitous seldom&limit=100')
  expect(numbers).toEqual(down(count, 24, 1_000))
  expect(total).toBe(24)
  expect((await find('search=seldom ancient')).total).toBe(21)
})

test('other filters narrow it down: what fits into the window is counted exactly', async () => {
  const after = encodeURIComponent(new Date(Date.UTC(2020, 0, 1, 0, count - 500)).toISOString())
  const { numbers, total } = await find(`search=ubiquitous&created_after=${after}&limit=10`)
  expect([numbers, total]).toEqual([down(count, 10), 501])
  const few = encodeURIComponent(new Date(Date.UTC(2020, 0, 1, 0, count - 5)).toISOString())
  expect((await find(`search=ubiquitous&created_after=${few}&limit=10`)).total).toBe(6)
})

test('words of one and two signs: anywhere where a script sets no spaces, else where a word begins', async () => {
  for (const [search, found] of [
    ['予約', [7]],
    ['願', [7]],
    ['約予', []],
    ['tv', [8]],
    ['tv ubiquitous ne', [8]],
    ['mt', [9]],
  ] as const) {
    expect((await find(`search=${encodeURIComponent(search)}`)).numbers, search).toEqual(found)
  }
})

test('a category with a tag: looked up where few tickets have both, else found along the order', async () => {
  const many = await find('category=billing&tag=Even&limit=3')
  expect(many).toMatchObject({ numbers: down(count, 3, 2), total: { at_least: 10_000 } })
  const next = await find(`category=billing&tag=Even&limit=3&cursor=${many.cursor}`)
  expect(next.numbers).toEqual(down(count - 6, 3, 2))
  expect((await find('category=billing&tag=even&limit=1&count=exact')).total).toBe(count / 2)
  expect(await find('category=BILLING&tag=few&sort=created_at&limit=2')).toMatchObject({
    numbers: [1_000, 2_000],
    total: 24,
  })
  expect(await find('category=billing&tag=few&search=seldom&limit=1')).toMatchObject({ numbers: [count], total: 24 })
  expect((await find('category=billing&tag=odd')).numbers).toEqual([])
  expect((await find('category=billing&tag=category%20billing')).numbers).toEqual([])
})
