import { expect, test } from 'vitest'
import { givePassword, openBrowser } from '#testing/browser.ts'
import { changeTime } from '#testing/change-time.ts'
import { linkToken } from '#testing/mail.ts'
import { start, type TestApp } from '#testing/start.ts'

const email = 'maria@moulin.example'
const password = 'seven green bicycles'
const newPassword = 'nine yellow tramways'

test('changes a password with the current one, and tells by mail', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  await browser.signIn(email, password)
  const wrong = await browser.send('POST', '/me/password', { current_password: 'no', new_password: newPassword })
  expect([wrong.status, wrong.body.errors[0].code]).toEqual([422, 'wrong_password'])
  const weak = await browser.send('POST', '/me/password', { current_password: password, new_password: 'password1' })
  expect([weak.status, weak.body.errors[0].pointer]).toEqual([422, '/new_password'])
  const done = await browser.send('POST', '/me/password', { current_password: password, new_password: newPassword })
  expect(done.status).toBe(204)
  expect((await openBrowser(app).signIn(email, password)).status).toBe(401)
  expect((await openBrowser(app).signIn(email, newPassword)).status).toBe(200)
  await app.drain()
  expect(app.mails().map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw)?.[1])).toContain('Your password was changed')
})

test('a reset link works once, ends every session and keeps the second factor', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  await browser.signIn(email, password)
  await app.inTx((tx) =>
    tx.rawQuery(`update accounts.users set totp_secret = 's', totp_enabled_at = now() where email = '${email}'`),
  )
  const token = await askForReset(app)
  expect((await app.anonymous.post('/password-resets/confirm', { token, new_password: 'short' })).status).toBe(422)
  expect((await app.anonymous.post('/password-resets/confirm', { token, new_password: newPassword })).status).toBe(204)
  expect((await browser.send('GET', '/session')).status).toBe(401)
  const again = await app.anonymous.post('/password-resets/confirm', { token, new_password: newPassword })
  expect([again.status, again.body.code]).toEqual([401, 'invalid_token'])
  expect((await openBrowser(app).signIn(email, password)).body.code).toBe('invalid_credentials')
  expect((await openBrowser(app).signIn(email, newPassword)).body.code).toBe('totp_required')
})

test('of many confirmations with one token, one succeeds', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const token = await askForReset(app)
  const attempts = Array.from({ length: 5 }, (_, index) => () => {
    const body = { token, new_password: `${newPassword} ${index}` }
    return app.anonymous.post('/password-resets/confirm', body)
  })
  const replies = await Promise.all(attempts.map((attempt) => attempt()))
  expect(replies.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([204, 401, 401, 401, 401])
})

test.each([
  ['half an hour is over', (app: TestApp) => changeTime(app, '30 minutes')],
  ['the password was changed meanwhile', (app: TestApp) => givePassword(app, app.world.people.maria, 'another one')],
])('a reset link is worth nothing when %s', async (_when, change) => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const token = await askForReset(app)
  await change(app)
  const reply = await app.anonymous.post('/password-resets/confirm', { token, new_password: newPassword })
  expect(reply.status).toBe(401)
})

test('asking again ends the earlier link', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const earlier = await askForReset(app)
  const later = await askForReset(app)
  expect(
    (await app.anonymous.post('/password-resets/confirm', { token: earlier, new_password: newPassword })).status,
  ).toBe(401)
  expect(
    (await app.anonymous.post('/password-resets/confirm', { token: later, new_password: newPassword })).status,
  ).toBe(204)
})

test('the answer tells nobody who has an account, and the work is the same', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const known = await app.anonymous.post('/password-resets', { email })
  const unknown = await app.anonymous.post('/password-resets', { email: 'nobody@moulin.example' })
  expect([known.status, unknown.status]).toEqual([202, 202])
  expect(known.text).toBe(unknown.text)
  await app.drain()
  expect(app.mails().map(({ to }) => to)).toEqual([email])
  const { body } = await app.as('anna').get('/jobs?kind=accounts.password_reset')
  const seen = body.data.map(({ status, result }: { status: string; result: unknown }) => [status, result])
  expect(seen).toEqual([
    ['succeeded', null],
    ['succeeded', null],
  ])
})

test('one address gets at most three of these mails in an hour, whoever asks', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  for (let index = 0; index < 10; index++) {
    const reply = await app.anonymous.post('/password-resets', { email }, { 'x-forwarded-for': `203.0.113.${index}` })
    expect(reply.status).toBe(202)
  }
  await app.drain()
  expect(app.mails()).toHaveLength(3)
})

test('the link is in the fragment, which no server and no Referer ever sees, and the database keeps its hash', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const token = await askForReset(app)
  expect(token).toMatch(/^[\w-]{43}$/)
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery(
      'select (select jsonb_agg(r) from accounts.password_resets r) as r, (select jsonb_agg(j) from platform.jobs j) as j',
    ),
  )
  expect(JSON.stringify(rows)).not.toContain(token)
})

async function askForReset(app: TestApp): Promise<string> {
  await app.anonymous.post('/password-resets', { email })
  await app.drain()
  return linkToken(app.mails().at(-1), 'reset-password')
}
