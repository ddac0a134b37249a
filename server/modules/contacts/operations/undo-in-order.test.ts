// Whatever is done to a contact: undone in the reverse order, it is the contact that it was.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'vitest'
import { start, type Client } from '#testing/start.ts'

const text = fc.constantFrom('', 'Ana', 'Émile', 'a "quoted" name', '名前')
const change = fc.record(
  {
    first_name: fc.constantFrom('Ana', 'Bo'),
    last_name: text,
    company: fc.option(text),
    phone: fc.constantFrom(null, '+33 6 12 34 56 78', '+33612345678', '+40 721 000 000'),
    gender: fc.constantFrom(null, 'female', 'male'),
    language: fc.constantFrom('fr', 'ro'),
    is_active: fc.boolean(),
    notes: text,
    newsletter_subscribed: fc.boolean(),
    marketing_subscribed: fc.boolean(),
    tags: fc.subarray(['a', 'b', 'c']),
    custom_fields: fc.dictionary(
      fc.constantFrom('plan', 'tag:x', 'a.b'),
      fc.constantFrom(null, 1, 'x', [1, null], { y: 1 }),
      {
        maxKeys: 2,
      },
    ),
  },
  { requiredKeys: [] },
)
const step = fc.oneof(
  { weight: 6, arbitrary: change.map((body) => ['PATCH', '', body] as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('newsletter', 'all').map((type) => ['POST', '/subscribe', { type }] as const),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('marketing', 'all').map((type) => ['POST', '/unsubscribe', { type }] as const),
  },
  { weight: 1, arbitrary: fc.constant(['DELETE', '', undefined] as const) },
  { weight: 1, arbitrary: fc.constant(['POST', '/restore', undefined] as const) },
)

test('undone in the reverse order, any row of edits leaves the original record', { timeout: 120_000 }, async () => {
  await using app = await start()
  const maria = app.as('maria')
  let number = 0
  let undone = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const contact = {
        email: `p${++number}@x.example`,
        first_name: 'Ana',
        custom_fields: { plan: 'old' },
        tags: ['a'],
      }
      const { id } = (await maria.post('/contacts', contact)).body
      const original = await recordOf(maria, id)
      for (const [method, path, body] of steps) {
        const { status, text: reply } = await maria.request(method, `/contacts/${id}${path}`, body)
        assert.ok([200, 404].includes(status), reply) // 404: deleted by an earlier step
      }
      const { data } = (await maria.get(`/contacts/${id}/history`)).body as { data: { id: string }[] }
      for (const operation of data) {
        const { status, text: reply, body } = await maria.post(`/contacts/operations/${operation.id}/undo`)
        assert.deepEqual([status, body.left, body.gone], [200, 0, 0], reply)
        undone++
      }
      assert.deepEqual(await recordOf(maria, id), original)
    }),
    { numRuns: 12 },
  )
  assert.ok(undone > 12)
})

async function recordOf(client: Client, id: string): Promise<object> {
  const { body } = await client.get(`/contacts/${id}?deleted=true`)
  const moved = ['updated_at', 'subscribed_at', 'unsubscribed_at', 'engagement', 'engagement_next_cursor']
  return Object.fromEntries(Object.entries(body).filter(([name]) => !moved.includes(name)))
}
