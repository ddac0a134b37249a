// The contract of the file storage, kept by the local folder and by a bucket on a real server that speaks S3.
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTokens } from '#platform/crypto/tokens.ts'
import { createLog } from '#platform/observe/log.ts'
import { startForwarder, type Passing } from '#testing/http-forwarder.ts'
import { newBucket, findS3, type S3Server } from '#testing/s3.ts'
import { startTcpProxy } from '#testing/tcp-proxy.ts'
import { FilesUnavailable, type Files } from './files.ts'
import { contentDisposition, createFileLinks, downloadHeaders } from './links.ts'
import { createLocalFiles } from './local.ts'
import { createS3Files, type S3Options } from './s3.ts'

const tokens = createTokens(randomBytes(32))
const links = createFileLinks(tokens, 'http://localhost:8008/api/v1/files')
const startServer = findS3()
let server: S3Server
beforeAll(async () => {
  if (startServer) server = await startServer()
})
afterAll(() => server?.[Symbol.asyncDispose]())

interface Storage extends AsyncDisposable {
  files: Files
  /** Everything that lies there, finished or not. */
  leftovers(): Promise<string[]>
}

async function startLocal() {
  const folder = await mkdtemp(join(tmpdir(), 'rapport-files-'))
  const files = await createLocalFiles({ folder, links })
  return {
    folder,
    files,
    async leftovers() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

async function startBucket(changes: Partial<S3Options> = {}) {
  const { endpoint, accessKey, secretKey, region } = server
  const bucket = newBucket()
  const lines: string[] = []
  const log = createLog({ destination: { write: (line: string) => void lines.push(line) } })
  const options = { endpoint, publicEndpoint: endpoint, accessKey, secretKey, region, bucket, links, log, ...changes }
  const files = createS3Files(options)
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  const beside = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  return {
    options,
    files,
    beside,
    bucket: options.bucket,
    log: () => lines.join(''),
    async leftovers() {
      const { Contents = [] } = await beside.send(new ListObjectsV2Command({ Bucket: bucket }))
      const { Uploads = [] } = await beside.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
      return [...Contents, ...Uploads].map(({ Key }) => Key!)
    },
    async [Symbol.asyncDispose]() {
      await files.close()
      beside.destroy()
    },
  }
}

async function collect(keys: AsyncIterable<string>) {
  const all: string[] = []
  for await (const key of keys) all.push(key)
  return all
}

const options = { type: 'text/plain', bytesMax: 20_000_000 }

describe.each<[string, boolean, () => Promise<Storage>]>([
  ['a folder', true, startLocal],
  ['a bucket', startServer !== null, startBucket],
])('%s', (_, isThere, start) => {
  const test_ = test.skipIf(!isThere)

  test_('keeps bytes and streams, tells their size, replaces and deletes', async () => {
    await using world = await start()
    const { files } = world
    await files.ping()
    expect(await files.put('w1/a/one.txt', Buffer.from('hello'), options)).toEqual({
      ok: true,
      sizeBytes: 5,
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    })
    const big = randomBytes(700_000)
    expect(await files.put('w1/a/two', Readable.from([big.subarray(0, 1), big.subarray(1)]), options)).toMatchObject({
      sizeBytes: 700_000,
    })
    expect(await buffer((await files.get('w1/a/two'))!)).toEqual(big)
    expect(await files.stat('w1/a/two')).toMatchObject({ sizeBytes: 700_000, modifiedAt: expect.any(Date) })
    await files.put('w1/a/one.txt', Buffer.from('bye'), options)
    expect(String(await buffer((await files.get('w1/a/one.txt'))!))).toBe('bye')
    await files.put('w2/other', Buffer.alloc(0), options)
    expect((await collect(files.list('w1/'))).toSorted()).toEqual(['w1/a/one.txt', 'w1/a/two'])
    expect(await collect(files.list('w3/'))).toEqual([])
    await files.delete('w1/a/one.txt')
    await files.delete('w1/a/one.txt')
    expect(await files.exists('w1/a/one.txt')).toBe(false)
    expect(await files.get('w1/a/one.txt')).toBeNull()
    expect(await files.stat('w1/a')).toBeNull()
  })

  test_('keeps large files as they stream, whatever the pieces', async () => {
    await using world = await start()
    const part = 5 * 1024 * 1024
    for (const sizeBytes of [part, part + 1, 2 * part + 700_001]) {
      const content = randomBytes(sizeBytes)
      const pieces = [content.subarray(0, 999), content.subarray(999, part + 3), content.subarray(part + 3)]
      const stored = await world.files.put('w1/large', Readable.from(pieces), options)
      expect(stored).toMatchObject({ ok: true, sizeBytes })
      expect((await buffer((await world.files.get('w1/large'))!)).equals(content)).toBe(true)
    }
    expect(await world.leftovers()).toHaveLength(1)
  })

  describe('a file that fails leaves nothing behind', () => {
    test_.each([1_000_000, 12_000_000])(
      'when it is larger than %i bytes: found out while it streams',
      async (bytesMax) => {
        await using world = await start()
        let sentBytes = 0
        const endless = new Readable({
          read() {
            sentBytes += 65_536
            this.push(Buffer.alloc(65_536))
          },
        })
        expect(await world.files.put('w1/big', endless, { ...options, bytesMax })).toEqual({
          ok: false,
          failed: 'too_large',
        })
        expect(sentBytes).toBeLessThan(bytesMax + 3_000_000)
        expect(endless.destroyed).toBe(true)
        expect(await world.leftovers()).toEqual([])
      },
    )

    test_('when the sender goes away, or the request is aborted, and an older file stays as it was', async () => {
      await using world = await start()
      await world.files.put('w1/kept', Buffer.from('old'), options)
      for (const begun of [Buffer.from('new'), randomBytes(11_000_000)]) {
        const broken = new PassThrough()
        const storing = world.files.put('w1/kept', broken, options)
        broken.write(begun, () => broken.destroy(new Error('the sender went away')))
        await expect(storing).rejects.toThrow('went away')
      }
      // Many, because a file may be about to be opened at that moment, or be open already.
      for (let i = 0; i < 100; i += 1) {
        const gone = new AbortController()
        const aborted = world.files.put('w1/kept', new PassThrough(), { ...options, signal: gone.signal })
        gone.abort()
        await expect(aborted).rejects.toThrow(/abort/i)
        const tooLate = world.files.put('w1/kept', Readable.from(['x']), { ...options, signal: gone.signal })
        await expect(tooLate).rejects.toThrow(/abort/i)
      }
      expect(await world.leftovers()).toHaveLength(1)
      expect(String(await buffer((await world.files.get('w1/kept'))!))).toBe('old')
    })
  })

  test_.each([
    '',
    '/',
    '../x',
    'a/../../x',
    'a//b',
    '/etc/passwd',
    'a/',
    '.incoming/x',
    'a/.htaccess',
    'a\\b',
    'a\u0000b',
    'a/..%2fx',
    '..',
    'a b',
    'é',
    'a/\u200bx',
    'a..b',
    'x'.repeat(200),
  ])('the key %j is refused', async (key) => {
    await using world = await start()
    await expect(world.files.put(key, Buffer.from('x'), options)).rejects.toThrow('Not a file key')
    await expect(world.files.get(key)).rejects.toThrow('Not a file key')
    await expect(world.files.delete(key)).rejects.toThrow('Not a file key')
  })
})

describe.skipIf(!startServer)('a bucket', () => {
  const text = { ...options, type: 'text/plain' }
  const offered = { expiresInMs: 60_000, downloadName: 'été.txt', type: 'application/pdf' }

  async function withLink() {
    const world = await startBucket()
    await world.files.put('w1/a.txt', Buffer.from('hello'), text)
    await world.files.put('w1/b.txt', Buffer.from('other'), text)
    return { ...world, url: await world.files.signedUrl('w1/a.txt', offered) }
  }

  /** A second more or less of the same day. */
  const later = (date: string) => date.replace(/\d(?=Z)/, (digit) => String((Number(digit) + 1) % 10))

  test('its links save one file under one name and type, for a while', async () => {
    await using world = await withLink()
    const reply = await fetch(world.url)
    expect([reply.status, await reply.text()]).toEqual([200, 'hello'])
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': contentDisposition('été.txt'),
      'cache-control': 'private, no-store',
    })
    const part = await fetch(world.url, { headers: { range: 'bytes=1-2' } })
    expect([part.status, await part.text()], 'a broken download goes on').toEqual([206, 'el'])
  })

  test.each([
    ['key', (url: URL) => (url.pathname = url.pathname.replace('a.txt', 'b.txt'))],
    ['bucket', (url: URL) => (url.pathname = url.pathname.replace('rapport-', 'rapports-'))],
    ['signature', (url: URL) => url.searchParams.set('X-Amz-Signature', '0'.repeat(64))],
    ['signature, taken away', (url: URL) => url.searchParams.delete('X-Amz-Signature')],
    ['life', (url: URL) => url.searchParams.set('X-Amz-Expires', '3600')],
    ['time', (url: URL) => url.searchParams.set('X-Amz-Date', later(url.searchParams.get('X-Amz-Date')!))],
    ['content type', (url: URL) => url.searchParams.set('response-content-type', 'text/html')],
    ['disposition', (url: URL) => url.searchParams.set('response-content-disposition', 'inline')],
    ['disposition, taken away', (url: URL) => url.searchParams.delete('response-content-disposition')],
    ['question', (url: URL) => url.searchParams.set('acl', '')],
  ])('a link with another %s opens nothing', async (_, change) => {
    await using world = await withLink()
    const url = new URL(world.url)
    change(url)
    expect((await fetch(url)).status).toBe(403)
  })

  test.each(['PUT', 'POST', 'DELETE', 'HEAD'])('a link to read cannot be used to %s', async (method) => {
    await using world = await withLink()
    const reply = await fetch(world.url, { method, ...(method === 'HEAD' ? {} : { body: 'evil' }) })
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect(String(await buffer((await world.files.get('w1/a.txt'))!))).toBe('hello')
  })

  test('a link is dead when its time is over, and when its file is gone', async () => {
    await using world = await withLink()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 61_000 })
    const old = await world.files.signedUrl('w1/a.txt', offered).finally(() => vi.useRealTimers())
    expect((await fetch(old)).status).toBe(403)
    expect((await fetch(world.url)).status).toBe(200)
    await world.files.delete('w1/a.txt')
    expect((await fetch(world.url)).status).toBe(404)
  })

  test('a link that is to live longer than five minutes is our own, through our own door', async () => {
    await using world = await startBucket()
    const bucketUrl = await world.files.signedUrl('w1/a', { ...offered, expiresInMs: 300_000 })
    expect(new URL(bucketUrl).searchParams.get('X-Amz-Expires')).toBe('300')
    for (const [expiresInMs, opens] of [
      [300_001, true],
      [-1, false],
    ] as const) {
      const url = await world.files.signedUrl('w1/a', { ...offered, expiresInMs })
      const link = links.verify(url.split('/').at(-1)!)
      expect(link).toEqual(opens ? { key: 'w1/a', downloadName: 'été.txt', type: 'application/pdf' } : null)
    }
  })

  test('links are signed for the address that browsers know', async () => {
    const publicEndpoint = server.endpoint.replace('127.0.0.1', 'localhost')
    await using world = await startBucket({ publicEndpoint })
    await world.files.put('w1/a.txt', Buffer.from('hello'), text)
    const url = await world.files.signedUrl('w1/a.txt', offered)
    expect(new URL(url).origin).toBe(publicEndpoint)
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(url.replace('localhost', '127.0.0.1'))).status).toBe(403)
  })

  test('a storage that goes away fails each question with a way out, keeps nothing half, and is used again when it is back', async () => {
    await using proxy = await startTcpProxy(Number(new URL(server.endpoint).port))
    await using forwarder = await startForwarder(`http://127.0.0.1:${proxy.port}`, {
      before: ({ url }) => void (url?.includes('partNumber=2') && proxy.cut()),
    })
    await using world = await startBucket({ endpoint: forwarder.url })
    const { files } = world
    await files.put('w1/kept', Buffer.from('old'), text)
    const source = Readable.from([randomBytes(11_000_000), randomBytes(6_000_000)])
    const failed = await files.put('w1/kept', source, text).catch((error: Error) => error)
    expect(failed).toBeInstanceOf(FilesUnavailable)
    expect(source.destroyed).toBe(true)
    const unread = Readable.from(['x'])
    await using unprepared = await startBucket({ endpoint: forwarder.url })
    await expect(unprepared.files.put('w1/new', unread, text)).rejects.toThrow(FilesUnavailable)
    expect(unread.destroyed).toBe(true)
    for (const ask of [
      () => files.put('w1/new', Buffer.from('x'), text),
      () => files.get('w1/kept'),
      () => files.stat('w1/kept'),
      () => files.delete('w1/kept'),
      () => collect(files.list('w1/')),
      () => files.ping(),
    ]) {
      const error = await ask().catch((thrown: Error) => thrown)
      expect(error).toBeInstanceOf(FilesUnavailable)
      expect((error as Error).message).toMatch(/^The file storage failed \(E?CONN.*MINIO_ENDPOINT/)
    }
    proxy.mend()
    expect(await collect(files.list('w1/'))).toEqual(['w1/kept'])
    expect(String(await buffer((await files.get('w1/kept'))!))).toBe('old')
    expect(await files.put('w1/new', Buffer.from('x'), text)).toMatchObject({ ok: true })
    expect(await world.leftovers(), 'the upload that could not be called off').toHaveLength(3)
    const fresh = createS3Files(world.options)
    await fresh.ping()
    await fresh.put('w1/new', Buffer.from('x'), text)
    expect(await world.leftovers(), 'may still be written').toHaveLength(3)
    const later = createS3Files({ ...world.options, staleMs: 0 })
    await later.put('w1/new', Buffer.from('x'), text)
    expect((await world.leftovers()).toSorted()).toEqual(['w1/kept', 'w1/new'])
    await Promise.all([fresh.close(), later.close()])
  })

  test('a key that is not let in is told without any secret', async () => {
    const secretKey = 'a-secret-that-is-wrong'
    await using world = await startBucket({ secretKey })
    const error = (await world.files.put('w1/a', Buffer.from('x'), text).catch((thrown: Error) => thrown)) as Error
    expect(error).toBeInstanceOf(FilesUnavailable)
    expect(error.message).toMatch(/403\): it does not let us in. Check MINIO_ACCESS_KEY/)
    world.options.log.warn({ err: error })
    const told = `${JSON.stringify(Object.entries(error))} ${error.stack} ${world.log()}`
    expect(told).toContain('does not let us in')
    await using elsewhere = await startBucket({ region: 'mars-1' })
    await expect(elsewhere.files.put('w1/a', Buffer.from('x'), text)).rejects.toThrow('is MINIO_REGION the region')
    for (const secret of [secretKey, server.secretKey, server.accessKey, 'AWS4-HMAC'])
      expect(told).not.toContain(secret)
  })

  test('is made where it is missing, by whoever of several is first', async () => {
    await using world = await startBucket()
    const all = Array.from({ length: 4 }, () => createS3Files(world.options))
    await Promise.all(all.map((files, index) => files.put(`w1/${index}`, Buffer.from('x'), text)))
    expect(await collect(world.files.list('w1/'))).toHaveLength(4)
    await Promise.all(all.map((files) => files.close()))
  })

  test('that keeps old versions is warned of, because nothing could be erased there', async () => {
    await using world = await startBucket()
    const { beside, bucket } = world
    await world.files.ping()
    await world.files.put('w1/a', Buffer.from('x'), text)
    expect(world.log()).not.toContain('versioning')
    await beside.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    )
    const next = createS3Files(world.options)
    await next.put('w1/a', Buffer.from('x'), text)
    expect(world.log()).toContain('Switch versioning off')
    await next.close()
  })

  test('is asked after each upload how much it kept; what is short is removed, and is no success', async () => {
    await using forwarder = await startForwarder(server.endpoint, {
      after: ({ asked, answered }) => {
        if (asked.method === 'HEAD' && answered.headers['content-length'] === '5')
          answered.headers['content-length'] = '4'
      },
    })
    await using world = await startBucket({ endpoint: forwarder.url })
    await expect(world.files.put('w1/a', Buffer.from('hello'), text)).rejects.toThrow(
      'Of 5 bytes the file storage kept 4; the file was removed.',
    )
    expect(await world.leftovers()).toEqual([])
    expect(await world.files.put('w1/a', Buffer.from('hi'), text)).toMatchObject({ ok: true })
  })

  test('takes a large file with no more than a part of it in memory', async () => {
    const partSizeBytes = 5 * 1024 * 1024
    let pulledBytes = 0
    let aheadBytes = 0
    const parts = new Set<string>()
    await using forwarder = await startForwarder(server.endpoint, {
      before: ({ method, url }) => {
        const part = method === 'PUT' ? new URL(url!, 'http://x').searchParams.get('partNumber') : null
        if (!part) return
        parts.add(part)
        aheadBytes = Math.max(aheadBytes, pulledBytes - Number(part) * partSizeBytes)
      },
    })
    await using world = await startBucket({ endpoint: forwarder.url })
    const source = Readable.from(
      (function* () {
        for (let count = 0; count < 800; count++) {
          pulledBytes += 65_536
          yield Buffer.alloc(65_536, count)
        }
      })(),
      { objectMode: false },
    )
    const stored = await world.files.put('w1/a', source, { ...text, bytesMax: 1_000_000_000 })
    expect(stored).toMatchObject({ ok: true, sizeBytes: 800 * 65_536 })
    expect(parts.size).toBe(10)
    expect(aheadBytes).toBeLessThan(300_000)
  })

  test('a reading that is given up costs no connection', async () => {
    await using world = await startBucket()
    await world.files.put('w1/a', randomBytes(3_000_000), text)
    // More than there are connections at a time.
    for (let count = 0; count < 60; count++) (await world.files.get('w1/a'))!.destroy()
    expect(await buffer((await world.files.get('w1/a'))!)).toHaveLength(3_000_000)
  })

  test('a reading whose line breaks or falls silent goes on from there; where nothing comes any more it is an error', async () => {
    const spoils: ((passing: Passing) => void)[] = []
    const ranges: (string | undefined)[] = []
    await using forwarder = await startForwarder(server.endpoint, {
      after: (passing) => {
        if (passing.asked.method !== 'GET' || passing.asked.url?.includes('versioning')) return
        ranges.push(passing.asked.headers.range)
        const spoil = spoils.shift()
        spoil?.(passing)
        return spoil !== undefined
      },
    })
    const oneChunk = ({ answered, reply }: Passing, then: () => void) => {
      reply.writeHead(answered.statusCode!, answered.headers)
      answered.once('data', (chunk) => reply.write(chunk, then))
    }
    const breaks = (passing: Passing) => oneChunk(passing, () => passing.reply.destroy())
    const fallsSilent = (passing: Passing) => oneChunk(passing, () => {})
    const isNothing = ({ answered, reply }: Passing) => {
      reply.writeHead(answered.statusCode!, answered.headers)
      reply.flushHeaders()
      reply.socket!.end()
    }
    await using world = await startBucket({ endpoint: forwarder.url, silenceMsMax: 500 })
    const content = randomBytes(3_000_000)
    await world.files.put('w1/a', content, text)
    ranges.length = 0
    spoils.push(breaks, fallsSilent, breaks)
    expect((await buffer((await world.files.get('w1/a'))!)).equals(content)).toBe(true)
    expect(ranges).toEqual([undefined, ...Array.from({ length: 3 }, () => expect.stringMatching(/^bytes=[1-9]\d*-$/))])
    spoils.push(breaks, isNothing)
    await expect(buffer((await world.files.get('w1/a'))!)).rejects.toThrow(FilesUnavailable)
    // Another version is not the rest of this one.
    spoils.push(breaks)
    const torn = (await world.files.get('w1/a'))!
    await world.files.put('w1/a', randomBytes(3_000_000), text)
    await expect(buffer(torn)).rejects.toThrow(/PreconditionFailed, 412/)
  })
})

test('what a killed process left in the folder is swept at the next start, but not what may still be written', async () => {
  await using world = await startLocal()
  const [stale, fresh] = ['stale', 'fresh'].map((name) => join(world.folder, '.incoming', name))
  for (const path of [stale!, fresh!]) await writeFile(path, 'half')
  const yesterday = Date.now() / 1000 - 90_000
  await utimes(stale!, yesterday, yesterday)
  await createLocalFiles({ folder: world.folder, links })
  expect(await readdir(join(world.folder, '.incoming'))).toEqual(['fresh'])
})

test('a signed link opens one file under one name, and nothing else', async () => {
  await using world = await startLocal()
  const url = await world.files.signedUrl('w1/a', {
    expiresInMs: 60_000,
    downloadName: 'rapport é.pdf',
    type: 'application/pdf',
  })
  const token = url.slice('http://localhost:8008/api/v1/files/'.length)
  expect(links.verify(token)).toEqual({ key: 'w1/a', downloadName: 'rapport é.pdf', type: 'application/pdf' })
  expect(links.verify(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toBeNull()
  expect(links.verify(tokens.sign('session', { k: 'w1/a', n: 'x', t: '' }))).toBeNull()
  const expired = await world.files.signedUrl('w1/a', { expiresInMs: -1, downloadName: 'x' })
  expect(links.verify(expired.split('/').at(-1)!)).toBeNull()
})

test.each([
  ['rapport.pdf', `attachment; filename="rapport.pdf"; filename*=UTF-8''rapport.pdf`],
  ['été "1".pdf', `attachment; filename="_t_ _1_.pdf"; filename*=UTF-8''%C3%A9t%C3%A9%20_1_.pdf`],
  ['../../etc/passwd', `attachment; filename="_.._etc_passwd"; filename*=UTF-8''_.._etc_passwd`],
  ['a\r\nSet-Cookie: x=1', `attachment; filename="aSet-Cookie_ x=1"; filename*=UTF-8''aSet-Cookie_%20x%3D1`],
  ['gpj.\u202Eexe', `attachment; filename="gpj.exe"; filename*=UTF-8''gpj.exe`],
  ['\u200b.htaccess', `attachment; filename="htaccess"; filename*=UTF-8''htaccess`],
  ['...', `attachment; filename="file"; filename*=UTF-8''file`],
])('the name %j is offered safely', (name, expected) => expect(contentDisposition(name)).toBe(expected))

test('a file is only ever saved, whatever it claims to be', () => {
  expect(downloadHeaders({ downloadName: 'x.svg', type: 'image/svg+xml' })).toMatchObject({
    'content-type': 'image/svg+xml',
    'content-disposition': expect.stringMatching(/^attachment;/),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  })
  expect(downloadHeaders({ downloadName: 'x', type: 'text/html\r\nx: y' })['content-type']).toBe(
    'application/octet-stream',
  )
  expect(contentDisposition('x'.repeat(5000)).length).toBeLessThan(400)
})
