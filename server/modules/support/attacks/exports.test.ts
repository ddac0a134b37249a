/**
 * Attacks by what leaves the house: files that compute or fetch, texts that make us fetch, and copies of somebody's data. Others
 * are shown elsewhere: platform/outbound/outbound.test.ts (every spelling of an inner address, names that change, redirects),
 * platform/tables-out/tables-out.test.ts (formulas of every kind, and back again), privacy/export.test.ts and
 * privacy/erasure.test.ts (who may ask, twice, what is left).
 */
import { createServer, type AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { parse } from 'csv-parse/sync'
import { readXlsx } from 'hucre/xlsx'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { customerOf } from '#testing/customer.ts'
import { importFile } from '#testing/import-file.ts'
import { openMailDoor } from '#testing/mail-door.ts'
import { startAnother } from '#testing/start-another.ts'
import { start, type TestApp } from '#testing/start.ts'

let app: TestApp
let heard = 0
const canary = createServer((socket) => {
  heard++
  socket.destroy()
})
let port: number
beforeAll(async () => {
  app = await start()
  await new Promise<void>((resolve) => canary.listen(0, '0.0.0.0', resolve))
  port = (canary.address() as AddressInfo).port
})
afterAll(async () => {
  canary.close()
  await app[Symbol.asyncDispose]()
})

const fileOf = (url: string) => app.app.http.inject({ url: new URL(url).pathname })

async function madeReport(name: string, group: string, format: string): Promise<Buffer> {
  const maria = app.as('maria')
  const report = await maria.post('/contacts/reports', { name, group_by: [{ field: group }] })
  expect(report.status, report.text).toBe(201)
  const path = `/contacts/reports/${report.body.id}/runs`
  const run = await maria.post(path, { format })
  expect(run.status, run.text).toBe(202)
  await app.drain()
  const { download_url: url, status } = (await maria.get(`${path}/${run.body.run_id}`)).body
  expect(status).toBe('succeeded')
  return (await fileOf(url)).rawPayload
}

async function madeTable(who: 'maria' | 'agnes', path: string, asked: object): Promise<Buffer> {
  const begun = await app.as(who).post(path, asked)
  expect(begun.status, begun.text).toBe(202)
  await app.drain()
  const { download_url: url } = (await app.as(who).get(`${path}/${begun.body.export_id}`)).body
  return (await fileOf(url)).rawPayload
}

/** Other ways to write an address of this machine, with what each would ask for. */
const places = () =>
  [
    `http://127.0.0.1:${port}/x.png`,
    `http://127.1:${port}/`,
    `http://2130706433:${port}/`,
    `http://0x7f.1:${port}/`,
    `http://017700000001:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://localhost.:${port}/`,
    `http://0:${port}/`,
    `//127.0.0.1:${port}/x.png`,
    `ftp://127.0.0.1:${port}/`,
    `gopher://127.0.0.1:${port}/_x`,
    'file:///etc/passwd',
    'php://filter/read=convert.base64-encode/resource=/etc/passwd',
    'data:text/html,<script>alert(1)</script>',
    '/etc/passwd',
  ] as const

test('38: a report on pages fetches and shows nothing that its words name, and links to nothing', async () => {
  const maria = app.as('maria')
  for (const [at, place] of places().entries()) {
    const source = [place, `<img src="${place}">`, `![x](${place})`][at % 3]
    const made = await maria.post('/contacts', { email: `p${at}@guest.example`, first_name: 'P', source })
    expect(made.status, made.text).toBe(201)
  }
  const pdf = (
    await madeReport(`<iframe src="file:///etc/passwd"> http://127.0.0.1:${port}/`, 'source', 'pdf')
  ).toString('latin1')
  expect(pdf).toMatch(/^%PDF-/)
  expect(pdf).not.toMatch(/\/(URI|Launch|GoToR|EmbeddedFile|JavaScript|JS|SubmitForm|Subtype ?\/Image)\b/)
  expect(pdf).not.toContain('root:')
  expect(heard).toBe(0)
})

test('38: what prints reports can read no file and no address, should a document ever name one', async () => {
  await madeReport('Plain', 'source', 'pdf')
  const { default: printer } = (await import('pdfmake')) as unknown as {
    default: { createPdf(document: object): { getBuffer(): Promise<Buffer> } }
  }
  for (const place of [...places().slice(0, 8), 'file:///etc/passwd', '/etc/passwd', `${process.cwd()}/package.json`]) {
    for (const content of [
      [{ image: place }],
      [{ image: 'x', width: 10 }],
      [{ svg: `<svg><image href="${place}"/></svg>` }],
    ]) {
      const printed = printer.createPdf({ content, images: { x: place } }).getBuffer()
      const pdf = await printed.then((made) => made.toString('latin1')).catch(() => '')
      expect(pdf, place).not.toMatch(/root:|"private"|Subtype ?\/Image/)
    }
    const attached = { content: ['x'], files: { a: { src: place, name: 'a' } } }
    const pdf = await printer
      .createPdf(attached)
      .getBuffer()
      .then(String, () => '')
    expect(pdf, place).not.toMatch(/EmbeddedFile/)
  }
  expect(heard).toBe(0)
})

const formulas = [
  '=1+1',
  '+1+1',
  '-1+1',
  '@SUM(A1)',
  '\t=1+1',
  '\r=1+1',
  '＝1+1',
  ' =1+1',
  '"=1+1',
  ',=1+1',
  ';=1+1',
  '=cmd|"/c calc"!A1',
]
const isFormula = (cell: unknown) =>
  typeof cell === 'string' &&
  /^[\s']*[=+\-@＝＋－＠]|^[\t\r\n]/.test(cell) &&
  !cell.startsWith("'") &&
  Number.isNaN(Number(cell))

test('39: no table that anybody can take out holds a formula: contacts, lists, failed rows, reports, tickets', async () => {
  const [maria, agnes] = [app.as('maria'), app.as('agnes')]
  const list = (await maria.post('/lists', { name: '=1+1' })).body.id as string
  for (const [at, text] of formulas.entries()) {
    const words = { first_name: text, last_name: text, company: text, job_title: text, notes: text, source: text }
    const made = await maria.post('/contacts', { email: `f${at}@formula.example`, ...words, tags: ['=1+1'] })
    expect(made.status, `${JSON.stringify(text)} ${made.text}`).toBe(201)
    await maria.post(`/lists/${list}/contacts`, { contact_ids: [made.body.id] })
    const asked = { subject: text, description: text, category: text, contact_name: text, tags: [text], metadata: {} }
    const opened = await agnes.post('/tickets', { ...asked, contact_email: `f${at}@formula.example` })
    expect(opened.status, opened.text).toBe(201)
    await agnes.post(`/tickets/${opened.body.id}/resolve`, { resolution: text })
  }
  const failing = `email,first_name,=HYPERLINK("x")\r\nno address,${formulas.map((text) => `"${text.replaceAll('"', '""')}"`).slice(0, 1)[0]},@x\r\n`
  const { id: importId } = await importFile(app, maria, failing, {})
  const tables: [string, string | Buffer][] = [
    ['contacts', (await maria.get('/contacts/export?format=csv')).text],
    ['a list', (await maria.get(`/lists/${list}/export?format=csv`)).text],
    ['failed rows', (await maria.get(`/contacts/imports/${importId}/errors`)).text],
    ['a report', await madeReport('=1+1', 'source', 'csv')],
    ['contacts, later', await madeTable('maria', '/contacts/exports', { format: 'csv' })],
    ['tickets', await madeTable('agnes', '/tickets/exports', { format: 'csv' })],
    ['tickets, whole', await madeTable('agnes', '/tickets/exports', { format: 'csv', columns: ['*'] })],
  ]
  for (const [name, table] of tables) {
    const cells = (parse(table, { bom: true, relax_column_count: true }) as string[][]).flat()
    expect(
      cells.some((cell) => cell.includes('1+1') || cell.includes('@x')),
      name,
    ).toBe(true)
    expect(cells.filter(isFormula), name).toEqual([])
  }
  const xlsx = await maria.get('/contacts/export?format=xlsx')
  expect(xlsx.status).toBe(200)
  for (const sheet of [
    await madeReport('=2+2', 'source', 'xlsx'),
    await madeTable('agnes', '/tickets/exports', { format: 'xlsx', columns: ['*'] }),
  ]) {
    const { sheets } = await readXlsx(sheet)
    expect(JSON.stringify(sheets[0]!.rows)).toContain('=1+1')
    expect(JSON.stringify(sheets)).not.toMatch(/"formula"/)
  }
})

test('39: of tickets there is no other table to take out, and of their figures none', async () => {
  const anna = app.as('anna')
  for (const path of ['/tickets', '/tickets/statistics', '/tickets/agents']) {
    const asked = await anna.get(path, { accept: 'text/csv, application/vnd.ms-excel' })
    expect([asked.status, asked.headers['content-type']], path).toEqual([200, 'application/json; charset=utf-8'])
    expect((await anna.get(`${path}?format=csv`)).status, path).toBe(422)
  }
  const tables = app.app.routes.map(({ options }) => options.path).filter((path) => /export|csv|xlsx|errors/.test(path))
  const known =
    /^\/(tickets\/exports|contacts\/(exports?|imports\/:id\/errors)|lists\/:id\/export|gdpr\/export)(\/:id)?$/
  expect(
    tables.filter((path) => !known.test(path)),
    'a new table: try formulas on it above',
  ).toEqual([])
})

test('41: whatever address stands in a contact, a mail, a ticket or a template, nobody goes there', async () => {
  await using door = await openMailDoor(app)
  const [maria, anna] = [app.as('maria'), app.as('anna')]
  expect((await anna.post('/tickets/mailboxes', { address: 'aide@moulin.example', name: 'S' })).status).toBe(201)
  await maria.post('/contacts/fields', { label: 'Site', kind: 'url' })
  for (const [at, place] of places().entries()) {
    await maria.post('/contacts', { email: `s${at}@site.example`, first_name: 'S', avatar_url: place, company: place })
    const html = `<img src="${place}"><a href="${place}">x</a><link rel=stylesheet href="${place}"><p>x</p>`
    const ticket = await anna.post('/tickets', {
      subject: place,
      description: html,
      contact_email: `s${at}@site.example`,
    })
    await anna.post(`/tickets/${ticket.body.id}/messages`, { content: `${place} ${html}` })
    await door.send({
      from: `m${at}@site.example`,
      to: 'aide@moulin.example',
      subject: place.slice(0, 60),
      html,
      headers: { 'List-Unsubscribe': `<${place}>`, 'X-Image-Url': place },
      attachments: [
        { filename: 'a.txt', content: place, contentDisposition: 'attachment', headers: { 'Content-Location': place } },
      ],
    })
    const template = await maria.post('/communication/templates', {
      name: `T${at}`,
      channel: 'email',
      subject: 'S',
      body: html,
    })
    if (template.status === 201) await maria.post(`/communication/templates/${template.body.id}/preview`, {})
  }
  await importFile(app, maria, `email,avatar_url\r\ni@site.example,http://127.0.0.1:${port}/\r\n`, {})
  await app.drain()
  expect(heard).toBe(0)
})

test('50: a copy that is being made while its person is erased does not outlive them', async () => {
  await using second = await startAnother(app)
  const ivy = await customerOf(app, 'ivy')
  await ivy.post('/tickets', { subject: 'quokka', description: 'quokka' })
  const asked = await app.as('anna').post('/gdpr/export', { user_id: ivy.id })
  const support = app.app.runtime.personalData.find(({ name }) => name === 'support')!.data
  const { export: whole } = support
  const watcher = new pg.Client({ connectionString: app.databaseUrl })
  await watcher.connect()
  let erased: Promise<void> | undefined
  let wasFound = false
  try {
    // In the midst of the copy another worker begins to erase, and comes to where it has to wait.
    support.export = async function* (tx, person) {
      await app.as('anna').post('/gdpr/delete', { user_id: ivy.id })
      erased = second.app.worker.drain()
      await expect.poll(() => countWaiting(watcher), { timeout: 20_000 }).toBeGreaterThan(0)
      for await (const part of whole(tx, person)) {
        wasFound ||= JSON.stringify(part.rows).includes('quokka')
        yield part
      }
    }
    await app.drain()
    await erased
    await app.drain()
  } finally {
    support.export = whole
    await watcher.end()
  }
  expect(wasFound).toBe(true)
  const request = (await app.as('anna').get(`/gdpr/requests/${asked.body.request_id}`)).body
  expect(request.download_url).toBeNull()
  const kept: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/privacy`)) kept.push(key)
  expect(kept).toEqual([])
  const { data } = (await app.as('anna').get('/gdpr/audit')).body
  const told = data.map((entry: { action: string }) => entry.action)
  expect(told).toEqual(expect.arrayContaining(['export.made', 'delete.done']))
})

const exported = [
  { name: 'support', path: '/tickets/exports', who: 'agnes' },
  { name: 'contacts', path: '/contacts/exports', who: 'maria' },
] as const

test.each(exported)(
  '50: a table of $name that is being written while its people are erased outlives none of them',
  async ({ name, path, who }) => {
    await using second = await startAnother(app)
    const data = app.app.runtime.personalData.find((keeper) => keeper.name === name)!.data
    const { files } = second.app.runtime
    const [{ erase }, { put }] = [data, files]
    let held = ''
    files.put = async (key, content, options) => {
      const stored = await put.call(files, key, content, options)
      held = (await buffer((await files.get(key))!)).toString()
      return stored
    }
    const asker = app.as(who)
    const begin = async () => {
      const begun = await asker.post(path, { format: 'json' })
      expect(begun.status, begun.text).toBe(202)
      return begun.body.export_id as string
    }
    const expectGone = async (id: string) => {
      expect(held, 'what was thrown away').toContain('wombat')
      expect((await asker.get(`${path}/${id}`)).body).toMatchObject({ status: 'expired', download_url: null })
      const kept: string[] = []
      for await (const key of files.list(`${app.world.workspaceId}/exports`)) kept.push(key)
      expect(kept.filter((key) => key.includes(id))).toEqual([])
    }
    const guest = async (person: string) => {
      const email = `${person}-${name}@guest.example`
      const client = await customerOf(app, person, { id: newId(), email, name: 'wombat', role: 'customer' })
      const opened = await client.post('/tickets', { subject: 'wombat', description: 'wombat' })
      expect(opened.status, opened.text).toBe(201)
      await app.drain()
      return client
    }
    const forget = async (email: string) => {
      const asked = await app.as('anna').post('/gdpr/delete', { email })
      expect(asked.status, asked.text).toBe(202)
    }

    // Written, but not yet there, when somebody is erased.
    const first = await guest('rita')
    const written = await begin()
    const { put: seen } = files
    files.put = async (key, content, options) => {
      const stored = await seen.call(files, key, content, options)
      await forget(first.email)
      await app.drain()
      return stored
    }
    await second.app.worker.drain()
    files.put = seen
    await expectGone(written)

    // Asked for, read and there, while the erasure that began before it has not come to its end.
    const last = await guest('otto')
    await forget(last.email)
    held = ''
    let read = ''
    data.erase = async (tx, person, services) => {
      data.erase = erase
      const counts = await erase.call(data, tx, person, services)
      read = await begin()
      await second.app.worker.drain()
      expect((await asker.get(`${path}/${read}`)).body.status).toBe('succeeded')
      return counts
    }
    await app.drain()
    await expectGone(read)
  },
)

test('50: the link to a copy ends, is bound to its file, and whoever asked is written down', async () => {
  const ned = await customerOf(app, 'ned')
  await ned.post('/tickets', { subject: 'quokka', description: 'quokka' })
  for (const subject of [{ user_id: ned.id }, { email: ned.email }]) {
    const elsewhere = await app.stranger.post('/gdpr/export?inline=true', subject)
    expect(elsewhere.text).not.toMatch(/quokka/)
    expect((await app.stranger.post('/gdpr/delete', { ...subject, business_id: app.world.workspaceId })).status).toBe(
      422,
    )
  }
  const asked = await app.as('adrian').post('/gdpr/export', { user_id: ned.id })
  await app.drain()
  const path = `/gdpr/requests/${asked.body.request_id}`
  const { download_url: url, asked_by_name: who } = (await app.as('anna').get(path)).body
  expect(who).toBe('Adrian')
  const address = new URL(url).pathname
  expect((await app.app.http.inject({ url: address })).statusCode).toBe(200)
  for (const client of [ned, app.stranger, app.as('agnes'), app.anonymous]) {
    expect([401, 403, 404]).toContain((await client.get(path)).status)
  }
  const altered = address.replace(/.(?=.{20}$)/, (letter) => (letter === 'A' ? 'B' : 'A'))
  expect((await app.app.http.inject({ url: altered })).statusCode).toBe(404)
  const key = `${app.world.workspaceId}/privacy/${asked.body.request_id}.zip`
  const over = await app.app.runtime.files.signedUrl(key, {
    expiresInMs: -1_000,
    downloadName: 'a.zip',
    type: 'application/zip',
  })
  expect((await fileOf(over)).statusCode).toBe(404)
  const lasts = await app.inTx((tx) =>
    tx.rawQuery(
      `update privacy.requests set file_until = now() + interval '1 hour' where id = '${asked.body.request_id}'`,
    ),
  )
  expect(lasts.rowCount).toBe(1)
  const { download_expires_at: end } = (await app.as('anna').get(path)).body
  expect(Date.parse(end) - Date.now()).toBeLessThanOrEqual(3_600_000)
  for (const round of [1, 2]) {
    const erased = await app.as('anna').post('/gdpr/delete', { user_id: ned.id })
    expect([200, 202], `round ${round}: ${erased.text}`).toContain(erased.status)
    await app.drain()
  }
  expect((await app.app.http.inject({ url: address })).statusCode).toBe(404)
  const { data } = (await app.as('anna').get('/gdpr/audit')).body
  const asking = data.filter((entry: { action: string }) => entry.action.startsWith('export.'))
  expect(JSON.stringify(asking)).toContain(app.world.people.adrian.id)
  expect(JSON.stringify(data)).not.toMatch(/quokka|ned@/)
})

async function countWaiting(watcher: pg.Client): Promise<number> {
  const { rows } = await watcher.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]!.count
}
