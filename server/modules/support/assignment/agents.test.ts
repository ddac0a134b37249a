// The list of those who work at the help desk: any number, page by page.
import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { hire } from '#testing/hire.ts'
import { start, type Client } from '#testing/start.ts'

interface Listed {
  user_id: string
  name: string
  presence: string
}

async function everyone(client: Client, query: string): Promise<{ names: string[]; totals: Set<number> }> {
  const names: string[] = []
  const totals = new Set<number>()
  for (let cursor = ''; ;) {
    const { status, body, text } = await client.get(`/tickets/agents?${query}${cursor && `&cursor=${cursor}`}`)
    assert.equal(status, 200, text)
    names.push(...body.data.map(({ name }: Listed) => name))
    totals.add(body.total)
    if (!body.next_cursor) return { names, totals }
    cursor = body.next_cursor
  }
}

test('more than a thousand agents are listed to the last, each once, by name', async () => {
  await using app = await start()
  await hire(app, 1_100)
  const { names, totals } = await everyone(app.as('agnes'), 'limit=200')
  const hired = Array.from({ length: 1_100 }, (_, index) => `Agent ${String(index + 1).padStart(4, '0')}`)
  assert.deepEqual(names, ['Adrian', ...hired, 'Agnes', 'Anna'])
  assert.deepEqual(totals, new Set([1_103]))
  const first = await app.as('agnes').get('/tickets/agents')
  assert.deepEqual([first.body.data.length, first.body.data[1].name], [50, 'Agent 0001'])
  const last = (await everyone(app.as('agnes'), 'search=1100')).names
  assert.deepEqual(last, ['Agent 1100'])
  const [{ user_id: id }] = (await app.as('agnes').get('/tickets/agents?search=agent 1100')).body.data
  assert.equal((await app.as('agnes').get(`/tickets/agents/${id}`)).body.name, 'Agent 1100')
})

test('agents are found by their names, whatever the accents, and by whether they are there', async () => {
  await using app = await start()
  await hire(app, 9, { online: 3, away: 2, silent: 1 })
  await app.inTx((tx) =>
    sql`update accounts.users set full_name = 'Éloïse 50%_\\' where full_name = 'Agent 0009'`.execute(tx.sql),
  )
  const found = async (query: string) => (await everyone(app.as('agnes'), `limit=2&${query}`)).names
  const numbered = (...numbers: number[]) => numbers.map((number) => `Agent 000${number}`)
  assert.deepEqual(await found('search=ELOISE'), ['Éloïse 50%_\\'])
  assert.deepEqual(await found(`search=${encodeURIComponent('0%_\\')}`), ['Éloïse 50%_\\'])
  assert.deepEqual(await found('search=%20%20maria'), [], 'she is no agent')
  assert.deepEqual(await found('presence=online'), numbered(1, 2, 3))
  assert.deepEqual(await found('presence=away'), numbered(4, 5))
  assert.deepEqual(await found('presence=offline&search=agent'), numbered(6, 7, 8))
  assert.deepEqual(await found('presence=offline'), ['Adrian', ...numbered(6, 7, 8), 'Agnes', 'Anna', 'Éloïse 50%_\\'])
  assert.deepEqual(await found('presence=online&search=0002'), numbered(2))
  assert.equal((await app.as('agnes').get('/tickets/agents?cursor=x')).status, 400)
})
