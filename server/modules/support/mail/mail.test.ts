/** E-mail to ticket and back, through a real SMTP client and the sandbox that answers go out to. */
import { sql } from 'kysely'
import nodemailer, { type SendMailOptions } from 'nodemailer'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSmtpDoor, type SmtpDoor } from '#platform/mail-in/smtp-door.ts'
import { failNextDeletion, keysIn, loseAnswerOf, tryAgain } from '#testing/files-away.ts'
import { start, type TestApp } from '#testing/start.ts'

let app: TestApp
let door: SmtpDoor
let port: number
let count = 0

beforeAll(async () => {
  app = await start({ MAIL_IN_TRUSTED_SERVER: 'mx.moulin.example' })
  const settings = { protocol: 'smtp', host: '127.0.0.1', port: 0, connectionsMax: 20, tls: null } as const
  door = createSmtpDoor(app.app.runtime, { ...settings, name: 'mx.test', sizeBytesMax: 20_000_000 }, () => {})
  port = (await door.open()).port
  const made = await app.as('anna').post('/tickets/mailboxes', {
    address: 'Aide@Moulin.example',
    name: 'Moulin Service',
    signature: 'Le Vieux Moulin',
  })
  expect(made.status, made.text).toBe(201)
})

afterAll(async () => {
  await door.stop()
  await app[Symbol.asyncDispose]()
})

const vouched = { 'Authentication-Results': 'mx.moulin.example; dmarc=pass header.from=field.example' }

/** Somebody new for each test. */
function person(): string {
  return `person${++count}@field.example`
}

async function mail(...mails: SendMailOptions[]): Promise<void> {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true, name: 'client.test' })
  for (const options of mails) {
    await transport.sendMail({ to: 'aide@moulin.example', subject: 'Broken cup', text: 'It is broken.', ...options })
  }
  await app.drain()
}

const ticketsOf = async (email: string) =>
  (await app.as('anna').get(`/tickets?search=${encodeURIComponent(email)}&sort=created_at`)).body.data as Ticket[]
const messagesOf = async (id: string) => (await app.as('anna').get(`/tickets/${id}/messages`)).body.data as Message[]
const outcomeOf = async (email: string) => {
  const { data } = (await app.as('anna').get(`/mail/inbound?search=${encodeURIComponent(email)}`)).body
  return (data as { outcome: string }[]).map(({ outcome }) => outcome)
}
const sentTo = async (email: string) =>
  Promise.all(
    app
      .mails()
      .filter(({ to }) => to === email)
      .map(({ raw }) => PostalMime.parse(raw)),
  )

interface Ticket {
  id: string
  ticket_number: string
  subject: string
  description: string
  status: string
  source: string
  contact_email: string
  contact_name: string
  metadata: Record<string, unknown>
}
interface Message {
  content: string
  author_kind: string
  author_email: string
  is_internal: boolean
}

async function openByMail(email: string, options: SendMailOptions = {}): Promise<Ticket> {
  await mail({ from: `Jonas Field <${email}>`, messageId: `<first.${email}>`, ...options })
  const tickets = await ticketsOf(email)
  expect(tickets).toHaveLength(1)
  return tickets[0]!
}

/** The agent's answer as the person receives it. */
async function answerTo(email: string, ticket: Ticket, content = 'Which colour?') {
  const before = (await sentTo(email)).length
  const said = await app.as('anna').post(`/tickets/${ticket.id}/messages`, { content })
  expect(said.status, said.text).toBe(201)
  await app.drain()
  const sent = await sentTo(email)
  expect(sent).toHaveLength(before + 1)
  return sent.at(-1)!
}

describe('a mail', () => {
  test('opens a ticket, once, and is acknowledged in its thread with none of its own words', async () => {
    const email = person()
    await app.drainEvents()
    const ticket = await openByMail(email, { subject: 'Win <b>money</b> at evil.example' })
    expect(ticket).toMatchObject({
      subject: 'Win <b>money</b> at evil.example',
      description: 'It is broken.',
      source: 'email',
      status: 'open',
      contact_email: email,
      contact_name: 'Jonas Field',
    })
    expect((await app.drainEvents()).filter((event) => event.startsWith('ticket'))).toEqual(['ticket.created'])
    await mail({ from: email, messageId: `<first.${email}>`, subject: 'Win <b>money</b> at evil.example' })
    const [acknowledged, ...more] = await sentTo(email)
    expect(more).toEqual([])
    expect(acknowledged!.subject).toContain(ticket.ticket_number)
    expect(acknowledged!.inReplyTo).toBe(`<first.${email}>`)
    const headers = Object.fromEntries(acknowledged!.headers.map(({ key, value }) => [key, value]))
    expect(headers['auto-submitted']).toBe('auto-replied')
    expect(`${acknowledged!.subject}${acknowledged!.text}`).not.toMatch(/evil|Jonas/)
  })

  test('many that wait together: each opens its own, an answer among them finds what it answers, in one go', async () => {
    const [ana, bob, ...others] = Array.from({ length: 12 }, person)
    await app.drainEvents()
    await mail(
      { from: ana, messageId: `<first.${ana}>` },
      { from: bob, messageId: `<first.${bob}>`, subject: 'Other' },
      { from: ana, inReplyTo: `<first.${ana}>`, text: 'And the saucer.', headers: vouched },
      { from: bob, messageId: `<second.${bob}>`, inReplyTo: `<first.${ana}>`, text: 'Mine as well.' },
      ...others.map((from) => ({ from })),
    )
    const [anas, bobs] = [await ticketsOf(ana!), await ticketsOf(bob!)]
    expect([anas.length, bobs.map(({ subject }) => subject)]).toEqual([1, ['Other', 'Broken cup']])
    expect((await messagesOf(anas[0]!.id)).map(({ content }) => content)).toEqual(['And the saucer.'])
    expect(bobs[1]!.metadata.named_ticket_id).toBeUndefined()
    const numbers = await Promise.all(others.map(async (each) => (await ticketsOf(each))[0]!.ticket_number))
    expect(numbers).toEqual(numbers.toSorted())
    expect((await app.drainEvents()).filter((event) => event === 'ticket.created')).toHaveLength(13)
    const written = await app.inTx((tx) =>
      sql<{
        statements: number
      }>`select count(distinct (xmin::text, cmin::text))::int as statements from support.tickets
        where contact_email = any(${others}::text[])`.execute(tx.sql),
    )
    expect(written.rows[0]!.statements).toBe(1)
  })

  test('in HTML alone becomes text, and is kept clean', async () => {
    const ticket = await openByMail(person(), {
      text: undefined,
      html: '<p>Hello,</p><p>see <a href="javascript:alert(1)">this</a></p><script>alert(1)</script>',
    })
    expect(ticket.description).toBe('Hello,\n\nsee this')
  })

  test('a person and an answer: the thread holds on both sides', async () => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    expect(answer).toMatchObject({ subject: 'Re: Broken cup', inReplyTo: `<first.${email}>` })
    expect(answer.references).toContain(`<first.${email}>`)
    expect(answer.text).toContain('Which colour?\n\n-- \nLe Vieux Moulin')
    expect(answer.from).toMatchObject({ name: 'Moulin Service', address: 'aide@moulin.example' })
    const replyTo = answer.replyTo![0]!.address!
    expect(replyTo).toMatch(/^aide\+[a-z2-7]{42}@moulin\.example$/)
    await mail({
      from: email,
      to: replyTo,
      subject: 'AW: Re: Broken cup',
      inReplyTo: answer.messageId,
      references: `${answer.references} ${answer.messageId}`,
      text: `The blue one.\n\nOn Tue, Nov 3, 2026 at 10:12 AM Moulin <${replyTo}> wrote:\n> Which colour?`,
    })
    expect(await ticketsOf(email)).toHaveLength(1)
    expect((await messagesOf(ticket.id)).map(({ content, author_kind }) => [author_kind, content])).toEqual([
      ['house', 'Which colour?'],
      ['requester', 'The blue one.'],
    ])
    expect((await ticketsOf(email))[0]!.status).toBe('in_progress')
  })

  test.each([
    ['the signed address alone', (answer: Sent) => ({ to: answer.replyTo![0]!.address! })],
    ['our message id alone', (answer: Sent) => ({ inReplyTo: answer.messageId! })],
    [
      'our message id far up in the references',
      (answer: Sent) => ({ references: `${answer.messageId} <x@y.example>` }),
    ],
    ['the address in other letters', (answer: Sent) => ({ to: answer.replyTo![0]!.address!.toUpperCase() })],
    [
      'their own first mail, where their domain vouches for it',
      (_: Sent, email: string) => ({ inReplyTo: `<first.${email}>`, headers: vouched }),
    ],
  ])('joins by %s', async (_, how) => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    await mail({ from: email, subject: 'Quite another subject', text: 'More.', ...how(answer, email) })
    expect(await outcomeOf(email)).toEqual(['message_added', 'ticket_opened'])
    expect((await messagesOf(ticket.id)).at(-1)).toMatchObject({ content: 'More.', author_email: email })
  })

  test('reaches what its ticket was merged into, unless that is another’s', async () => {
    const anna = app.as('anna')
    const [email, other] = [person(), person()]
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    const first = { subject: 'Elsewhere', description: 'Asked before', contact_email: email }
    const survivor = (await anna.post('/tickets', first)).body as Ticket
    expect((await anna.post(`/tickets/${survivor.id}/merge`, { duplicate_ids: [ticket.id] })).status).toBe(200)
    const to = answer.replyTo![0]!.address!
    await mail({ from: email, to, inReplyTo: answer.messageId!, text: 'Blue.' })
    expect((await messagesOf(survivor.id)).at(-1)).toMatchObject({ content: 'Blue.', author_email: email })
    const foreign = (await anna.post('/tickets', { ...first, contact_email: other })).body as Ticket
    const asked = { duplicate_ids: [survivor.id], different_requesters: true }
    expect((await anna.post(`/tickets/${foreign.id}/merge`, asked)).status).toBe(200)
    const before = (await messagesOf(foreign.id)).length
    await mail({ from: email, to, inReplyTo: answer.messageId!, text: 'Or green.' })
    expect(await messagesOf(foreign.id)).toHaveLength(before)
    expect((await outcomeOf(email)).filter((outcome) => outcome === 'ticket_opened')).toHaveLength(2)
  })

  test('never by its subject', async () => {
    const email = person()
    const ticket = await openByMail(email)
    await mail({ from: email, subject: `Re: Broken cup [${ticket.ticket_number}]`, text: 'More.' })
    expect(await ticketsOf(email)).toHaveLength(2)
  })

  test('of somebody else opens a ticket of their own, whatever it names', async () => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    const stranger = person()
    await mail({
      from: stranger,
      to: answer.replyTo![0]!.address!,
      inReplyTo: answer.messageId!,
      references: `<first.${email}> ${answer.messageId}`,
      text: 'Send it to my address instead.',
    })
    expect((await messagesOf(ticket.id)).map(({ author_kind }) => author_kind)).toEqual(['house'])
    const [own] = await ticketsOf(stranger)
    expect(own).toMatchObject({ contact_email: stranger, metadata: { named_ticket_id: ticket.id } })
    expect((await sentTo(stranger)).map(({ text }) => text).join()).not.toContain('Which colour?')
  })

  test('with a forged token, or one of another workspace, is a new one', async () => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    const [local = '', domain = ''] = answer.replyTo![0]!.address!.split('@')
    const forged = `${local.slice(0, -6)}aaaaaa@${domain}`
    await mail({ from: email, to: forged, text: 'More.' })
    expect(await outcomeOf(email)).toEqual(['ticket_opened', 'ticket_opened'])
    const made = await app.stranger.post('/tickets/mailboxes', { address: 'help@other.example', name: 'Other' })
    expect(made.status).toBe(201)
    await mail({
      from: email,
      to: `help+${local.split('+')[1]}@other.example`,
      inReplyTo: answer.messageId!,
      text: 'Mine.',
    })
    expect((await messagesOf(ticket.id)).map(({ content }) => content)).toEqual(['Which colour?'])
  })

  test('an agent\u2019s address gives nobody an agent\u2019s voice', async () => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    const { email: agent } = app.world.people.anna
    await mail({
      from: agent,
      to: answer.replyTo![0]!.address!,
      inReplyTo: answer.messageId!,
      text: 'Refund them all.',
    })
    expect((await messagesOf(ticket.id)).map(({ content }) => content)).toEqual(['Which colour?'])
    expect((await ticketsOf(agent))[0]).toMatchObject({ contact_email: agent, description: 'Refund them all.' })
  })

  test('brings a ticket back that was closed', async () => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    await app.as('anna').post(`/tickets/${ticket.id}/close`)
    await mail({ from: email, inReplyTo: answer.messageId!, text: 'Broken again.' })
    expect((await ticketsOf(email))[0]!.status).toBe('in_progress')
  })
})

type Sent = Awaited<ReturnType<typeof sentTo>>[number]

describe('what comes with a mail', () => {
  test('is attached under the rules of uploads; what is refused is named to the house', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    const email = person()
    const ticket = await openByMail(email, {
      html: '<p>See <img src="cid:photo"></p>',
      attachments: [
        { filename: 'cup.png', content: png, cid: 'photo' },
        { filename: '../../évil\u202egnp.exe', content: 'MZ' },
        { filename: 'page.html', content: '<script>alert(1)</script>' },
      ],
    })
    const { data } = (await app.as('anna').get(`/tickets/${ticket.id}/attachments`)).body
    expect(data.map((each: { file_name: string }) => each.file_name)).toEqual(['cup.png'])
    const notes = await messagesOf(ticket.id)
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatchObject({ is_internal: true, author_kind: 'program' })
    expect(notes[0]!.content).toMatch(/exe[^]*page\.html/)
    const answer = await answerTo(email, ticket)
    await mail({
      from: email,
      inReplyTo: answer.messageId!,
      text: 'Here.',
      attachments: [{ filename: 'log.txt', content: 'line' }],
    })
    const all = (await app.as('anna').get(`/tickets/${ticket.id}/attachments`)).body.data as {
      message_id: string | null
    }[]
    expect(all).toHaveLength(2)
    expect(all[1]!.message_id).toBeTruthy()
  })

  test('comes again when the storage is back, and nothing of the first try stays', async () => {
    loseAnswerOf(app, 'second')
    // Of either file.
    failNextDeletion(app)
    failNextDeletion(app)
    const ticket = await openByMail(person(), {
      attachments: [
        { filename: 'first.txt', content: 'one' },
        { filename: 'second.txt', content: 'two' },
      ],
    })
    const path = `/tickets/${ticket.id}/attachments`
    expect((await app.as('anna').get(path)).body.data).toEqual([])
    await tryAgain(app, 'support.keep_mail_files')
    expect((await app.as('anna').get(path)).body.data).toHaveLength(2)
    expect(await keysIn(app, `tickets/${ticket.id}`)).toHaveLength(2)
  })
})

describe('machines', () => {
  test.each([
    ['a vacation notice', { headers: { 'Auto-Submitted': 'auto-replied' } }, 'auto_reply'],
    ['a newsletter', { headers: { 'List-Unsubscribe': '<https://a.example>' } }, 'bulk'],
    ['a mail from ourselves', { from: 'aide@moulin.example' }, 'own_address'],
    ['a mail from two people', { from: ['a@b.example', 'c@d.example'] as never }, 'no_sender'],
  ])('%s opens nothing and gets no answer', async (_, options, outcome) => {
    const email = person()
    const before = app.mails().length
    const subject = `About ${email}`
    await mail({ from: email, subject, ...options })
    expect(await outcomeOf(subject)).toEqual([outcome])
    expect(await ticketsOf(subject)).toEqual([])
    expect(app.mails().length).toBe(before)
  })

  test('a form that a program sends is the ticket of whom it names, without an answer by itself', async () => {
    const email = person()
    await mail({ from: 'no-reply@shop.example', replyTo: email, subject: 'Contact form' })
    expect((await ticketsOf(email))[0]).toMatchObject({ contact_email: email })
    expect(await sentTo(email)).toEqual([])
  })

  test('a vacation notice to an answer is noted for the house, and moves nothing', async () => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    await app.as('anna').post(`/tickets/${ticket.id}/close`)
    const notice = {
      from: email,
      subject: 'Out of office',
      text: 'Back on Monday.',
      headers: { 'Auto-Submitted': 'auto-replied' },
    }
    for (const round of [1, 2, 3])
      await mail({ ...notice, inReplyTo: answer.messageId!, messageId: `<v${round}.${email}>` })
    expect(await outcomeOf(email)).toEqual(['repeated', 'repeated', 'auto_reply_noted', 'ticket_opened'])
    expect((await messagesOf(ticket.id)).at(-1)).toMatchObject({ content: 'Back on Monday.', is_internal: true })
    expect((await ticketsOf(email))[0]!.status).toBe('closed')
  })

  test('one that answers everything, under no sign at all, is answered once and then no more', async () => {
    const email = person()
    await mail({ from: email, text: 'We have received your request 0.' })
    for (let round = 1; round <= 36; round++) {
      const last = (await sentTo(email)).at(-1)!
      // Half of them do not even say what they answer.
      const inReplyTo = round % 2 ? last.messageId! : undefined
      await mail({ from: email, subject: 'Your request', inReplyTo, text: `We have received your request ${round}.` })
    }
    expect(await sentTo(email)).toHaveLength(1)
    const outcomes = await outcomeOf(email)
    expect(outcomes.filter((outcome) => outcome === 'too_many').length).toBeGreaterThan(0)
  }, 120_000)

  test('an answer that cannot be delivered is noted at its ticket', async () => {
    const email = person()
    const ticket = await openByMail(email)
    const answer = await answerTo(email, ticket)
    const raw = `From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\nMessage-ID: <dsn.${email}>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ${email}\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: ${answer.messageId}\r\n\r\n--b--\r\n`
    await mail({ raw, envelope: { from: '', to: answer.replyTo![0]!.address! } })
    expect((await messagesOf(ticket.id)).at(-1)).toMatchObject({
      is_internal: true,
      content: '✉ 550 5.1.1 User unknown',
    })
  })
})

describe('answers', () => {
  test('notes and other people\u2019s words do not go out; what a subject holds cannot break a head', async () => {
    const email = person()
    const ticket = await openByMail(email, { subject: 'Cup =?utf-8?Q?=0D=0ABcc:_victim@other.example?=' })
    const before = (await sentTo(email)).length
    await app.as('anna').post(`/tickets/${ticket.id}/messages`, { content: 'Do not tell.', is_internal: true })
    await app.drain()
    expect(await sentTo(email)).toHaveLength(before)
    const answer = await answerTo(email, ticket)
    expect(answer.bcc).toBeUndefined()
    expect(answer.headers.filter(({ key }) => key === 'bcc')).toEqual([])
  })

  test('an answer goes out once, also where its job runs again', async () => {
    const email = person()
    const ticket = await openByMail(email)
    await answerTo(email, ticket)
    const sent = (await sentTo(email)).length
    const jobs = (await app.as('anna').get('/jobs?kind=support.send_answer')).body.data
    await app.inTx(async (tx) => {
      const row = await tx.sql
        .selectFrom('platform.jobs')
        .select('data')
        .where('id', '=', jobs[0].id)
        .executeTakeFirstOrThrow()
      await tx.enqueue('support.send_answer', row.data as object)
    })
    await app.drain()
    expect(await sentTo(email)).toHaveLength(sent)
  })
})

describe('mailboxes', () => {
  test('are admins\u2019, checked, and one workspace\u2019s', async () => {
    const admin = app.as('anna')
    expect((await app.as('agnes').post('/tickets/mailboxes', { address: 'a@b.example', name: 'A' })).status).toBe(403)
    expect(
      (await admin.post('/tickets/mailboxes', { address: 'not an address', name: 'A' })).body.errors[0].pointer,
    ).toBe('/address')
    expect((await admin.post('/tickets/mailboxes', { address: 'a+b@c.example', name: 'A' })).body.errors[0].code).toBe(
      'plus_sign',
    )
    expect(
      (await app.stranger.post('/tickets/mailboxes', { address: 'AIDE@moulin.example', name: 'A' })).body.code,
    ).toBe('address_taken')
    const made = await admin.post('/tickets/mailboxes', { address: 'second@moulin.example', name: 'A' })
    const path = `/tickets/mailboxes/${made.body.id}`
    const changed = await admin.patch(
      path,
      { name: 'B', address: 'third@moulin.example' },
      { 'if-match': String(made.headers.etag) },
    )
    expect(changed.body).toMatchObject({ name: 'B', address: 'third@moulin.example', version: 2 })
    expect((await admin.patch(path, { name: 'C' }, { 'if-match': String(made.headers.etag) })).status).toBe(412)
    await expect(mail({ from: person(), to: 'second@moulin.example' })).rejects.toMatchObject({ responseCode: 550 })
    expect((await admin.delete(path)).status).toBe(200)
    await expect(mail({ from: person(), to: 'third@moulin.example' })).rejects.toMatchObject({ responseCode: 550 })
    expect((await admin.get(path)).status).toBe(404)
  })
})
