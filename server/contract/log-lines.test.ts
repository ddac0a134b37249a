// Documents 1 and 3, "Journalisation": contacts, subscriptions, bulk operations, engagement, imports, exports, and what happens to
// tickets leave a line each, with who, what and how many, and without anybody's name or address.
import { expect, test } from 'vitest'
import { createLog } from '#platform/observe/log.ts'
import { id, whole } from '#testing/contract/matchers.ts'
import { form } from '#testing/import-file.ts'
import { startAnother } from '#testing/start-another.ts'
import { start } from '#testing/start.ts'

test('what is done is told in the log, by ids and counts alone', async () => {
  await using app = await start()
  const lines: string[] = []
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } })
  await using second = await startAnother(app, {}, log)
  const taken = () => lines.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>)
  const maria = second.as('maria')
  const workspace_id = app.world.workspaceId
  taken()

  const { body } = await maria.post('/contacts', { email: 'ana@example.com', first_name: 'Anamaria' })
  const path = `/contacts/${body.id}`
  const by = { workspace_id, actor_id: app.world.people.maria.id, actor_kind: 'user', request_id: expect.any(String) }
  expect(taken()).toEqual([
    expect.objectContaining({ msg: 'done', workspace_id, subject: body.id, events: { 'contact.created': 1, 'customer.created': 1 } }), // prettier-ignore
    expect.objectContaining({ msg: 'request', ...by, method: 'POST', route: '/api/v1/contacts', status: 201, ids: {} }),
  ])

  const steps: [run: () => Promise<unknown>, events: object, route: string][] = [
    [() => maria.put(path, { company: 'Moulin' }), { 'contact.updated': 1, 'customer.updated': 1 }, ':id'],
    [() => maria.post(`${path}/subscribe`, { type: 'newsletter' }), { 'contact.subscribed': 1 }, ':id/subscribe'],
    [() => maria.post(`${path}/unsubscribe`, { type: 'all' }), { 'contact.unsubscribed': 1 }, ':id/unsubscribe'],
    [() => maria.post(`${path}/engagement`, { type: 'opened' }), { 'contact.engagement': 1 }, ':id/engagement'],
    [() => maria.delete(path), { 'contact.deleted': 1, 'customer.deleted': 1 }, ':id'],
  ]
  for (const [run, events, route] of steps) {
    await run()
    expect(taken(), route).toEqual([
      expect.objectContaining({ msg: 'done', workspace_id, subject: body.id, events }),
      expect.objectContaining({ msg: 'request', ...by, route: `/api/v1/contacts/${route}`, status: 200, ids: { id: body.id } }), // prettier-ignore
    ])
  }

  await maria.get('/contacts')
  expect(taken(), 'who looks is not told').toEqual([])

  await maria.post('/contacts/import', ...form('email,first_name\r\nbea@example.com,Beatrice\r\n'))
  await second.as('adrian').post('/contacts/bulk-action', { action: 'export', filter: {} })
  await second.as('adrian').post('/contacts/bulk-action', { action: 'add_tag', filter: {}, params: { tag: 'VIP' } })
  await second.as('adrian').post('/tickets/exports', { format: 'csv' })
  await second.app.worker.drain()
  const jobs = taken().filter(({ msg }) => msg === 'a job is done')
  expect(jobs).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'contacts.import', workspace_id, job_id: id, result: expect.objectContaining({ created: 1, failed: 0 }) }), // prettier-ignore
      expect.objectContaining({
        kind: 'contacts.export',
        job_id: id,
        result: expect.objectContaining({ rows: whole }),
      }),
      expect.objectContaining({ kind: 'support.export', job_id: id, result: { rows: 0, size_bytes: whole } }),
      expect.objectContaining({
        kind: 'contacts.bulk',
        job_id: id,
        result: expect.objectContaining({ changed: whole }),
      }),
    ]),
  )
})

test('what happens to tickets is told as well: each step, its files, and what time alone does', async () => {
  await using app = await start()
  const lines: string[] = []
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } })
  await using second = await startAnother(app, {}, log)
  const workspace_id = app.world.workspaceId
  const done = () =>
    lines
      .splice(0)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(
        ({ msg, events }) => msg === 'done' && Object.keys(events as object).some((name) => name.startsWith('ticket')),
      )
  const agnes = second.as('agnes')
  const ticket = { subject: 'Cold oven', description: 'Anamaria says so.', contact_email: 'ana@example.com' }
  await agnes.post('/contacts', { email: 'ana@example.com', first_name: 'Anamaria' })
  done()
  const { body } = await agnes.post('/tickets', { ...ticket, priority: 'urgent' })
  expect(done()).toEqual([
    expect.objectContaining({ msg: 'done', workspace_id, subject: body.id, events: { 'ticket.created': 1 } }),
  ])
  const path = `/tickets/${body.id}`
  const upload = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nAnamaria\r\n--x--\r\n'
  const escalate = () => second.app.tasks.find(({ name }) => name === 'support.escalate')!.run(second.app.runtime)
  const past = () =>
    app.inTx((tx) => tx.rawQuery(`update support.tickets set created_at = created_at - interval '3 hours'`, []))
  const steps: [run: () => Promise<unknown>, events: object][] = [
    [() => agnes.post(`${path}/assign`, { agent_id: app.world.people.agnes.id }), { 'ticket.assigned': 1 }],
    [() => past().then(escalate), { 'ticket.escalated': 1 }],
    [() => agnes.post(`${path}/attachments`, upload, { 'content-type': 'multipart/form-data; boundary=x' }), { 'ticket.updated': 1 }], // prettier-ignore
    [() => agnes.post(`${path}/messages`, { content: 'Anamaria again', is_internal: true }), { 'ticket.message.new': 1 }], // prettier-ignore
    [() => agnes.put(path, { status: 'waiting_customer' }), { 'ticket.updated': 1 }],
    [() => agnes.post(`${path}/resolve`, { resolution: 'Plugged in, Anamaria.' }), { 'ticket.resolved': 1 }],
    [() => agnes.post(`${path}/close`), { 'ticket.closed': 1 }],
  ]
  for (const [run, events] of steps) {
    await run()
    expect(done(), JSON.stringify(events)).toEqual([
      expect.objectContaining({ workspace_id, subject: body.id, events }),
    ])
  }
})

test('no line names anybody, and none holds a token of an address', async () => {
  await using app = await start()
  const lines: string[] = []
  const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  await using second = await startAnother(app, {}, log)
  const maria = second.as('maria')
  const person = { email: 'ana@example.com', first_name: 'Anamaria', phone: '+40721234567' }
  const { body } = await maria.post('/contacts', person)
  await maria.get('/contacts?search=Anamaria')
  await maria.post(`/customers/${body.id}/notes`, { content: 'Anamaria likes the window table.' })
  await second.anonymous.post('/public/track/not-a-real-token/opened')
  await second.anonymous.post('/public/unsubscribe?workspace=moulin', { email: 'ana@example.com' })
  await maria.post('/contacts/import', ...form('email,first_name\r\nana@example.com,Anamaria\r\n'))
  const ticket = { subject: 'Anamaria’s oven', description: 'Anamaria', contact_email: 'ana@example.com' }
  const asked = await second.as('agnes').post('/tickets', ticket)
  await second.as('agnes').post(`/tickets/${asked.body.id}/messages`, { content: 'Anamaria' })
  await second.app.worker.drain()
  expect(lines.length).toBeGreaterThan(10)
  expect(lines.filter((line) => /ana@example|Anamaria|40721234567|not-a-real-token/.test(line))).toEqual([])
})
