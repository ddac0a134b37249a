/** Mail that comes in: kept before it is acknowledged, handled once, and nobody's trouble but its own. */
import { connect } from 'node:net'
import nodemailer, { type SendMailOptions } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'
import { takeAddress } from './addresses.ts'
import { createImapDoor } from './imap-door.ts'
import type { RemoteBox } from './remote-box.ts'
import { oneByOne, type InboundMail } from './handler.ts'
import { createSmtpDoor, type SmtpDoor } from './smtp-door.ts'
import { forgetMails } from './upkeep.ts'

let app: TestApp
let door: SmtpDoor
let port: number
let handled: InboundMail[]
let fails: (mail: InboundMail) => boolean

beforeEach(async () => {
  handled = []
  fails = () => false
  const { db } = app.app.runtime
  for (const workspaceId of [app.world.workspaceId, app.world.otherWorkspaceId]) {
    await db.transaction(workspaceId, (tx) => tx.sql.deleteFrom('platform.inbound_mails').execute())
  }
  await db.transaction('system', (tx) => tx.sql.deleteFrom('platform.mail_queue').execute())
})

beforeAll(async () => {
  app = await start(
    {},
    {
      mail: [
        {
          name: 'probe',
          handle: oneByOne(async (_tx, mail) => {
            // What the modules make of mail has tests of its own.
            if (!mail.destinations.some(({ address }) => address.startsWith('probe'))) return null
            if (fails(mail)) throw new Error('the probe was told to fail')
            handled.push(mail)
            return { state: 'handled', outcome: 'probed' }
          }),
        },
      ],
    },
  )
  await app.inTx((tx) => takeAddress(tx, 'probe@moulin.example', 'bounces'))
  const settings = { protocol: 'smtp', host: '127.0.0.1', port: 0, connectionsMax: 20, tls: null } as const
  door = createSmtpDoor(app.app.runtime, { ...settings, name: 'mx.test', sizeBytesMax: 2_000_000 }, () => {})
  port = (await door.open()).port
})

afterAll(async () => {
  await door.stop()
  await app[Symbol.asyncDispose]()
})

const transport = () => nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true, name: 'client.test' })
const letter = { from: 'jonas@field.example', to: 'Probe@Moulin.example', subject: 'Cup', text: 'Broken.' }
const send = (mail: SendMailOptions = {}) => transport().sendMail({ ...letter, ...mail })
const list = async (state = '') =>
  (await app.as('anna').get(`/mail/inbound${state && `?state=${state}`}`)).body as { data: Record<string, string>[] }
async function filesLeft(): Promise<string[]> {
  const keys: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/mail-in/`)) keys.push(key)
  return keys
}
/** As if the time that a mail has to wait had passed. */
const letTimePass = () =>
  app.app.runtime.db.transaction('system', (tx) =>
    tx.sql
      .updateTable('platform.mail_queue')
      .set({ not_before: new Date(0) })
      .execute(),
  )

describe('the door for mail servers', () => {
  test('keeps the mail before it says so, and hands it on whole', async () => {
    await send({ messageId: '<1@field.example>', replyTo: 'other@field.example' })
    expect((await list()).data).toMatchObject([{ state: 'received', message_id: '<1@field.example>', kind: null }])
    await app.drain()
    expect(handled).toHaveLength(1)
    expect(handled[0]).toMatchObject({
      subject: 'Cup',
      kind: 'person',
      from: { address: 'jonas@field.example' },
      replyTo: { address: 'other@field.example' },
      envelopeFrom: 'jonas@field.example',
      destinations: [{ address: 'probe@moulin.example', tag: null }],
      sender: 'none',
    })
    expect(handled[0]!.text.trim()).toBe('Broken.')
    expect((await list()).data).toMatchObject([{ state: 'handled', outcome: 'probed', kind: 'person' }])
  })

  test('takes nothing for others, so that nobody can send on through it', async () => {
    await expect(send({ to: 'anybody@elsewhere.example' })).rejects.toMatchObject({ responseCode: 550 })
    await expect(send({ envelope: { from: 'a@b.example', to: 'probe@moulin.example@evil.example' } })).rejects.toThrow()
    expect((await list()).data).toEqual([])
  })

  test('what is too large is refused, what is large lies beside the database', async () => {
    await expect(send({ text: 'x'.repeat(3_000_000) })).rejects.toMatchObject({ responseCode: 552 })
    await send({ text: 'line\n'.repeat(100_000) })
    const { db } = app.app.runtime
    expect(await filesLeft()).toHaveLength(1)
    await app.drain()
    expect(handled[0]!.text.length).toBeGreaterThan(400_000)
    await db.transaction(app.world.workspaceId, (tx) =>
      tx.sql
        .updateTable('platform.inbound_mails')
        .set({ received_at: new Date('2020-01-01') })
        .execute(),
    )
    await forgetMails(app.app.runtime)
    expect(await filesLeft()).toEqual([])
    expect((await list()).data).toEqual([])
  })

  test('the same mail is one, also many times at once; another with its id is another', async () => {
    const mail = { messageId: '<same@field.example>', date: new Date('2026-11-03T10:00:00Z') }
    await Promise.all(Array.from({ length: 8 }, () => send(mail)))
    await send({ ...mail, from: 'stranger@evil.example' })
    await app.drain()
    expect(handled.map(({ from }) => from!.address).toSorted()).toEqual([
      'jonas@field.example',
      'stranger@evil.example',
    ])
  })

  test('without an id, the words decide', async () => {
    const raw = (text: string) =>
      `From: jonas@field.example\r\nSubject: Cup\r\nDate: Tue, 3 Nov 2026 10:00:00 +0000\r\n\r\n${text}\r\n`
    const envelope = { from: 'jonas@field.example', to: 'probe@moulin.example' }
    for (const text of ['one', 'one', 'two']) await send({ raw: raw(text), envelope })
    await app.drain()
    expect(handled.map(({ text }) => text.trim()).toSorted()).toEqual(['one', 'two'])
  })

  test('lines that end in a bare line feed smuggle no second mail', async () => {
    const said = await converse(port, [
      'EHLO a.example',
      'MAIL FROM:<jonas@field.example>',
      'RCPT TO:<probe@moulin.example>',
      'DATA',
      'From: jonas@field.example\r\nSubject: one\r\n\r\nfirst\n.\nMAIL FROM:<admin@moulin.example>\nRCPT TO:<probe@moulin.example>\nDATA\nSubject: two\r\n\r\nsecond\r\n.',
      'QUIT',
    ])
    expect(said.filter((line) => line.startsWith('250 ')).length).toBeGreaterThan(1)
    await app.drain()
    expect(handled.map(({ subject, envelopeFrom }) => [subject, envelopeFrom])).toEqual([
      ['one', 'jonas@field.example'],
    ])
  })

  test('a NUL in the head is left out, and the mail is kept', async () => {
    const said = await converse(port, [
      'EHLO a.example',
      'MAIL FROM:<jonas@field.example>',
      'RCPT TO:<probe@moulin.example>',
      'DATA',
      'From: jo\0nas@field.example\r\nMessage-ID: <1\0@field.example>\r\nSubject: NUL\r\n\r\nx\r\n.',
      'QUIT',
    ])
    expect(said.filter((line) => line.startsWith('4') || line.startsWith('5'))).toEqual([])
    await app.drain()
    expect(handled.map(({ subject, messageId }) => [subject, messageId])).toEqual([['NUL', '<1@field.example>']])
  })

  test('one mail to two workspaces is two, each in its own', async () => {
    await app.app.runtime.db.transaction(app.world.otherWorkspaceId, (tx) =>
      takeAddress(tx, 'probe-other@elsewhere.example', 'tickets'),
    )
    await send({ to: ['probe@moulin.example', 'probe-other@elsewhere.example'] })
    await app.drain()
    expect(handled.map(({ destinations }) => destinations.map(({ address }) => address).join()).toSorted()).toEqual([
      'probe-other@elsewhere.example',
      'probe@moulin.example',
    ])
    expect((await list()).data).toHaveLength(1)
    expect((await app.stranger.get('/mail/inbound')).body.data).toHaveLength(1)
  })

  test('an address is one workspace\u2019s', async () => {
    const taken = app.app.runtime.db.transaction(app.world.otherWorkspaceId, (tx) =>
      takeAddress(tx, 'Probe@moulin.example', 'tickets'),
    )
    await expect(taken).rejects.toMatchObject({ code: 'address_taken' })
  })
})

describe('poison', () => {
  test('a mail that always fails goes into quarantine, and the others go on', async () => {
    fails = ({ subject }) => subject === 'poison'
    await send({ subject: 'poison' })
    await send({ subject: 'good' })
    await app.drain()
    expect(handled.map(({ subject }) => subject)).toEqual(['good'])
    for (let round = 0; round < 8; round++) {
      await letTimePass()
      await app.drain()
    }
    const [mail] = (await list('quarantined')).data
    expect(mail).toMatchObject({ state: 'quarantined', attempts: 6, error: 'the probe was told to fail' })
    fails = () => false
    expect((await app.as('anna').post(`/mail/inbound/${mail!.id}/retry`)).status).toBe(200)
    expect((await app.as('anna').post(`/mail/inbound/${mail!.id}/retry`)).body.code).toBe('not_in_quarantine')
    await app.drain()
    expect(handled.map(({ subject }) => subject)).toEqual(['good', 'poison'])
  })

  test.each([
    [
      'ten thousand parts',
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\nContent-Type: text/plain\r\n\r\nx\r\n'.repeat(10_000)}--b--`,
    ],
    ['a thousand levels', nested(1_000)],
    ['a head of a megabyte', `X-Long: ${'a'.repeat(1_000_000)}\r\n\r\nx`],
  ])('%s: quarantine, at once', async (_, rest) => {
    const raw = `From: jonas@field.example\r\nSubject: bomb\r\nMIME-Version: 1.0\r\n${rest}\r\n`
    await send({ raw, envelope: { from: 'jonas@field.example', to: 'probe@moulin.example' } })
    await app.drain()
    expect(handled).toEqual([])
    expect((await list()).data).toMatchObject([
      { state: 'quarantined', attempts: 1, from_address: 'jonas@field.example' },
    ])
  })

  test('ten thousand references are a mail like others', async () => {
    await send({ references: Array.from({ length: 10_000 }, (_, at) => `<${at}@field.example>`) })
    await app.drain()
    expect(handled[0]!.references).toHaveLength(60)
    expect(handled[0]!.references.at(-1)).toBe('<9999@field.example>')
  })

  test.each([
    [
      'iso-2022-jp',
      'From: a@b.example\r\nSubject: =?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s$K$A$O\x1b(B',
      'こんにちは',
    ],
    [
      'windows-1250',
      'From: a@b.example\r\nSubject: x\r\nContent-Type: text/plain; charset=windows-1250\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=BAtefan',
      'ştefan',
    ],
    [
      'a wrong label',
      'From: a@b.example\r\nSubject: x\r\nContent-Type: text/plain; charset=klingon\r\n\r\nplain',
      'plain',
    ],
    ['no label', 'From: a@b.example\r\nSubject: x\r\n\r\nplain', 'plain'],
    ['NUL', 'From: a@b.example\r\nSubject: a=?utf-8?Q?=00b=0D=0ABcc:_c?=\r\n\r\npl\0ain', 'plain'],
    [
      'utf-7 is not read as markup',
      'From: a@b.example\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+ADw-b+AD4-',
      '',
    ],
  ])('%s', async (_, raw, expected) => {
    const envelope = { from: 'a@b.example', to: 'probe@moulin.example' }
    await send({ raw: Buffer.from(raw, 'latin1'), envelope })
    await app.drain()
    expect(handled).toHaveLength(1)
    expect(handled[0]!.text).toContain(expected)
    expect(handled[0]!.subject).not.toMatch(/[\0\r\n]/)
  })

  test.each([
    ['several senders', 'From: a@b.example, c@d.example', null],
    ['two From fields', 'From: a@b.example\r\nFrom: c@d.example', null],
    ['none', 'X-From: a@b.example', null],
    ['an empty one', 'From:', null],
    ['an address in the name', 'From: "ceo@moulin.example" <a@b.example>', 'a@b.example'],
    ['a comment', 'From: a@b.example (c@d.example)', 'a@b.example'],
  ])('From with %s', async (_, from, expected) => {
    await send({
      raw: `${from}\r\nSubject: x\r\n\r\nx\r\n`,
      envelope: { from: 'a@b.example', to: 'probe@moulin.example' },
    })
    await app.drain()
    expect(handled[0]!.from?.address ?? null).toBe(expected)
  })
})

describe('the mailbox elsewhere', () => {
  test('gives what was not seen, each once, and keeps what is not ours', async () => {
    const box = boxOf(['probe@moulin.example', 'else@moulin.example', 'probe@moulin.example'])
    const imap = createImapDoor(app.app.runtime, { pollMs: 1, sizeBytesMax: 10_000, open: async () => box }, () => {})
    expect(await imap.poll()).toBe(2)
    expect(box.seen).toEqual([1, 3])
    // Killed between keeping and marking, it finds them again.
    box.seen.length = 0
    expect(await imap.poll()).toBe(0)
    await app.drain()
    expect(handled.map(({ subject, envelopeFrom }) => `${subject} ${envelopeFrom}`).toSorted()).toEqual([
      'mail 1 null',
      'mail 3 null',
    ])
  })

  test('one that is too large is flagged, and stays', async () => {
    const box = boxOf(['probe@moulin.example'])
    const imap = createImapDoor(app.app.runtime, { pollMs: 1, sizeBytesMax: 10, open: async () => box }, () => {})
    expect(await imap.poll()).toBe(0)
    expect(box).toMatchObject({ seen: [], flagged: [1] })
  })
})

test('an erasure takes the mails that the person wrote', async () => {
  const before = await filesLeft()
  await send()
  await send({ from: 'zoe@lefevre.example', text: 'long '.repeat(60_000) })
  await app.drain()
  const { personalData, db } = app.app.runtime
  const { data } = personalData.find(({ name }) => name === 'platform')!
  const person = { contactIds: [], userIds: [], emails: ['zoe@lefevre.example'], phones: [], names: [], language: null }
  await app.inTx((tx) => data.erase(tx, person, app.app.runtime))
  await data.sweep!({ workspaceId: app.world.workspaceId, db, services: app.app.runtime }, person)
  expect((await list()).data.map(({ from_address }) => from_address)).toEqual(['jonas@field.example'])
  expect(await filesLeft()).toEqual(before)
})

function nested(levels: number): string {
  let body = 'Content-Type: text/plain\r\n\r\nx'
  for (let level = 0; level < levels; level++) {
    body = `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n${body}\r\n--b${level}--`
  }
  return body
}

function boxOf(recipients: string[]): RemoteBox & { seen: number[]; flagged: number[] } {
  const raw = (uid: number) =>
    Buffer.from(
      `Delivered-To: ${recipients[uid - 1]}\r\nMessage-ID: <${uid}@field.example>\r\nFrom: jonas@field.example\r\nSubject: mail ${uid}\r\n\r\nx`,
    )
  const box = {
    seen: [] as number[],
    flagged: [] as number[],
    numbering: 'INBOX 1',
    isOpen: () => true,
    unseen: async (_most: number, except: (uid: number) => boolean) =>
      recipients.map((_, at) => at + 1).filter((uid) => !box.seen.includes(uid) && !except(uid)),
    head: async (uid: number) => ({ head: raw(uid), sizeBytes: 100 }),
    source: async (uid: number) => raw(uid),
    markSeen: async (uid: number) => void box.seen.push(uid),
    flag: async (uid: number) => void box.flagged.push(uid),
    listen: null,
    close: async () => {},
    cut: () => {},
  }
  return box
}

/** Says one line after each reply. */
function converse(to: number, lines: string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(to, '127.0.0.1')
    const heard: string[] = []
    socket.on('data', (data) => {
      heard.push(...data.toString().split('\r\n').filter(Boolean))
      const isLast = /^\d{3} /.test(heard.at(-1) ?? '')
      if (isLast && lines.length) socket.write(`${lines.shift()}\r\n`)
    })
    socket.on('close', () => resolve(heard))
    socket.on('error', reject)
  })
}
