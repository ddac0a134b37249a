/** The demo as its first visitor finds it: every page has life, the numbers agree, and it goes without a trace. */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { openBrowser, type Browser } from '#testing/browser.ts'
import { start, type TestApp, type TestReply } from '#testing/start.ts'
import { demoOwner, demoWorkspaceId } from './demo.ts'
import { openDemo } from './open.ts'
import { removeDemo } from './remove.ts'

test('every page of the demo has something to show, and its numbers agree', async () => {
  await using app = await start()
  const camille = await signIn(app, await openDemo(app.app.runtime))
  await app.drain()
  const read = async (address: string) => (await camille.send('GET', address)).body

  const stats = await read('/contacts/stats')
  expect(stats.total).toBeGreaterThan(2_950)
  for (const status of ['active', 'unsubscribed', 'bounced', 'complained'])
    expect(stats.by_status[status]).toBeGreaterThan(0)
  for (const level of ['low', 'medium', 'high']) expect(stats.by_engagement_level[level]).toBeGreaterThan(50)
  expect(stats.growth.filter((day: { created: number }) => day.created > 0).length).toBeGreaterThan(20)

  for (const page of [
    '/lists',
    '/tags',
    '/communication/templates',
    '/members',
    '/api-keys',
    '/invitations',
    '/communication/sandbox/messages',
    '/tickets',
  ]) {
    expect((await read(page)).data.length, page).toBeGreaterThan(0)
  }
  const tickets = (await read('/tickets?sort=created_at')).data
  expect(tickets.map((ticket: { status: string }) => ticket.status)).toEqual([
    'resolved',
    'resolved',
    'waiting_customer',
    'in_progress',
    'open',
    'open',
  ])
  expect((await read(`/contacts/${tickets[0].contact_id}`)).total_tickets).toBeGreaterThan(0)
  const campaigns = (await read('/communication/campaigns')).data
  const statuses = campaigns.map((campaign: { status: string }) => campaign.status)
  expect(statuses.toSorted()).toEqual(['completed', 'completed', 'completed', 'draft', 'scheduled'])
  const newest = campaigns.find((campaign: { name: string }) => campaign.name === 'Menu de la semaine')
  await expectWholeLedger(read, newest.id)

  const [fair] = (await read('/contacts/imports')).data
  expect(fair).toMatchObject({ status: 'succeeded', rows: 120 })
  expect(fair.failed).toBeGreaterThan(0)
  expect(fair.created + fair.updated + fair.merged + fair.skipped + fair.failed).toBe(120)
})

async function expectWholeLedger(read: (address: string) => Promise<TestReply['body']>, id: string): Promise<void> {
  const { counts } = await read(`/communication/campaigns/${id}`)
  expect(counts.total).toBe(counts.sent + counts.failed + counts.skipped)
  for (const name of [
    'sent',
    'failed',
    'skipped',
    'opened',
    'opened_machine',
    'clicked',
    'clicked_machine',
    'unsubscribed',
  ]) {
    expect(counts[name], name).toBeGreaterThan(0)
  }
  const links = (await read(`/communication/campaigns/${id}/links`)).data
  expect(links.every((link: { unique_clicks: number }) => link.unique_clicks > 0)).toBe(true)
  const [left] = (await read(`/communication/campaigns/${id}/deliveries?state=sent&limit=200`)).data.filter(
    (row: { opened_at: string | null }) => row.opened_at,
  )
  const timeline = (await read(`/contacts/${left.contact_id}/interactions?type=email_opened`)).data
  expect(timeline.some((item: { campaign_id: string }) => item.campaign_id === id)).toBe(true)
}

test('the figures of a guest are those of the timeline, and every yes has its proof', async () => {
  await using app = await start()
  await openDemo(app.app.runtime)
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  const count = async (text: string): Promise<number> =>
    (await owner.query(`select count(*)::int as count from ${text}`)).rows[0].count
  expect(
    await count(`contacts.contacts c where c.total_bookings <>
    (select count(*) from contacts.interactions i
     where i.workspace_id = c.workspace_id and i.contact_id = c.id and interaction_type = 'booking_created')`),
  ).toBe(0)
  expect(
    await count(`contacts.contacts c where newsletter_subscribed and not exists
    (select from contacts.consents e where e.contact_id = c.id and purpose = 'newsletter' and decision = 'granted')`),
  ).toBe(0)
  expect(await count(`contacts.contacts where email not like '%.example'`)).toBe(0)
  expect(await count(`contacts.interactions where occurred_at > now()`)).toBe(0)
  expect(await count(`communication.deliveries where state = 'sent' and sent_at is null or opened_at < sent_at`)).toBe(
    0,
  )
  await owner.end()
})

test('a second start finds it there; a lost password is made anew', async () => {
  await using app = await start()
  const first = await openDemo(app.app.runtime)
  const again = await openDemo(app.app.runtime)
  expect(again[0]).toContain('is there')
  expect(again.slice(1)).toEqual(first.slice(1))
  const file = path.join(app.app.runtime.config.app.dataDir, 'demo.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ email: demoOwner })

  await import('./keys.ts').then(({ forgetKeys }) => forgetKeys(app.app.runtime.config.app.dataDir))
  const renewed = await openDemo(app.app.runtime)
  expect(renewed.at(-1)).not.toBe(first.at(-1))
  await signIn(app, renewed)
})

test('it does not come among real contacts, and not where mail goes out for real', async () => {
  await using app = await start({ SMTP_URL: 'smtp://127.0.0.1:1' })
  await expect(openDemo(app.app.runtime)).rejects.toThrow('SMTP_URL')
  await using other = await start()
  await other.as('maria').post('/contacts', { email: 'ana@example.com', first_name: 'Ana' })
  await expect(openDemo(other.app.runtime)).rejects.toThrow('contacts here already')
})

test('it goes without a trace, and takes nothing else along', async () => {
  await using app = await start()
  await openDemo(app.app.runtime)
  await app.as('maria').post('/contacts', { email: 'ana@example.com', first_name: 'Ana' })
  expect(await removeDemo(app.app.runtime, app.databaseUrl)).toBe('The demo is gone.')
  expect(await removeDemo(app.app.runtime, app.databaseUrl)).toBe('There is no demo here.')
  expect((await app.as('maria').get('/contacts')).body.data).toHaveLength(1)
  const left = []
  for await (const key of app.app.runtime.files.list(`${demoWorkspaceId}/`)) left.push(key)
  expect(left).toEqual([])
  await openDemo(app.app.runtime).catch((error: Error) => expect(error.message).toContain('contacts here already'))
})

async function signIn(app: TestApp, lines: string[]): Promise<Browser> {
  const [email = '', password = ''] = lines.slice(1).map((line) => line.trim())
  const browser = openBrowser(app)
  expect((await browser.signIn(email, password)).status).toBe(200)
  return browser
}
