import { expect, test } from 'vitest'
import { hire } from '#testing/hire.ts'
import { meetAt } from '#testing/meet-at.ts'
import { start } from '#testing/start.ts'

test('lists who belongs to the workspace, and nobody else', async () => {
  await using app = await start()
  const { body } = await app.as('victor').get('/members')
  const seen = body.data.map(({ full_name, role }: Record<string, string>) => `${full_name} ${role}`)
  expect(seen.toSorted()).toEqual(['Adrian admin', 'Agnes agent', 'Anna owner', 'Maria marketer', 'Victor viewer'])
})

test('a house of any size is listed to the last, each once, in the order in which they came', async () => {
  await using app = await start()
  await hire(app, 1_200)
  const victor = app.as('victor')
  const first = await victor.get('/members')
  expect([first.body.data.length, first.body.total]).toEqual([1_000, 1_205])
  const second = await victor.get(`/members?cursor=${first.body.next_cursor}`)
  expect([second.body.data.length, second.body.next_cursor]).toEqual([205, null])
  const all = [...first.body.data, ...second.body.data] as { user_id: string; created_at: string }[]
  expect(new Set(all.map(({ user_id }) => user_id)).size).toBe(1_205)
  const came = all.map(({ created_at }) => created_at)
  expect(came).toEqual(came.toSorted())
  const few = await victor.get('/members?limit=2')
  expect(few.body.data).toEqual(first.body.data.slice(0, 2))
  expect((await victor.get('/members?cursor=x')).status).toBe(400)
  expect((await victor.get('/members?limit=1001')).status).toBe(422)
})

test('an admin changes roles up to their own, and touches no owner', async () => {
  await using app = await start()
  const { anna, maria, victor } = app.world.people
  const adrian = app.as('adrian')
  expect((await adrian.patch(`/members/${victor.id}`, { role: 'admin' })).body).toMatchObject({ role: 'admin' })
  expect((await adrian.patch(`/members/${maria.id}`, { role: 'owner' })).body.code).toBe('role_too_high')
  expect((await adrian.patch(`/members/${anna.id}`, { role: 'viewer' })).body.code).toBe('role_too_high')
  expect((await adrian.delete(`/members/${anna.id}`)).status).toBe(403)
  expect((await app.as('maria').patch(`/members/${maria.id}`, { role: 'admin' })).status).toBe(403)
})

test('there is always an owner', async () => {
  await using app = await start()
  const { anna, adrian } = app.world.people
  expect((await app.as('anna').patch(`/members/${anna.id}`, { role: 'admin' })).body.code).toBe('last_owner')
  expect((await app.as('anna').delete(`/members/${anna.id}`)).body.code).toBe('last_owner')
  await app.as('anna').patch(`/members/${adrian.id}`, { role: 'owner' })
  // Two owners who leave at the same moment: one of them has to stay.
  const replies = await meetAt(app, 'select from accounts.memberships for update', [
    () => app.as('anna').delete(`/members/${anna.id}`),
    () => app.as('anna').delete(`/members/${adrian.id}`),
  ])
  expect(replies.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([204, 409])
})

test('a role, a workspace or an id slipped into another change is refused', async () => {
  await using app = await start()
  const { maria } = app.world.people
  const slipped = ['role', 'workspace_id', 'id', 'email', 'password_hash', 'is_admin', 'version', 'totp_enabled_at']
  for (const field of slipped) {
    const reply = await app.as('maria').patch('/me', { full_name: 'Maria', [field]: 'owner' })
    expect([field, reply.status, reply.body.errors[0].code]).toEqual([field, 422, 'unknown_field'])
  }
  for (const field of ['id', 'slug', 'version', 'created_at', 'workspace_id']) {
    expect((await app.as('anna').patch('/workspace', { [field]: 'x' })).status).toBe(422)
  }
  const member = await app
    .as('anna')
    .patch(`/members/${maria.id}`, { role: 'viewer', workspace_id: app.world.otherWorkspaceId })
  expect(member.status).toBe(422)
  expect((await app.as('anna').patch(`/members/${maria.id}`, { role: 'superuser' })).status).toBe(422)
  const polluted = await app.anonymous.request('PATCH', '/me', '{"__proto__":{"role":"owner"}}', {
    'content-type': 'application/json',
  })
  expect(polluted.status).toBe(401)
  expect(({} as Record<string, unknown>).role).toBeUndefined()
})

test('profile and workspace change under If-Match', async () => {
  await using app = await start()
  const me = await app.as('maria').get('/me')
  const etag = { 'if-match': String(me.headers.etag) }
  const changed = await app
    .as('maria')
    .patch('/me', { theme: 'dark', language: 'ro', timezone: 'Europe/Bucharest' }, etag)
  expect(changed.body).toMatchObject({ theme: 'dark', language: 'ro', timezone: 'Europe/Bucharest' })
  expect(changed.headers.etag).not.toBe(me.headers.etag)
  expect((await app.as('maria').patch('/me', { theme: 'light' }, etag)).status).toBe(412)
  const workspace = await app.as('anna').get('/workspace')
  const tag = { 'if-match': String(workspace.headers.etag) }
  const renamed = {
    name: 'Le Moulin neuf',
    mail_from: 'bonjour@moulin.example',
    postal_address: '1 rue du Moulin\nLyon',
  }
  expect((await app.as('adrian').patch('/workspace', renamed, tag)).body).toMatchObject(renamed)
  expect((await app.as('adrian').patch('/workspace', renamed, tag)).status).toBe(412)
  expect((await app.as('maria').patch('/workspace', renamed)).status).toBe(403)
  expect((await app.stranger.get('/workspace')).body.name).toBe('Elsewhere')
})
