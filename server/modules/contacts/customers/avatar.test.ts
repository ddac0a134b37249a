// Pictures of people: whatever comes in, what is kept is a small WebP of our own making.
import { deflateSync } from 'node:zlib'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import sharp from 'sharp'
import { newId } from '#platform/ids.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

let app: TestApp
beforeAll(async () => {
  app = await start()
  app.app.runtime.limits.take = async (_key, { limit }) => ({ allowed: true, limit, remaining: limit, resetMs: 0 })
})
afterAll(() => app[Symbol.asyncDispose]())

let made = 0
async function contact(): Promise<string> {
  const reply = await app.as('agnes').post('/contacts', { email: `a${++made}@x.example`, first_name: 'A' })
  return reply.body.id
}

function upload(client: Client, path: string, content: Buffer, name = 'me.png', field = 'file') {
  const head = `--x\r\ncontent-disposition: form-data; name="${field}"; filename="${name}"\r\ncontent-type: image/png\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n--x--\r\n')])
  return client.post(path, body, { 'content-type': 'multipart/form-data; boundary=x' })
}

const raw = (width: number, height: number, background = '#ff0000') =>
  sharp({ create: { width, height, channels: 3, background } })

async function stored(id: string, size = 512) {
  const contact_ = await app.as('victor').get(`/contacts/${id}`)
  const avatar = await app.app.http.inject({
    url: `${contact_.body.avatar_url}&size=${size}`,
    headers: { authorization: `Bearer ${await tokenFor('victor')}` },
  })
  return { reply: avatar, image: sharp(avatar.rawPayload) }
}

async function tokenFor(name: 'victor' | 'agnes') {
  const { tokenOf } = await import('#testing/start.ts')
  return tokenOf(app.world.people[name], app.world.workspaceId)
}

async function filesOf(id: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/avatars/${id}/`)) keys.push(key)
  return keys
}

test.each(['jpeg', 'png', 'webp', 'gif', 'avif'] as const)('a %s becomes a square in two sizes', async (format) => {
  const id = await contact()
  await app.drainEvents()
  const reply = await upload(app.as('agnes'), `/customers/${id}/avatar`, await raw(60, 90).toFormat(format).toBuffer())
  expect(reply.status, reply.text).toBe(201)
  expect(reply.body.avatar_url).toMatch(new RegExp(`^/api/v1/contacts/${id}/avatar\\?v=[0-9a-f]{16}$`))
  expect(await app.drainEvents()).toEqual(['contact.updated', 'customer.updated'])
  for (const size of [512, 128]) {
    const { reply: shown, image } = await stored(id, size)
    expect(await image.metadata()).toMatchObject({ format: 'webp', width: size, height: size })
    expect(shown.headers).toMatchObject({
      'content-type': 'image/webp',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
    })
  }
})

test('it is upright, the centre of it, and says nothing of where it was taken', async () => {
  const id = await contact()
  // Blue below red, lying on its side as a camera stores it.
  const photo = await raw(200, 100)
    .composite([{ input: await raw(100, 100, '#0000ff').png().toBuffer(), left: 100, top: 0 }])
    .jpeg()
    .withExif({ IFD0: { Artist: 'Ana Secret' }, IFD3: { GPSLatitude: '48/1 51/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .toBuffer()
  expect((await upload(app.as('agnes'), `/contacts/${id}/avatar`, photo)).status).toBe(201)
  const { image, reply } = await stored(id)
  const { exif, icc, xmp, iptc } = await image.metadata()
  expect({ exif, icc, xmp, iptc }).toEqual({ exif: undefined, icc: undefined, xmp: undefined, iptc: undefined })
  expect(reply.rawPayload.includes('Secret')).toBe(false)
  const { data } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [...data.subarray((y * 512 + x) * 3, (y * 512 + x) * 3 + 3)]
  expect(at(256, 100)[0], 'red above').toBeGreaterThan(200)
  expect(at(256, 400)[2], 'blue below').toBeGreaterThan(200)
})

test('of a moving picture the first frame stays; what else a file is goes', async () => {
  const id = await contact()
  const frames = Buffer.concat([Buffer.alloc(48 * 48 * 3, 255), Buffer.alloc(48 * 48 * 3, 0)])
  const gif = await sharp(frames, { raw: { width: 48, height: 96, channels: 3, pageHeight: 48 } })
    .gif()
    .toBuffer()
  expect((await sharp(gif, { animated: true }).metadata()).pages).toBe(2)
  const polyglot = Buffer.concat([gif, Buffer.from('<script>alert(1)</script>PK\u0003\u0004')])
  expect((await upload(app.as('agnes'), `/contacts/${id}/avatar`, polyglot, 'x.html')).status).toBe(201)
  const { image, reply } = await stored(id)
  expect((await image.metadata()).pages ?? 1).toBe(1)
  expect(reply.rawPayload.includes('script')).toBe(false)
})

/** A PNG that claims to be so large, of one line of nothing. */
function bomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, crc])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 1
  const lines = Buffer.alloc(Math.min((Math.ceil(width / 8) + 1) * height, 30_000_000))
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function crc32(data: Buffer): number {
  let crc = ~0
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xed_b8_83_20 : 0)
  }
  return ~crc >>> 0
}

describe('what is no picture, or a trap, is refused with a sentence, and nothing is kept', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><script>alert(1)</script></svg>'
  const cases: [string, () => Promise<Buffer> | Buffer, number, string][] = [
    ['SVG', () => Buffer.from(svg), 415, 'unsupported_picture'],
    ['HTML', () => Buffer.from('<html>'), 415, 'unsupported_picture'],
    ['TIFF', () => raw(20, 20).tiff().toBuffer(), 415, 'unsupported_picture'],
    ['nothing', () => Buffer.alloc(0), 422, 'invalid'],
    ['one pixel', () => raw(1, 1).png().toBuffer(), 422, 'invalid'],
    ['1 × 100,000', () => bomb(1, 100_000), 422, 'invalid'],
    ['100,000 × 1', () => bomb(100_000, 1), 422, 'invalid'],
    ['a decompression bomb', () => bomb(50_000, 50_000), 422, 'invalid'],
    ['41 megapixels', () => bomb(8_000, 5_200), 422, 'invalid'],
    ['half a file', async () => (await raw(400, 400).png().toBuffer()).subarray(0, 300), 422, 'invalid'],
    ['a JPEG’s first bytes', () => Buffer.from('ffd8ffe000104a46494600', 'hex'), 422, 'invalid'],
    ['a PNG’s first bytes, then a page', () => Buffer.from('\u0089PNG\r\n\u001a\n<html>', 'latin1'), 422, 'invalid'],
    ['6 MB', () => Buffer.alloc(6_000_000, 'x'), 413, 'file_too_large'],
  ]
  test.each(cases)('%s', async (_name, content, status, code) => {
    const id = await contact()
    const reply = await upload(app.as('agnes'), `/contacts/${id}/avatar`, await content())
    expect([reply.status, reply.body.code], reply.text).toEqual([status, code])
    expect(await filesOf(id)).toEqual([])
    expect((await app.as('agnes').get(`/contacts/${id}`)).body.avatar_url).toBeNull()
  })

  test('no form, an empty form, nobody’s contact, a stranger', async () => {
    const id = await contact()
    const picture = await raw(20, 20).png().toBuffer()
    const agnes = app.as('agnes')
    expect((await agnes.post(`/contacts/${id}/avatar`, { file: 'x' })).status).toBe(415)
    const empty = await agnes.post(`/contacts/${id}/avatar`, '--x--\r\n', {
      'content-type': 'multipart/form-data; boundary=x',
    })
    expect([empty.status, empty.body.errors?.[0]?.pointer]).toEqual([422, '/file'])
    expect((await upload(agnes, `/contacts/${newId()}/avatar`, picture)).status).toBe(404)
    expect((await upload(app.stranger, `/contacts/${id}/avatar`, picture)).status).toBe(404)
    expect((await upload(app.as('victor'), `/contacts/${id}/avatar`, picture)).status).toBe(403)
    expect((await agnes.get(`/contacts/${id}/avatar`)).status).toBe(404)
  })
})

test('a new picture replaces the old one, whose files go; taking it away leaves none', async () => {
  const id = await contact()
  const agnes = app.as('agnes')
  const [red, blue] = [await raw(20, 20).png().toBuffer(), await raw(20, 20, '#0000ff').png().toBuffer()]
  const first = await upload(agnes, `/contacts/${id}/avatar`, red)
  const second = await upload(agnes, `/contacts/${id}/avatar`, blue, 'photo.jpg', 'avatar')
  expect(second.body.avatar_url).not.toBe(first.body.avatar_url)
  await upload(agnes, `/contacts/${id}/avatar`, red)
  await app.drain()
  expect(await filesOf(id)).toHaveLength(2)
  const { reply } = await stored(id)
  expect(reply.statusCode).toBe(200)
  expect((await app.stranger.get(`/contacts/${id}/avatar`)).status).toBe(404)
  // What a form sends back as it was is no change.
  const whole = await agnes.put(`/contacts/${id}`, { avatar_url: first.body.avatar_url })
  expect([whole.status, whole.body.avatar_url]).toEqual([200, first.body.avatar_url])
  expect((await agnes.delete(`/customers/${id}/avatar`)).body.avatar_url).toBeNull()
  await app.drain()
  expect(await filesOf(id)).toEqual([])
  expect((await agnes.get(`/contacts/${id}/avatar`)).status).toBe(404)
})

test('the picture of a deleted contact is not shown, and comes back with it', async () => {
  const id = await contact()
  const agnes = app.as('agnes')
  await upload(agnes, `/contacts/${id}/avatar`, await raw(20, 20).png().toBuffer())
  await agnes.delete(`/contacts/${id}`)
  expect((await agnes.get(`/contacts/${id}/avatar`)).status).toBe(404)
  await agnes.post(`/contacts/${id}/restore`)
  await app.drain()
  expect((await agnes.get(`/contacts/${id}/avatar`)).status).toBe(200)
  const content = await app.app.runtime.files.get((await filesOf(id))[0]!)
  expect((await buffer(content!)).length).toBeGreaterThan(50)
})
