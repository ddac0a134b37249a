// What other programs tell reaches the contact: once, whole, and in whatever spelling and order.
import { expect, test } from 'vitest'
import { sql } from 'kysely'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { updateStats } from './work.ts'

async function tell(app: TestApp, event: string, data: object, more: { id?: string; timestamp?: string } = {}) {
  const envelope = { id: newId(), timestamp: '2026-03-01T10:00:00Z', event, data, ...more }
  const reply = await app.as('adrian').post('/events', envelope)
  expect(reply.status, reply.text).toBe(202)
  await app.drain()
}

async function find(app: TestApp, email: string) {
  const { body } = await app.as('victor').get(`/contacts?search=${encodeURIComponent(email)}`)
  expect(body.data, email).toHaveLength(1)
  return body.data[0] as Record<string, unknown> & { id: string }
}

async function timeline(app: TestApp, id: string) {
  const { body } = await app.as('victor').get(`/contacts/${id}/interactions?limit=200`)
  return (body.data as { interaction_type: string }[]).map((entry) => entry.interaction_type)
}

const failed = async (app: TestApp) =>
  ((await app.as('adrian').get('/events/failed')).body.data as { event: string; error: string }[]).map(
    ({ event, error }) => `${event}: ${error}`,
  )

test('a registration makes the contact, or links the one that is there', async () => {
  await using app = await start()
  const userId = newId()
  await tell(app, 'user.registered', { user_id: userId, email: 'Ana@Example.com', name: 'Ana Pop', locale: 'fr_FR' })
  const ana = await find(app, 'ana@example.com')
  expect(ana).toMatchObject({
    user_id: userId,
    first_name: 'Ana',
    last_name: 'Pop',
    source: 'registration',
    language: 'fr-FR',
  })
  await app.as('maria').post('/contacts', { email: 'bob@example.com', first_name: 'Bob' })
  await tell(app, 'user.registered', { id: 456, email: 'bob@example.com', first_name: 'Robert', phone: '0601020304' })
  expect(await find(app, 'bob@example.com')).toMatchObject({ first_name: 'Bob', phone: '0601020304', user_id: null })
  // From now on the foreign id is enough.
  await tell(app, 'ticket.created', {
    ticket_id: 123,
    ticket_number: 'TICKET-1',
    user_id: 456,
    subject: 'Commande non recue',
  })
  expect(await find(app, 'bob@example.com')).toMatchObject({ total_tickets: 1, open_tickets: 1 })
  expect(await failed(app)).toEqual([])
})

test('an order counts once, whatever is told of it and how often', async () => {
  await using app = await start()
  const order = {
    order_id: 'A-1',
    customer: { email: 'ana@example.com', full_name: 'Ana Pop' },
    total: '49.90',
    currency: 'eur',
  }
  const id = newId()
  await tell(app, 'order.completed', order, { id })
  await tell(app, 'order.completed', order, { id })
  await tell(app, 'order.completed', { ...order, completed_at: '2026-02-01T09:00:00Z' })
  await tell(app, 'order.completed', { id: 2, email: 'ana@example.com', amount: 0.1 })
  await tell(app, 'order.completed', { order: { id: 3, total_price: 0.2 }, customer_email: 'ana@example.com' })
  const ana = await find(app, 'ana@example.com')
  expect(ana).toMatchObject({
    total_orders: 3,
    lifetime_value: '50.20',
    last_order_date: '2026-03-01T10:00:00.000Z',
    engagement_score: 30,
  })
  await tell(app, 'order.completed', { order_id: 'usd', email: 'ana@example.com', total: 500, currency: 'USD' })
  await tell(app, 'order.returned', { order_id: 'A-1', return_id: 1, refund_amount: '10.00' })
  await tell(app, 'order.returned', { order_id: 'A-1', return_id: 2, refund_amount: 5 })
  const later = await find(app, 'ana@example.com')
  expect(later).toMatchObject({ total_orders: 4, lifetime_value: '35.20' })
  const { body } = await app.as('victor').get(`/contacts/${ana.id}/orders`)
  expect(body.total).toBe(4)
  expect(body.data.find((one: { order_id: string }) => one.order_id === 'A-1')).toMatchObject({
    status: 'partly_returned',
    amount: '49.90',
    returned_amount: '15.00',
    currency: 'EUR',
    completed_at: '2026-02-01T09:00:00.000Z',
  })
  expect((await timeline(app, ana.id)).toSorted()).toEqual(
    ['contact_created', 'order_returned', 'order_returned', 'purchase', 'purchase', 'purchase', 'purchase'].toSorted(),
  )
  await tell(app, 'order.returned', { order_id: 'A-1', return_id: 3 })
  expect((await find(app, 'ana@example.com')).lifetime_value).toBe('0.30')
})

test('a return before its order waits for it', async () => {
  await using app = await start()
  await tell(app, 'order.returned', { order_id: 7 })
  expect(await failed(app)).toEqual([])
  await tell(app, 'order.completed', { order_id: 7, email: 'ana@example.com', total: 12 })
  const ana = await find(app, 'ana@example.com')
  expect(ana).toMatchObject({ total_orders: 1, lifetime_value: '0.00' })
  expect(await timeline(app, ana.id)).toEqual(expect.arrayContaining(['purchase', 'order_returned']))
})

test('everybody who attends a booking is a contact, with the booking in their history', async () => {
  await using app = await start()
  await tell(app, 'booking.cancelled', { booking_id: 'b-1', reason: 'Rain', cancelled_at: '2026-02-03T10:00:00Z' })
  await tell(app, 'booking.created', {
    booking_id: 'b-1',
    invitee_name: 'Ana Maria van den Berg',
    invitee_email: 'ana@example.com',
    invitee_phone: '+40721234567',
    attendees: [{ email: 'bob@example.com', name: 'Bob' }, 'cat@example.com', { name: 'A friend' }],
    event_type: { name: 'Tasting' },
    start_time: '2026-02-10T18:00:00+01:00',
    meeting_url: 'https://meet.example/b-1',
    created_at: '2026-02-01T10:00:00Z',
  })
  const ana = await find(app, 'ana@example.com')
  expect(ana).toMatchObject({
    first_name: 'Ana Maria',
    last_name: 'van den Berg',
    phone: '+40721234567',
    source: 'booking',
    total_bookings: 1,
    total_appointments: 0,
    last_booking_date: '2026-02-10T17:00:00.000Z',
  })
  for (const email of ['bob@example.com', 'cat@example.com']) expect((await find(app, email)).total_bookings).toBe(1)
  expect(await timeline(app, ana.id)).toEqual(['contact_created', 'booking_cancelled', 'booking_created'])
  const { body } = await app.as('victor').get(`/contacts/${ana.id}/bookings`)
  expect(body.data).toMatchObject([
    {
      booking_id: 'b-1',
      kind: 'booking',
      status: 'cancelled',
      title: 'Tasting',
      link: 'https://meet.example/b-1',
      reason: 'Rain',
    },
  ])
  await tell(app, 'appointment.created', {
    appointment_id: 9,
    email: 'ana@example.com',
    starts_at: '2026-04-01 09:00:00',
  })
  await tell(app, 'appointment.cancelled', { appointment: { id: 9 } })
  expect(await find(app, 'ana@example.com')).toMatchObject({
    total_bookings: 1,
    total_appointments: 1,
    last_appointment_date: '2026-04-01T09:00:00.000Z',
  })
  const details = await app.inTx((tx) =>
    tx.sql.selectFrom('contacts.contacts').select('cancelled_appointments').where('id', '=', ana.id).execute(),
  )
  expect(details).toEqual([{ cancelled_appointments: 1 }])
})

test('tickets count, and those that wait count apart', async () => {
  await using app = await start()
  const ticket = { ticket_id: 't1', requester: { email: 'ana@example.com', name: 'Ana Pop' }, subject: 'Late' }
  await tell(app, 'ticket.resolved', { ticket_id: 't1', resolved_at: '2026-02-02T10:00:00Z' })
  await tell(app, 'ticket.created', ticket)
  await tell(app, 'ticket.created', { ...ticket, ticket_id: 't2' })
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_tickets: 2, open_tickets: 1 })
  await tell(app, 'ticket.reopened', { ticket_id: 't1', reopened_at: '2026-02-03T10:00:00Z' })
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_tickets: 2, open_tickets: 2 })
  await tell(app, 'ticket.closed', { ticket_id: 't1' })
  const ana = await find(app, 'ana@example.com')
  expect(ana).toMatchObject({ total_tickets: 2, open_tickets: 1 })
  expect((await timeline(app, ana.id)).toSorted()).toEqual(
    [
      'contact_created',
      'ticket_created',
      'ticket_created',
      'ticket_resolved',
      'ticket_reopened',
      'ticket_closed',
    ].toSorted(),
  )
})

test('a ticket that was merged into another counts there alone, in whatever order it is told', async () => {
  await using app = await start()
  const requester = { email: 'ana@example.com', name: 'Ana Pop' }
  await tell(app, 'ticket.merged', { ticket_id: 't1', merged_ids: ['t2', 3], merged_at: '2026-02-01T10:00:00Z' })
  for (const id of ['t1', 't2', 3]) await tell(app, 'ticket.created', { ticket_id: id, requester, subject: 'Late' })
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_tickets: 1, open_tickets: 1 })
  const undone = { ticket_id: 't1', merged_ids: ['t2', '3'], unmerged_at: '2026-02-02T10:00:00Z' }
  await tell(app, 'ticket.unmerged', undone)
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_tickets: 3, open_tickets: 3 })
  await tell(app, 'ticket.merged', { ticket_id: 't1', merged_ids: [3], merged_at: '2026-02-03T10:00:00Z' })
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_tickets: 2, open_tickets: 2 })
})

test('a subscription told by another program comes with its evidence, and never against a no', async () => {
  await using app = await start()
  const told = { email: 'ana@example.com', source: 'website_footer', double_optin: true, ip: '203.0.113.9' }
  await tell(app, 'newsletter.subscribed', { ...told, confirmed_at: '2026-02-01T10:00:00Z' })
  const ana = await find(app, 'ana@example.com')
  expect(ana).toMatchObject({ newsletter_subscribed: true, marketing_subscribed: false })
  const ledger = await app.as('victor').get(`/contacts/${ana.id}/consents`)
  expect(ledger.body.data[0]).toMatchObject({
    decision: 'granted',
    source: 'event',
    ip: '203.0.113.9',
    evidence: { form: 'website_footer', double_optin: true, confirmed_at: '2026-02-01T10:00:00.000Z' },
  })
  await app.as('maria').post(`/contacts/${ana.id}/unsubscribe`, { type: 'newsletter' })
  await tell(app, 'newsletter.subscribed', { ...told, confirmed_at: '2027-01-01T10:00:00Z' })
  expect(await find(app, 'ana@example.com')).toMatchObject({ newsletter_subscribed: false })
  await tell(app, 'newsletter.subscribed', { email: 'bob@example.com', double_optin: false })
  expect(await find(app, 'bob@example.com')).toMatchObject({ newsletter_subscribed: false })
  expect(await failed(app)).toEqual([])
})

test('a mail that another program sent is on the timeline of who is here, and makes nobody', async () => {
  await using app = await start()
  const { body } = await app.as('maria').post('/contacts', { email: 'ana@example.com', first_name: 'Ana' })
  for (const _ of [1, 2])
    await tell(app, 'email.sent', { to: 'ANA@example.com', subject: 'Your invoice', message_id: '<1@shop>' })
  await tell(app, 'email.sent', { to: 'supplier@example.com', subject: 'Order' })
  expect(await timeline(app, String(body.id))).toEqual(['contact_created', 'email_sent'])
  expect((await app.as('victor').get('/contacts')).body.total).toBe(1)
})

test('what cannot be understood is set aside with its reason, and holds nothing up', async () => {
  await using app = await start()
  const send = (event: string, data: object) =>
    app.as('adrian').post('/events', { id: newId(), timestamp: '2026-03-01T10:00:00Z', event, data })
  await send('order.completed', { order_id: 1, email: 'ana@example.com', total: 1 })
  await send('order.completed', { order_id: 2, email: 'no address', total: 1 })
  await send('order.completed', { order_id: 2, total: 'a lot', email: 'ana@example.com' })
  await send('order.completed', { order_id: 2 })
  await send('order.completed', { email: 'ana@example.com' })
  await send('order.completed', {
    order_id: 2,
    email: 'ana@example.com',
    total: 2,
    completed_at: '2026-02-31T25:00:00Z',
  })
  await send('booking.created', { booking_id: 1, attendees: [{ name: 'Somebody' }] })
  await send('newsletter.subscribed', { phone: '1' })
  await send('order.completed', { order_id: 2, email: 'ana@example.com', total: 2, order: null, first_name: '' })
  await app.drain()
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_orders: 2, lifetime_value: '3.00' })
  const reasons = await failed(app)
  expect(reasons).toHaveLength(7)
  expect(reasons.join('\n')).toMatch(/data\/email must match format "email"/)
  expect(reasons.join('\n')).toMatch(/it names nobody: send an email/)
  expect(reasons.join('\n')).toMatch(/it names no order: send an order_id/)
  expect(reasons.join('\n')).toMatch(/there is no time 2026-02-31/)
})

test('whoever is not known yet is waited for', async () => {
  await using app = await start()
  await tell(app, 'order.completed', { order_id: 1, user_id: 77, total: 5 })
  expect(await failed(app)).toEqual([])
  await tell(app, 'user.registered', { id: 77, email: 'ana@example.com' })
  await app.inTx((tx) =>
    sql`update platform.outbox set next_attempt_at = now() where relayed_at is null`.execute(tx.sql),
  )
  await app.drain()
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_orders: 1 })
})

test('figures that came with a file stay, and facts are added to them; drift is put right', async () => {
  await using app = await start()
  const csv = 'email,first_name,total orders,lifetime value\nana@example.com,Ana,10,100.50\nbob@example.com,Bob,0,0\n'
  const file = `--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n${csv}\r\n--x--\r\n`
  const imported = await app
    .as('maria')
    .post('/contacts/import', file, { 'content-type': 'multipart/form-data; boundary=x' })
  expect(imported.status, imported.text).toBe(202)
  await app.drain()
  const runtime = app.app.runtime
  expect(await updateStats(runtime)).toBe(0)
  await tell(app, 'order.completed', { order_id: 1, email: 'ana@example.com', total: '9.50' })
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_orders: 11, lifetime_value: '110.00' })
  await app.inTx((tx) => tx.rawQuery('update contacts.contacts set total_orders = 99, total_bookings = 5'))
  await app.drainEvents()
  expect(await updateStats(runtime, 1)).toBe(2)
  expect(await app.drainEvents()).toEqual(expect.arrayContaining(['contact.updated', 'customer.updated']))
  expect(await find(app, 'ana@example.com')).toMatchObject({ total_orders: 11, total_bookings: 0 })
  expect(await updateStats(runtime)).toBe(0)
  expect((await app.anonymous.get('//metrics')).text).toContain('rapport_contact_figures_repaired_total 2')
})
