import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'vitest'
import { customerOf } from '#testing/customer.ts'
import { start, type TestApp } from '#testing/start.ts'
import { ratingToken } from './links.ts'

async function closedTicket(app: TestApp, email = 'zoe@guest.example', language = 'fr') {
  const body = { email, name: 'EVIL-NAME http://evil.example', subject: 'EVIL-SUBJECT', description: 'EVIL', language }
  const { id } = (await app.anonymous.post('/public/tickets', body)).body as { id: string }
  await app.as('agnes').post(`/tickets/${id}/close`)
  await app.drain()
  return id
}

function linkIn(app: TestApp): string {
  const text = app
    .mails()
    .at(-1)!
    .raw.replaceAll(/=\r?\n/g, '')
    .replaceAll('=3D', '=')
  return /\/rate\/([\w-]+)/.exec(text)![1]!
}

async function ratings(app: TestApp): Promise<Record<string, unknown>[]> {
  const { rows } = await app.inTx((tx) =>
    sql<{ data: Record<string, unknown> }>`
      select data from platform.outbox where event = 'ticket.satisfaction.received'`.execute(tx.sql),
  )
  return rows.map(({ data }) => data)
}

test('after closing, one mail in the person’s language, with nothing that anybody typed', async () => {
  await using app = await start()
  const id = await closedTicket(app)
  const mails = app.mails().filter(({ to }) => to === 'zoe@guest.example')
  assert.equal(mails.length, 1)
  assert.equal(/EVIL|evil/.test(mails[0]!.raw), false)
  assert.match(mails[0]!.raw, /TICKET-/)
  assert.match(mails[0]!.raw, /Vous recevez ce message/)
  await app.as('agnes').put(`/tickets/${id}`, { status: 'in_progress' })
  await app.as('agnes').post(`/tickets/${id}/close`)
  await closedTicket(app)
  assert.equal(app.mails().length, 1, 'not twice for a ticket, nor twice a week for a person')
  await closedTicket(app, 'ion@guest.example', 'ro')
  assert.match(app.mails().at(-1)!.raw, /=C4=83|ă/)
})

test('the link is good for one rating, which tells and changes nothing else', async () => {
  await using app = await start()
  const id = await closedTicket(app)
  const token = linkIn(app)
  const page = await app.anonymous.get(`//rate/${token}`)
  assert.equal(page.status, 200, page.text)
  assert.match(page.text, /Comment cela s’est-il passé/)
  const send = (body: object) => app.anonymous.post('/public/tickets/satisfaction', { token, ...body })
  for (const wrong of [
    { rating: 0 },
    { rating: 6 },
    { rating: 2.5 },
    { rating: '5' },
    {},
    { rating: 5, ticket_id: id },
  ]) {
    assert.equal((await send(wrong)).status, 422)
  }
  const both = await Promise.all([send({ rating: 4, comment: 'Fine' }), send({ rating: 1, comment: 'Bad' })])
  assert.deepEqual(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 410],
  )
  const ticket = await app.as('agnes').get(`/tickets/${id}`)
  assert.equal(ticket.body.status, 'closed')
  assert.ok([4, 1].includes(ticket.body.satisfaction_rating))
  const told = await ratings(app)
  assert.deepEqual(
    told.map((data) => [data.ticket_id, data.rating]),
    [[id, ticket.body.satisfaction_rating]],
  )
  assert.equal((await app.anonymous.get(`//rate/${token}`)).status, 410)
})

test('the form of the page does the same, and asks again for what was left out', async () => {
  await using app = await start()
  const id = await closedTicket(app)
  const address = `//rate/${linkIn(app)}`
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const empty = await app.anonymous.post(address, 'rating=9', form)
  assert.match(empty.text, /role="alert"/)
  const sent = await app.anonymous.post(
    address,
    `rating=5&comment=${encodeURIComponent('<script>alert(1)</script>')}`,
    form,
  )
  assert.match(sent.text, /Merci/)
  assert.equal((await app.anonymous.post(address, 'rating=1', form)).status, 410)
  const { body } = await app.as('agnes').get(`/tickets/${id}`)
  assert.deepEqual([body.satisfaction_rating, body.satisfaction_comment], [5, '<script>alert(1)</script>'])
  assert.equal((await app.anonymous.get('//rate/nonsense')).status, 404)
})

test('forged, foreign and early: no', async () => {
  await using app = await start()
  const chloe = await customerOf(app, 'chloe')
  const dan = await customerOf(app, 'dan')
  const { id } = (await chloe.post('/tickets', { subject: 'S', description: 'D' })).body as { id: string }
  const rate = (token: string) => app.anonymous.post('/public/tickets/satisfaction', { token, rating: 1 })
  const { workspaceId, otherWorkspaceId } = app.world
  const own = ratingToken(app.app.runtime, { workspaceId, ticketId: id }, new Date())
  assert.equal((await rate(own)).status, 409, 'it is not over')
  await chloe.post(`/tickets/${id}/close`)
  const old = ratingToken(app.app.runtime, { workspaceId, ticketId: id }, new Date(Date.now() - 31 * 86_400_000))
  const foreign = ratingToken(app.app.runtime, { workspaceId: otherWorkspaceId, ticketId: id }, new Date())
  for (const token of ['x', `${own}A`, old, foreign, id]) assert.equal((await rate(token)).status, 410)
  assert.equal((await dan.post(`/tickets/${id}/satisfaction`, { rating: 1 })).status, 404)
  assert.equal((await app.as('adrian').post(`/tickets/${id}/satisfaction`, { rating: 5 })).status, 403)
  assert.deepEqual(await ratings(app), [])
  assert.equal((await chloe.post(`/tickets/${id}/satisfaction`, { rating: 5 })).body.satisfaction_rating, 5)
  assert.equal((await rate(own)).status, 410)
})
