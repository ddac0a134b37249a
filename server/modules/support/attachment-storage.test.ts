// Attachments in a bucket, on a real server that speaks S3: what its links allow, and what becomes of files when it is away.
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import yauzl from 'yauzl'
import type { ScanResult } from '#platform/scan/scan.ts'
import { customerOf } from '#testing/customer.ts'
import { tryAgain } from '#testing/files-away.ts'
import { startForwarder } from '#testing/http-forwarder.ts'
import { newBucket, s3Environment, findS3, type S3Server } from '#testing/s3.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'
import { startTcpProxy } from '#testing/tcp-proxy.ts'

const startServer = findS3()
let server: S3Server
beforeAll(async () => {
  if (startServer) server = await startServer()
})
afterAll(() => server?.[Symbol.asyncDispose]())

const png = Buffer.from('\u0089PNG\r\n\u001a\n some pixels', 'latin1')
const question = { subject: 'Broken', description: 'See the picture' }

function send(client: Client, path: string, files: { name: string; content: Buffer }[]) {
  const chunks = files.flatMap(({ name, content }) => [
    Buffer.from(`--x\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n`),
    content,
    Buffer.from('\r\n'),
  ])
  const body = Buffer.concat([...chunks, Buffer.from('--x--\r\n')])
  return client.post(path, body, { 'content-type': 'multipart/form-data; boundary=x' })
}

const startOnBucket = (endpoint?: string, bucket = newBucket()) => start(s3Environment(server, bucket, endpoint))

async function broken(app: TestApp) {
  const chloe = await customerOf(app, 'chloe')
  const { id } = (await chloe.post('/tickets', question)).body as { id: string }
  return { chloe, path: `/tickets/${id}`, files: `/tickets/${id}/attachments` }
}

async function storedFiles(app: TestApp): Promise<string[]> {
  const keys: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/`)) keys.push(key)
  return keys
}

describe.skipIf(!startServer)('attachments in a bucket', () => {
  test('a file of several megabytes goes up, comes down by a link of the bucket, and goes for good', async () => {
    await using app = await startOnBucket()
    const { chloe, path, files } = await broken(app)
    const large = Buffer.concat([png, randomBytes(9_000_000)])
    const made = await send(chloe, files, [{ name: 'Été 1.png', content: large }])
    expect(made.status, made.text).toBe(201)
    expect(await storedFiles(app)).toEqual([`${app.world.workspaceId}${path}/${made.body.id}/E-te-1.png`])
    const link = await chloe.get(`${files}/${made.body.id}/download`)
    expect([link.status, link.headers.location]).toEqual([302, link.body.url])
    const url = new URL(link.body.url)
    expect([url.origin, url.searchParams.get('X-Amz-Expires')]).toEqual([server.endpoint, '300'])
    expect(link.text).not.toContain(server.secretKey)
    const saved = await fetch(url)
    expect(Buffer.from(await saved.arrayBuffer()).equals(large)).toBe(true)
    expect(saved.headers.get('content-type')).toBe('image/png')
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment; filename=".*%C3%89t%C3%A9%201\.png$/)
    url.searchParams.set('response-content-type', 'text/html')
    expect((await fetch(url)).status).toBe(403)
    expect((await chloe.delete(`${files}/${made.body.id}`)).status).toBe(200)
    await app.drain()
    expect(await storedFiles(app)).toEqual([])
    expect((await fetch(link.body.url)).status).toBe(404)
  })

  test('what waits for the scanner or was condemned never gets a link, and what was condemned is gone', async () => {
    await using app = await startOnBucket()
    const { chloe, files } = await broken(app)
    let verdict: ScanResult = { verdict: 'infected', signature: 'Eicar' }
    app.app.runtime.scan.scan = async (content) => {
      content.destroy()
      return verdict
    }
    expect((await send(chloe, files, [{ name: 'a.png', content: png }])).status).toBe(422)
    expect(await storedFiles(app)).toEqual([])
    verdict = { verdict: 'unavailable', reason: 'asleep' }
    const waits = await send(chloe, files, [{ name: 'a.png', content: png }])
    expect([waits.body.scan, await storedFiles(app)]).toEqual(['pending', [expect.any(String)]])
    const download = `${files}/${waits.body.id}/download`
    const early = await chloe.get(download)
    expect([early.status, early.body.code, early.headers.location]).toEqual([503, 'scanner_unavailable', undefined])
    verdict = { verdict: 'infected', signature: 'Eicar' }
    await app.drain()
    const late = await chloe.get(download)
    expect([late.status, late.body.code, late.headers.location]).toEqual([410, 'infected', undefined])
    expect(`${early.text}${late.text}`).not.toContain('X-Amz')
    expect(await storedFiles(app)).toEqual([])
  })

  test('nobody is given a signed upload (case 37): files come in by our own door alone', async () => {
    await using app = await startOnBucket()
    const { chloe, path, files } = await broken(app)
    const made = await send(chloe, files, [{ name: 'a.png', content: png }])
    const download = `${files}/${made.body.id}/download`
    for (const method of ['PUT', 'POST']) expect((await chloe.request(method, download)).status).toBe(405)
    const { url } = (await chloe.get(download)).body
    const otherKey = url.replace('/a.png?', '/b.png?')
    for (const [address, method, body, type] of [
      [url, 'PUT', png, 'image/png'],
      [url, 'PUT', Buffer.alloc(50_000_000), 'image/png'],
      [url, 'PUT', '<script>', 'text/html'],
      [otherKey, 'PUT', png, 'image/png'],
      [url.split('?')[0], 'PUT', png, 'image/png'],
      [url, 'DELETE', undefined, 'image/png'],
    ]) {
      const reply = await fetch(address, { method, body, headers: { 'content-type': type } })
      expect(reply.status, `${method} ${type}`).toBeGreaterThanOrEqual(400)
    }
    const [key, ...others] = await storedFiles(app)
    expect(others).toEqual([])
    expect((await buffer((await app.app.runtime.files.get(key!))!)).equals(png)).toBe(true)
    await chloe.post(`${path}/close`)
    expect((await send(chloe, files, [{ name: 'b.png', content: png }])).status).toBe(409)
    expect(Object.keys(app.app.runtime.files).toSorted(), 'nothing in the port signs an upload').toEqual(
      ['close', 'delete', 'exists', 'get', 'list', 'ping', 'put', 'signedUrl', 'stat'], // prettier-ignore
    )
  })

  test('a copy of somebody’s data holds their files, and an erasure removes both from the bucket', async () => {
    await using app = await startOnBucket()
    const { chloe, files } = await broken(app)
    const adrian = app.as('adrian')
    await send(chloe, files, [{ name: 'a.png', content: png }])
    const asked = await adrian.post('/gdpr/export', { email: chloe.email })
    await app.drain()
    const { body } = await adrian.get(`/gdpr/requests/${asked.body.request_id}`)
    const { origin, pathname } = new URL(body.download_url)
    expect(origin, 'a link of a day is our own').toBe(app.app.runtime.publicUrl)
    const copy = await app.app.http.inject({ url: pathname })
    const zip = await yauzl.fromBufferPromise(copy.rawPayload)
    const found: Buffer[] = []
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/a.png')) found.push(await buffer(await zip.openReadStreamPromise(entry)))
    }
    expect(found).toEqual([png])
    expect(await storedFiles(app)).toHaveLength(2)
    const erased = await adrian.post('/gdpr/delete', { email: chloe.email })
    await app.drain()
    expect((await adrian.get(`/jobs/${erased.body.id}`)).body).toMatchObject({
      status: 'succeeded',
      result: { files: 1 },
    })
    expect(await storedFiles(app)).toEqual([])
  })

  test('while the bucket is away: 503 and a way out, nothing half, and all of it works again afterwards', async () => {
    await using proxy = await startTcpProxy(Number(new URL(server.endpoint).port))
    proxy.cut()
    await using app = await startOnBucket(`http://127.0.0.1:${proxy.port}`)
    const status = async () => {
      const { status: code, body } = await app.anonymous.get('//status')
      return [code, body]
    }
    expect(await status(), 'it starts without').toEqual([
      503,
      { status: 'unavailable', database: 'connected', files: 'disconnected' },
    ])
    proxy.mend()
    expect(await status()).toEqual([200, { status: 'ok', database: 'connected', files: 'connected' }])
    const { chloe, files } = await broken(app)
    const kept = await send(chloe, files, [{ name: 'kept.png', content: png }])
    const gone = await send(chloe, files, [{ name: 'gone.png', content: png }])
    proxy.cut()
    expect((await status())[0]).toBe(503)
    const upload = [{ name: 'a.png', content: Buffer.concat([png, randomBytes(6_000_000)]) }]
    const refused = await send(chloe, files, upload)
    expect(refused.body).toMatchObject({
      status: 503,
      code: 'files_unavailable',
      detail: expect.stringContaining('Try again'),
    })
    expect([refused.headers['content-type'], refused.headers['retry-after']]).toEqual([
      'application/problem+json; charset=utf-8',
      '5',
    ])
    expect(refused.text).not.toMatch(/127\.0\.0\.1|ECONN|MINIO|rapport-/)
    expect((await chloe.delete(`${files}/${gone.body.id}`)).status, 'the row goes, the file later').toBe(200)
    await app.drain()
    proxy.mend()
    expect(await storedFiles(app)).toHaveLength(2)
    await tryAgain(app, 'support.remove_files')
    expect(await storedFiles(app)).toEqual([expect.stringMatching(/kept\.png$/)])
    expect((await chloe.get(files)).body.data).toEqual([kept.body])
    expect((await send(chloe, files, upload)).status).toBe(201)
    expect(await storedFiles(app)).toHaveLength(2)
  })

  test('what was whole when the bucket went away, and is nobody’s, is removed when it is back', async () => {
    await using proxy = await startTcpProxy(Number(new URL(server.endpoint).port))
    let cutAt = '.second.png'
    await using forwarder = await startForwarder(`http://127.0.0.1:${proxy.port}`, {
      before: ({ method, url }) => void (method === 'PUT' && url?.includes(cutAt) && proxy.cut()),
    })
    await using app = await startOnBucket(forwarder.url)
    const { chloe, files } = await broken(app)
    cutAt = '/second.png'
    const both = [
      { name: 'first.png', content: png },
      { name: 'second.png', content: png },
    ]
    const refused = await send(chloe, `${files}/multiple`, both)
    expect([refused.status, refused.body.code]).toEqual([503, 'files_unavailable'])
    expect((await chloe.get(files)).body.data).toEqual([])
    proxy.mend()
    cutAt = 'nothing'
    expect(await storedFiles(app)).toEqual([expect.stringMatching(/first\.png$/)])
    await app.drain()
    expect(await storedFiles(app)).toEqual([])
    expect((await send(chloe, `${files}/multiple`, both)).status).toBe(201)
    expect(await storedFiles(app)).toHaveLength(2)
  })
})
