import assert from 'node:assert/strict'
import { test } from 'vitest'
import { start } from '#testing/start.ts'
import { systemActor } from '#platform/actor.ts'
import { resolveContact, type Person } from './identity.ts'

test('a hundred at once make one contact', async () => {
  await using app = await start()
  const actor = systemActor(app.world.workspaceId)
  const resolved = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      app.inTx((tx) =>
        resolveContact(tx, actor, {
          email: index % 2 ? 'ana@example.com' : 'ANA@Example.COM',
          full_name: 'Ana Pop',
          source: 'booking',
        }),
      ),
    ),
  )
  assert.equal(resolved.filter((one) => one.created).length, 1)
  assert.equal(new Set(resolved.map((one) => one.contact.id)).size, 1)
  assert.deepEqual(await app.drainEvents(), ['contact.created', 'customer.created'])
})

test('what is empty is filled, what is known stays', async () => {
  await using app = await start()
  const actor = systemActor(app.world.workspaceId)
  const resolve = (person: Omit<Person, 'email' | 'source'>) =>
    app.inTx((tx) => resolveContact(tx, actor, { email: 'ana@example.com', source: 'form', ...person }))
  await resolve({})
  await app.drainEvents()
  const named = await resolve({ full_name: 'Ana Pop' })
  assert.deepEqual([named.contact.first_name, named.contact.last_name], ['Ana', 'Pop'])
  assert.deepEqual(await app.drainEvents(), ['contact.updated', 'customer.updated'])
  const again = await resolve({ first_name: 'Anne', last_name: 'Other', company: 'Moulin' })
  assert.deepEqual([again.contact.first_name, again.contact.company], ['Ana', 'Moulin'])
  await app.drainEvents()
  await resolve({ first_name: 'Anne', company: 'Other' })
  assert.deepEqual(await app.drainEvents(), [])
})

test('a deleted contact does not come back', async () => {
  await using app = await start()
  const actor = systemActor(app.world.workspaceId)
  const made = await app.as('maria').post('/contacts', { email: 'ana@example.com', first_name: 'Ana' })
  await app.as('maria').delete(`/contacts/${made.body.id}`)
  const resolved = await app.inTx((tx) => resolveContact(tx, actor, { email: 'Ana@example.com', source: 'form' }))
  assert.equal(resolved.created, true)
  assert.notEqual(resolved.contact.id, made.body.id)
})

test('what is no e-mail address makes no contact', async () => {
  await using app = await start()
  const actor = systemActor(app.world.workspaceId)
  await assert.rejects(
    app.inTx((tx) => resolveContact(tx, actor, { email: 'ana', source: 'form' })),
    { code: 'invalid' },
  )
})
