/** The virus scanner, a real one: what it condemns is never given out, and "clean" is said by nobody else. */
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { createServer, type AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eicar, hasClamd, startClamd, type Clamd } from '#testing/clamd.ts'
import { openMailDoor } from '#testing/mail-door.ts'
import { start, type TestApp } from '#testing/start.ts'
import { createClamdScanner } from './clamd.ts'

const streamBytesMax = 1_000_000
let clamd: Clamd

describe.skipIf(!hasClamd())('a real ClamAV', () => {
  beforeAll(async () => {
    clamd = await startClamd({ streamBytesMax })
  })
  afterAll(() => clamd[Symbol.asyncDispose]())

  describe.each(['tcp', 'unix'] as const)('over %s', (how) => {
    const scan = (content: Readable, idleTimeoutMs = 120_000) =>
      createClamdScanner({ url: clamd.urls[how], idleTimeoutMs }).scan(content)
    const file = (...parts: (string | Buffer)[]) => Readable.from(parts.map((part) => Buffer.from(part)))
    const padding = Buffer.alloc(300_000, 'x')

    test.each([
      ['nothing', [], { verdict: 'clean' }],
      ['an ordinary file', ['hello'], { verdict: 'clean' }],
      ['the largest that it takes', [Buffer.alloc(streamBytesMax)], { verdict: 'clean' }],
      ['the test virus', [eicar], { verdict: 'infected', signature: 'Test.Eicar.UNOFFICIAL' }],
      [
        'the test virus behind much else, in two pieces',
        [padding, eicar.slice(0, 20), eicar.slice(20), padding],
        { verdict: 'infected', signature: 'Test.Eicar.UNOFFICIAL' },
      ],
    ])('%s', async (_, parts, expected) => {
      expect(await scan(file(...parts))).toEqual(expected)
    })

    test('a file over StreamMaxLength is not clean, wherever it breaks off', async () => {
      const huge = (bytes: number) => file(...Array.from({ length: bytes / 100_000 }, () => Buffer.alloc(100_000)))
      for (const bytes of [1_100_000, 5_000_000, 20_000_000]) {
        const result = await scan(huge(bytes))
        expect(result).toMatchObject({ verdict: 'unavailable', reason: expect.stringContaining('StreamMaxLength') })
      }
    })

    test('many at once are told apart', async () => {
      const results = await Promise.all(
        Array.from({ length: 24 }, (_, at) => scan(file(padding, at % 3 ? 'harmless' : eicar))),
      )
      expect(results.map(({ verdict }) => verdict === 'infected')).toEqual(results.map((_, at) => at % 3 === 0))
    })

    test('a file that cannot be read to its end is not clean', async () => {
      const broken = Readable.from(
        (async function* () {
          yield padding
          throw new Error('the disk is gone')
        })(),
      )
      expect(await scan(broken)).toEqual({
        verdict: 'unavailable',
        reason: expect.stringContaining('the disk is gone'),
      })
    })

    test('asleep or dead, it has said nothing', async () => {
      clamd.freeze()
      const asleep = await scan(file(eicar), 500)
      clamd.thaw()
      expect(asleep).toMatchObject({ verdict: 'unavailable', reason: expect.stringContaining('fell silent') })
      await clamd.kill()
      const dead = await scan(file(eicar))
      await clamd.start()
      expect(dead.verdict).toBe('unavailable')
      expect(await scan(file(eicar))).toMatchObject({ verdict: 'infected' })
    })
  })

  test('a file that it reads only in part is not clean', async () => {
    await using small = await startClamd({ streamBytesMax, fileBytesMax: 100_000 })
    const result = await createClamdScanner({ url: small.urls.unix }).scan(Readable.from([Buffer.alloc(500_000, 'x')]))
    expect(result).toEqual({ verdict: 'unavailable', reason: expect.stringContaining('MaxFileSize') })
  })

  describe('behind the files of tickets', () => {
    let app: TestApp
    let files: string
    const agnes = () => app.as('agnes')

    beforeAll(async () => {
      app = await start({ CLAMD_URL: clamd.urls.unix })
      const { body } = await agnes().post('/tickets', {
        subject: 'Cup',
        description: 'Broken',
        contact_email: 'jonas@field.example',
      })
      files = `/tickets/${body.id}/attachments`
    })
    afterAll(() => app[Symbol.asyncDispose]())

    const upload = (content: string | Buffer, name = 'a.txt') => {
      const head = `--x\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n`
      const body = Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n--x--\r\n')])
      return agnes().post(files, body, { 'content-type': 'multipart/form-data; boundary=x' })
    }
    const download = async (id: string) => (await agnes().get(`${files}/${id}/download`)).status
    const scanOf = async (id: string) => (await agnes().get(`${files}/${id}`)).body.scan as string
    const stored = async () => {
      const keys: string[] = []
      for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/tickets/`)) keys.push(key)
      return keys.length
    }

    test('what is condemned is refused and not kept; what is clean comes out again', async () => {
      const bad = await upload(`see ${eicar}`)
      expect([bad.status, bad.body.errors[0].code]).toEqual([422, 'infected'])
      expect((await agnes().get(files)).body.data).toEqual([])
      expect(await stored()).toBe(0)
      const good = await upload('harmless')
      expect([good.status, good.body.scan]).toEqual([201, 'clean'])
      expect(await download(good.body.id)).toBe(302)
    })

    test('while it is down, files wait unread; back again, it lets out the one and condemns the other', async () => {
      const before = await stored()
      await clamd.kill()
      const [good, bad] = [await upload('harmless'), await upload(eicar)]
      for (const { body } of [good, bad]) {
        expect(body.scan).toBe('pending')
        expect(await download(body.id)).toBe(503)
      }
      await app.drain()
      expect([await scanOf(good.body.id), await scanOf(bad.body.id)]).toEqual(['pending', 'pending'])
      await clamd.start()
      await passDelays(app)
      await app.drain()
      expect([await scanOf(good.body.id), await scanOf(bad.body.id)]).toEqual(['clean', 'infected'])
      expect([await download(good.body.id), await download(bad.body.id)]).toEqual([302, 410])
      expect(await stored()).toBe(before + 1)
    })

    test('a file larger than it takes waits, and is not given out', async () => {
      const large = await upload('x'.repeat(3_000_000))
      expect([large.status, large.body.scan]).toEqual([201, 'pending'])
      await app.drain()
      expect([await scanOf(large.body.id), await download(large.body.id)]).toEqual(['pending', 503])
    })

    test('of a mail, the condemned file is named to the house alone, and the others are kept', async () => {
      const before = await stored()
      const made = await app.as('anna').post('/tickets/mailboxes', { address: 'aide@moulin.example', name: 'Moulin' })
      expect(made.status, made.text).toBe(201)
      await using door = await openMailDoor(app)
      await door.send({
        from: 'zoe@field.example',
        to: 'aide@moulin.example',
        subject: 'Two files',
        text: 'See both.',
        attachments: [
          { filename: 'bad.txt', content: eicar },
          { filename: 'good.txt', content: 'harmless' },
        ],
      })
      const [ticket] = (await agnes().get('/tickets?search=zoe@field.example')).body.data as { id: string }[]
      const kept = (await agnes().get(`/tickets/${ticket!.id}/attachments`)).body.data as object[]
      expect(kept).toMatchObject([{ file_name: 'good.txt', scan: 'clean' }])
      expect(await stored()).toBe(before + 1)
      const said = (await agnes().get(`/tickets/${ticket!.id}/messages`)).body.data as object[]
      expect(said).toMatchObject([
        { is_internal: true, content: expect.stringContaining('bad.txt: The virus scanner') },
      ])
    })
  })
})

test('somebody else on the port of the scanner is not believed', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\nstream: OK\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const result = await createClamdScanner({ url: `tcp://127.0.0.1:${port}` }).scan(Readable.from([Buffer.from('x')]))
  server.close()
  expect(result.verdict).toBe('unavailable')
})

/** As if the time until the next try had passed. */
async function passDelays(app: TestApp): Promise<void> {
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  await client.query("update pgboss.job set start_after = now() where state = 'retry'")
  await client.end()
}
