/** The program itself, killed in the middle of a mail: what it answered for is not lost, and nothing comes twice. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import path from 'node:path'
import nodemailer from 'nodemailer'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { readEnv } from '#server/config.ts'
import { freePorts } from '#testing/free-ports.ts'
import { start, testSecretKey, type TestApp } from '#testing/start.ts'

const main = path.join(import.meta.dirname, '../../main.ts')
const large = 'line of a long mail\r\n'.repeat(20_000)
let app: TestApp
let owner: pg.Client
/** Holds locks: inside its transaction, it would see the same activity again and again. */
let locker: pg.Client
let port: number
let count = 0
/** One runs at the beginning of each test, and at its end. */
let worker: ChildProcess | null = null

beforeAll(async () => {
  app = await start()
  owner = new pg.Client({ connectionString: app.databaseUrl })
  locker = new pg.Client({ connectionString: app.databaseUrl })
  await Promise.all([owner.connect(), locker.connect()])
  const made = await app.as('anna').post('/tickets/mailboxes', { address: 'aide@moulin.example', name: 'Moulin' })
  expect(made.status, made.text).toBe(201)
  port = (await freePorts(1))[0]!
})
afterAll(async () => {
  await kill()
  await Promise.all([owner.end(), locker.end()])
  await app[Symbol.asyncDispose]()
})

beforeEach(async () => {
  if (!worker) await startWorker()
}, 120_000)
afterEach(() => unlock())

/** Answers once it takes mail. */
async function startWorker(): Promise<void> {
  const { PATH, HOME } = readEnv()
  worker = spawn(process.execPath, [main, 'serve', '--role', 'worker'], {
    env: {
      PATH,
      HOME,
      APP_ENV: 'test',
      LOG_LEVEL: 'fatal',
      DATABASE_URL: app.databaseUrl,
      DATA_DIR: app.app.runtime.config.app.dataDir,
      SECRET_KEY: testSecretKey,
      MAIL_IN_PORT: String(port),
      MAIL_IN_HOST: '127.0.0.1',
    } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await vi.waitFor(greeted, { timeout: 60_000, interval: 50 })
}

async function greeted(): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'data')
  } finally {
    socket.destroy()
  }
}

async function kill(): Promise<void> {
  const child = worker
  worker = null
  if (!child || child.exitCode !== null || child.signalCode) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** While they are locked, whoever writes there waits, and a worker can be killed at just that place. */
async function lock(table: string): Promise<void> {
  await locker.query('begin')
  await locker.query(`lock table ${table} in access exclusive mode`)
}
const unlock = async () => void (await locker.query('rollback'))
const somebodyWaits = () => expect.poll(async () => (await waiting()).length, { timeout: 40_000 }).toBeGreaterThan(0)
/** Its connections are gone: what they had not committed never will be. */
const nobodyIsLeft = (pids: number[]) =>
  expect
    .poll(async () => (await owner.query('select from pg_stat_activity where pid = any($1)', [pids])).rowCount, {
      timeout: 40_000,
    })
    .toBe(0)
async function waiting(): Promise<number[]> {
  const { rows } = await owner.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows.map(({ pid }) => pid)
}
/** As if leases had ended. */
const letTimePass = () => owner.query('update platform.mail_queue set not_before = now()')

interface Letter {
  from: string
  raw: string
}

function letter(text = 'Broken.'): Letter {
  const from = `person${++count}@field.example`
  const head = [`From: ${from}`, 'To: aide@moulin.example', 'Subject: Cup', `Message-ID: <${count}@field.example>`]
  return { from, raw: [...head, 'Date: Tue, 3 Nov 2026 10:00:00 +0000', '', text, ''].join('\r\n') }
}

/** Resolves with the 250. */
async function send({ from, raw }: Letter): Promise<string> {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true, name: 'client.test' })
  return (await transport.sendMail({ envelope: { from, to: 'aide@moulin.example' }, raw })).response
}

const ticketsOf = async (email: string) =>
  ((await app.as('anna').get(`/tickets?search=${encodeURIComponent(email)}`)).body.data as unknown[]).length
const stateOf = async (email: string) => {
  const { data } = (await app.as('anna').get(`/mail/inbound?search=${encodeURIComponent(email)}`)).body
  return (data as { state: string }[]).map(({ state }) => state)
}
async function filesLeft(): Promise<number> {
  let files = 0
  for await (const _ of app.app.runtime.files.list(`${app.world.workspaceId}/mail-in/`)) files++
  return files
}

test('between its 250 and the ticket: it becomes one ticket after the restart', async () => {
  const mail = letter()
  await lock('support.tickets')
  expect(await send(mail)).toMatch(/^250 /)
  await somebodyWaits()
  const held = await waiting()
  await kill()
  await unlock()
  await nobodyIsLeft(held)
  expect([await stateOf(mail.from), await ticketsOf(mail.from)]).toEqual([['received'], 0])
  await letTimePass()
  await startWorker()
  await expect.poll(() => stateOf(mail.from), { timeout: 40_000 }).toEqual(['handled'])
  expect(await ticketsOf(mail.from)).toBe(1)
}, 120_000)

test('in the middle of DATA: nothing is kept, and the next try is the mail', async () => {
  const mail = letter(large)
  const socket = connect(port, '127.0.0.1')
  const heard: string[] = []
  socket.on('data', (data) => heard.push(data.toString())).on('error', () => {})
  const lines = ['EHLO a.example', `MAIL FROM:<${mail.from}>`, 'RCPT TO:<aide@moulin.example>', 'DATA']
  // Whoever talks before the greeting is turned away.
  await once(socket, 'data')
  socket.write(`${lines.join('\r\n')}\r\n`)
  await expect.poll(() => heard.join('')).toContain('354 ')
  socket.write(mail.raw.slice(0, mail.raw.length / 2))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await kill()
  await closed
  expect(heard.join('').split('354 ')[1]).not.toContain('250')
  await startWorker()
  expect([await stateOf(mail.from), await ticketsOf(mail.from)]).toEqual([[], 0])
  expect(await send(mail)).toMatch(/^250 /)
  await expect.poll(() => stateOf(mail.from), { timeout: 40_000 }).toEqual(['handled'])
  expect(await ticketsOf(mail.from)).toBe(1)
}, 120_000)

test.each([
  ['is lost with it', true, []],
  ['is done without it', false, ['received']],
])(
  'after its last line, before its 250, what it asked of the database %s: one ticket, and no file too many',
  async (_, isLost, state) => {
    const files = await filesLeft()
    const mail = letter(large)
    await lock('platform.inbound_mails')
    const sending = send(mail)
    sending.catch(() => {})
    await somebodyWaits()
    const held = await waiting()
    await kill()
    if (isLost) await owner.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [held])
    else await unlock()
    await expect(sending).rejects.toThrow()
    await nobodyIsLeft(held)
    await unlock()
    expect(await stateOf(mail.from)).toEqual(state)
    expect(await filesLeft()).toBe(files + 1)
    await letTimePass()
    await startWorker()
    expect(await send(mail)).toMatch(/^250 /)
    await expect.poll(() => stateOf(mail.from), { timeout: 40_000 }).toEqual(['handled'])
    expect(await ticketsOf(mail.from)).toBe(1)
    await expect.poll(filesLeft, { timeout: 40_000 }).toBe(files + 1)
  },
  120_000,
)

test('again and again under load: each that heard a 250 is there, each once', async () => {
  const kills = 3
  const mails = Array.from({ length: 60 }, (_, at) => letter(at % 10 ? 'Broken.' : large))
  const waitingLetters = [...mails]
  let answered = 0
  let restarting = Promise.resolve()
  const restart = async () => {
    await kill()
    await startWorker()
    await letTimePass()
  }
  const lanes = Array.from({ length: 4 }, async () => {
    for (let mail = waitingLetters.shift(); mail; mail = waitingLetters.shift()) {
      await restarting
      const isAnswered = await send(mail).then(
        () => true,
        () => false,
      )
      if (!isAnswered) waitingLetters.push(mail)
      else if (++answered % 15 === 0 && answered / 15 <= kills) restarting = restart()
    }
  })
  await Promise.all(lanes)
  await restarting
  await expect.poll(() => lettersIn('received'), { timeout: 60_000 }).toBe(0)
  expect(await lettersIn('quarantined')).toBe(0)
  const { rows } = await owner.query<{ contact_email: string; tickets: number }>(
    `select contact_email, count(*)::int as tickets from support.tickets where contact_email = any($1) group by 1`,
    [mails.map(({ from }) => from)],
  )
  expect(rows.filter(({ tickets }) => tickets !== 1)).toEqual([])
  expect(rows).toHaveLength(mails.length)
}, 120_000)

async function lettersIn(state: string): Promise<number> {
  const { rows } = await owner.query<{ count: number }>(
    'select count(*)::int as count from platform.inbound_mails where state = $1',
    [state],
  )
  return rows[0]!.count
}
