import { expect, test } from 'vitest'
import { openBrowser } from '#testing/browser.ts'
import { startEmpty } from '#testing/empty.ts'
import { meetAt } from '#testing/meet-at.ts'

const first = {
  workspace_name: 'Le Vieux Moulin',
  full_name: 'Élodie Martin',
  email: 'Elodie@Moulin.example',
  password: 'une phrase que personne ne devine',
  language: 'fr',
  country: 'FR',
}

test('the first visit makes a workspace and its owner, and signs in', async () => {
  await using app = await startEmpty()
  const browser = openBrowser(app)
  expect((await browser.send('GET', '/setup')).body).toEqual({ needed: true })
  const reply = await browser.send('POST', '/setup', first)
  expect(reply.status).toBe(201)
  expect(reply.body).toMatchObject({
    user: { email: 'elodie@moulin.example', full_name: 'Élodie Martin', language: 'fr', two_factor_enabled: false },
    workspace: { name: 'Le Vieux Moulin', slug: 'le-vieux-moulin', language: 'fr' },
    role: 'owner',
  })
  expect(reply.body.permissions).toContain('member.manage')
  expect((await browser.send('GET', '/session')).body.user.email).toBe('elodie@moulin.example')
})

test('the door closes for good, however many knock at once', async () => {
  await using app = await startEmpty()
  const attempts = Array.from(
    { length: 6 },
    (_, index) => () => app.anonymous.post('/setup', { ...first, email: `owner${index}@moulin.example` }),
  )
  const replies = await meetAt(app, 'lock table accounts.workspaces in exclusive mode', attempts)
  expect(replies.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
    201,
    ...Array<number>(5).fill(409),
  ])
  const again = await app.anonymous.post('/setup', first)
  expect([again.status, again.body.code]).toEqual([409, 'setup_closed'])
  expect((await app.anonymous.get('/setup')).body).toEqual({ needed: false })
})

test.each([
  ['password', 'password', 'too_common'],
  ['password', 'elodie1', 'too_short'],
  ['password', 'elodie@moulin.example', 'too_personal'],
  ['timezone', 'Mars/Olympus', 'unknown_timezone'],
  ['email', 'not an address', 'format'],
])('refuses a %s of %s', async (field, value, code) => {
  await using app = await startEmpty()
  const reply = await app.anonymous.post('/setup', { ...first, [field]: value })
  expect([reply.status, reply.body.errors?.[0]]).toMatchObject([422, { pointer: `/${field}`, code }])
  expect((await app.anonymous.get('/setup')).body).toEqual({ needed: true })
})
