/** The door for mail servers, word by word: TLS, LMTP, and connections that end too early. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import nodemailer from 'nodemailer'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeCertificate } from '#testing/certificate.ts'
import { start, type TestApp } from '#testing/start.ts'
import { CannotStart } from '../errors.ts'
import { takeAddress } from './addresses.ts'
import { createSmtpDoor, type SmtpDoor, type SmtpDoorSettings } from './smtp-door.ts'

const pair = makeCertificate()
let app: TestApp
let doors: SmtpDoor[] = []
let sockets: Socket[] = []

beforeAll(async () => {
  app = await start()
  const { db } = app.app.runtime
  await app.inTx((tx) => takeAddress(tx, 'probe@moulin.example', 'bounces'))
  await app.inTx((tx) => takeAddress(tx, 'second@moulin.example', 'bounces'))
  await db.transaction(app.world.otherWorkspaceId, (tx) => takeAddress(tx, 'probe@elsewhere.example', 'bounces'))
})
afterAll(() => app[Symbol.asyncDispose]())

beforeEach(async () => {
  for (const workspaceId of [app.world.workspaceId, app.world.otherWorkspaceId]) {
    await app.app.runtime.db.transaction(workspaceId, (tx) => tx.sql.deleteFrom('platform.inbound_mails').execute())
  }
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  await Promise.all(doors.map((door) => door.stop()))
  doors = []
})

async function open(settings: Partial<SmtpDoorSettings> = {}): Promise<number> {
  const usual = { protocol: 'smtp', host: '127.0.0.1', port: 0, connectionsMax: 20, tls: null } as const
  const door = createSmtpDoor(
    app.app.runtime,
    { ...usual, name: 'mx.test', sizeBytesMax: 100_000, ...settings },
    () => {},
  )
  doors.push(door)
  return (await door.open()).port
}
const openSecured = () => open({ tls: pair })
const letter = { from: 'jonas@field.example', to: 'probe@moulin.example', subject: 'Cup', text: 'Broken.' }
const kept = async () => ({
  here: (await app.as('anna').get('/mail/inbound')).body.data as Record<string, unknown>[],
  elsewhere: (await app.stranger.get('/mail/inbound')).body.data as Record<string, unknown>[],
})

describe('STARTTLS', () => {
  test('takes mail under it, and without it too, since strangers may have none', async () => {
    const port = await openSecured()
    const usual = { host: '127.0.0.1', port, name: 'client.test' }
    const secured = nodemailer.createTransport({ ...usual, requireTLS: true, tls: { ca: pair.certificate } })
    const { response } = await secured.sendMail({ ...letter, messageId: '<secured@field.example>' })
    expect(response).toMatch(/^250 /)
    await nodemailer.createTransport({ ...usual, ignoreTLS: true }).sendMail(letter)
    expect((await kept()).here).toHaveLength(2)
  })

  test('is not offered without a certificate, and one that does not fit its key is said at the start', async () => {
    const talk = await dial(await open())
    expect(await talk.say('EHLO a.example')).not.toContain('STARTTLS')
    expect(await talk.say('STARTTLS')).toMatch(/^5\d\d /)
    for (const tls of [
      { ...pair, key: makeCertificate().key },
      { certificate: 'none', key: 'none' },
    ]) {
      await expect(open({ tls })).rejects.toThrow(CannotStart)
      await expect(open({ tls })).rejects.toThrow(/^MAIL_IN_TLS_CERTIFICATE and MAIL_IN_TLS_KEY must be/)
    }
  })

  test('asks nobody for a password, before or under TLS', async () => {
    const talk = await dial(await openSecured())
    for (const round of ['plain', 'secured']) {
      expect(await talk.say('EHLO a.example'), round).not.toContain('AUTH')
      expect(await talk.say('AUTH PLAIN AGEAYg=='), round).toMatch(/^5\d\d /)
      expect(await talk.say('AUTH LOGIN'), round).toMatch(/^5\d\d /)
      if (round === 'plain') await talk.secure()
    }
    expect(await talk.say('MAIL FROM:<a@b.example>')).toMatch(/^250 /)
  })

  test('what was said before it, or slipped in behind it, is not heard under it', async () => {
    const talk = await dial(await openSecured())
    await talk.say('EHLO a.example')
    await talk.say('MAIL FROM:<a@b.example>')
    await talk.say('RCPT TO:<probe@moulin.example>')
    await talk.secure('EHLO b.example\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<probe@moulin.example>\r\n')
    expect(await talk.say('DATA')).toMatch(/^503 /)
    expect(await talk.say('EHLO a.example')).toMatch(/^250/)
    expect(await talk.say('DATA')).toMatch(/^503 /)
    expect((await kept()).here).toEqual([])
  })

  test('whoever breaks it off harms nobody else', async () => {
    const port = await openSecured()
    const distrustful = nodemailer.createTransport({ host: '127.0.0.1', port, requireTLS: true })
    await expect(distrustful.sendMail(letter)).rejects.toThrow('self-signed')
    const talk = await dial(port)
    await talk.say('EHLO a.example')
    await talk.say('STARTTLS')
    talk.send('no handshake at all\r\n')
    await talk.closed
    await nodemailer.createTransport({ host: '127.0.0.1', port, tls: { ca: pair.certificate } }).sendMail(letter)
    expect((await kept()).here).toHaveLength(1)
  })
})

describe('LMTP', () => {
  const begin = async (port: number, recipients: string[]) => {
    const talk = await dial(port)
    expect(await talk.say('LHLO mta.example')).toMatch(/^250/)
    expect(await talk.say('MAIL FROM:<jonas@field.example>')).toMatch(/^250/)
    const answers: string[] = []
    for (const address of recipients) answers.push((await talk.say(`RCPT TO:<${address}>`)).slice(0, 3))
    expect(await talk.say('DATA')).toMatch(/^354/)
    return { talk, answers }
  }
  const content = (id = '1') => `From: jonas@field.example\r\nMessage-ID: <${id}@field.example>\r\n\r\nx\r\n.`
  const both = ['probe@moulin.example', 'nobody@moulin.example', 'probe@elsewhere.example', 'SECOND@moulin.example']

  test('greets as LMTP alone, and answers for each recipient that it took', async () => {
    const port = await open({ protocol: 'lmtp' })
    const talk = await dial(port)
    for (const greeting of ['EHLO', 'HELO']) expect(await talk.say(`${greeting} a.example`)).toMatch(/^500 /)
    const transfer = await begin(port, both)
    expect(transfer.answers).toEqual(['250', '550', '250', '250'])
    expect(codesOf(await transfer.talk.say(content(), 3))).toEqual(['250', '250', '250'])
    const { here, elsewhere } = await kept()
    expect(here).toMatchObject([{ recipients: ['probe@moulin.example', 'SECOND@moulin.example'] }])
    expect(elsewhere).toMatchObject([{ recipients: ['probe@elsewhere.example'] }])
    // The connection goes on.
    expect(await transfer.talk.say('MAIL FROM:<a@b.example>')).toMatch(/^250/)
  })

  test('says of each whether it could be kept; what comes again for the others is no second mail', async () => {
    const port = await open({ protocol: 'lmtp' })
    await asOwner(`
      create function pg_temp_refuse() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$;
      create trigger refuse before insert on platform.inbound_mails for each row
        when (new.workspace_id = '${app.world.otherWorkspaceId}') execute function pg_temp_refuse()`)
    try {
      const { talk } = await begin(port, both)
      expect(codesOf(await talk.say(content('2'), 3))).toEqual(['250', '451', '250'])
    } finally {
      await asOwner('drop function pg_temp_refuse() cascade')
    }
    expect([(await kept()).here.length, (await kept()).elsewhere.length]).toEqual([1, 0])
    const again = await begin(port, both)
    expect(codesOf(await again.talk.say(content('2'), 3))).toEqual(['250', '250', '250'])
    expect([(await kept()).here.length, (await kept()).elsewhere.length]).toEqual([1, 1])
  })

  test('by SMTP one that could not keep it sends all of it back, and the others have it', async () => {
    const port = await open()
    await asOwner(`
      create function pg_temp_refuse() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$;
      create trigger refuse before insert on platform.inbound_mails for each row
        when (new.workspace_id = '${app.world.workspaceId}') execute function pg_temp_refuse()`)
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
    const mail = {
      ...letter,
      to: ['probe@moulin.example', 'probe@elsewhere.example'],
      messageId: '<3@field.example>',
      date: new Date(0),
    }
    try {
      await expect(transport.sendMail(mail)).rejects.toMatchObject({ responseCode: 451 })
    } finally {
      await asOwner('drop function pg_temp_refuse() cascade')
    }
    expect([(await kept()).here.length, (await kept()).elsewhere.length]).toEqual([0, 1])
    await transport.sendMail(mail)
    expect([(await kept()).here.length, (await kept()).elsewhere.length]).toEqual([1, 1])
  })

  test('a mail that is too large is refused for each', async () => {
    const { talk } = await begin(await open({ protocol: 'lmtp' }), both)
    expect(codesOf(await talk.say(`Subject: x\r\n\r\n${'x\r\n'.repeat(50_000)}.`, 3))).toEqual(['552', '552', '552'])
    expect((await kept()).here).toEqual([])
  })
})

test.each(['smtp', 'lmtp'] as const)('half a mail is none (%s)', async (protocol) => {
  const port = await open({ protocol })
  for (const end of ['destroy', 'end', 'reset'] as const) {
    const talk = await dial(port)
    await talk.say(`${protocol === 'smtp' ? 'EHLO' : 'LHLO'} a.example`)
    await talk.say('MAIL FROM:<jonas@field.example>')
    await talk.say('RCPT TO:<probe@moulin.example>')
    await talk.say('DATA')
    talk.send(`From: jonas@field.example\r\nMessage-ID: <${end}@field.example>\r\n\r\n${'half\r\n'.repeat(5_000)}`)
    talk.leave(end)
    await talk.closed
  }
  // The door has noticed: it answers the next one only after what was before it.
  await doors[0]!.stop()
  expect((await kept()).here).toEqual([])
})

const codesOf = (said: string) => said.split('\r\n').map((line) => line.slice(0, 3))

async function asOwner(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  await client.query(statement)
  await client.end()
}

interface Talk {
  /** One line (or a whole mail), and what is said to it: so many replies, of one line or many. */
  say(line: string, replies?: number): Promise<string>
  send(text: string): void
  /** STARTTLS, with `smuggled` in the same packet; then the handshake. */
  secure(smuggled?: string): Promise<void>
  leave(how: 'destroy' | 'end' | 'reset'): void
  closed: Promise<unknown>
}

async function dial(port: number): Promise<Talk> {
  let socket: Socket = connect(port, '127.0.0.1')
  const plain = socket
  sockets.push(plain)
  plain.on('error', () => {})
  const closed = once(plain, 'close')
  const listen = (replies: number) =>
    new Promise<string>((resolve, reject) => {
      let heard = ''
      const onData = (data: Buffer) => {
        heard += data.toString()
        if (!heard.endsWith('\r\n') || (heard.match(/^\d{3} /gm)?.length ?? 0) < replies) return
        socket.off('data', onData).off('close', onClose)
        resolve(heard.trimEnd())
      }
      const onClose = () => reject(new Error(`hung up after ${JSON.stringify(heard)}`))
      socket.on('data', onData).once('close', onClose)
    })
  await listen(1)
  const say = (line: string, replies = 1) => {
    const heard = listen(replies)
    socket.write(`${line}\r\n`)
    return heard
  }
  return {
    say,
    send: (text) => void socket.write(text),
    async secure(smuggled = '') {
      expect(await say(`STARTTLS\r\n${smuggled}`.trimEnd())).toMatch(/^220 /)
      plain.removeAllListeners('data')
      socket = connectTls({ socket: plain, ca: pair.certificate, servername: 'localhost' })
      socket.on('error', () => {})
      await once(socket, 'secureConnect')
    },
    leave: (how) => (how === 'reset' ? plain.resetAndDestroy() : plain[how]()),
    closed,
  }
}
