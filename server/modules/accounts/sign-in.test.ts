import { createHook } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { givePassword, openBrowser } from '#testing/browser.ts'
import { start } from '#testing/start.ts'

const password = 'seven green bicycles'

test('signs in with address and password, whatever the case of the address', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  const reply = await browser.signIn('MARIA@moulin.example', password)
  expect(reply.status).toBe(200)
  expect(reply.body).toMatchObject({
    user: { id: app.world.people.maria.id, full_name: 'Maria' },
    workspace: { id: app.world.workspaceId },
    workspaces: [{ id: app.world.workspaceId, name: 'Le Vieux Moulin', role: 'marketer' }],
    role: 'marketer',
  })
  expect(reply.body.permissions).not.toContain('member.manage')
  expect(reply.text).not.toMatch(/argon2|password_hash|totp_secret/)
})

test('an unknown address and a wrong password look the same', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const wrong = await app.anonymous.post('/session', { email: 'maria@moulin.example', password: 'not this one' })
  const unknown = await app.anonymous.post('/session', { email: 'nobody@moulin.example', password: 'not this one' })
  expect([wrong.status, unknown.status]).toEqual([401, 401])
  expect(wrong.body.code).toBe('invalid_credentials')
  expect({ ...wrong.body, request_id: '' }).toEqual({ ...unknown.body, request_id: '' })
})

test('an unknown address costs the same work as a wrong password', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const hashed = (email: string) =>
    countHashes(() => app.anonymous.post('/session', { email, password: 'not this one' }))
  await hashed('warm@moulin.example') // computes the throw-away hash once
  expect(await hashed('maria@moulin.example')).toBe(1)
  expect(await hashed('nobody@moulin.example')).toBe(1)
})

/** Argon2 is native code, whose work in the thread pool bears no name but this. */
async function countHashes(run: () => Promise<unknown>): Promise<number> {
  let count = 0
  const hook = createHook({ init: (_id, type) => void (type === 'undefined' && count++) }).enable()
  await run().finally(() => hook.disable())
  return count
}

test('ten guesses lock an account, from whatever address they claim to come', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const guess = (index: number, given: string) =>
    app.anonymous.post(
      '/session',
      { email: 'maria@moulin.example', password: given },
      { 'x-forwarded-for': `203.0.113.${index}`, 'cf-connecting-ip': `203.0.113.${index}` },
    )
  for (let index = 0; index < 10; index++) expect((await guess(index, 'wrong guess')).status).toBe(401)
  const locked = await guess(11, password)
  expect([locked.status, locked.body.code]).toEqual([429, 'too_many_attempts'])
  expect(Number(locked.headers['retry-after'])).toBeGreaterThan(0)
})

test('many accounts from one address are stopped as well', async () => {
  await using app = await start()
  const statuses = new Set<number>()
  for (let index = 0; index < 103; index++) {
    const forged = { 'x-forwarded-for': `198.51.100.${index}` }
    const body = { email: `person${index}@moulin.example`, password: 'x' }
    statuses.add((await app.anonymous.post('/session', body, forged)).status)
  }
  expect([...statuses]).toEqual([401, 429])
})

test('a good sign-in gives the account its tries back', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const email = 'maria@moulin.example'
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 6; index++) await app.anonymous.post('/session', { email, password: 'wrong' })
    expect((await app.anonymous.post('/session', { email, password })).status).toBe(200)
  }
})

test('a sign-in from another device is told by mail, the first one is not', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const email = 'maria@moulin.example'
  await openBrowser(app, 'Firefox/140').signIn(email, password)
  await openBrowser(app, 'Firefox/140').signIn(email, password)
  await app.drain()
  expect(app.mails()).toHaveLength(0)
  await openBrowser(app, 'Elsewhere/1 <a href="https://evil.example">').signIn(email, password)
  await app.drain()
  expect(app.mails().map(({ to }) => to)).toEqual(['maria@moulin.example'])
  expect(app.mails()[0]?.raw).toContain('new sign-in')
  expect(app.mails()[0]?.raw).not.toContain('evil.example"')
})

test('a person without a password, and one who comes with tokens, cannot sign in', async () => {
  await using app = await start()
  for (const given of ['', ' ', 'null', 'undefined']) {
    const reply = await app.anonymous.post('/session', { email: 'maria@moulin.example', password: given })
    expect([401, 422]).toContain(reply.status)
  }
})
