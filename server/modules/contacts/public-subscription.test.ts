import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { sql } from 'kysely'
import type { Job } from '#platform/jobs/job.ts'
import type { MailTransport } from '#platform/mail/mail.ts'
import { packUuids } from '#platform/crypto/tokens.ts'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { forgetOldRequests, publicRequestJob } from './public-requests.ts'
import { preferencesToken, unsubscribeToken } from './subscription-links.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** The path of the link that the newest mail carries. */
function linkIn(app: TestApp): string {
  const { raw } = app.mails().at(-1)!
  const text = raw.replaceAll(/=\r?\n/g, '').replaceAll('=3D', '=')
  return /https?:\/\/[^/\s]+(\/[su]\/[\w-]+)/.exec(text)![1]!
}

async function contactOf(app: TestApp, email: string) {
  return app.inTx((tx) =>
    tx.sql.selectFrom('contacts.contacts').selectAll().where('email', '=', email).executeTakeFirst(),
  )
}

async function ledgerOf(app: TestApp, contactId: string) {
  return (await app.as('maria').get(`/contacts/${contactId}/consents`)).body.data
}

/** Somebody who went through the double opt-in for both types. */
async function subscriber(app: TestApp, email = 'paul@example.org') {
  await app.anonymous.post('/public/subscribe', { email, newsletter: true, marketing: true, language: 'fr' })
  await app.drain()
  await app.anonymous.post(`/${linkIn(app)}`, '', form)
  await app.drainEvents()
  const contact = (await contactOf(app, email))!
  const holder = { workspaceId: app.world.workspaceId, contactId: contact.id }
  return { contact, holder, unsubscribePath: `//u/${unsubscribeToken(app.app.runtime, holder)}` }
}

test('a subscription begins with one mail, and is one only when the person confirms', async () => {
  await using app = await start()
  const asked = {
    email: 'paul@example.org',
    first_name: '<b>Win a car</b>',
    newsletter: true,
    source: 'website_footer',
    language: 'fr',
  }
  const reply = await app.anonymous.post('/public/subscribe', asked, { 'user-agent': 'Form browser' })
  expect(reply.status).toBe(202)
  expect(await app.drainEvents()).toEqual(['contact.created', 'customer.created'])
  const contact = (await contactOf(app, 'paul@example.org'))!
  expect(contact).toMatchObject({ newsletter_subscribed: false, language: 'fr', source: 'website_footer' })
  expect(app.mails()).toHaveLength(1)
  expect(app.mails()[0]!.to).toBe('paul@example.org')
  expect(app.mails()[0]!.raw).not.toContain('Win a car')
  expect(await ledgerOf(app, contact.id)).toMatchObject([
    { decision: 'pending', purpose: 'newsletter', user_agent: 'Form browser' },
  ])

  const page = await app.anonymous.get(`/${linkIn(app)}`)
  expect(page.status).toBe(200)
  expect(page.text).toContain('Confirmez votre abonnement')
  const style = /<style>([^<]*)<\/style>/.exec(page.text)![1]!
  const styleHash = createHash('sha256').update(style).digest('base64')
  expect(page.headers['content-security-policy']).toBe(
    `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  )
  expect((await contactOf(app, 'paul@example.org'))!.newsletter_subscribed).toBe(false)

  const confirmed = await app.anonymous.post(`/${linkIn(app)}`, '', { ...form, 'user-agent': 'Mail browser' })
  expect(confirmed.status).toBe(200)
  expect(await app.drainEvents()).toEqual(['contact.subscribed'])
  const [granted, pending] = await ledgerOf(app, contact.id)
  expect(granted).toMatchObject({
    decision: 'granted',
    source: 'confirmation_link',
    user_agent: 'Mail browser',
    ip: '127.0.0.1',
    wording: expect.stringContaining('newsletter de Le Vieux Moulin'),
    wording_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    evidence: {
      form: 'website_footer',
      requested_at: expect.any(String),
      requested_ip: '127.0.0.1',
      requested_wording_sha256: pending.wording_sha256,
      confirmed_at: expect.any(String),
      confirmed_ip: '127.0.0.1',
    },
  })
  const { rows } = await app.inTx((tx) =>
    sql<{ data: object }>`
    select data from platform.outbox where event = 'contact.subscribed'`.execute(tx.sql),
  )
  expect(rows[0]!.data).toEqual({
    contact_id: contact.id,
    email: 'paul@example.org',
    subscription_type: 'newsletter',
    source: 'website_footer',
    double_optin: true,
  })

  expect((await app.anonymous.post(`/${linkIn(app)}`, '', form)).status).toBe(200)
  expect(await ledgerOf(app, contact.id)).toHaveLength(2)
  expect(await app.drainEvents()).toEqual([])
})

test('known, unknown, suppressed and complaining addresses get the same answer; strangers learn nothing', async () => {
  await using app = await start()
  const { contact, unsubscribePath } = await subscriber(app)
  await app.anonymous.post(unsubscribePath, 'List-Unsubscribe=One-Click', form)
  const complained = await subscriber(app, 'angry@example.org')
  await app.inTx((tx) =>
    sql`update contacts.contacts set status = 'complained' where id = ${complained.contact.id}`.execute(tx.sql),
  )
  const before = app.mails().length
  const answers = []
  for (const email of [contact.email, 'new@example.org', 'angry@example.org']) {
    answers.push(await app.anonymous.post('/public/subscribe', { email }))
  }
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  await app.drain()
  // Paul had his mail of the day; who complained gets none.
  expect(
    app
      .mails()
      .slice(before)
      .map(({ to }) => to),
  ).toEqual(['new@example.org'])
  const left = await app.anonymous.post('/public/unsubscribe', { email: 'nobody@example.org', type: 'all' })
  const known = await app.anonymous.post('/public/unsubscribe', { email: 'new@example.org', type: 'all' })
  expect([left.status, left.text]).toEqual([known.status, known.text])
  expect(left.status).toBe(202)
  await app.drain()
  expect(app.mails().at(-1)!.to).toBe('new@example.org')
  expect(app.mails().filter(({ to }) => to === 'nobody@example.org')).toEqual([])
})

test('a bombed address gets one confirmation in 24 hours, from however many addresses it is asked', async () => {
  await using app = await start({ TRUSTED_PROXIES: '127.0.0.1' })
  const victims = ['a@victim.example', 'b@victim.example', 'c@victim.example']
  const posts = Array.from({ length: 150 }, (_, turn) =>
    app.anonymous.post(
      '/public/subscribe',
      { email: turn % 2 ? victims[turn % 3]! : victims[turn % 3]!.toUpperCase(), first_name: `Spam ${turn}` },
      { 'x-forwarded-for': `203.0.113.${turn}` },
    ),
  )
  expect(new Set((await Promise.all(posts)).map(({ status }) => status))).toEqual(new Set([202]))
  await app.drain()
  expect(
    app
      .mails()
      .map(({ to }) => to.toLowerCase())
      .toSorted(),
  ).toEqual(victims)
  // A day later the person may ask again.
  await app.inTx((tx) =>
    sql`update contacts.confirmation_mails set sent_at = sent_at - interval '25 hours'`.execute(tx.sql),
  )
  await app.anonymous.post('/public/subscribe', { email: victims[0]! })
  await app.drain()
  expect(app.mails()).toHaveLength(4)
  const waiting = await app.inTx((tx) => sql`select from contacts.public_requests`.execute(tx.sql))
  expect(waiting.rows).toEqual([])
})

test('one address that asks without end is slowed down, and a robot that fills the trap does nothing', async () => {
  await using app = await start()
  const trapped = await app.anonymous.post('/public/subscribe', {
    email: 'robot@example.org',
    website: 'http://spam.example',
  })
  expect(trapped.status).toBe(202)
  const statuses = []
  for (let turn = 0; turn < 35; turn++) {
    const headers = { 'x-forwarded-for': `198.51.100.${turn}` } // nobody vouches for it
    statuses.push((await app.anonymous.post('/public/subscribe', { email: `p${turn}@example.org` }, headers)).status)
  }
  expect(statuses.at(-1)).toBe(429)
  await app.drain()
  expect(await contactOf(app, 'robot@example.org')).toBeUndefined()
})

test('a confirmation link dies with the next no, with the address it was sent to, and after 7 days', async () => {
  await using app = await start()
  const { contact, unsubscribePath } = await subscriber(app)
  const oldLink = linkIn(app)
  await app.anonymous.post(unsubscribePath, '', form)
  expect((await app.anonymous.post(`/${oldLink}`, '', form)).status).toBe(410)
  expect((await app.anonymous.get(`/${oldLink}`)).status).toBe(410)
  expect(await contactOf(app, contact.email)).toMatchObject({ newsletter_subscribed: false, status: 'unsubscribed' })

  await app.anonymous.post('/public/subscribe', { email: 'moved@example.org' })
  await app.drain()
  await app.inTx((tx) =>
    sql`update contacts.contacts set email = 'other@example.org' where email = 'moved@example.org'`.execute(tx.sql),
  )
  expect((await app.anonymous.post(`/${linkIn(app)}`, '', form)).status).toBe(410)

  const expired = app.app.runtime.tokens.sign(
    'contacts.confirm',
    packUuids(app.world.workspaceId, contact.id, newId()),
    { expiresAt: new Date(Date.now() - 1_000) },
  )
  expect((await app.anonymous.post('/public/confirm', { token: expired })).status).toBe(410)
})

test('unsubscribing: GET shows, POST acts, in every encoding, without cookies or redirect', async () => {
  await using app = await start()
  const { contact, holder, unsubscribePath } = await subscriber(app)
  const page = await app.anonymous.get(unsubscribePath)
  expect(page.status).toBe(200)
  expect(page.text).toContain('Se désabonner')
  expect(page.text).not.toContain(contact.email)
  expect(page.headers).toMatchObject({
    'referrer-policy': 'no-referrer',
    'x-robots-tag': expect.stringContaining('noindex'),
  })
  expect(await contactOf(app, contact.email)).toMatchObject({ newsletter_subscribed: true, marketing_subscribed: true })
  expect(await app.drainEvents()).toEqual([])

  const campaignId = newId()
  const oneClick = `//u/${unsubscribeToken(app.app.runtime, { ...holder, campaignId })}`
  const body = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
  const clicked = await app.anonymous.post(oneClick, body, { 'content-type': 'multipart/form-data; boundary=x' })
  expect(clicked.status).toBe(200)
  expect(clicked.headers['set-cookie']).toBeUndefined()
  expect(await app.drainEvents()).toEqual(['contact.unsubscribed'])
  expect(await contactOf(app, contact.email)).toMatchObject({
    newsletter_subscribed: false,
    marketing_subscribed: false,
    status: 'unsubscribed',
  })
  expect((await ledgerOf(app, contact.id))[0]).toMatchObject({
    source: 'one_click',
    evidence: { campaign_id: campaignId },
  })
  // Again, urlencoded and without any body: the same answer, and nothing new.
  for (const [payload, headers] of [
    ['List-Unsubscribe=One-Click', form],
    [undefined, {}],
    ['{}', { 'content-type': 'application/json' }],
  ] as const) {
    expect((await app.anonymous.post(oneClick, payload, headers)).status).toBe(200)
  }
  expect(await app.drainEvents()).toEqual([])

  const refused = await app.as('maria').post(`/contacts/${contact.id}/subscribe`, { type: 'newsletter' })
  expect([refused.status, refused.body.code]).toEqual([409, 'unsubscribed_by_person'])
})

test('no link of one kind, altered or of another workspace opens anything', async () => {
  await using app = await start()
  const { contact, holder } = await subscriber(app)
  const { runtime } = app.app
  const unsubscribe = unsubscribeToken(runtime, holder)
  const preferences = preferencesToken(runtime, holder)
  const elsewhere = unsubscribeToken(runtime, { ...holder, workspaceId: app.world.otherWorkspaceId })
  for (const path of [
    `/u/${preferences}`,
    `/p/${unsubscribe}`,
    `/u/${unsubscribe.slice(0, -2)}AA`,
    `/u/${contact.id}`,
  ]) {
    expect((await app.anonymous.post(`/${path}`, 'type=all', form)).status, path).toBe(404)
  }
  expect((await app.anonymous.post(`//s/${unsubscribe}`, '', form)).status).toBe(410)
  expect((await app.anonymous.post(`//u/${elsewhere}`, '', form)).text).not.toContain('example.org')
  expect((await app.anonymous.post('/public/unsubscribe', { token: preferences })).status).toBe(422)
  expect(await contactOf(app, contact.email)).toMatchObject({ newsletter_subscribed: true, status: 'active' })
})

test('the preference page saves what was changed, and a page left open does not undo a later no', async () => {
  await using app = await start()
  const { contact, holder, unsubscribePath } = await subscriber(app)
  const path = `//p/${preferencesToken(app.app.runtime, holder)}`
  const shown = 'shown_newsletter=on&shown_marketing=on&shown_tracking=off'
  const saved = await app.anonymous.post(path, `${shown}&newsletter=on&tracking=on&action=save`, form)
  expect(saved.text).toContain('Vos choix sont enregistrés')
  expect(await contactOf(app, contact.email)).toMatchObject({
    newsletter_subscribed: true,
    marketing_subscribed: false,
    tracking_allowed: true,
    status: 'active',
  })
  expect(await app.drainEvents()).toEqual(['contact.unsubscribed'])

  await app.anonymous.post(unsubscribePath, '', form)
  expect(await contactOf(app, contact.email)).toMatchObject({ tracking_allowed: false, status: 'unsubscribed' })
  await app.anonymous.post(
    path,
    'shown_newsletter=on&shown_marketing=off&shown_tracking=on&newsletter=on&tracking=on',
    form,
  )
  expect(await contactOf(app, contact.email)).toMatchObject({ newsletter_subscribed: false, tracking_allowed: false })

  await app.anonymous.post(path, 'shown_newsletter=off&newsletter=on', form)
  expect(await contactOf(app, contact.email)).toMatchObject({ newsletter_subscribed: true, status: 'active' })
  await app.anonymous.post(path, 'shown_newsletter=on&newsletter=on&action=unsubscribe_all', form)
  expect(await contactOf(app, contact.email)).toMatchObject({ newsletter_subscribed: false, status: 'unsubscribed' })
})

test('a page door hears no cookie and no key, and the API takes no forms', async () => {
  await using app = await start()
  const { unsubscribePath } = await subscriber(app)
  const reply = await app.anonymous.get(unsubscribePath, {
    authorization: 'Bearer nonsense',
    cookie: '__Host-rapport=nonsense',
  })
  expect(reply.status).toBe(200)
  expect((await app.anonymous.post('/public/subscribe', 'email=a@example.org', form)).status).toBe(415)
})

test('a mail that cannot be handed over is tried again, and the request counts once', async () => {
  await using app = await start()
  await app.anonymous.post('/public/subscribe', { email: 'late@example.org' })
  const { id } = await app.inTx((tx) =>
    tx.sql.selectFrom('contacts.public_requests').select('id').executeTakeFirstOrThrow(),
  )
  const { runtime } = app.app
  const attempt = (mail: MailTransport) =>
    publicRequestJob.run({
      data: { request_id: id },
      runtime: { ...runtime, mail },
      transaction: app.inTx,
      log: runtime.log,
    } as unknown as Job)
  const busy: MailTransport = {
    ...runtime.mail,
    send: async () => ({ outcome: 'deferred', code: 451, response: '451 later', scope: 'connection' }),
  }
  await expect(attempt(busy)).rejects.toThrow('451 later')
  expect(app.mails()).toHaveLength(0)
  await attempt(runtime.mail)
  await attempt(runtime.mail)
  await app.drain()
  expect(app.mails()).toHaveLength(1)
  expect(app.mails()[0]!.raw).toContain(`<${id}@`)
  const contact = (await contactOf(app, 'late@example.org'))!
  expect(await ledgerOf(app, contact.id)).toHaveLength(1)
})

test('what nobody needs any more is forgotten', async () => {
  await using app = await start()
  await app.anonymous.post('/public/subscribe', { email: 'old@example.org' })
  await app.drain()
  await app.anonymous.post('/public/subscribe', { email: 'stuck@example.org' })
  const age = (days: number) =>
    app.inTx(async (tx) => {
      await sql`update contacts.public_requests set created_at = now() - make_interval(days => ${days})`.execute(tx.sql)
      await sql`update contacts.confirmation_mails set sent_at = now() - make_interval(days => ${days})`.execute(tx.sql)
      await forgetOldRequests(tx)
      const { rows } = await sql<{ left: number }>`select (select count(*) from contacts.public_requests)
        + (select count(*) from contacts.confirmation_mails) as left`.execute(tx.sql)
      return rows[0]!.left
    })
  expect(await age(1)).toBe(2)
  expect(await age(3)).toBe(0)
})

test('nothing that people typed becomes part of a page', async () => {
  await using app = await start()
  const { holder, unsubscribePath } = await subscriber(app)
  const name = `<script>alert("x")</script> & 'Co`
  expect((await app.as('anna').patch('/workspace', { name })).status).toBe(200)
  for (const path of [unsubscribePath, `//p/${preferencesToken(app.app.runtime, holder)}`]) {
    const { text } = await app.anonymous.get(path)
    expect(text).not.toMatch(/<script|alert\("/)
    expect(text).toContain('&#60;script&#62;')
  }
})
