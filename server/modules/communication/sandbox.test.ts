import { expect, test } from 'vitest'
import type { MailContext, OutgoingMail } from '#platform/mail/mail.ts'
import { newId } from '#platform/ids.ts'
import { start, type TestApp } from '#testing/start.ts'
import { trimSandbox } from './sandbox.ts'

function mailTo(to: string, context?: MailContext, more: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    from: { address: 'salut@moulin.example', name: 'Le Moulin' },
    to: { address: to },
    subject: `Bonjour à ${to}`,
    text: 'Bonjour',
    html: '<p>Bonjour <script>alert(1)</script><img src="https://i.example/x.png"></p>',
    headers: { 'List-Id': '<news.moulin.example>' },
    messageId: `<${newId()}@moulin.example>`,
    context,
    ...more,
  }
}

const contextOf = (app: TestApp): MailContext => ({
  workspaceId: app.world.workspaceId,
  campaignId: newId(),
  contactId: newId(),
})

test('a mail that went to the sandbox can be found, read and taken away whole', async () => {
  await using app = await start()
  const context = contextOf(app)
  await app.app.runtime.mail.send(mailTo('zoe@example.org', context))
  await app.app.runtime.mail.send(mailTo('paul@example.org', context))
  const maria = app.as('maria')
  const list = (await maria.get('/communication/sandbox/messages?limit=1')).body
  expect(list).toMatchObject({
    total: 2,
    data: [{ to: 'paul@example.org', from: 'Le Moulin <salut@moulin.example>', campaign_id: context.campaignId }],
  })
  const next = (await maria.get(`/communication/sandbox/messages?limit=1&cursor=${list.next_cursor}`)).body
  expect([next.data[0].to, next.next_cursor]).toEqual(['zoe@example.org', null])
  expect((await maria.get('/communication/sandbox/messages?search=A ZOE')).body.total).toBe(1)

  const path = `/communication/sandbox/messages/${next.data[0].id}`
  const message = (await maria.get(path)).body
  expect(message).toMatchObject({
    subject: 'Bonjour à zoe@example.org',
    text: expect.stringContaining('Bonjour'),
    remote_images: 1,
  })
  expect(message.html.trim()).toBe('<p>Bonjour <img src="https://i.example/x.png" /></p>')
  expect(message.headers).toContainEqual({ name: 'List-Id', value: '<news.moulin.example>' })
  const raw = await maria.get(`${path}/raw`)
  expect(raw.headers).toMatchObject({
    'content-type': 'message/rfc822',
    'content-disposition': expect.stringMatching(/^attachment; filename=".*\.eml"$/),
    'content-security-policy': "default-src 'none'; sandbox",
  })
  expect(raw.text).toBe(app.mails()[0]!.raw)
  expect(raw.text).not.toContain(context.workspaceId)
  expect(raw.text.length).toBe(next.data[0].size_bytes)
})

test('mail about accounts is for the owner, and for whom it was written to', async () => {
  await using app = await start()
  await app.app.runtime.mail.send(mailTo(app.world.people.anna.email))
  await app.app.runtime.mail.send(mailTo(app.world.people.agnes.email))
  const seen = async (name: 'anna' | 'adrian' | 'maria' | 'agnes'): Promise<number> =>
    (await app.as(name).get('/communication/sandbox/messages')).body.total
  expect([await seen('anna'), await seen('adrian'), await seen('maria'), await seen('agnes')]).toEqual([2, 0, 0, 1])
  const { id } = (await app.as('anna').get(`/communication/sandbox/messages?search=anna`)).body.data[0]
  for (const path of [id, `${id}/raw`]) {
    expect((await app.as('adrian').get(`/communication/sandbox/messages/${path}`)).status).toBe(404)
    expect((await app.stranger.get(`/communication/sandbox/messages/${path}`)).status).toBe(404)
  }
  await app.as('adrian').delete('/communication/sandbox/messages')
  expect(await seen('anna')).toBe(2)
})

test('the inbox is emptied by admins, and keeps the newest only', async () => {
  await using app = await start()
  const context = contextOf(app)
  const sends = Array.from({ length: 250 }, (_, index) =>
    app.app.runtime.mail.send(mailTo(`p${index}@example.org`, context)),
  )
  expect((await Promise.all(sends)).every((handover) => handover.outcome === 'sent')).toBe(true)
  expect(await app.inTx((tx) => trimSandbox(tx, 200))).toBe(50)
  expect((await app.as('maria').get('/communication/sandbox/messages')).body.total).toBe(200)
  expect((await app.as('maria').delete('/communication/sandbox/messages')).status).toBe(403)
  expect((await app.stranger.delete('/communication/sandbox/messages')).body.message).toBe('0 mails are deleted.')
  expect((await app.as('adrian').delete('/communication/sandbox/messages')).body.message).toBe('200 mails are deleted.')
  expect((await app.as('victor').get('/communication/sandbox/messages')).status).toBe(403)
})

test('a mail that could not be kept was not sent', async () => {
  await using app = await start()
  const lost = { ...contextOf(app), workspaceId: 'no workspace' }
  await expect(app.app.runtime.mail.send(mailTo('zoe@example.org', lost))).rejects.toThrow(/workspace/)
})
