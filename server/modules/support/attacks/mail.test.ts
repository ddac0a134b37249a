/**
 * Attacks that come by mail. Others are shown elsewhere: mail-in/mail-in.test.ts (bombs of parts, levels, heads and
 * references, smuggled lines, charsets, From with several or no senders, poison), mail-in/kind.test.ts (every kind of machine),
 * mail-in/sender.test.ts (forged verdicts of other servers), mail-in/address-token.test.ts (forged tokens), mail/mail.test.ts
 * (guessed ids, an agent's address, a third party in copy, an endless answering machine, a line break in a subject).
 */
import type { SendMailOptions } from 'nodemailer'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMailDoor, type MailDoor } from '#testing/mail-door.ts'
import { start, type TestApp } from '#testing/start.ts'

let app: TestApp
let door: MailDoor
let count = 0

beforeAll(async () => {
  // A server in front judges senders; what it says stands first in Authentication-Results.
  app = await start({ MAIL_IN_TRUSTED_SERVER: 'mx.moulin.example' })
  door = await openMailDoor(app)
  const mailboxes = [
    [app.as('anna'), 'aide@moulin.example'],
    [app.as('anna'), 'vente@moulin.example'],
    [app.stranger, 'help@elsewhere.example'],
  ] as const
  for (const [owner, address] of mailboxes) {
    const made = await owner.post('/tickets/mailboxes', { address, name: 'Service', signature: '{{7*7}}' })
    expect(made.status, made.text).toBe(201)
  }
})

afterAll(async () => {
  await door[Symbol.asyncDispose]()
  await app[Symbol.asyncDispose]()
})

interface Ticket {
  id: string
  ticket_number: string
  subject: string
  description: string
  status: string
  priority: string
  assigned_to: string | null
  contact_email: string
  contact_name: string
  metadata: Record<string, unknown>
}

const person = (): string => `person${++count}@field.example`
const mail = (options: SendMailOptions) =>
  door.send({ to: 'aide@moulin.example', subject: 'Broken cup', text: 'It is broken.', ...options })
const raw = (from: string, text: string | Buffer, to = 'aide@moulin.example') =>
  door.send({ raw: text, envelope: { from, to } })
const ticketsOf = async (email: string, client = app.as('anna')) =>
  (await client.get(`/tickets?search=${encodeURIComponent(email)}&sort=created_at`)).body.data as Ticket[]
const wordsIn = async (id: string) =>
  ((await app.as('anna').get(`/tickets/${id}/messages`)).body.data as { content: string }[]).map(
    ({ content }) => content,
  )
const sentTo = (email: string) => app.mails().filter(({ to }) => to === email)

async function opened(email: string, options: SendMailOptions = {}): Promise<Ticket> {
  await mail({ from: email, messageId: `<first.${email}>`, ...options })
  const tickets = await ticketsOf(email)
  expect(tickets).toHaveLength(1)
  return tickets[0]!
}

async function answered(ticket: Ticket, content = 'Which colour?') {
  const said = await app.as('anna').post(`/tickets/${ticket.id}/messages`, { content })
  expect(said.status, said.text).toBe(201)
  await app.drain()
  const { raw: text } = sentTo(ticket.contact_email).at(-1)!
  return { raw: text, mail: await PostalMime.parse(text) }
}

test('21: headers that pretend to be ours, or a judge’s, steer nothing', async () => {
  const [victim, email] = [await opened(person()), person()]
  const headers = {
    'X-Rapport-Ticket': victim.id,
    'X-Ticket-Id': victim.ticket_number,
    'X-Zammad-Ticket-Priority': '3 high',
    'X-Priority': '1',
    'X-Loop': 'rapport-0123456789abcdef',
    'Authentication-Results': 'mx.test; dmarc=pass header.from=field.example',
  }
  const own = await opened(email, { headers, text: `Ticket: ${victim.ticket_number}\nPriority: urgent` })
  expect(own).toMatchObject({ contact_email: email, priority: victim.priority, status: 'open', assigned_to: null })
  expect(own.metadata.sender_verdict).toBe('none')
  expect(await wordsIn(victim.id)).toEqual([])
})

/** As it stands, for nodemailer encodes what has quotes in it. */
const judged = (verdict: string, more = '') => {
  const said = verdict ? `; dmarc=${verdict} header.from=field.example` : ''
  return { 'Authentication-Results': { prepared: true, value: `mx.moulin.example; spf=none${more}${said}` } }
}
const linksOf = async (id: string) =>
  ((await app.as('anna').get(`/tickets/${id}/links`)).body.data as { relation: string; ticket: { id: string } }[]).map(
    ({ relation, ticket }) => [relation, ticket.id],
  )

test.each([
  ['nobody has judged', {}],
  ['no policy covers', judged('none')],
  ['the domain disowns', judged('fail')],
  ['another server has judged', { 'Authentication-Results': 'mx.evil.example; dmarc=pass header.from=field.example' }],
  ['a sender has judged in their own address', judged('', ' smtp.mailfrom="x; dmarc=pass"@evil.example')],
])('21: by a customer’s own Message-ID, a mail that %s is not in the ticket, but beside it', async (_, headers) => {
  const email = person()
  const ticket = await opened(email)
  const before = app.mails().length
  const forged = { from: email, inReplyTo: `<first.${email}>`, references: `<first.${email}>`, headers }
  await mail({ ...forged, subject: 'Re: Broken cup', text: 'Send it to another street.' })
  expect(await wordsIn(ticket.id)).toEqual([])
  const [, beside] = await ticketsOf(email)
  expect(beside).toMatchObject({ description: 'Send it to another street.', status: 'open' })
  expect(await linksOf(ticket.id)).toEqual([['may_include', beside!.id]])
  expect(await linksOf(beside!.id)).toEqual([['may_belong_to', ticket.id]])
  expect(app.mails().length).toBe(before)
  const joined = await app.as('anna').post(`/tickets/${ticket.id}/merge`, { duplicate_ids: [beside!.id] })
  expect(joined.status, joined.text).toBe(200)
  expect(await wordsIn(ticket.id)).toEqual(['Send it to another street.'])
})

test('21: by a customer’s own Message-ID, a mail that the domain vouches for is in the ticket', async () => {
  const email = person()
  const ticket = await opened(email)
  await mail({ from: email, inReplyTo: `<first.${email}>`, text: 'And the saucer.', headers: judged('pass') })
  expect(await wordsIn(ticket.id)).toEqual(['And the saucer.'])
  expect(await linksOf(ticket.id)).toEqual([])
})

test('21: our signature speaks for the mailbox that had it, and not for a mail that its domain disowns', async () => {
  const email = person()
  const ticket = await opened(email)
  const { mail: answer } = await answered(ticket)
  const to = answer.replyTo![0]!.address!
  await mail({ from: email, to, text: 'Blue.', headers: judged('none') })
  await mail({ from: email, inReplyTo: answer.messageId, text: 'Red.', headers: judged('none') })
  await mail({ from: email, to, inReplyTo: answer.messageId, text: 'Forged.', headers: judged('fail') })
  expect(await wordsIn(ticket.id)).toEqual(['Which colour?', 'Blue.', 'Red.'])
  expect((await linksOf(ticket.id)).map(([relation]) => relation)).toEqual(['may_include'])
})

test('21: whoever of the house names a ticket in metadata links nothing by it', async () => {
  const ticket = await opened(person())
  const made = await app.as('anna').post('/tickets', {
    subject: 'S',
    description: 'D',
    source: 'email',
    contact_email: person(),
    metadata: { named_ticket_id: ticket.id },
  })
  await app.drain()
  expect(await linksOf(made.body.id)).toEqual([])
})

test('26: the token and number of another’s ticket, in subject and quotation, are only words', async () => {
  const [email, thief] = [person(), person()]
  const ticket = await opened(email)
  const { mail: answer } = await answered(ticket)
  await mail({
    from: thief,
    subject: `Re: [${ticket.ticket_number}] Broken cup`,
    text: `Send it to me.\n\nOn Tue, Nov 3, 2026 Service <${answer.replyTo![0]!.address}> wrote:\n> ${answer.messageId}`,
    attachments: [{ filename: 'thread.txt', content: `Reply-To: ${answer.replyTo![0]!.address}` }],
  })
  expect(await wordsIn(ticket.id)).toEqual(['Which colour?'])
  expect(await ticketsOf(thief)).toMatchObject([{ contact_email: thief }])
  expect((await ticketsOf(thief))[0]!.metadata).not.toHaveProperty('named_ticket_id')
})

test('26: prefixes in many tongues are no way around the subject', async () => {
  const ticket = await opened(person(), { subject: 'Re: Re[5]: AW: SV: TR: Fwd: RE : Cup' })
  expect(ticket.subject).toBe('Cup')
})

test('23: a Reply-To that names a victim brings them nothing', async () => {
  const [email, victim] = [person(), person()]
  const ticket = await opened(email, { replyTo: victim })
  await answered(ticket)
  expect(ticket.contact_email).toBe(email)
  expect(sentTo(email)).toHaveLength(2)
  expect(sentTo(victim)).toEqual([])
})

test('23: a domain that vouches for its own mail vouches for nobody whom it names in Reply-To', async () => {
  const victim = person()
  const form = { from: 'no-reply@evil.example', replyTo: victim, subject: 'Contact form', headers: judged('pass') }
  for (let round = 0; round < 16; round++) await mail({ ...form, text: `Refund ${round}` })
  const tickets = await ticketsOf(victim)
  expect(tickets).toHaveLength(15)
  expect(new Set(tickets.map(({ metadata }) => metadata.sender_verdict))).toEqual(new Set(['none']))
  expect(sentTo(victim)).toEqual([])
  await mail({ from: victim, text: 'It is me.', headers: judged('pass') })
  expect((await ticketsOf(victim)).at(-1)).toMatchObject({
    description: 'It is me.',
    metadata: { sender_verdict: 'pass' },
  })
})

test('8: many mails in a victim’s name: one acknowledgement, and an end to the tickets', async () => {
  const victim = person()
  for (let round = 0; round < 18; round++) await mail({ from: victim, text: `Pay at evil.example/${round}` })
  expect((await ticketsOf(victim)).length).toBe(15)
  await mail({ from: victim, text: 'It is me.', headers: judged('pass') })
  expect((await ticketsOf(victim)).at(-1)).toMatchObject({ description: 'It is me.' })
  expect(sentTo(victim)).toHaveLength(1)
  expect(sentTo(victim)[0]!.raw).not.toMatch(/evil/)
})

test('24: two of our own mailboxes, in two workspaces, do not begin to talk', async () => {
  await mail({ from: 'help@elsewhere.example', text: 'Hello, neighbours.' })
  const [acknowledged, ...more] = sentTo('help@elsewhere.example')
  expect(more).toEqual([])
  const before = app.mails().length
  await raw('', acknowledged!.raw, 'help@elsewhere.example')
  expect((await app.stranger.get('/tickets')).body.data).toEqual([])
  expect((await app.stranger.get('/mail/inbound')).body.data).toMatchObject([{ outcome: 'loop' }])
  expect(app.mails().length).toBe(before)
})

test('24: a machine that answers under another address each time gets one acknowledgement', async () => {
  const robot = (round: number) => `${round}.${count}@robot.example`
  count++
  await mail({ from: robot(0), text: 'Your request was received: 0' })
  const before = app.mails().length
  for (let round = 1; round <= 5; round++) {
    const last = await PostalMime.parse(app.mails().at(-1)!.raw)
    const answer = { from: robot(round), to: last.replyTo![0]!.address!, inReplyTo: last.messageId }
    await mail({ ...answer, subject: 'Your request', text: `Your request was received: ${round}` })
  }
  expect(app.mails().length).toBe(before)
})

test('25: one mail to two of our mailboxes, together and again to one of them, is one ticket', async () => {
  const [email, date] = [person(), new Date('2026-11-03T10:00:00Z')]
  await opened(email, { date, to: 'aide@moulin.example, vente@moulin.example' })
  await mail({ from: email, date, messageId: `<first.${email}>`, to: 'vente@moulin.example' })
  expect(await ticketsOf(email)).toHaveLength(1)
  expect(sentTo(email)).toHaveLength(1)
})

test('28: line breaks hidden in a name, an id or a reference add no header to what we send', async () => {
  const email = person()
  await raw(
    email,
    `From: =?utf-8?Q?Eve=0D=0ABcc:_victim@other.example=0D=0A?= <${email}>\r\n` +
      `Subject: =?utf-8?B?${Buffer.from('Cup\r\nBcc: victim@other.example\r\n\r\nbody').toString('base64')}?=\r\n` +
      `Message-ID: <a\tBcc:\u0000victim@other.example>\r\nReferences: <a\rBcc: b@c> <\nX: y@z>\r\n\r\nHello\r\n`,
  )
  const [ticket] = await ticketsOf(email)
  const { raw: text, mail: answer } = await answered(ticket!)
  const head = text.split('\r\n\r\n', 1)[0]!
  expect(head).not.toMatch(/^\s*(bcc|x):/im)
  expect(head.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
  expect(answer.to!.map(({ address }) => address)).toEqual([email])
  expect(sentTo('victim@other.example')).toEqual([])
})

test('28: an id of bytes that no header holds is answered without it', async () => {
  for (const id of [
    '<a\u0001\u007fb@field.example>',
    '<\u00e9\u0080b@field.example>',
    `<${'a'.repeat(280)}@b.example>`,
  ]) {
    const email = person()
    await raw(email, Buffer.from(`From: ${email}\r\nSubject: Cup\r\nMessage-ID: ${id}\r\n\r\nHello\r\n`, 'latin1'))
    const [ticket] = await ticketsOf(email)
    const { raw: text } = await answered(ticket!)
    const head = text.split('\r\n\r\n', 1)[0]!
    expect(head).not.toMatch(/^(in-reply-to|references):.*(field|b)\.example/im)
    // oxlint-disable-next-line no-control-regex
    expect(head).not.toMatch(/[\0-\u0008\u000b\u000c\u000e-\u001f\u007f-\uffff]/)
  }
})

test('40: templates in a mail, a signature and an answer stay as they were written', async () => {
  const email = person()
  const subject = '{{constructor.constructor "return process.env"}} ${7*7} <%= 7*7 %> #{7*7}'
  const ticket = await opened(email, { subject, from: `"{{workspace.name}}" <${email}>` })
  const { mail: answer } = await answered(ticket, 'Dear {{contact.email}}, {{#with this}}${7*7}')
  expect(ticket).toMatchObject({ subject, contact_name: '{{workspace.name}}' })
  expect(answer.subject).toBe(`Re: ${subject}`)
  expect(answer.text).toContain('Dear {{contact.email}}, {{#with this}}${7*7}')
  expect(answer.text).toContain('{{7*7}}')
})

const many = (text: string, bytes = 150_000): string => text.repeat(Math.ceil(bytes / text.length))
test.each([
  ['links without an end', many('http://a.', 300_000), ''],
  ['addresses without an end', many('a@', 300_000), ''],
  ['marks of quotation', many('>'), ''],
  ['beginnings of an attribution', `${many('On Tue, Nov 3, 2026 at 10:12 AM ')}x`, ''],
  ['labels of a forwarded mail', many('From: a\nSent: b\nTo: '), ''],
  ['empty lines and spaces', `x${many(' \n\t')}x`, ''],
  ['elements that never end', '', many('<div><blockquote>', 100_000)],
  ['opened brackets', '', `x${many('<', 100_000)}`],
  ['comments that never end', '', `x${many('<!--', 100_000)}`],
  ['attributes without an end', '', `x<p ${many('a="', 100_000)}`],
  ['entities', '', `x${many('&#x26;amp;', 100_000)}`],
])('27: a body made for slow expressions does not hold up the next mail: %s', async (_, text, html) => {
  const [email, next] = [person(), person()]
  await mail({ from: email, inReplyTo: '<x@y.example>', ...(html ? { text: undefined, html } : { text }) })
  await opened(next)
  expect(await ticketsOf(email)).toHaveLength(1)
})

test.each([
  ['big5', 'a741a66e', '你好'],
  ['gb18030', 'c4e3bac3', '你好'],
  ['shift_jis', '82b182f182c982bf82cd', 'こんにちは'],
  ['iso-2022-jp', '1b2442243324731b2842', 'こん'],
  ['euc-kr', 'bec8b3e7', '안녕'],
  ['koi8-r', 'f0d2c9d7c5d4', 'Привет'],
  ['iso-8859-16', 'bace74', 'ș'],
  ['utf-16le', '42007500', 'Bu'],
  ['us-ascii', '63616665', 'cafe'],
  ['x-no-such-thing', '63616665', 'cafe'],
  ['utf-8', 'c3a9ff63616665', 'cafe'],
])('29: words in %s come out as words, and the ticket can be answered', async (charset, hex, expected) => {
  const email = person()
  const head = `From: ${email}\r\nSubject: Cup\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset="${charset}"\r\n`
  const body = Buffer.from(hex, 'hex').toString('base64')
  await raw(email, `${head}Content-Transfer-Encoding: base64\r\n\r\n${body}\r\n`)
  const [ticket] = await ticketsOf(email)
  expect(ticket!.description).toContain(expected)
  const { mail: answer } = await answered(ticket!)
  expect(answer.subject).toBe('Re: Cup')
})

test('29: nothing that a body hides in utf-7 is markup to anybody', async () => {
  const email = person()
  const head = `From: ${email}\r\nSubject: Cup\r\nContent-Type: text/html; charset=utf-7\r\n\r\n`
  await raw(email, `${head}+ADw-script+AD4-alert(1)+ADw-/script+AD4- hello\r\n`)
  const [ticket] = await ticketsOf(email)
  expect(ticket!.description).not.toMatch(/<|script>/)
})

test('29, 30: whatever a mail looks like, the one behind it is heard', async () => {
  const odd = [
    'From: @email\r\n\r\n',
    'From: @email\r\nSubject:\r\nDate: Tue, 99 Foo 99999 99:99:99 +9999\r\n\r\nx',
    `From: @email\r\nMessage-ID: <${'m'.repeat(20_000)}@x.example>\r\n\r\nx`,
    'From: =?utf-8?Q?=00=ED=A0=80?= <@email>\r\nSubject: =?utf-16?B?2AA=?=\r\n\r\nx',
    'From: @email\r\nContent-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nx',
    'From: @email\r\nContent-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n2ADYANgA!!!!',
    'From: @email\r\nContent-Type: application/octet-stream; name="=?utf-8?Q?a=00=0D=0A.txt?="\r\n\r\nx',
    'From: @email\r\nContent-Type: message/rfc822\r\n\r\nFrom: @email\r\nContent-Type: message/rfc822\r\n\r\nx',
  ]
  for (const text of odd) {
    const email = person()
    await raw(email, Buffer.from(`${text.replaceAll('@email', email)}\r\n`, 'latin1'))
    const [state] = (await app.as('anna').get(`/mail/inbound?search=${encodeURIComponent(email)}`)).body.data
    expect(state, text).toMatchObject({ state: 'handled', outcome: 'ticket_opened' })
  }
  await opened(person())
})
