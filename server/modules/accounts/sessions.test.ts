import { expect, test } from 'vitest'
import { givePassword, openBrowser, type Browser } from '#testing/browser.ts'
import { start, type TestApp } from '#testing/start.ts'
import { changeTime } from '#testing/change-time.ts'

const password = 'seven green bicycles'
const newPassword = 'nine yellow tramways'

test('the cookie is bound to this host, out of reach of scripts, and of 256 bits', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const reply = await openBrowser(app).signIn('maria@moulin.example', password)
  const [pair = '', ...attributes] = String(reply.headers['set-cookie']).split('; ')
  expect(pair).toMatch(/^__Host-rapport=[\w-]{43}$/)
  expect(attributes.toSorted()).toEqual(['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax', 'Secure'])
  expect(reply.headers['cache-control']).toBe('no-store')
})

test('behind https the cookie is the same', async () => {
  await using app = await start({ PUBLIC_URL: 'https://rapport.example' })
  await givePassword(app, app.world.people.maria, password)
  const reply = await openBrowser(app).signIn('maria@moulin.example', password)
  expect(String(reply.headers['set-cookie'])).toMatch(/^__Host-rapport=.*; Secure/)
  expect(reply.headers['strict-transport-security']).toContain('max-age=31536000')
})

test('the database keeps no cookie', async () => {
  await using app = await start()
  const browser = await signedIn(app)
  const rows = await app.inTx((tx) => tx.rawQuery('select s::text from accounts.sessions s'))
  expect(JSON.stringify(rows.rows)).not.toContain(browser.cookie?.split('=')[1])
})

test('a new sign-in ends the session that the browser had', async () => {
  await using app = await start()
  const browser = await signedIn(app)
  const before = browser.cookie
  await browser.signIn('maria@moulin.example', password)
  expect(browser.cookie).not.toBe(before)
  expect(await statusWith(app, before)).toBe(401)
  expect(await statusWith(app, browser.cookie)).toBe(200)
})

interface Ending {
  how: string
  end: (browser: Browser, other: Browser, app: TestApp) => Promise<unknown>
  /** What the other browser's cookie is good for afterwards. */
  other: number
  own: number
}

const endings: Ending[] = [
  { how: 'signing out', end: (browser) => browser.send('DELETE', '/session'), own: 401, other: 200 },
  { how: 'signing out everywhere', end: (browser) => browser.send('DELETE', '/sessions'), own: 401, other: 401 },
  { how: 'ending the other session', end: endOther, own: 200, other: 401 },
  {
    how: 'changing the password',
    end: (browser) => browser.send('POST', '/me/password', { current_password: password, new_password: newPassword }),
    own: 200,
    other: 401,
  },
  {
    how: 'losing the membership',
    end: (_browser, _other, app) => app.as('anna').delete(`/members/${app.world.people.maria.id}`),
    own: 401,
    other: 401,
  },
  { how: 'a week without use', end: (_browser, _other, app) => changeTime(app, '7 days'), own: 401, other: 401 },
  { how: 'a month in any case', end: (_browser, _other, app) => endMonth(app), own: 401, other: 401 },
]

test.each(endings)('after $how, an old cookie is worth nothing', async ({ end, own, other }) => {
  await using app = await start()
  const browser = await signedIn(app)
  const second = openBrowser(app, 'Chrome/150')
  await second.signIn('maria@moulin.example', password)
  const cookies = [browser.cookie, second.cookie]
  expect(await Promise.all(cookies.map((cookie) => statusWith(app, cookie)))).toEqual([200, 200])
  await end(browser, second, app)
  expect(await Promise.all(cookies.map((cookie) => statusWith(app, cookie)))).toEqual([own, other])
})

test('sessions are listed with the current one marked, and only one’s own can be ended', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.agnes, password)
  const browser = await signedIn(app)
  const list = await browser.send('GET', '/sessions')
  expect(list.body.data).toMatchObject([{ current: true, user_agent: 'Firefox/140', ip: '127.0.0.1' }])
  const agnes = openBrowser(app)
  await agnes.signIn('agnes@moulin.example', password)
  expect((await agnes.send('DELETE', `/sessions/${list.body.data[0].id}`)).status).toBe(404)
  expect(await statusWith(app, browser.cookie)).toBe(200)
})

test('a role that changes counts from the next request on', async () => {
  await using app = await start()
  const browser = await signedIn(app)
  expect((await browser.send('GET', '/invitations')).status).toBe(403)
  await app.as('anna').patch(`/members/${app.world.people.maria.id}`, { role: 'admin' })
  expect((await browser.send('GET', '/invitations')).status).toBe(200)
  await app.as('anna').patch(`/members/${app.world.people.maria.id}`, { role: 'viewer' })
  expect((await browser.send('GET', '/invitations')).status).toBe(403)
})

test('goes on in another workspace of one’s own, and in no other', async () => {
  await using app = await start()
  const { maria } = app.world.people
  const browser = await signedIn(app)
  const away = { workspace_id: app.world.otherWorkspaceId }
  expect((await browser.send('PUT', '/session/workspace', away)).status).toBe(404)
  await app.inTx((tx) =>
    tx.sql
      .insertInto('accounts.memberships')
      .values({ ...away, user_id: maria.id, role: 'viewer' })
      .execute(),
  )
  const moved = await browser.send('PUT', '/session/workspace', away)
  expect(moved.body).toMatchObject({ workspace: { name: 'Elsewhere' }, role: 'viewer' })
  expect((await browser.send('GET', '/session')).body.workspace.name).toBe('Elsewhere')
})

test('authentication is one round trip', async () => {
  await using app = await start()
  const browser = await signedIn(app)
  const { lookup } = app.app.runtime.db
  const asked: string[] = []
  app.app.runtime.db.lookup = (name, text, values) => (asked.push(name), lookup(name, text, values))
  await browser.send('GET', '/me')
  expect(asked).toEqual(['accounts.identify_session'])
})

async function signedIn(app: TestApp): Promise<Browser> {
  await givePassword(app, app.world.people.maria, password)
  const browser = openBrowser(app)
  expect((await browser.signIn('maria@moulin.example', password)).status).toBe(200)
  return browser
}

async function statusWith(app: TestApp, cookie: string | null): Promise<number> {
  return (await app.anonymous.get('/session', { cookie: cookie ?? '' })).status
}

async function endOther(browser: Browser): Promise<void> {
  const list = await browser.send('GET', '/sessions')
  const other = list.body.data.find((session: { current: boolean }) => !session.current)
  expect((await browser.send('DELETE', `/sessions/${other.id}`)).status).toBe(204)
}

/** Used every minute, and still over. */
async function endMonth(app: TestApp): Promise<void> {
  await changeTime(app, '30 days')
  await app.inTx((tx) => tx.rawQuery('update accounts.sessions set last_seen_at = now()'))
}
