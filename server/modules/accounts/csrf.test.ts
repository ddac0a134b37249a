import { expect, test } from 'vitest'
import { givePassword, openBrowser } from '#testing/browser.ts'
import { start } from '#testing/start.ts'

const password = 'seven green bicycles'
const form = 'application/x-www-form-urlencoded'
const multipart = 'multipart/form-data; boundary=x'
const parts = '--x\r\ncontent-disposition: form-data; name="full_name"\r\n\r\nMallory\r\n--x--\r\n'

test.each([
  ['without a token', {}, '{"full_name":"Mallory"}', 'application/json'],
  ['with a wrong token', { 'x-csrf-token': 'A'.repeat(43) }, '{"full_name":"Mallory"}', 'application/json'],
  ['as text', { origin: 'https://evil.example' }, '{"full_name":"Mallory"}', 'text/plain'],
  ['as a form', { origin: 'https://evil.example' }, 'full_name=Mallory', form],
  ['as a multipart form', { origin: 'https://evil.example' }, parts, multipart],
  ['from an opaque origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }, '{}', 'application/json'],
])('a change %s is refused', async (_how, headers, body, type) => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  await browser.signIn('maria@moulin.example', password)
  const given = { cookie: browser.cookie ?? '', 'content-type': type, ...headers }
  const reply = await app.anonymous.request('PATCH', '/me', body, given as Record<string, string>)
  expect([reply.status, reply.body.code]).toEqual([403, 'csrf'])
  expect((await browser.send('GET', '/me')).body.full_name).toBe('Maria')
})

test('the right token from another site is refused', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  await browser.signIn('maria@moulin.example', password)
  const other = { origin: 'https://evil.example' }
  expect((await browser.send('PATCH', '/me', { full_name: 'Mallory' }, other)).status).toBe(403)
  const own = { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' }
  expect((await browser.send('PATCH', '/me', { full_name: 'Maria P.' }, own)).status).toBe(200)
})

test('a session’s token is of no use to another session', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  await givePassword(app, app.world.people.agnes, password)
  const maria = openBrowser(app)
  const agnes = openBrowser(app)
  await maria.signIn('maria@moulin.example', password)
  await agnes.signIn('agnes@moulin.example', password)
  const stolen = { 'x-csrf-token': maria.csrfToken ?? '' }
  expect((await agnes.send('PATCH', '/me', { full_name: 'Mallory' }, stolen)).status).toBe(403)
})

test('nothing is changed by looking: every GET with a session leaves the people as they were', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.anna, password)
  const anna = openBrowser(app)
  await anna.signIn('anna@moulin.example', password)
  const state = () =>
    app.inTx(async (tx) => {
      const { rows } = await tx.rawQuery(`select (select jsonb_agg(u order by id) from accounts.users u) as users,
        (select jsonb_agg(m order by workspace_id, user_id) from accounts.memberships m) as members,
        (select count(*) from accounts.sessions) as sessions, (select count(*) from platform.jobs) as jobs`)
      return rows
    })
  const before = await state()
  for (const path of [
    '/session',
    '/sessions',
    '/me',
    '/members',
    '/invitations',
    '/api-keys',
    '/workspace',
    '/setup',
  ]) {
    expect((await anna.send('GET', path)).status).toBe(200)
  }
  expect(await state()).toEqual(before)
})

test('another method in a header counts for nothing', async () => {
  await using app = await start()
  const override = { 'x-http-method-override': 'DELETE' }
  expect((await app.as('anna').get('/api-keys', override)).status).toBe(200)
  expect((await app.as('victor').request('POST', '/members', {}, override)).status).toBe(405)
})
