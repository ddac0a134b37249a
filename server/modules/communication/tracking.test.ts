import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createTokens } from '#platform/crypto/tokens.ts'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { createTrackingBuffer, type TrackedHit } from './tracking-buffer.ts'
import { clickToken, openToken, readClickToken, readDeliveryToken } from './tracking-tokens.ts'

const browser = { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Firefox/145.0' }
const hour = 3_600_000

interface Sent {
  app: TestApp
  contactId: string
  campaignId: string
  delivery: { workspaceId: string; deliveryId: string }
  open: string
  click(number: number, target?: string | null): string
  /** What the ledger, the links, the contact and the timeline hold. */
  seen(): Promise<{
    delivery: object
    links: object[]
    contact: object
    timeline: { type: string; machine: boolean }[]
  }>
}

/** A mail with three links that went out an hour ago, to somebody who allows tracking. */
async function sendOne(
  app: TestApp,
  more: { allowed?: boolean; tracked?: boolean; sentAt?: Date } = {},
): Promise<Sent> {
  const { allowed = true, tracked = allowed, sentAt = new Date(Date.now() - hour) } = more
  const [contactId, campaignId, deliveryId] = [newId(), newId(), newId()]
  const workspaceId = app.world.workspaceId
  const services = app.app.runtime
  const delivery = { workspaceId, deliveryId }
  await app.inTx(async (tx) => {
    const own = { workspace_id: workspaceId, campaign_id: campaignId }
    const email = `${contactId}@example.org`
    await tx.sql
      .insertInto('contacts.contacts')
      .values({ workspace_id: workspaceId, id: contactId, email, tracking_allowed: allowed })
      .execute()
    await tx.sql
      .insertInto('communication.campaigns')
      .values({ workspace_id: workspaceId, id: campaignId, name: campaignId, target_audience: '{}' })
      .execute()
    const urls = [
      'https://moulin.example/menu?a=1&b=2',
      'https://moulin.example/carte',
      '{{booking_link}}',
      'javascript:alert(1)',
    ]
    await tx.sql
      .insertInto('communication.links')
      .values(urls.map((url, number) => ({ ...own, number, url })))
      .execute()
    const row = { ...own, contact_id: contactId, id: deliveryId, email, domain: 'example.org', state: 'sent' as const }
    await tx.sql
      .insertInto('communication.deliveries')
      .values({ ...row, tracked, sent_at: sentAt })
      .execute()
  })
  return {
    app,
    contactId,
    campaignId,
    delivery,
    open: `//t/o/${openToken(services, delivery)}.gif`,
    click: (number, target = null) => `//t/c/${clickToken(services, { ...delivery, number, target })}`,
    seen: async () => {
      await app.drain()
      return app.inTx(async (tx) => ({
        delivery: await tx.sql
          .selectFrom('communication.deliveries')
          .select(['opens', 'opens_machine', 'clicks', 'clicks_machine'])
          .where('id', '=', deliveryId)
          .executeTakeFirstOrThrow(),
        links: await tx.sql
          .selectFrom('communication.links')
          .select(['clicks', 'clicks_machine', 'unique_clicks'])
          .where('campaign_id', '=', campaignId)
          .orderBy('number')
          .limit(2)
          .execute(),
        contact: await tx.sql
          .selectFrom('contacts.contacts')
          .select(['total_emails_opened', 'total_emails_clicked'])
          .where('id', '=', contactId)
          .executeTakeFirstOrThrow(),
        timeline: (
          await tx.sql
            .selectFrom('contacts.interactions')
            .select(['interaction_type', 'metadata'])
            .where('contact_id', '=', contactId)
            .orderBy('interaction_type')
            .orderBy('occurred_at')
            .execute()
        ).map(({ interaction_type: type, metadata }) => ({ type, machine: metadata.machine === true })),
      }))
    },
  }
}

const nothing = { opens: 0, opens_machine: 0, clicks: 0, clicks_machine: 0 }

test('a picture fetched a thousand times is many opens of one message', async () => {
  await using app = await start()
  const mail = await sendOne(app)
  const first = await app.anonymous.get(mail.open, browser)
  expect(first.status).toBe(200)
  expect(first.headers).toMatchObject({ 'content-type': 'image/gif', 'cache-control': 'no-store, private' })
  for (let index = 0; index < 999; index++) await app.anonymous.get(mail.open, browser)
  expect(await mail.seen()).toMatchObject({
    delivery: { ...nothing, opens: 1_000 },
    contact: { total_emails_opened: 1, total_emails_clicked: 0 },
    timeline: [{ type: 'email_opened', machine: false }],
  })
  expect((await app.drainEvents()).filter((event) => event === 'contact.engagement')).toHaveLength(1)
})

test('a link leads where the campaign says, and counts each person once', async () => {
  await using app = await start()
  const mail = await sendOne(app)
  const reply = await app.anonymous.get(mail.click(0), browser)
  expect([reply.status, reply.headers.location, reply.headers['cache-control']]).toEqual([
    302,
    'https://moulin.example/menu?a=1&b=2',
    'no-store',
  ])
  await app.anonymous.get(mail.click(0), browser)
  expect(await mail.seen()).toMatchObject({
    delivery: { ...nothing, clicks: 2 },
    links: [
      { clicks: 2, clicks_machine: 0, unique_clicks: 1 },
      { clicks: 0, unique_clicks: 0 },
    ],
    contact: { total_emails_clicked: 1 },
    timeline: [{ type: 'email_clicked', machine: false }],
  })
  await app.anonymous.get(mail.click(0), browser)
  expect((await mail.seen()).links[0]).toEqual({ clicks: 3, clicks_machine: 0, unique_clicks: 1 })
  const own = await app.anonymous.get(mail.click(2, 'https://moulin.example/r?p=Zoé'), browser)
  expect([own.status, own.headers.location]).toEqual([302, 'https://moulin.example/r?p=Zo%C3%A9'])
})

test('nobody can make a link lead elsewhere', async () => {
  await using app = await start()
  const mail = await sendOne(app)
  const good = mail.click(2, 'https://moulin.example/')
  const token = good.slice('//t/c/'.length)
  const altered = Buffer.from(token, 'base64url')
  altered[40]! ^= 1
  for (const path of [
    `//t/c/${altered.toString('base64url')}`,
    `${good}x`,
    `//t/c/${token.slice(0, -2)}`,
    `${mail.click(0)}9`,
    mail.click(3),
    mail.click(99),
    mail.click(2, 'javascript:alert(1)'),
    mail.click(2, 'data:text/html,x'),
    mail.click(2, 'ftp://x.example/'),
    '//t/c/https%3A%2F%2Fevil.example',
    '//t/c/%2F%2Fevil.example',
    '//t/c/%5C%5Cevil.example',
    '//t/c/a%0d%0aLocation:%20https:%2F%2Fevil.example',
    `//t/c/${app.app.runtime.tokens.sign('contacts.unsubscribe', Buffer.alloc(32))}.0`,
    `//t/c/${createTokens(randomBytes(32)).sign('communication.delivery', Buffer.alloc(32))}.0`,
  ]) {
    const reply = await app.anonymous.get(path, browser)
    expect([reply.status, reply.headers.location], path).toEqual([404, undefined])
    expect(reply.headers['content-type']).toContain('text/html')
  }
  const queried = await app.anonymous.get(`${mail.click(1)}?url=https://evil.example&u=//evil.example`, browser)
  expect(queried.headers.location).toBe('https://moulin.example/carte')
  const split = await app.anonymous.get(mail.click(2, 'https://moulin.example/\r\nSet-Cookie: a=b'), browser)
  expect([split.headers.location, split.headers['set-cookie']]).toEqual([
    'https://moulin.example/Set-Cookie:%20a=b',
    undefined,
  ])
  expect((await mail.seen()).delivery).toMatchObject({ clicks_machine: 0 })
})

test('a picture by a token that is not ours is the same picture, and changes nothing', async () => {
  await using app = await start()
  const mail = await sendOne(app)
  const real = await app.anonymous.get(mail.open, browser)
  await mail.seen()
  for (const token of [
    'x',
    'x.gif',
    mail.contactId,
    app.app.runtime.tokens.sign('other', Buffer.alloc(32)),
    openToken(app.app.runtime, { ...mail.delivery, deliveryId: newId() }),
  ]) {
    const reply = await app.anonymous.get(`//t/o/${token}`, browser)
    expect([reply.status, reply.text]).toEqual([200, real.text])
  }
  expect((await mail.seen()).delivery).toEqual({ ...nothing, opens: 1 })
})

test('machines count apart, and a person who comes later still counts', async () => {
  await using app = await start()
  const mail = await sendOne(app)
  await app.anonymous.get(mail.open, { 'user-agent': 'Mozilla/5.0' })
  await app.anonymous.get(mail.open, { 'user-agent': '' })
  await app.app.http.inject({ method: 'HEAD', url: mail.click(1).slice(1), headers: browser })
  for (const number of [0, 1, 2])
    await app.anonymous.get(mail.click(number, number === 2 ? 'https://moulin.example/r' : null), browser)
  expect(await mail.seen()).toMatchObject({
    delivery: { opens: 0, opens_machine: 2, clicks: 0, clicks_machine: 4 },
    links: [
      { clicks: 0, clicks_machine: 1, unique_clicks: 0 },
      { clicks: 0, clicks_machine: 2, unique_clicks: 0 },
    ],
    contact: { total_emails_opened: 0, total_emails_clicked: 0 },
    timeline: [true, true, true, true].map((machine) => expect.objectContaining({ machine })),
  })
  await app.anonymous.get(mail.open, browser)
  await app.anonymous.get(mail.click(1), browser)
  expect(await mail.seen()).toMatchObject({
    delivery: { opens: 1, opens_machine: 2, clicks: 1, clicks_machine: 4 },
    contact: { total_emails_opened: 1, total_emails_clicked: 1 },
    links: [{}, { clicks: 1, unique_clicks: 1 }],
  })
  const fresh = await sendOne(app, { sentAt: new Date() })
  await app.anonymous.get(fresh.open, browser)
  await app.anonymous.get(fresh.click(0), browser)
  expect((await fresh.seen()).delivery).toEqual({ ...nothing, opens_machine: 1, clicks_machine: 1 })
})

test('whoever does not allow it is not tracked, also by old mails', async () => {
  await using app = await start()
  const never = await sendOne(app, { allowed: false })
  await app.anonymous.get(never.open, browser)
  await app.anonymous.get(never.click(0), browser)
  expect(await never.seen()).toMatchObject({
    delivery: { ...nothing, clicks: 1 },
    timeline: [{ type: 'email_clicked' }],
  })
  const withdrawn = await sendOne(app, { allowed: false, tracked: true })
  await app.anonymous.get(withdrawn.open, browser)
  expect((await app.anonymous.get(withdrawn.click(0), browser)).status).toBe(302)
  expect(await withdrawn.seen()).toMatchObject({ delivery: nothing, timeline: [], links: [{ clicks: 0 }, {}] })
})

test('the documents’ addresses do the same', async () => {
  await using app = await start()
  const mail = await sendOne(app)
  const token = openToken(app.app.runtime, mail.delivery)
  const track = `/public/track/${token}`
  expect((await app.anonymous.get(`${track}/opened`, browser)).headers['content-type']).toBe('image/gif')
  expect((await app.anonymous.post(`${track}/opened`, undefined, browser)).body).toEqual({ message: 'Thank you.' })
  expect((await app.anonymous.get(`${track}.1/clicked`, browser)).headers.location).toBe('https://moulin.example/carte')
  expect((await app.anonymous.get(`${track}/clicked`, browser)).headers.location).toBe(
    'https://moulin.example/menu?a=1&b=2',
  )
  await mail.seen()
  expect((await app.anonymous.post(`${track}.0/clicked`, {}, browser)).status).toBe(200)
  expect((await app.anonymous.post(`${track}/clicked`, { campaign_id: 'x' }, browser)).status).toBe(200)
  expect((await app.anonymous.post(`/public/track/${mail.contactId}/clicked`, undefined, browser)).body).toEqual({
    message: 'Thank you.',
  })
  expect((await app.anonymous.get(`/public/track/${mail.contactId}/clicked`, browser)).status).toBe(404)
  expect((await mail.seen()).delivery).toMatchObject({ opens: 2, clicks: 4 })
})

test('a mailbox provider’s proxy is never told to wait', async () => {
  await using app = await start({ RATE_LIMIT_PER_MINUTE: '5' })
  const mail = await sendOne(app)
  for (let index = 0; index < 20; index++) expect((await app.anonymous.get(mail.open, browser)).status).toBe(200)
  expect((await app.anonymous.get(mail.click(0), browser)).status).toBe(302)
  expect((await mail.seen()).delivery).toEqual({ ...nothing, opens: 20, clicks: 1 })
})

test('what somebody writes into a request is kept nowhere', async () => {
  await using app = await start()
  const mail = await sendOne(app)
  const mark = 'Mozilla/5.0 <script>alert(1)</script> marked'
  await app.anonymous.get(mail.open, { 'user-agent': mark, referer: 'https://marked.example/<script>' })
  await mail.seen()
  const { rows } = await app.inTx((tx) =>
    tx.rawQuery<{ found: number }>(
      `select (select count(*) from contacts.interactions i where i::text like '%marked%')
      + (select count(*) from platform.outbox o where o::text like '%marked%') as found`,
    ),
  )
  expect(rows[0]!.found).toBe(0)
})

test('tokens survive nothing but themselves', () => {
  const services = { tokens: createTokens(randomBytes(32)) }
  const delivery = { workspaceId: newId(), deliveryId: newId() }
  const token = openToken(services, delivery)
  expect(token.length).toBeLessThanOrEqual(80)
  expect(readDeliveryToken(services, token)).toEqual(delivery)
  expect(readClickToken(services, clickToken(services, { ...delivery, number: 7, target: null }))).toEqual({
    ...delivery,
    number: 7,
    target: null,
  })
  expect(readClickToken(services, clickToken(services, { ...delivery, number: 7, target: 'https://é' }))).toEqual({
    ...delivery,
    number: 7,
    target: 'https://é',
  })
  expect(readClickToken(services, `${token}.99999`)).toBeNull()
  const other = { tokens: createTokens(randomBytes(32)) }
  expect(openToken(other, delivery)).not.toBe(token)
  expect(readDeliveryToken(other, token)).toBeNull()
})

test('hits that could not be written are written later', async () => {
  const written: TrackedHit[] = []
  let broken = true
  const quiet = { warn: () => {}, error: () => {} }
  const buffer = createTrackingBuffer(async (_workspace, hits) => {
    if (broken) throw new Error('no database')
    written.push(...hits)
  }, quiet)
  for (let index = 0; index < 450; index++) {
    buffer.add({
      workspaceId: 'w',
      deliveryId: `d${index % 7}`,
      kind: index % 2 ? 'open' : 'click',
      at: new Date(),
      machine: null,
      proxy: false,
      number: null,
    })
  }
  await buffer.drain()
  expect(written).toHaveLength(0)
  broken = false
  await buffer.stop()
  expect(written).toHaveLength(450)
})
