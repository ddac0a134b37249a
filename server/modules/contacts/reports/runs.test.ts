// Reports that are made as files and go out by mail: when, to whom, and never twice.
import PostalMime from 'postal-mime'
import { parse } from 'csv-parse/sync'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { nobody } from '#platform/privacy/personal-data.ts'
import { hire } from '#testing/hire.ts'
import { start, type Client, type TestApp, type TestReply } from '#testing/start.ts'
import { personalData } from '../personal-data.ts'
import { forgetRuns, startDueReports } from './clock.ts'
import { readPdf } from './pdf.fixture.ts'

async function report(client: Client, name = 'By source'): Promise<string> {
  await client.post('/contacts', { email: 'a@x.example', first_name: 'A', source: 'Fair' })
  const reply = await client.post('/contacts/reports', { name, group_by: [{ field: 'source' }] })
  expect(reply.status, reply.text).toBe(201)
  return `/contacts/reports/${reply.body.id}`
}

/** As if the time had come. */
async function comeDue(app: TestApp): Promise<void> {
  await app.inTx((tx) =>
    sql`update contacts.report_schedules set next_run_at = now() - interval '3 days'`.execute(tx.sql),
  )
  await startDueReports(app.app.runtime)
}

const only = (reply: TestReply) => reply.body.data[0] as TestReply['body']
const faults = (reply: TestReply) => reply.body.errors?.map((one: TestReply['body']) => [one.pointer, one.code])

test('a run makes a file, which a signed link brings, and its history says who had it made', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const path = await report(maria)
  await app.drainEvents()
  const begun = await maria.post(`${path}/runs`, { format: 'csv', language: 'fr' })
  expect(begun).toMatchObject({ status: 202, body: { kind: 'contacts.report', status: 'queued' } })
  const run = `${path}/runs/${begun.body.run_id}`
  expect((await maria.get(run)).body).toMatchObject({ status: 'queued', download_url: null })
  expect(await app.drainEvents()).toEqual(['report.finished'])
  const done = (await app.as('victor').get(run)).body
  expect(done).toMatchObject({
    status: 'succeeded',
    rows: 1,
    groups_total: 1,
    started_by_name: 'Maria',
    report_name: 'By source',
    sent_to: [],
    schedule_id: null,
  })
  const file = await app.anonymous.get(`/${new URL(done.download_url).pathname}`)
  expect(parse(file.text, { bom: true })).toEqual([
    ['Source', 'Contacts'],
    ['Fair', '1'],
    ['Total', '1'],
  ])
  expect(file.headers['content-disposition']).toContain('.csv')
  expect((await maria.get(`${path}/runs`)).body).toMatchObject({ total: 1, data: [{ download_url: null }] })
  expect((await app.as('victor').post(`${path}/runs`, { format: 'csv' })).status).toBe(403)
  expect((await maria.post(`${path}/runs`, { format: 'docx' })).status).toBe(422)
  for (const address of [run, `${path}/runs`]) expect((await app.stranger.get(address)).status).toBe(404)
  expect((await app.stranger.post(`${run}/cancel`)).status).toBe(404)

  const waiting = await maria.post(`${path}/runs`, { format: 'pdf' })
  expect((await maria.post(`${path}/runs/${waiting.body.run_id}/cancel`)).body.status).toBe('canceled')
  await app.drain()
  expect((await maria.get(`${path}/runs/${waiting.body.run_id}`)).body).toMatchObject({
    status: 'canceled',
    rows: null,
  })
})

test('in a house of any size, whoever came last may be on a schedule, and is no outsider', async () => {
  await using app = await start()
  await hire(app, 1_200)
  const members = async (query: string) => (await app.as('maria').get(`/members?${query}`)).body
  const { next_cursor: cursor } = await members('')
  const [last] = (await members(`cursor=${cursor}`)).data.slice(-1) as [{ user_id: string; email: string }]
  const other = (await members('limit=1')).data[0].email
  const path = await report(app.as('maria'), 'Large')
  const made = await app.as('maria').post(`${path}/schedules`, {
    frequency: 'daily',
    time: '07:30',
    format: 'csv',
    member_ids: [last.user_id],
    addresses: [other],
  })
  expect(made.status, made.text).toBe(201)
  expect((await app.as('maria').post(`${path}/schedules/${made.body.id}/run`)).status).toBe(202)
  await app.drain()
  expect(app.mails()).toHaveLength(2)
  expect(new Set(app.mails().map(({ to }) => to))).toEqual(new Set([last.email, other]))
})

test('a schedule brings the report to everybody on it, once, with the file attached', async () => {
  await using app = await start()
  const admin = app.as('adrian')
  const path = await report(admin, 'Where from?\tSources')
  const { maria, victor } = app.world.people
  const made = await admin.post(`${path}/schedules`, {
    frequency: 'weekly',
    time: '07:30',
    weekday: 1,
    timezone: 'Europe/Bucharest',
    format: 'pdf',
    language: 'ro',
    member_ids: [maria.id, victor.id],
    addresses: ['Boss@holding.example', maria.email.toUpperCase()],
  })
  expect(made.status, made.text).toBe(201)
  expect(made.body).toMatchObject({ time: '07:30', weekday: 1, month_day: null, last_run_at: null, is_paused: false })
  expect(new Date(made.body.next_run_at).getTime()).toBeGreaterThan(Date.now())
  await app.drain()
  expect(app.mails()).toHaveLength(0)
  await comeDue(app)
  await startDueReports(app.app.runtime)
  await app.drain()
  await startDueReports(app.app.runtime)
  await app.drain()
  expect(
    app
      .mails()
      .map(({ to }) => to.toLowerCase())
      .toSorted(),
  ).toEqual(['boss@holding.example', maria.email, victor.email])
  const mail = await PostalMime.parse(app.mails()[0]!.raw, { attachmentEncoding: 'arraybuffer' })
  expect(mail.subject).toMatch(/^Where from\? Sources – \d{1,2} \S+ \d{4}$/)
  expect(mail.text).toContain('Rânduri: 1. Fișierul este atașat.')
  expect(mail.text).toContain('Adrian')
  const [attachment] = mail.attachments
  expect(attachment).toMatchObject({ mimeType: 'application/pdf', filename: expect.stringMatching(/\.pdf$/) })
  const { pages } = readPdf(Buffer.from(attachment!.content as ArrayBuffer))
  expect(pages).toHaveLength(1)
  expect(pages[0]).toContain('Fair')
  expect(pages[0]).toContain('Sursă')
  const inbox = await app.as('anna').get('/communication/sandbox/messages')
  expect(inbox.body).toMatchObject({ total: 3 })

  const run = only(await admin.get(`${path}/runs?schedule_id=${made.body.id}`))
  expect(run).toMatchObject({ status: 'succeeded', started_by: null, started_by_name: 'Adrian' })
  expect(run.due_at).not.toBeNull()
  expect(run.sent_to.map((one: TestReply['body']) => one.state)).toEqual(['sent', 'sent', 'sent'])
  const schedule = (await admin.get(`${path}/schedules/${made.body.id}`)).body
  expect(new Date(schedule.next_run_at).getTime()).toBeGreaterThan(Date.now())
  expect(schedule.last_run_at).not.toBeNull()

  // By hand, as well; and a member who left gets no more.
  await app.as('anna').delete(`/members/${victor.id}`)
  expect((await admin.post(`${path}/schedules/${made.body.id}/run`)).status).toBe(202)
  await app.drain()
  const hand = only(await admin.get(`${path}/runs`))
  expect(hand).toMatchObject({ started_by_name: 'Adrian', due_at: null, schedule_id: made.body.id })
})

test('what was interrupted goes on without sending anything twice', async () => {
  await using app = await start()
  const admin = app.as('adrian')
  const path = await report(admin)
  const addresses = ['a@out.example', 'b@out.example', 'c@out.example', 'd@out.example']
  await admin.post(`${path}/schedules`, { frequency: 'daily', time: '00:00', addresses, format: 'csv' })
  const { mail } = app.app.runtime
  const send = mail.send.bind(mail)
  const tried: string[] = []
  let isDown = true
  mail.send = async (message) => {
    tried.push(message.to.address)
    if (message.to.address === 'b@out.example' && isDown) {
      isDown = false
      return { outcome: 'deferred', code: 451, response: 'later', scope: 'recipient' }
    }
    if (message.to.address === 'c@out.example') return { outcome: 'unknown', reason: 'the line broke' }
    return send(message)
  }
  await comeDue(app)
  const run = only(await admin.get(`${path}/runs`))
  // As a worker leaves it that dies between the mark and the mail server's answer.
  await app.inTx((tx) =>
    tx.sql
      .updateTable('contacts.report_mails')
      .set({ state: 'sending' })
      .where('run_id', '=', run.id)
      .where('address', '=', 'd@out.example')
      .execute(),
  )
  await app.drain()
  expect((await admin.get(`${path}/runs/${run.id}`)).body).toMatchObject({ status: 'queued', rows: 1 })
  // The second try would come by itself, after a while.
  await admin.post(`/jobs/${run.job_id}/cancel`)
  expect((await admin.post(`/jobs/${run.job_id}/retry`)).status).toBe(200)
  await app.drain()
  const after = (await admin.get(`${path}/runs/${run.id}`)).body
  expect(after.sent_to.map((one: TestReply['body']) => [one.address[0], one.state])).toEqual([
    ['a', 'sent'],
    ['b', 'sent'],
    ['c', 'failed'],
    ['d', 'failed'],
  ])
  expect(tried.filter((address) => address === 'a@out.example')).toHaveLength(1)
  expect(tried.filter((address) => address === 'b@out.example')).toHaveLength(2)
  expect(tried.filter((address) => address === 'c@out.example')).toHaveLength(1)
  expect(after.status).toBe('succeeded')
  expect(tried).not.toContain('d@out.example')
})

test('who may name whom, and what a schedule must say', async () => {
  await using app = await start()
  const maria = app.as('maria')
  const path = await report(maria)
  const { adrian, agnes } = app.world.people
  const at = async (more: object) => maria.post(`${path}/schedules`, { frequency: 'daily', time: '08:00', ...more })
  expect(faults(await at({}))).toEqual([['/member_ids', 'required']])
  expect(faults(await at({ member_ids: [adrian.id, newId()] }))).toEqual([['/member_ids/1', 'not_found']])
  expect(await at({ addresses: ['out@x.example'] })).toMatchObject({ status: 403, body: { code: 'outside_address' } })
  expect((await at({ addresses: [agnes.email] })).status, 'a member by address').toBe(201)
  const inside = { member_ids: [adrian.id] }
  expect(faults(await at({ ...inside, weekday: 3 }))).toEqual([['/weekday', 'misplaced']])
  expect(faults(await at({ ...inside, frequency: 'weekly' }))).toEqual([['/weekday', 'required']])
  expect(faults(await at({ ...inside, frequency: 'monthly', weekday: 2 }))).toEqual([
    ['/month_day', 'required'],
    ['/weekday', 'misplaced'],
  ])
  expect(faults(await at({ ...inside, timezone: 'Mars/Crater' }))).toEqual([['/timezone', 'timezone']])
  expect((await at({ ...inside, time: '24:00' })).status).toBe(422)
  const made = await at({ ...inside, frequency: 'monthly', month_day: 31 })
  const one = `${path}/schedules/${made.body.id}`
  expect((await maria.patch(one, { time: '09:00' }, { 'if-match': '"v4"' })).status).toBe(412)
  const weekly = await maria.patch(one, { frequency: 'weekly', weekday: 5 }, { 'if-match': '"v1"' })
  expect(weekly.body).toMatchObject({ weekday: 5, month_day: null, time: '08:00' })
  expect((await maria.patch(one, { addresses: ['out@x.example'] })).status).toBe(403)
  await app.as('adrian').patch(one, { addresses: ['out@x.example'] })
  expect((await maria.patch(one, { is_paused: true })).body, 'what an admin named stays').toMatchObject({
    addresses: ['out@x.example'],
    next_run_at: null,
  })
  expect((await app.as('victor').get(`${path}/schedules`)).body.total).toBe(2)
  expect((await app.as('agnes').delete(one)).status).toBe(403)
  for (const method of ['GET', 'DELETE'] as const) expect((await app.stranger.request(method, one)).status).toBe(404)
  expect((await app.stranger.post(`${one}/run`)).status).toBe(404)

  // Paused ones and those of deleted reports rest; the others run.
  await comeDue(app)
  expect((await maria.get(`${path}/runs`)).body.total).toBe(1)
  await maria.delete(path)
  await comeDue(app)
  await maria.post(`${path}/restore`)
  expect((await maria.get(`${path}/runs`)).body.total).toBe(1)
  const resumed = await maria.patch(one, { is_paused: false })
  expect(new Date(resumed.body.next_run_at).getTime()).toBeGreaterThan(Date.now())
  expect((await maria.delete(one)).status).toBe(200)
  expect((await maria.get(one)).status).toBe(404)
})

test('after ninety days a run is forgotten with its file, and an erased address at once', async () => {
  await using app = await start()
  const admin = app.as('adrian')
  const path = await report(admin)
  const addresses = ['gone@out.example', 'stays@out.example']
  const made = await admin.post(`${path}/schedules`, { frequency: 'daily', time: '08:00', addresses, format: 'xlsx' })
  await admin.post(`${path}/schedules/${made.body.id}/run`)
  await app.drain()
  const person = { ...nobody(), emails: ['gone@out.example'] }
  const known: string[] = []
  await app.inTx(async (tx) => {
    for await (const { table, rows } of personalData.export(tx, person)) if (rows.length) known.push(table)
    await personalData.erase(tx, person, app.app.runtime)
  })
  expect(known).toEqual(['contacts.report_schedules', 'contacts.report_mails'])
  expect((await admin.get(`${path}/schedules/${made.body.id}`)).body.addresses).toEqual(['stays@out.example'])
  const run = only(await admin.get(`${path}/runs`))
  expect(run.sent_to.map((one: TestReply['body']) => one.address)).toEqual(['stays@out.example'])
  // An address that must not be written to is left out, whoever puts it back on the list.
  await admin.patch(`${path}/schedules/${made.body.id}`, { addresses })
  await admin.post(`${path}/schedules/${made.body.id}/run`)
  await app.drain()
  const states = only(await admin.get(`${path}/runs`)).sent_to.map((one: TestReply['body']) => one.state)
  expect(states).toEqual(['skipped', 'sent'])

  await forgetRuns(app.app.runtime, app.world.workspaceId)
  expect((await admin.get(`${path}/runs`)).body.total).toBe(2)
  await app.inTx((tx) => sql`update contacts.report_runs set expires_at = now() - interval '1 minute'`.execute(tx.sql))
  await forgetRuns(app.app.runtime, app.world.workspaceId)
  expect((await admin.get(`${path}/runs`)).body.total).toBe(0)
  const files: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/reports`)) files.push(key)
  expect(files).toEqual([])
})
