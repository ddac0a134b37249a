// The contract of the file storage; the local folder is the one adapter so far.
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { createTokens } from '#platform/crypto/tokens.ts'
import { contentDisposition, createFileLinks, downloadHeaders } from './links.ts'
import { createLocalFiles } from './local.ts'

const tokens = createTokens(randomBytes(32))
const links = createFileLinks(tokens, 'http://localhost:8008/api/v1/files')

async function start() {
  const folder = await mkdtemp(join(tmpdir(), 'rapport-files-'))
  const files = await createLocalFiles({ folder, links })
  return { folder, files, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

async function collect(keys: AsyncIterable<string>) {
  const all: string[] = []
  for await (const key of keys) all.push(key)
  return all
}

const options = { type: 'text/plain', bytesMax: 1_000_000 }

test('keeps bytes and streams, tells their size, replaces and deletes', async () => {
  await using world = await start()
  const { files } = world
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

describe('a file that fails leaves nothing behind', () => {
  async function leftovers({ folder }: { folder: string }) {
    return (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  }

  test('when it is too large: found out while it streams', async () => {
    await using world = await start()
    let sent = 0
    const endless = new Readable({
      read() {
        sent++
        this.push(Buffer.alloc(65_536))
      },
    })
    expect(await world.files.put('w1/big', endless, options)).toEqual({ ok: false, failed: 'too_large' })
    expect(sent).toBeLessThan(100)
    expect(await leftovers(world)).toEqual([])
  })

  test('when the sender goes away, or the request is aborted, and an older file stays as it was', async () => {
    await using world = await start()
    await world.files.put('w1/kept', Buffer.from('old'), options)
    const broken = new PassThrough()
    broken.write('new')
    const storing = world.files.put('w1/kept', broken, options)
    broken.destroy(new Error('the sender went away'))
    await expect(storing).rejects.toThrow('went away')
    const gone = new AbortController()
    const aborted = world.files.put('w1/kept', new PassThrough(), { ...options, signal: gone.signal })
    gone.abort()
    await expect(aborted).rejects.toThrow(/abort/i)
    expect(await leftovers(world)).toHaveLength(1)
    expect(String(await buffer((await world.files.get('w1/kept'))!))).toBe('old')
  })

  test('when the process was killed: swept at the next start, but not what may still be written', async () => {
    await using world = await start()
    const [stale, fresh] = ['stale', 'fresh'].map((name) => join(world.folder, '.incoming', name))
    for (const path of [stale!, fresh!]) await writeFile(path, 'half')
    const yesterday = Date.now() / 1000 - 90_000
    await utimes(stale!, yesterday, yesterday)
    await createLocalFiles({ folder: world.folder, links })
    expect(await readdir(join(world.folder, '.incoming'))).toEqual(['fresh'])
  })
})

test.each([
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

test('a signed link opens one file under one name, and nothing else', async () => {
  await using world = await start()
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
