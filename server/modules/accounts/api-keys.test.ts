import { expect, test } from 'vitest'
import { changeTime } from '#testing/change-time.ts'
import { start, type TestApp } from '#testing/start.ts'

test('a key is shown once, works at once, and is kept as a hash', async () => {
  await using app = await start()
  const made = await app.as('anna').post('/api-keys', { name: 'Shop', role: 'marketer' })
  expect(made.status).toBe(201)
  const { key, id } = made.body
  expect(key).toMatch(/^rk_[0-9A-Za-z]{22}_[0-9A-Za-z]{43}$/)
  expect(await statusWith(app, key, '/members')).toBe(200)
  const list = await app.as('anna').get('/api-keys')
  expect(list.text).not.toContain(key)
  expect(list.body.data[0]).toMatchObject({ id, name: 'Shop', ending: key.slice(-4), scopes: null })
  expect(list.body.data[0].last_used_at).not.toBeNull()
  const { rows } = await app.inTx((tx) => tx.rawQuery('select jsonb_agg(k) from accounts.api_keys k'))
  expect(JSON.stringify(rows)).not.toContain(key.slice(26))
})

test('a key is restricted to its scopes, and they to its role', async () => {
  await using app = await start()
  const scoped = await app.as('anna').post('/api-keys', { name: 'Reader', role: 'admin', scopes: ['member.read'] })
  const { key } = scoped.body
  expect(await statusWith(app, key, '/members')).toBe(200)
  expect(await statusWith(app, key, '/workspace')).toBe(403)
  expect(await statusWith(app, key, '/invitations')).toBe(403)
  const beyond = await app.as('anna').post('/api-keys', { name: 'x', role: 'viewer', scopes: ['member.manage'] })
  expect(beyond.body.errors[0]).toMatchObject({ pointer: '/scopes/0', code: 'unknown_scope' })
  const typo = await app.as('anna').post('/api-keys', { name: 'x', role: 'owner', scopes: ['membre.read'] })
  expect(typo.status).toBe(422)
})

test('nobody makes a key above their own role, and no key makes keys', async () => {
  await using app = await start()
  expect((await app.as('adrian').post('/api-keys', { name: 'x', role: 'owner' })).body.code).toBe('role_too_high')
  expect((await app.as('maria').post('/api-keys', { name: 'x', role: 'viewer' })).status).toBe(403)
  const { key } = (await app.as('anna').post('/api-keys', { name: 'x', role: 'owner' })).body
  const reply = await app.anonymous.post('/api-keys', { name: 'y', role: 'viewer' }, { authorization: `Bearer ${key}` })
  expect([reply.status, reply.body.code]).toEqual([403, 'people_only'])
  expect(await statusWith(app, key, '/session')).toBe(403)
})

test.each([
  ['revoked', async (app: TestApp, id: string) => void (await app.as('anna').delete(`/api-keys/${id}`))],
  ['past its expiry', (app: TestApp) => changeTime(app, '2 days')],
])('a key that is %s is refused', async (_state, change) => {
  await using app = await start()
  const expires_at = new Date(Date.now() + 86_400_000).toISOString()
  const { key, id } = (await app.as('anna').post('/api-keys', { name: 'x', role: 'viewer', expires_at })).body
  expect(await statusWith(app, key, '/members')).toBe(200)
  await change(app, id)
  expect(await statusWith(app, key, '/members')).toBe(401)
})

test('a key opens its own workspace alone, also with another’s name in it', async () => {
  await using app = await start()
  const { key, id } = (await app.stranger.post('/api-keys', { name: 'x', role: 'owner' })).body
  const own = (await app.as('anna').post('/api-keys', { name: 'x', role: 'owner' })).body.key
  expect((await app.as('anna').delete(`/api-keys/${id}`)).status).toBe(404)
  expect((await app.as('anna').get('/api-keys')).text).not.toContain(id)
  const swapped = `${own.slice(0, 26)}${key.slice(26)}`
  expect(await statusWith(app, swapped, '/members')).toBe(401)
  for (const broken of ['rk_', 'rk_x', `${key}A`, key.slice(0, -1), `rk_${'z'.repeat(22)}_${'A'.repeat(43)}`]) {
    expect(await statusWith(app, broken, '/members')).toBe(401)
  }
})

test('authentication by key is one round trip', async () => {
  await using app = await start()
  const { key } = (await app.as('anna').post('/api-keys', { name: 'x', role: 'viewer' })).body
  const { lookup } = app.app.runtime.db
  const asked: string[] = []
  app.app.runtime.db.lookup = (name, text, values) => (asked.push(name), lookup(name, text, values))
  await statusWith(app, key, '/workspace')
  expect(asked).toEqual(['accounts.identify_key'])
})

async function statusWith(app: TestApp, key: string, path: string): Promise<number> {
  return (await app.anonymous.get(path, { authorization: `Bearer ${key}` })).status
}
