/** Bounces, complaints and unsubscribe mails of a real campaign, sent to a real SMTP server and answered by one. */
import nodemailer, { type SendMailOptions } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSmtpDoor, type SmtpDoor } from '#platform/mail-in/smtp-door.ts'
import { complaintAbout, labelledReports } from '#testing/mails/reports.ts'
import { start, type TestApp } from '#testing/start.ts'

const names = ['Hard', 'Full', 'Soft', 'Policy', 'Abuse', 'Gone', 'Forged', 'Late', 'Prose']
let app: TestApp
let door: SmtpDoor
let port: number
let campaignId: string

beforeAll(async () => {
  app = await start()
  const [anna, maria] = [app.as('anna'), app.as('maria')]
  const mailbox = { address: 'retour@moulin.example', name: 'Returns', purpose: 'bounces' }
  expect((await anna.post('/tickets/mailboxes', mailbox)).status).toBe(201)
  const ids: string[] = []
  for (const name of names) {
    const email = `${name.toLowerCase()}@guests.example`
    const made = await maria.post('/contacts', { email, first_name: name, marketing_subscribed: true })
    ids.push(made.body.id)
  }
  const list = await maria.post('/lists', { name: 'Guests' })
  await maria.post(`/lists/${list.body.id}/contacts`, { contact_ids: ids })
  const campaign = await maria.post('/communication/campaigns', {
    name: 'Menu of May',
    target_audience: { list_ids: [list.body.id] },
    channels: [{ type: 'email', config: { subject: 'Menu' }, content_template: '<p>Menu</p>' }],
  })
  campaignId = campaign.body.id
  expect((await maria.post(`/communication/campaigns/${campaignId}/launch`)).status).toBe(202)
  await app.drain()
  expect(app.mails()).toHaveLength(names.length)
  const settings = { protocol: 'smtp', host: '127.0.0.1', port: 0, connectionsMax: 20, tls: null } as const
  door = createSmtpDoor(app.app.runtime, { ...settings, name: 'mx.test', sizeBytesMax: 2_000_000 }, () => {})
  port = (await door.open()).port
})

afterAll(async () => {
  await door.stop()
  await app[Symbol.asyncDispose]()
})

const emailOf = (name: string): string => `${name.toLowerCase()}@guests.example`
const sent = (name: string) => app.mails().find(({ to }) => to === emailOf(name))!

/** The address that the envelope named, as the servers of the other side know it. */
const returnPathOf = (name: string): string => sent(name).envelopeFrom

async function bring(options: SendMailOptions): Promise<void> {
  await nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true, name: 'mx.example' }).sendMail(options)
  await app.drain()
}

async function report(name: string, which: string, to?: string): Promise<void> {
  const { raw } = labelledReports.find((each) => each.name === which)!
  const own = raw.replace('<dsn.', `<${name}.`).replace('<p.', `<${name}.`)
  await bring({ raw: own, envelope: { from: '', to: to ?? returnPathOf(name) } })
}

async function delivery(name: string): Promise<Record<string, string>> {
  const { data } = (
    await app.as('maria').get(`/communication/campaigns/${campaignId}/deliveries?search=${emailOf(name)}`)
  ).body
  return data[0]
}

async function contact(name: string): Promise<Shown> {
  const { data } = (await app.as('maria').get(`/contacts?search=${emailOf(name)}`)).body
  return (await app.as('maria').get(`/contacts/${data[0].id}`)).body as Shown
}

interface Shown {
  status: string
  marketing_subscribed: boolean
  engagement: { interaction_type: string }[]
}

describe('what comes back', () => {
  test('each mail names its own address, signed, where mail servers send their reports', async () => {
    const paths = names.map(returnPathOf)
    expect(new Set(paths).size).toBe(names.length)
    for (const path of paths) expect(path).toMatch(/^retour\+[a-z2-7]{42}@moulin\.example$/)
  })

  test('a mailbox that does not exist gets nothing more, and the world is told once', async () => {
    await app.drainEvents()
    await report('Hard', 'postfix unknown user')
    await report('Hard', 'exchange not found')
    expect(await delivery('Hard')).toMatchObject({ state: 'sent', bounce_kind: 'hard' })
    expect(await contact('Hard')).toMatchObject({ status: 'bounced' })
    expect((await app.drainEvents()).filter((event) => event.startsWith('email.'))).toEqual(['email.bounced'])
    const types = (await contact('Hard')).engagement.map((entry) => entry.interaction_type)
    expect(types).toContain('email_bounced')
  })

  test.each([
    ['Full', 'gmail full', 'full'],
    ['Soft', 'gave up', 'soft'],
    ['Policy', 'bulk sender', 'policy'],
  ])('%s is noted, and nobody loses their mail by it', async (name, which, kind) => {
    await report(name, which)
    expect(await delivery(name)).toMatchObject({ bounce_kind: kind })
    expect(await contact(name)).toMatchObject({ status: 'active' })
  })

  test('a delay is no bounce', async () => {
    await report('Late', 'greylist')
    expect(await delivery('Late')).toMatchObject({ bounce_kind: null })
  })

  test('in prose too', async () => {
    await report('Prose', 'qmail unknown')
    expect(await delivery('Prose')).toMatchObject({ bounce_kind: 'hard' })
  })

  test('without our signature it is nobody\u2019s', async () => {
    const path = returnPathOf('Forged')
    for (const to of ['retour@moulin.example', path.replace(/.{8}@/, 'aaaaaaaa@')]) {
      await report('Forged', 'postfix unknown user', to)
    }
    expect(await delivery('Forged')).toMatchObject({ bounce_kind: null })
    expect(await contact('Forged')).toMatchObject({ status: 'active' })
  })

  test('a complaint counts by the link that came back, and silences', async () => {
    const head = /^List-Unsubscribe: .*$/m.exec(sent('Abuse').raw)![0].trim()
    const arf = complaintAbout(`From: news@moulin.example\n${head}`)
    await bring({ raw: arf, envelope: { from: 'feedback@isp.example', to: 'retour@moulin.example' } })
    expect(await contact('Abuse')).toMatchObject({ status: 'complained' })
    expect((await delivery('Abuse')).complained_at).toBeTruthy()
    const forged = complaintAbout(
      `From: news@moulin.example\n${head.replace(/\/u\/.{6}/, '/u/AAAAAA').replace(/%20.{6}/, '%20AAAAAA')}`,
    )
    const other = forged.replace('<arf.1@', '<arf.2@')
    await bring({ raw: other, envelope: { from: 'feedback@isp.example', to: 'retour@moulin.example' } })
    const statuses = await Promise.all(names.map(async (name) => (await contact(name)).status))
    expect(statuses.filter((status) => status === 'complained')).toHaveLength(1)
  })

  test('the mail that an "unsubscribe" button writes takes effect, for whoever sends it', async () => {
    const mailto = /<mailto:([^?>]+)\?subject=([^>]+)>/.exec(sent('Gone').raw)!
    expect(mailto[1]).toBe('retour@moulin.example')
    const subject = decodeURIComponent(mailto[2]!)
    await bring({ from: 'alias@elsewhere.example', to: mailto[1]!, subject: `${subject.slice(0, -4)}AAAA`, text: '' })
    expect(await contact('Gone')).toMatchObject({ marketing_subscribed: true })
    await bring({ from: 'alias@elsewhere.example', to: mailto[1]!, subject, text: '' })
    expect(await contact('Gone')).toMatchObject({ marketing_subscribed: false, status: 'unsubscribed' })
    expect((await delivery('Gone')).unsubscribed_at).toBeTruthy()
  })
})
