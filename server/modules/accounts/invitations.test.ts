import { expect, test } from 'vitest'
import { givePassword, openBrowser } from '#testing/browser.ts'
import { changeTime } from '#testing/change-time.ts'
import { decodeQuotedPrintable, linkToken } from '#testing/mail.ts'
import { start, type TestApp } from '#testing/start.ts'

const email = 'noemie@moulin.example'
const password = 'seven green bicycles'
const newcomer = { full_name: 'Noémie', password }

test('a new person joins by the link of the mail, once', async () => {
  await using app = await start()
  const token = await invite(app, { email, role: 'marketer', language: 'fr' })
  expect(app.mails()).toHaveLength(1)
  expect(decodeQuotedPrintable(app.mails()[0]?.raw ?? '')).toContain(
    'Anna vous invite à travailler dans Le Vieux Moulin',
  )
  const face = await app.anonymous.post('/invitations/inspect', { token })
  expect(face.body).toEqual({ email, workspace_name: 'Le Vieux Moulin', role: 'marketer', user_exists: false })
  const browser = openBrowser(app)
  const joined = await browser.send('POST', '/invitations/accept', { token, ...newcomer })
  expect(joined.status).toBe(200)
  expect(joined.body).toMatchObject({ user: { email, full_name: 'Noémie', language: 'fr' }, role: 'marketer' })
  expect((await browser.send('GET', '/session')).status).toBe(200)
  for (const path of ['inspect', 'accept']) {
    expect((await app.anonymous.post(`/invitations/${path}`, { token })).status).toBe(404)
  }
  expect((await app.as('anna').get('/invitations')).body.data).toEqual([])
})

test('of many acceptances of one link, one succeeds', async () => {
  await using app = await start()
  const token = await invite(app, { email, role: 'viewer' })
  const replies = await Promise.all(
    Array.from({ length: 5 }, () => app.anonymous.post('/invitations/accept', { token, ...newcomer })),
  )
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  const members = await app.as('anna').get('/members')
  expect(members.body.data.filter((member: { email: string }) => member.email === email)).toHaveLength(1)
})

test.each([
  ['a week is over', (app: TestApp) => changeTime(app, '7 days')],
  ['it was withdrawn', async (app: TestApp, id: string) => void (await app.as('anna').delete(`/invitations/${id}`))],
  [
    'it was sent again',
    async (app: TestApp, id: string) => {
      expect((await app.as('anna').post(`/invitations/${id}/resend`)).status).toBe(202)
      await app.drain()
    },
  ],
])('a link is worth nothing when %s', async (_when, change) => {
  await using app = await start()
  const token = await invite(app, { email, role: 'viewer' })
  await change(app, (await app.as('anna').get('/invitations')).body.data[0].id)
  expect((await app.anonymous.post('/invitations/accept', { token, ...newcomer })).status).toBe(404)
})

test('whoever has an account joins with its password, or signed in', async () => {
  await using app = await start()
  await givePassword(app, app.world.stranger, password)
  const token = await invite(app, { email: 'stranger@moulin.example', role: 'agent' })
  const accept = (body: object) => app.anonymous.post('/invitations/accept', { token, ...body })
  expect((await accept({})).body.code).toBe('invitation_for_other')
  expect((await accept({ password: 'wrong password' })).body.code).toBe('invalid_credentials')
  // Nobody chooses a new password for an account by an invitation.
  expect((await accept({ full_name: 'Mallory', password: 'a password of Mallory' })).status).toBe(401)
  const browser = openBrowser(app)
  await browser.signIn('stranger@moulin.example', password)
  const joined = await browser.send('POST', '/invitations/accept', { token })
  expect(joined.body).toMatchObject({ workspace: { id: app.world.workspaceId }, role: 'agent' })
  expect(joined.body.workspaces).toHaveLength(2)
})

test('an invitation is bound to its address: somebody else who is signed in cannot take it', async () => {
  await using app = await start()
  await givePassword(app, app.world.stranger, password)
  await givePassword(app, app.world.people.victor, password)
  const token = await invite(app, { email: 'stranger@moulin.example', role: 'admin' })
  const browser = openBrowser(app)
  await browser.signIn('victor@moulin.example', password)
  const reply = await browser.send('POST', '/invitations/accept', { token })
  expect([reply.status, reply.body.code]).toEqual([403, 'invitation_for_other'])
})

test('nobody invites above their own role', async () => {
  await using app = await start()
  expect((await app.as('adrian').post('/invitations', { email, role: 'owner' })).body.code).toBe('role_too_high')
  expect((await app.as('maria').post('/invitations', { email, role: 'viewer' })).status).toBe(403)
  await invite(app, { email, role: 'owner' })
  const [{ id }] = (await app.as('anna').get('/invitations')).body.data
  expect((await app.as('adrian').post(`/invitations/${id}/resend`)).status).toBe(403)
  expect((await app.as('adrian').delete(`/invitations/${id}`)).status).toBe(403)
})

test('a person is invited once at a time, and a member not at all', async () => {
  await using app = await start()
  await invite(app, { email, role: 'viewer' })
  const again = { email: email.toUpperCase(), role: 'viewer' }
  expect((await app.as('anna').post('/invitations', again)).body.code).toBe('already_invited')
  const member = { email: 'Maria@moulin.example', role: 'viewer' }
  expect((await app.as('anna').post('/invitations', member)).body.code).toBe('already_member')
  await changeTime(app, '8 days')
  expect((await app.as('anna').post('/invitations', again)).status).toBe(201)
})

test('tokens of one purpose are refused for every other', async () => {
  await using app = await start()
  await givePassword(app, app.world.people.maria, password)
  const invitation = await invite(app, { email, role: 'viewer' })
  await app.anonymous.post('/password-resets', { email: 'maria@moulin.example' })
  await app.drain()
  const reset = linkToken(app.mails().at(-1), 'reset-password')
  const browser = openBrowser(app)
  await browser.signIn('maria@moulin.example', password)
  const cookie = browser.cookie?.split('=')[1] ?? ''
  const { key } = (await app.as('anna').post('/api-keys', { name: 'Shop', role: 'viewer' })).body
  const otherSigned = app.app.runtime.tokens.sign('communication.unsubscribe', Buffer.alloc(48))
  const tokens = { invitation, reset, cookie, csrf: browser.csrfToken ?? '', key, otherSigned }
  for (const [kind, token] of Object.entries(tokens)) {
    if (kind !== 'reset') {
      const body = { token, new_password: 'nine yellow tramways' }
      expect((await app.anonymous.post('/password-resets/confirm', body)).status, `${kind} as reset`).toBe(401)
    }
    if (kind !== 'invitation') {
      expect((await app.anonymous.post('/invitations/inspect', { token })).status, `${kind} as invitation`).toBe(404)
      expect((await app.anonymous.post('/invitations/accept', { token, ...newcomer })).status).toBe(404)
    }
    if (kind !== 'cookie') {
      const stolen = { cookie: `__Host-rapport=${token}` }
      expect((await app.anonymous.get('/session', stolen)).status, `${kind} as cookie`).toBe(401)
    }
    if (kind !== 'key') {
      const bearer = { authorization: `Bearer ${token}` }
      expect((await app.anonymous.get('/members', bearer)).status, `${kind} as bearer`).toBe(401)
    }
  }
})

async function invite(app: TestApp, body: object): Promise<string> {
  const reply = await app.as('anna').post('/invitations', body)
  expect(reply.status).toBe(201)
  expect(reply.text).not.toContain('token')
  await app.drain()
  return linkToken(app.mails().at(-1), 'invitation')
}
