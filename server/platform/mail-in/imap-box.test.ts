/** The mailbox elsewhere, on a real IMAP server: each mail once, whatever the server, the connection or the mail does. */
import { chmodSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { hasDovecot, startDovecot, type Dovecot } from '#testing/dovecot.ts'
import { start, type TestApp } from '#testing/start.ts'
import { startTcpProxy } from '#testing/tcp-proxy.ts'
import { openImapBox, parseImapUrl, type ImapAccount } from './imap-box.ts'
import { createImapDoor, type ImapDoor } from './imap-door.ts'
import type { RemoteBox } from './remote-box.ts'

const inboxes = ['aide@moulin.example', 'box@moulin.example']
let dovecot: Dovecot
let app: TestApp
let folder: string
let count = 0

describe.skipIf(!hasDovecot())('a mailbox on a real server', () => {
  beforeAll(async () => {
    dovecot = await startDovecot()
    app = await start({ IMAP_URL: dovecot.url(), MAIL_IN_SIZE_MAX_MB: '1' })
    for (const address of inboxes) {
      const made = await app.as('anna').post('/tickets/mailboxes', { address, name: 'Moulin' })
      expect(made.status, made.text).toBe(201)
    }
  })

  afterAll(async () => {
    await app[Symbol.asyncDispose]()
    await dovecot[Symbol.asyncDispose]()
  })

  /** Each test has a folder of its own. */
  beforeEach(async () => {
    folder = `Test${++count}`
    await dovecot.visit((client) => client.mailboxCreate(folder))
    await app.inTx((tx) => tx.sql.deleteFrom('platform.inbound_mails').execute())
  })

  test('brings a mail that becomes a ticket, once, and leaves it there as seen', async () => {
    const mail = letter({ subject: 'Broken cup' })
    await dovecot.deliver('box@moulin.example', mail.raw)
    await app.drain()
    expect(await ticketsOf(mail.from)).toMatchObject([{ subject: 'Broken cup', source: 'email' }])
    expect(await flagsIn('INBOX')).toEqual([['\\Seen']])
    // As if we had been killed before marking it, and as if somebody had put it elsewhere and back.
    await dovecot.visit(async (client) => {
      await client.mailboxOpen('INBOX')
      await client.messageFlagsRemove('1:*', ['\\Seen'])
      await client.messageMove('1:*', folder)
      await client.mailboxOpen(folder)
      await client.messageMove('1:*', 'INBOX')
    })
    expect(await flagsIn('INBOX')).toEqual([[]])
    await app.drain()
    expect(await flagsIn('INBOX')).toEqual([['\\Seen']])
    expect(await ticketsOf(mail.from)).toHaveLength(1)
    expect(await fetching()).toMatchObject({ state: 'working', problem: null, failures: 0, passed_over: 0 })
  })

  test('an answer to the signed address joins its ticket, though only the server says where it went', async () => {
    const mail = letter({})
    await dovecot.deliver('box@moulin.example', mail.raw)
    await app.drain()
    const [acknowledged] = app.mails().filter(({ to }) => to === mail.from)
    const replyTo = (await PostalMime.parse(acknowledged!.raw)).replyTo![0]!.address!
    const answer = letter({ from: mail.from, to: 'undisclosed@elsewhere.example', text: 'The blue one.' })
    await dovecot.deliver(replyTo, answer.raw)
    await app.drain()
    const [ticket, ...more] = await ticketsOf(mail.from)
    expect(more).toEqual([])
    const said = (await app.as('anna').get(`/tickets/${ticket!.id}/messages`)).body.data as { content: string }[]
    expect(said.map(({ content }) => content)).toEqual(['The blue one.'])
  })

  test('takes neither what was seen or deleted there nor what is for others, and touches none of it', async () => {
    const mails = [letter({}), letter({}), letter({ to: 'else@moulin.example' }), letter({})]
    for (const { raw } of mails) dovecot.drop(raw, folder)
    await dovecot.visit(async (client) => {
      await client.mailboxOpen(folder)
      await client.messageFlagsAdd('1', ['\\Seen'])
      await client.messageFlagsAdd('2', ['\\Deleted'])
    })
    expect(await door().poll()).toBe(1)
    expect(await sendersIn()).toEqual([mails[3]!.from])
    expect(await flagsIn(folder)).toEqual([['\\Seen'], ['\\Deleted'], [], ['\\Seen']])
    expect((await fetching()).passed_over).toBe(1)
  })

  test.each(['Réclamations & été 東京', 'Support.Dépôt', 'a%2Fb 100%'])('reads the folder %s', async (name) => {
    await dovecot.visit((client) => client.mailboxCreate(name))
    dovecot.drop(letter({}).raw, name)
    expect(await door({ account: parseImapUrl(dovecot.url(name)) }).poll()).toBe(1)
    expect(await flagsIn(name)).toEqual([['\\Seen']])
  })

  test('forgets which mails it passed over when the server numbers them anew', async () => {
    const imap = door()
    dovecot.drop(letter({ to: 'else@moulin.example' }).raw, folder)
    expect(await imap.poll()).toBe(0)
    await dovecot.visit(async (client) => {
      const { uidValidity } = await client.mailboxOpen(folder)
      await client.mailboxClose()
      await client.mailboxDelete(folder)
      await client.mailboxCreate(folder)
      expect((await client.mailboxOpen(folder)).uidValidity).not.toBe(uidValidity)
    })
    const mail = letter({})
    dovecot.drop(mail.raw, folder)
    expect(await imap.poll()).toBe(1)
    expect(await sendersIn()).toContain(mail.from)
  })

  test.each(['head', 'source', 'markSeen'] as const)(
    'a server that dies at the third %s loses nothing and doubles nothing',
    async (step) => {
      const mails = Array.from({ length: 6 }, () => letter({}))
      for (const { raw } of mails) dovecot.drop(raw, folder)
      let calls = 0
      const imap = door({
        change: (box) => ({
          ...box,
          [step]: async (uid: number) => {
            if (++calls === 3) await dovecot.kill()
            return box[step](uid)
          },
        }),
      })
      await expect(imap.poll()).rejects.toThrow('does not answer')
      expect(await fetching()).toMatchObject({ state: 'failing', problem: { code: 'unreachable' }, failures: 1 })
      await dovecot.start()
      // The one whose marking was lost is known already.
      expect(await imap.poll()).toBe(step === 'markSeen' ? 3 : 4)
      expect(await sendersIn()).toEqual(mails.map(({ from }) => from))
      expect((await flagsIn(folder)).flat()).toEqual(mails.map(() => '\\Seen'))
      expect(await fetching()).toMatchObject({ state: 'working', failures: 0 })
    },
  )

  test('a server that falls silent does not keep the program from ending', async () => {
    dovecot.drop(letter({}).raw, folder)
    const asked = Promise.withResolvers<void>()
    const imap = door({
      change: (box) => ({
        ...box,
        source(uid) {
          dovecot.freeze()
          asked.resolve()
          return box.source(uid)
        },
      }),
    })
    imap.start()
    await asked.promise
    await imap.stop()
    await dovecot.kill()
    await dovecot.start()
    expect(await door().poll()).toBe(1)
  })

  test('a mail that is too large stays there, flagged, and those behind it come', async () => {
    dovecot.drop(letter({ text: 'x'.repeat(1_200_000) }).raw, folder)
    dovecot.drop(letter({}).raw, folder)
    expect(await door().poll()).toBe(1)
    expect(await flagsIn(folder)).toEqual([['\\Flagged'], ['\\Seen']])
  })

  test('a mail that vanishes while it is fetched keeps none waiting', async () => {
    const mails = [letter({}), letter({}), letter({})]
    for (const { raw } of mails) dovecot.drop(raw, folder)
    const imap = door({
      change: (box) => ({
        ...box,
        async source(uid) {
          if (uid === 2) {
            await dovecot.visit(async (client) => {
              await client.mailboxOpen(folder)
              await client.messageDelete('2', { uid: true })
            })
          }
          return box.source(uid)
        },
      }),
    })
    expect(await imap.poll()).toBe(2)
    expect(await sendersIn()).toEqual([mails[0]!.from, mails[2]!.from])
  })

  test('mails that the server cannot read keep none waiting, and come when it can', async () => {
    const mails = Array.from({ length: 4 }, () => letter({}))
    const files = mails.map(({ raw }) => dovecot.drop(raw, folder))
    const unreadable = files.slice(0, 2)
    for (const file of unreadable) chmodSync(file, 0)
    const imap = door()
    // Dovecot hangs up at such a mail.
    expect(await imap.poll()).toBe(2)
    expect(await sendersIn()).toEqual(mails.slice(2).map(({ from }) => from))
    expect(await fetching()).toMatchObject({ state: 'working', passed_over: 2 })
    for (const file of unreadable) chmodSync(file, 0o644)
    expect(await imap.poll()).toBe(0)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 300_000 })
    try {
      expect(await imap.poll()).toBe(2)
    } finally {
      vi.useRealTimers()
    }
    expect((await fetching()).passed_over).toBe(0)
  })

  test('five hundred, stopped in the middle and begun again, come each once, in order, one at a time', async () => {
    const mails = Array.from({ length: 500 }, () => letter({}))
    for (const { raw } of mails) dovecot.drop(raw, folder)
    let held = 0
    let mostHeld = 0
    const change = (box: RemoteBox): RemoteBox => ({
      ...box,
      async source(uid) {
        mostHeld = Math.max(mostHeld, ++held)
        return box.source(uid)
      },
      async markSeen(uid) {
        held--
        return box.markSeen(uid)
      },
    })
    const reached = Promise.withResolvers<void>()
    let taken = 0
    const first = door({
      change,
      onReceived: () => {
        if (++taken === 120) reached.resolve()
      },
    })
    first.start()
    await reached.promise
    await first.stop()
    expect(taken).toBeLessThan(300)
    held = 0
    const rest = await door({ change }).poll()
    expect(taken + rest).toBe(500)
    expect(await sendersIn()).toEqual(mails.map(({ from }) => from))
    expect(mostHeld).toBe(1)
    expect((await flagsIn(folder)).flat()).toHaveLength(500)
  })

  describe('says in words what keeps it from the mailbox:', () => {
    test.each([
      ['the password', { password: 'wrong' }, 'refused', 'refused the user or the password'],
      ['the user', { user: 'nobody' }, 'refused', 'refused the user or the password'],
      ['the folder', { folder: 'Nowhere' }, 'no_folder', 'has no folder “Nowhere”'],
      ['the port', { port: 1 }, 'unreachable', 'does not answer'],
      ['the host', { host: 'nowhere.invalid' }, 'unreachable', 'does not answer'],
      ['TLS where there is none', { implicitTls: true }, 'wrong_tls', 'Try imap:// with port 143'],
      ['a certificate that nobody trusts', { host: '127.0.0.2' }, 'certificate', 'NODE_EXTRA_CA_CERTS'],
    ])('%s', async (_, wrong, code, words) => {
      await expect(door({ account: { ...account(), ...wrong } }).poll()).rejects.toThrow(words)
      const { state, problem } = await fetching()
      expect([state, problem!.code]).toEqual(['failing', code])
      expect(problem!.detail).toContain(words)
      expect(JSON.stringify(problem)).not.toContain(dovecot.password)
      expect(await door().poll()).toBe(0)
      expect(await fetching()).toMatchObject({ state: 'working', problem: null })
    })

    test('a folder where it may not mark anything, from which each mail would come again and again', async () => {
      dovecot.drop(letter({}).raw, folder)
      dovecot.allow(folder, 'lr')
      await expect(door().poll()).rejects.toThrow('may not mark mails as seen')
      expect((await fetching()).problem!.code).toBe('read_only')
      dovecot.allow(folder, 'lrswite')
      expect(await door().poll()).toBe(1)
    })

    test.each([
      ['offers no TLS', 'none', 'offers no STARTTLS'],
      ['demands TLS', 'required', 'lets nobody sign in without TLS'],
    ] as const)('a server that %s', async (_, tls, words) => {
      await using other = await startDovecot({ tls })
      // Dovecot trusts a client of the same address without TLS; what comes from 127.0.0.1 to 127.0.0.2 is from elsewhere.
      await using proxy = await startTcpProxy(other.imapPort, '127.0.0.2')
      const there =
        tls === 'none' ? { host: '127.0.0.2', port: other.imapPort } : { host: '127.0.0.1', port: proxy.port }
      const opening = openImapBox({ ...parseImapUrl(other.url()), ...there })
      await expect(opening).rejects.toMatchObject({ code: 'no_tls', message: expect.stringContaining(words) })
    })

    test('only admins hear it', async () => {
      expect((await app.as('maria').get('/mail/fetching')).status).toBe(403)
    })
  })

  test('TLS with a certificate that is trusted: from the first byte, and by STARTTLS', async () => {
    const before = getCACertificates('default')
    setDefaultCACertificates([...before, dovecot.certificate])
    try {
      for (const how of [
        { port: dovecot.imapsPort, implicitTls: true },
        { host: '127.0.0.2', implicitTls: false },
      ]) {
        dovecot.drop(letter({}).raw, folder)
        expect(await door({ account: { ...account(), ...how } }).poll()).toBe(1)
      }
    } finally {
      setDefaultCACertificates(before)
    }
  })
})

test.each([
  ['imap://u:p@[::1]', { host: '::1', port: 143, implicitTls: false, folder: 'INBOX' }],
  [
    'imaps://u%40x:p%2F@mail.example/A%2FB',
    { host: 'mail.example', port: 993, user: 'u@x', password: 'p/', folder: 'A/B' },
  ],
])('reads %s', (url, expected) => {
  expect(parseImapUrl(url)).toMatchObject(expected)
})

interface Asked {
  account?: ImapAccount
  change?: (box: RemoteBox) => RemoteBox
  onReceived?: () => void
}

function account(): ImapAccount {
  return { ...parseImapUrl(dovecot.url()), folder }
}

/** A door of the running application on the test's folder; `change` may do harm at a step of the real mailbox. */
function door({ account: asked = account(), change, onReceived = () => {} }: Asked = {}): ImapDoor {
  const open = async () => {
    const box = await openImapBox(asked)
    return change ? change(box) : box
  }
  return createImapDoor(app.app.runtime, { open, pollMs: 60_000, sizeBytesMax: 1_000_000 }, onReceived)
}

interface Letter {
  from?: string
  to?: string
  subject?: string
  text?: string
}

/** Somebody new writes. */
function letter({ from, to = 'aide@moulin.example', subject = 'Cup', text = 'Broken.' }: Letter) {
  const number = ++count
  const sender = from ?? `person${number}@field.example`
  const head = [`From: ${sender}`, `To: ${to}`, `Subject: ${subject}`, `Message-ID: <${number}@field.example>`]
  return { from: sender, raw: [...head, 'Date: Tue, 3 Nov 2026 10:00:00 +0000', '', text, ''].join('\r\n') }
}

const fetching = async () =>
  (await app.as('anna').get('/mail/fetching')).body as {
    state: string
    problem: { code: string; detail: string } | null
    failures: number
    passed_over: number
  }
const ticketsOf = async (email: string) =>
  (await app.as('anna').get(`/tickets?search=${encodeURIComponent(email)}`)).body.data as { id: string }[]

/** Of what has been kept since the test began, in order. */
async function sendersIn(): Promise<string[]> {
  return app.inTx(async (tx) => {
    const rows = await tx.sql.selectFrom('platform.inbound_mails').select('from_address').orderBy('id').execute()
    return rows.map(({ from_address }) => from_address!)
  })
}

async function flagsIn(name: string): Promise<string[][]> {
  return dovecot.visit(async (client) => {
    await client.mailboxOpen(name, { readOnly: true })
    const found: string[][] = []
    for await (const { flags } of client.fetch('1:*', { flags: true })) found.push([...(flags ?? [])])
    return found.map((flags) => flags.filter((flag) => flag !== '\\Recent'))
  })
}
