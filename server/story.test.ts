/**
 * The whole story through the public interfaces alone, HTTP and SMTP: from the first visit over ten thousand imported
 * contacts and real mails to an unsubscription that the next campaign honours.
 */
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { changeTime } from '#testing/change-time.ts'
import { startEmpty } from '#testing/empty.ts'
import { decodeQuotedPrintable } from '#testing/mail.ts'
import { startSmtpSink, type SmtpSink } from '#testing/smtp-sink.ts'
import type { TestReply } from '#testing/start.ts'

const rows = 10_000
/** Of every hundred rows three cannot be read, and one repeats the row before. */
const dirty = 300
const repeated = 100
const guests = rows - dirty - repeated
const regulars = guests / 100

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

test('from the first visit to an unsubscription that holds', { timeout: 120_000 }, async () => {
  await using sink = await startSmtpSink({ keepBodies: true })
  const origin = `http://127.0.0.1:${await freePort()}`
  await using app = await startEmpty({ SMTP_URL: sink.url, PUBLIC_URL: origin })
  await app.app.http.listen({ port: Number(new URL(origin).port), host: '127.0.0.1' })
  const owner = await setUp(origin)

  // A file with mistakes in it becomes contacts, and nothing of it is dropped unseen.
  const imported = await importGuests(owner, app.drain)
  expect(imported).toMatchObject({ status: 'succeeded', rows, created: guests, skipped: repeated, failed: dirty })
  const faults = await owner.text(`/contacts/imports/${imported.id}/errors`)
  expect(faults.trim().split(/\r?\n/)).toHaveLength(dirty + 1)
  expect(faults).toContain('guest7 at mail.example')

  // A campaign to all of them: the sink counts each exactly once.
  const templateId = (await owner.post('/communication/templates', template)).id
  const first = await launch(owner, 'Opening', {}, templateId)
  await app.drain()
  expect(await owner.get(`/communication/campaigns/${first}`)).toMatchObject({
    status: 'completed',
    counts: { total: guests, sent: guests, failed: 0, skipped: 0 },
  })
  expect(sink.accepted).toBe(guests)
  expect(sink.byRecipient.size).toBe(guests)
  expect(sink.byMessageId.size).toBe(guests)

  // Guest 1 follows a link, a scanner follows those of guest 2, and guest 3 has had enough.
  await changeTime(app, '1 hour')
  const [reader, scanned, leaver] = [1, 2, 3].map((number) => mailTo(sink, number))
  expect(reader).toContain('Hello Élodie1,')
  const followed = await visit(linkIn(reader, '/t/c/'), firefox)
  expect([followed.status, followed.headers.get('location')]).toEqual([302, 'https://moulin.example/menu'])
  await visit(linkIn(scanned, '/t/c/'), 'BarracudaCentral/1.0')
  await leaveByOneClick(leaver)
  // Guest 1 also allows, on the page that the mail links to, that openings are counted.
  await fetch(linkIn(reader, '/p/'), {
    method: 'POST',
    body: new URLSearchParams({
      newsletter: 'on',
      marketing: 'on',
      tracking: 'on',
      shown_newsletter: 'on',
      shown_marketing: 'on',
      action: 'save',
    }),
  })
  await app.drain()
  const figures = await owner.get(`/communication/campaigns/${first}`)
  expect(figures.counts).toMatchObject({ clicked: 1, clicked_machine: 1, opened: 0, unsubscribed: 1 })
  expect(await timeline(owner, 1, 'email_clicked')).toMatchObject([
    { campaign_id: first, metadata: { url: 'https://moulin.example/menu' } },
  ])
  expect(await timeline(owner, 2, 'email_clicked')).toMatchObject([{ campaign_id: first, metadata: { machine: true } }])
  expect(await timeline(owner, 3, 'unsubscribed')).toHaveLength(1)
  expect(await contact(owner, 2)).toMatchObject({ total_emails_clicked: 0, engagement_score: 0 })

  // The next campaign leaves out who left, says why, and sees the opening of who allowed it.
  sink.reset()
  const second = await launch(owner, 'For regulars', { tags: ['regular'] }, templateId)
  await app.drain()
  expect(sink.accepted).toBe(regulars - 1)
  expect(sink.byRecipient.has(addressOf(3))).toBe(false)
  const skipped = await owner.get(`/communication/campaigns/${second}/deliveries?state=skipped`)
  expect(skipped.data).toMatchObject([{ email: addressOf(3), reason: 'unsubscribed' }])
  await changeTime(app, '1 hour')
  expect(mailTo(sink, 2)).not.toContain('/t/o/')
  const pixel = linkIn(mailTo(sink, 1), '/t/o/')
  await visit(pixel, 'Mozilla/5.0') // Apple's proxy, which loads everything
  await app.drain()
  expect((await owner.get(`/communication/campaigns/${second}`)).counts).toMatchObject({ opened: 0, opened_machine: 1 })
  expect((await visit(pixel, firefox)).headers.get('content-type')).toBe('image/gif')
  await app.drain()
  expect((await owner.get(`/communication/campaigns/${second}`)).counts).toMatchObject({ opened: 1, opened_machine: 1 })
  expect(await contact(owner, 1)).toMatchObject({
    total_emails_opened: 1,
    total_emails_clicked: 1,
    engagement_level: 'medium',
  })
})

const template = {
  name: 'Opening',
  subject: 'The mill is open, {{contact.first_name}}',
  body_html:
    '<p>Hello {{contact.first_name}},</p><p><a href="https://moulin.example/menu">The menu</a>, <a href="https://moulin.example/book">book a table</a></p>' +
    '<p><a href="{{preferences_url}}">What we may send you</a> <a href="{{unsubscribe_url}}">Unsubscribe</a></p>',
}

function addressOf(number: number): string {
  return `guest${number}@mail${number % 40}.example`
}

function writeGuests(): string {
  const lines = ['E-mail,First name,Last name,Company,Language,Tags']
  let number = 0
  for (let row = 1; row <= rows; row++) {
    const place = row % 100
    if (place === 50) lines.push(`,No,Address,,en,`)
    else if (place === 51) lines.push(`guest7 at mail.example,Bad,Address,,en,`)
    else if (place === 52) lines.push(`guest@,Half,Address,,en,`)
    else if (place === 53) lines.push(lineOf(number))
    else lines.push(lineOf(++number))
  }
  return `${lines.join('\n')}\n`
}

function lineOf(number: number): string {
  return `${addressOf(number)},Élodie${number},"Martin, ${number}",Moulin & Fils,en,${number <= regulars ? 'regular' : 'guest'}`
}

interface Owner {
  get(path: string): Promise<TestReply['body']>
  text(path: string): Promise<string>
  post(path: string, body: object): Promise<TestReply['body']>
}

async function setUp(origin: string): Promise<Owner> {
  const reply = await fetch(`${origin}/api/v1/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      workspace_name: 'Le Vieux Moulin',
      full_name: 'Anna Martin',
      email: 'anna@moulin.example',
      password: 'une phrase que personne ne devine',
    }),
  })
  expect(reply.status).toBe(201)
  const { csrf_token } = (await reply.json()) as { csrf_token: string }
  const headers = { cookie: reply.headers.get('set-cookie')!.split(';')[0]!, 'x-csrf-token': csrf_token }
  const send = async (method: string, path: string, body?: FormData | string): Promise<Response> => {
    const type: Record<string, string> = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
    const answer = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: { ...headers, ...type },
      ...(body ? { body } : {}),
    })
    expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true)
    return answer
  }
  return {
    get: async (path) => (await send('GET', path)).json() as Promise<TestReply['body']>,
    text: async (path) => (await send('GET', path)).text(),
    post: async (path, body) => {
      const content = body instanceof FormData ? body : JSON.stringify(body)
      return (await send('POST', path, content)).json() as Promise<TestReply['body']>
    },
  }
}

async function importGuests(owner: Owner, drain: () => Promise<void>): Promise<TestReply['body']> {
  const form = new FormData()
  const consent = { newsletter: true, marketing: true, source: 'Guest book', wording: 'Yes, write to me.' }
  form.set('consent', JSON.stringify(consent))
  form.set('file', new Blob([writeGuests()], { type: 'text/csv' }), 'guests.csv')
  const job = await owner.post('/contacts/import', form)
  await drain()
  return owner.get(`/contacts/imports/${job.import_id}`)
}

async function launch(owner: Owner, name: string, audience: object, templateId: string): Promise<string> {
  const { id } = await owner.post('/communication/campaigns', {
    name,
    target_audience: audience,
    channels: [{ type: 'email', config: { subject: template.subject, template_id: templateId } }],
  })
  expect(await owner.post(`/communication/campaigns/${id}/launch`, {})).toMatchObject({ status: 'active' })
  return id
}

function mailTo(sink: SmtpSink, number: number): string {
  const mail = sink.mails.find(({ to }) => to[0] === addressOf(number))
  return decodeQuotedPrintable(mail!.raw.toString('latin1'))
}

function linkIn(mail: string | undefined, path: string): string {
  const found = new RegExp(`https?://[\\w.:]+${path}[\\w.-]+`).exec(mail ?? '')
  expect(found, `a link with ${path} in the mail`).not.toBeNull()
  return found![0]
}

async function visit(address: string, userAgent: string): Promise<Response> {
  return fetch(address, { headers: { 'user-agent': userAgent }, redirect: 'manual' })
}

/** As a mail program does it: the https address of the header, and its one field (RFC 8058). Looking at it changes nothing. */
async function leaveByOneClick(mail: string | undefined): Promise<void> {
  const address = /^List-Unsubscribe: <(http[^>]+)>/m.exec(mail ?? '')?.[1] ?? ''
  expect(mail).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  expect((await fetch(address)).status).toBe(200)
  const reply = await fetch(address, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) })
  expect(reply.status).toBe(200)
}

async function contact(owner: Owner, number: number): Promise<TestReply['body']> {
  const { data } = await owner.get(`/contacts?search=${addressOf(number)}`)
  expect(data).toHaveLength(1)
  return data[0]
}

async function timeline(owner: Owner, number: number, type: string): Promise<TestReply['body'][]> {
  const { id } = await contact(owner, number)
  return (await owner.get(`/contacts/${id}/interactions?type=${type}`)).data
}

/** Links in mails name the port, so it has to be known before the start. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
