import { TOTP, Secret } from 'otpauth'
import { expect, test } from 'vitest'
import { givePassword, openBrowser, type Browser } from '#testing/browser.ts'
import { meetAt } from '#testing/meet-at.ts'
import { start, type TestApp } from '#testing/start.ts'

const email = 'maria@moulin.example'
const password = 'seven green bicycles'

test('with the second factor on, password and code are both needed', async () => {
  await using app = await start()
  const { code } = await withTwoFactor(app)
  const sign = (given: string, totp?: string) => openBrowser(app).signIn(email, given, totp)
  expect((await sign(password)).body.code).toBe('totp_required')
  expect((await sign(password, '000000')).body.code).toBe('totp_invalid')
  // A good code does not help a wrong password, and is not used up by it.
  expect((await sign('wrong password', code(1))).body.code).toBe('invalid_credentials')
  const good = await sign(password, code(1))
  expect([good.status, good.body.user.two_factor_enabled]).toEqual([200, true])
})

test('no code works twice, not even at the same moment', async () => {
  await using app = await start()
  const { code } = await withTwoFactor(app)
  const attempts = Array.from({ length: 4 }, () => () => openBrowser(app).signIn(email, password, code(1)))
  const lock = `select from accounts.users where email = '${email}' for update`
  const replies = await meetAt(app, lock, attempts)
  expect(replies.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 401, 401, 401])
  expect((await openBrowser(app).signIn(email, password, code(1))).body.code).toBe('totp_invalid')
  // The code that switched it on is used as well.
  expect((await openBrowser(app).signIn(email, password, code(0))).body.code).toBe('totp_invalid')
})

test('each recovery code works once, however it is typed', async () => {
  await using app = await start()
  const { recoveryCodes } = await withTwoFactor(app)
  expect(new Set(recoveryCodes).size).toBe(10)
  const [first = '', second = ''] = recoveryCodes
  expect(first).toMatch(/^([A-Z2-9]{4}-){3}[A-Z2-9]{4}$/)
  expect((await openBrowser(app).signIn(email, password, first)).status).toBe(200)
  expect((await openBrowser(app).signIn(email, password, first)).body.code).toBe('totp_invalid')
  expect((await openBrowser(app).signIn(email, 'wrong password', second)).body.code).toBe('invalid_credentials')
  expect((await openBrowser(app).signIn(email, password, second.toLowerCase().replaceAll('-', ' '))).status).toBe(200)
})

test('guessing codes with the right password is locked like guessing passwords', async () => {
  await using app = await start()
  const { code } = await withTwoFactor(app)
  const statuses: number[] = []
  for (let index = 0; index < 12; index++) {
    statuses.push((await openBrowser(app).signIn(email, password, `12345${index % 10}`)).status)
  }
  expect(statuses).toContain(429)
  expect((await openBrowser(app).signIn(email, password, code(1))).status).toBe(429)
})

test('switching it off needs password and code', async () => {
  await using app = await start()
  const { browser, code } = await withTwoFactor(app)
  const disable = (body: object) => browser.send('POST', '/me/two-factor/disable', body)
  expect((await disable({ password: 'wrong password', code: code(1) })).body.errors[0].code).toBe('wrong_password')
  expect((await disable({ password, code: '000000' })).body.errors[0].code).toBe('wrong_code')
  expect((await disable({ password })).status).toBe(422)
  expect((await disable({ password, code: code(1) })).status).toBe(204)
  expect((await openBrowser(app).signIn(email, password)).status).toBe(200)
})

test('a secret counts only after its first code, and cannot be replaced while it counts', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  await browser.signIn(email, password)
  const prepared = await browser.send('POST', '/me/two-factor')
  expect(prepared.body.otpauth_url).toMatch(
    /^otpauth:\/\/totp\/Rapport:maria%40moulin\.example\?issuer=Rapport&secret=/,
  )
  expect((await browser.send('POST', '/me/two-factor/confirm', { code: '000000' })).status).toBe(422)
  expect((await openBrowser(app).signIn(email, password)).status).toBe(200)
  const code = clockOf(prepared.body.secret)(0)
  expect((await browser.send('POST', '/me/two-factor/confirm', { code })).status).toBe(200)
  expect((await browser.send('POST', '/me/two-factor')).body.code).toBe('two_factor_enabled')
  expect((await browser.send('POST', '/me/two-factor/confirm', { code })).body.code).toBe('two_factor_enabled')
})

test('neither the secret nor a recovery code can be read in the database', async () => {
  await using app = await start()
  const { secret, recoveryCodes } = await withTwoFactor(app)
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery(
      'select (select jsonb_agg(u) from accounts.users u) u, (select jsonb_agg(c) from accounts.recovery_codes c) c',
    ),
  )
  for (const hidden of [secret, ...recoveryCodes]) expect(JSON.stringify(rows)).not.toContain(hidden)
})

interface Enrolled {
  browser: Browser
  secret: string
  recoveryCodes: string[]
  /** The code of this step of 30 s, or of the next one. */
  code: (stepsAhead: number) => string
}

async function withTwoFactor(app: TestApp): Promise<Enrolled> {
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  await browser.signIn(email, password)
  const { secret } = (await browser.send('POST', '/me/two-factor')).body
  const code = clockOf(secret)
  const confirmed = await browser.send('POST', '/me/two-factor/confirm', { code: code(0) })
  expect(confirmed.status).toBe(200)
  return { browser, secret, recoveryCodes: confirmed.body.recovery_codes, code }
}

/** Codes of fixed steps, so that a test that runs over the end of one does not fail: the server takes a step either way. */
function clockOf(secret: string): (stepsAhead: number) => string {
  const from = Date.now()
  const clock = new TOTP({ secret: Secret.fromBase32(secret) })
  return (stepsAhead) => clock.generate({ timestamp: from + stepsAhead * 30_000 })
}
