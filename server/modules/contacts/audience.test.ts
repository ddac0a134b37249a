import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { audienceFrom, countAudience, pageAudience, recipientsOf, type Audience } from './audience.ts'

async function idsOf(app: TestApp, audience: Audience, limit = 2): Promise<string[]> {
  return app.inTx(async (tx) => {
    const ids: string[] = []
    for (;;) {
      const page = await pageAudience(tx, audience, ids.at(-1) ?? null, limit)
      ids.push(...page.map((row) => row.id))
      if (page.length < limit) break
    }
    assert.equal(await countAudience(tx, audience), ids.length, 'the count is the number of the pages')
    return ids
  })
}

test('an audience is whoever is in any list or has any tag, once, without the deleted', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const lists = [await maria.post('/lists', { name: 'A' }), await maria.post('/lists', { name: 'B' })]
  const [listA, listB] = lists.map((list) => list.body.id as string) as [string, string]
  const people: Record<string, string> = {}
  for (const [name, lists_, tags] of [
    ['ana', [listA], ['vip']],
    ['bob', [listA, listB], []],
    ['cat', [], ['vip', 'gold']],
    ['dan', [], []],
    ['eve', [listA], ['gold']],
  ] as const) {
    const made = await maria.post('/contacts', {
      email: `${name}@x.example`,
      first_name: name,
      lists: lists_,
      tags,
      language: name === 'bob' ? 'fr' : 'en',
    })
    assert.equal(made.status, 201, made.text)
    people[name] = made.body.id
  }
  await maria.delete(`/contacts/${people.eve}`)
  const named = (names: string) =>
    names
      .split(' ')
      .filter(Boolean)
      .map((name) => people[name]!)
      .toSorted()
  const cases: [audience: Audience, names: string][] = [
    [{}, 'ana bob cat dan'],
    [{ list_ids: [], tags: [] }, 'ana bob cat dan'],
    [{ list_ids: [listA] }, 'ana bob'],
    [{ list_ids: [listA, listB] }, 'ana bob'],
    [{ tags: ['VIP'] }, 'ana cat'],
    [{ list_ids: [listB], tags: ['gold'] }, 'bob cat'],
    [{ list_ids: [listA], filter: { language: 'fr' } }, 'bob'],
    [{ filter: { search: 'CAT' } }, 'cat'],
    [{ tags: ['nobody has it'] }, ''],
    [{ list_ids: [people.ana!] }, ''],
  ]
  for (const [audience, names] of cases) {
    for (const limit of [1, 2, 100])
      assert.deepEqual(await idsOf(app, audience, limit), named(names), JSON.stringify(audience))
  }
  await maria.delete(`/lists/${listA}`)
  assert.deepEqual(await idsOf(app, { list_ids: [listA] }), [])

  const recipients = await app.inTx((tx) => recipientsOf(tx, [people.cat!, people.eve!]))
  const cat = recipients.find((recipient) => recipient.id === people.cat)
  assert.deepEqual([cat?.full_name, cat?.tags, cat?.deleted_at], ['cat', ['gold', 'vip'], null])
  assert.ok(recipients.find((recipient) => recipient.id === people.eve)?.deleted_at)
})

test('what is no audience is refused, and says where', () => {
  assert.deepEqual(audienceFrom({ list_ids: [], tags: ['a'] }), { list_ids: [], tags: ['a'] })
  for (const value of [null, [], { list: [] }, { list_ids: ['x'] }, { tags: 'a' }, { filter: { nope: 1 } }]) {
    assert.throws(() => audienceFrom(value), { code: 'invalid' })
  }
})
