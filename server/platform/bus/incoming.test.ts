// What other programs send is understood as the documents show it, and known again when it comes twice.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { readMessage, type Message } from './incoming.ts'

const now = new Date('2026-01-02T03:04:05Z')
const read = (body: unknown, more: Partial<Message> = {}) =>
  readMessage({ body, routingKey: 'order.completed', ...more }, now)
const workspace = '0190a8f2-7c1e-7000-8000-000000000001'

test('the example of the document, which has no id and no workspace', () => {
  const message = { event: 'contact.subscribed', timestamp: '2024-01-15T10:30:00Z', data: { contact_id: 123 } }
  const [one, again] = [read(message), read({ ...message })]
  assert.ok('event' in one && 'event' in again)
  assert.deepEqual(one, again) // a redelivery is the same event
  assert.equal(one.event.event, 'contact.subscribed')
  assert.equal(one.event.workspace_id, null)
  assert.match(one.event.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
  const other = read({ ...message, data: { contact_id: 124 } })
  assert.ok('event' in other && other.event.id !== one.event.id)
})

test.each(['workspace_id', 'business_id', 'organizer_id'])(
  '%s names the workspace, in the envelope or in the data',
  (name) => {
    for (const body of [{ [name]: workspace, data: {} }, { data: { [name]: workspace } }]) {
      const result = read(body)
      assert.ok('event' in result)
      assert.equal(result.event.workspace_id, workspace)
    }
  },
)

test('an id that is a UUID stays; any other identifier gives always the same one', () => {
  const own = read({ id: workspace.toUpperCase(), data: {} })
  assert.ok('event' in own && own.event.id === workspace)
  const [first, second] = [
    read({ data: { a: 1 } }, { messageId: 'm-1' }),
    read({ data: { a: 2 } }, { messageId: 'm-1' }),
  ]
  assert.ok('event' in first && 'event' in second && first.event.id === second.event.id)
})

test('a body without an envelope is the data, and the routing key its name', () => {
  const result = read({ order_id: 7 })
  assert.ok('event' in result)
  assert.deepEqual(
    [result.event.event, result.event.data, result.event.timestamp],
    ['order.completed', { order_id: 7 }, '2026-01-02T03:04:05.000Z'],
  )
})

test.each([
  [null, 'JSON object'],
  ['text', 'JSON object'],
  [[1], 'JSON object'],
  [{ event: 'DROP TABLE', data: {} }, 'names no event'],
  [{ event: 'order.completed', data: [] }, 'not an object'],
  [{ event: 'order.completed', data: null }, 'not an object'],
  [{ event: 'order.completed', timestamp: 'yesterday', data: {} }, 'timestamp'],
  [{ event: 'order.completed', workspace_id: 7, data: {} }, 'workspace'],
])('%j is set aside, and says why', (body, reason) => {
  const result = read(body)
  assert.ok('refused' in result && result.refused.includes(reason), JSON.stringify(result))
})
