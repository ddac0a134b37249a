/** A mailbox whose server tells of new mail by itself: heard at once, over one connection, and mended when that breaks. */
import { EventEmitter } from 'node:events'
import type { ImapFlow } from 'imapflow'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { hasDovecot, startDovecot, type Dovecot } from '#testing/dovecot.ts'
import { start, type TestApp } from '#testing/start.ts'
import { startTcpProxy } from '#testing/tcp-proxy.ts'
import { openImapBox, parseImapUrl } from './imap-box.ts'
import { createImapDoor, type ImapDoor } from './imap-door.ts'
import { earOf, renewalMs } from './imap-ear.ts'
import { MailboxTrouble, type RemoteBox } from './remote-box.ts'

/** No test waits for so long: what comes was told, and not looked for. */
const never = 3_000_000
let app: TestApp
let running: ImapDoor[] = []
let count = 0

beforeAll(async () => {
  app = await start({ IMAP_URL: 'imap://nobody:nothing@127.0.0.1:1/' })
  const made = await app.as('anna').post('/tickets/mailboxes', { address: 'aide@moulin.example', name: 'Moulin' })
  expect(made.status, made.text).toBe(201)
})
afterAll(() => app[Symbol.asyncDispose]())
afterEach(async () => {
  await Promise.all(running.map((door) => door.stop()))
  running = []
})

const fetching = async () => (await app.as('anna').get('/mail/fetching')).body

function letter(): string {
  const head = [`From: person${++count}@field.example`, 'To: aide@moulin.example', 'Subject: Cup']
  const more = [`Message-ID: <idle-${count}@field.example>`, 'Date: Tue, 3 Nov 2026 10:00:00 +0000']
  return [...head, ...more, '', 'Broken.', ''].join('\r\n')
}

/** Starts a door; tells how many connections it opened, how each ended, and how many mails came. */
function watch(open: () => Promise<RemoteBox>, pollMs = never) {
  const seen = { opened: 0, listened: 0, ended: [] as string[], received: 0 }
  const door = createImapDoor(
    app.app.runtime,
    {
      pollMs,
      sizeBytesMax: 1_000_000,
      async open() {
        seen.opened++
        const box = await open()
        return {
          ...box,
          listen: box.listen && ((mostMs) => (seen.listened++, box.listen!(mostMs))),
          close: () => (seen.ended.push('closed'), box.close()),
          cut: () => (seen.ended.push('cut'), box.cut()),
        }
      },
    },
    () => seen.received++,
  )
  running.push(door)
  door.start()
  return seen
}

const until = (check: () => unknown, timeout = 30_000) => vi.waitFor(check, { timeout, interval: 20 })

describe.skipIf(!hasDovecot())('a server that tells by itself', () => {
  let dovecot: Dovecot
  let account: ReturnType<typeof parseImapUrl>
  beforeAll(async () => {
    dovecot = await startDovecot()
  })
  afterAll(() => dovecot[Symbol.asyncDispose]())
  beforeEach(async () => {
    account = { ...parseImapUrl(dovecot.url()), folder: `Idle${++count}` }
    await dovecot.visit((client) => client.mailboxCreate(account.folder))
  })

  const put = (...raws: string[]) =>
    dovecot.visit(async (client) => {
      for (const raw of raws) await client.append(account.folder, raw)
    })

  test('brings each mail at once, over one connection, and says so', async () => {
    const seen = watch(() => openImapBox(account))
    await until(() => expect(seen.listened).toBe(1))
    const before = await fetching()
    expect(before).toMatchObject({ state: 'working', failures: 0 })
    await put(letter())
    await until(() => expect(seen.received).toBe(1))
    await put(letter(), letter(), letter())
    await until(() => expect(seen.received).toBe(4))
    await until(async () => expect((await fetching()).visited_at > before.visited_at).toBe(true))
    expect(await fetching()).toMatchObject({ state: 'working', problem: null, failures: 0, passed_over: 0 })
    expect([seen.opened, seen.ended]).toEqual([1, []])
  })

  test('a mail that comes between the last look and the wait is not forgotten', async () => {
    const seen = watch(async () => {
      const box = await openImapBox(account)
      return {
        ...box,
        async unseen(most, except) {
          const found = await box.unseen(most, except)
          if (!seen.received && !found.length) {
            await put(letter())
            // Whatever is asked, the server tells of the mail with its answer.
            await box.head(1).catch(() => {})
          }
          return found
        },
      }
    })
    await until(() => expect(seen.received).toBe(1))
    expect(seen.opened).toBe(1)
  })

  test('two copies of the program hear of the same mail, and it is kept once', async () => {
    const [one, other] = [watch(() => openImapBox(account)), watch(() => openImapBox(account))]
    await until(() => expect([one.listened, other.listened]).toEqual([1, 1]))
    await put(letter(), letter(), letter())
    await until(() => {
      expect(one.received + other.received).toBe(3)
      expect(one.listened).toBeGreaterThan(1)
      expect(other.listened).toBeGreaterThan(1)
    })
    expect((await fetching()).state).toBe('working')
  })

  test('asks anew before the server loses patience, and still hears', async () => {
    expect(renewalMs).toBeLessThan(29 * 60_000)
    let said = ''
    await using proxy = await startTcpProxy(dovecot.imapPort, '127.0.0.1', (data) => (said += data.toString('latin1')))
    const seen = watch(() => openImapBox({ ...account, port: proxy.port }, 100))
    await until(() => expect(said.match(/ IDLE\r\n/g)?.length).toBeGreaterThan(3))
    expect(said.match(/DONE\r\n/g)!.length).toBeGreaterThan(2)
    await put(letter())
    await until(() => expect(seen.received).toBe(1))
    expect(seen.opened).toBe(1)
  })

  test('a connection that breaks is mended, and what came meanwhile is there; one that stays broken is told', async () => {
    await using proxy = await startTcpProxy(dovecot.imapPort)
    const seen = watch(() => openImapBox({ ...account, port: proxy.port }), 3_000)
    await until(() => expect(seen.listened).toBeGreaterThan(0))
    proxy.cut()
    await until(async () =>
      expect(await fetching()).toMatchObject({ state: 'failing', problem: { code: 'unreachable' } }),
    )
    await put(letter())
    proxy.mend()
    await until(() => expect(seen.received).toBe(1))
    await until(async () => expect(await fetching()).toMatchObject({ state: 'working', problem: null, failures: 0 }))
  })

  test('a broken connection is opened anew though the next look is far away', async () => {
    await using proxy = await startTcpProxy(dovecot.imapPort)
    const seen = watch(() => openImapBox({ ...account, port: proxy.port }))
    await until(() => expect(seen.listened).toBe(1))
    proxy.cut()
    proxy.mend()
    await until(() => expect([seen.opened, seen.listened]).toEqual([2, 2]))
    await put(letter())
    await until(() => expect(seen.received).toBe(1))
    expect((await fetching()).failures).toBe(0)
  })

  test('is looked into every so often all the same, and after a while over a new connection', async () => {
    const seen = watch(() => openImapBox(account), 100)
    // Made unseen by somebody, a mail is nothing new, and the server does not tell of it.
    await put(letter())
    await until(() => expect(seen.received).toBe(1))
    await dovecot.visit(async (client) => {
      await client.mailboxOpen(account.folder)
      await client.messageFlagsRemove('1:*', ['\\Seen'])
    })
    await until(async () => {
      await dovecot.visit(async (client) => {
        expect(await client.status(account.folder, { unseen: true })).toMatchObject({ unseen: 0 })
      })
    })
    expect(seen.opened).toBe(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1_600_000 })
    try {
      await until(() => expect(seen.opened).toBe(2))
    } finally {
      vi.useRealTimers()
    }
    expect(seen.ended).toEqual(['closed'])
  })

  test('whoever stops while waiting says goodbye', async () => {
    let said = ''
    await using proxy = await startTcpProxy(dovecot.imapPort, '127.0.0.1', (data) => (said += data.toString('latin1')))
    const seen = watch(() => openImapBox({ ...account, port: proxy.port }))
    await until(() => expect(said).toMatch(/ IDLE\r\n$/))
    await running[0]!.stop()
    expect(said).toMatch(/DONE\r\n\S+ LOGOUT\r\n$/)
    expect(seen).toMatchObject({ opened: 1, ended: ['closed'] })
  })

  test('a server that falls silent while it is waited on does not keep the program from ending', async () => {
    const seen = watch(() => openImapBox(account))
    await until(() => expect(seen.listened).toBe(1))
    dovecot.freeze()
    await running[0]!.stop()
    await dovecot.kill()
    await dovecot.start()
  })
})

test.skipIf(!hasDovecot())(
  'a server that tells nothing is asked every so often, over a connection each time',
  async () => {
    await using dovecot = await startDovecot({ idle: false })
    const seen = watch(() => openImapBox(parseImapUrl(dovecot.url())), 100)
    await until(() => expect(seen.opened).toBeGreaterThan(1))
    await dovecot.deliver('box@moulin.example', letter())
    await until(() => expect(seen.received).toBe(1))
    expect(seen.listened).toBe(0)
  },
)

describe('however a server behaves, it is not asked in a circle', () => {
  function boxThat(listen: (box: { isOpen: boolean }) => Promise<void>): () => Promise<RemoteBox> {
    return async () => {
      const state = { isOpen: true }
      return {
        numbering: 'INBOX 1',
        isOpen: () => state.isOpen,
        unseen: async () => {
          if (!state.isOpen) throw new MailboxTrouble('unreachable', 'The connection is gone.')
          looks.push(Date.now())
          return []
        },
        head: async () => ({ head: Buffer.alloc(0), sizeBytes: 0 }),
        source: async () => Buffer.alloc(0),
        markSeen: async () => {},
        flag: async () => {},
        listen: () => listen(state),
        close: async () => {},
        cut: () => {},
      }
    }
  }
  let looks: number[]
  beforeEach(() => {
    looks = []
  })
  /** A visit looks a moment after it has begun, and not always the same. In a circle there would be nothing between them. */
  const gaps = () => looks.slice(1).map((at, index) => at - looks[index]! + 200)

  test('one that tells without end', async () => {
    watch(boxThat(async () => {}))
    await until(() => expect(looks.length).toBe(4))
    for (const gap of gaps()) expect(gap).toBeGreaterThanOrEqual(1_000)
  })

  test('one that hangs up on whoever waits: ever later, and never later than without waiting', async () => {
    const seen = watch(
      boxThat(async (state) => void (state.isOpen = false)),
      3_000,
    )
    await until(() => expect(looks.length).toBe(5))
    const [first, second, third, fourth] = gaps() as [number, number, number, number]
    expect(first).toBeGreaterThanOrEqual(1_000)
    expect(second).toBeGreaterThanOrEqual(2_000)
    for (const gap of [third, fourth]) expect(gap).toBeGreaterThanOrEqual(3_000)
    expect(seen.opened).toBe(5)
    expect((await fetching()).state).toBe('working')
  })

  test.each([
    ['refuses to tell', false, 1],
    ['ends the telling as soon as it has begun', undefined, 3],
  ])('one that %s', async (_, answer, most) => {
    let asked = 0
    const client = Object.assign(new EventEmitter(), {
      capabilities: new Map([['IDLE', true]]),
      usable: true,
      idle: async () => (asked++, answer),
    })
    await earOf(client as unknown as ImapFlow).listen!(2_500)
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThanOrEqual(most)
  })
})
