import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { ScanResult } from '#platform/scan/scan.ts'
import { customerOf } from '#testing/customer.ts'
import { failNextDeletion, tryAgain } from '#testing/files-away.ts'
import { start, type Client, type TestApp } from '#testing/start.ts'

const png = Buffer.from('\u0089PNG\r\n\u001a\n some pixels', 'latin1')
const question = { subject: 'Broken', description: 'See the picture' }

interface Part {
  name?: string
  content: Buffer | string
  field?: string
}

function send(client: Client, path: string, parts: Part[]) {
  const chunks = parts.flatMap(({ name, content, field = 'file' }) => {
    const file = name === undefined ? '' : `; filename="${name}"`
    const head = `--x\r\ncontent-disposition: form-data; name="${field}"${file}\r\n\r\n`
    return [Buffer.from(head), Buffer.from(content as string), Buffer.from('\r\n')]
  })
  const body = Buffer.concat([...chunks, Buffer.from('--x--\r\n')])
  return client.post(path, body, { 'content-type': 'multipart/form-data; boundary=x' })
}

async function storedFiles(app: TestApp): Promise<string[]> {
  const keys: string[] = []
  for await (const key of app.app.runtime.files.list(`${app.world.workspaceId}/tickets/`)) keys.push(key)
  return keys
}

async function broken(app: TestApp) {
  const chloe = await customerOf(app, 'chloe')
  const { id } = (await chloe.post('/tickets', question)).body as { id: string }
  return { chloe, agnes: app.as('agnes'), path: `/tickets/${id}`, files: `/tickets/${id}/attachments` }
}

test('a file goes in, is told of, and comes out by a link that saves it', async () => {
  await using app = await start()
  const { chloe, agnes, path, files } = await broken(app)
  const made = await send(chloe, files, [{ name: 'Été 1.png', content: png }])
  assert.equal(made.status, 201, made.text)
  assert.deepEqual(
    [made.body.file_name, made.body.file_type, made.body.mime_type, made.body.file_size, made.body.scan],
    ['Été 1.png', 'image', 'image/png', png.length, 'not_scanned'],
  )
  assert.deepEqual((await storedFiles(app)).length, 1)
  assert.match((await storedFiles(app))[0]!, new RegExp(`${path.slice(1)}/${made.body.id}/E-te-1.png$`))
  for (const text of [made.text, (await agnes.get(files)).text]) assert.equal(/file_key|sha256/.test(text), false)
  assert.deepEqual((await chloe.get(files)).body.data, [made.body])
  const inside = { ...made.body, file_path: (await storedFiles(app))[0] }
  assert.deepEqual((await agnes.get(files)).body.data, [inside])
  assert.deepEqual((await agnes.get(path)).body.attachments, [inside])
  assert.deepEqual((await agnes.get(`${files}/${made.body.id}`)).body, inside)
  const link = await agnes.get(`${files}/${made.body.id}/download`)
  assert.equal(link.status, 302)
  assert.equal(link.headers.location, link.body.url)
  assert.ok(Date.parse(link.body.expires_at) - Date.now() <= 5 * 60_000)
  const address = new URL(link.body.url).pathname
  const file = await app.app.http.inject({ url: address })
  assert.ok(file.rawPayload.equals(png))
  assert.match(String(file.headers['content-disposition']), /^attachment; filename=/)
  assert.match(String(file.headers['content-security-policy']), /sandbox/)
  assert.equal(file.headers['x-content-type-options'], 'nosniff')
  assert.equal((await app.app.http.inject({ url: `${address}x` })).statusCode, 404)
  assert.equal((await agnes.delete(`${files}/${made.body.id}`)).status, 403, 'it is not hers')
  assert.equal((await chloe.delete(`${files}/${made.body.id}`)).status, 200)
  await app.drain()
  assert.deepEqual(await storedFiles(app), [])
  assert.equal((await app.app.http.inject({ url: address })).statusCode, 404)
})

test('several go in together, or none of them', async () => {
  await using app = await start({ MAX_ATTACHMENT_SIZE_MB: '1' })
  const { chloe, files } = await broken(app)
  const fine = { name: 'a.png', content: png }
  for (const [bad, status] of [
    [{ name: 'b.html', content: '<html>' }, 415],
    [{ name: 'b.png', content: '<html>' }, 415],
    [{ name: 'b.txt', content: Buffer.alloc(1_000_001, 'a') }, 413],
    [{ name: 'b.txt', content: '' }, 422],
    [{ field: 'colour', content: 'red' }, 422],
    [{ field: 'message_id', content: 'nonsense' }, 422],
    [{ field: 'message_id', content: '01890000-0000-7000-8000-000000000000' }, 422],
  ] as [Part, number][]) {
    const refused = await send(chloe, `${files}/multiple`, [fine, bad])
    assert.equal(refused.status, status, refused.text)
  }
  assert.equal((await send(chloe, files, [fine, fine])).status, 422)
  assert.equal((await send(chloe, files, [])).status, 422)
  assert.equal((await chloe.post(files, {})).status, 415)
  assert.deepEqual(await storedFiles(app), [])
  assert.deepEqual((await chloe.get(files)).body.data, [])
  const largest = { name: 'c.txt', content: Buffer.alloc(1_000_000, 'a') }
  const both = await send(chloe, `${files}/multiple`, [fine, largest])
  assert.deepEqual([both.status, both.body.data.length], [201, 2])
})

test('what belongs to an internal note is the house’s; strangers to the ticket find nothing', async () => {
  await using app = await start()
  const { chloe, agnes, path, files } = await broken(app)
  const note = await agnes.post(`${path}/messages`, { content: 'look', is_internal: true })
  const answer = await agnes.post(`${path}/messages`, { content: 'look', status: 'waiting_customer' })
  const attach = (message: string, name: string) =>
    send(agnes, files, [
      { field: 'message_id', content: message },
      { name, content: 'text' },
    ])
  const secret = await attach(note.body.id, 'secret.txt')
  const open = await attach(answer.body.id, 'open.txt')
  assert.deepEqual([secret.status, open.status], [201, 201])
  const names = (reply: { body: Record<string, { file_name: string }[]> }) =>
    (reply.body.data ?? reply.body.attachments)!.map((file) => file.file_name)
  assert.deepEqual(names(await agnes.get(files)), ['secret.txt', 'open.txt'])
  assert.deepEqual(names(await chloe.get(files)), ['open.txt'])
  assert.deepEqual(names(await chloe.get(path)), ['open.txt'])
  assert.deepEqual(names(await chloe.get(`${files}/message/${answer.body.id}`)), ['open.txt'])
  const dan = await customerOf(app, 'dan')
  for (const [client, address] of [
    [chloe, `${files}/${secret.body.id}`],
    [chloe, `${files}/${secret.body.id}/download`],
    [chloe, `${files}/message/${note.body.id}`],
    [dan, files],
    [dan, `${files}/${open.body.id}`],
    [dan, `${files}/${open.body.id}/download`],
    [app.stranger, `${files}/${open.body.id}/download`],
  ] as const) {
    assert.equal((await client.get(address)).status, 404, address)
  }
  assert.equal((await chloe.delete(`${files}/${secret.body.id}`)).status, 404)
  assert.equal((await send(dan, files, [{ name: 'a.txt', content: 'x' }])).status, 404)
  const other = (await dan.post('/tickets', question)).body.id as string
  assert.equal((await dan.get(`/tickets/${other}/attachments/${open.body.id}`)).status, 404, 'of another ticket')
  for (const message of [note, answer]) {
    const foreign = await send(chloe, files, [
      { field: 'message_id', content: message.body.id },
      { name: 'x.txt', content: 'x' },
    ])
    assert.equal(foreign.status, 422, 'not a message of hers')
  }
  await agnes.delete(`${path}/messages/${answer.body.id}`)
  assert.deepEqual(names(await chloe.get(files)), [], 'a deleted message takes its files along')
  await chloe.post(`${path}/close`)
  assert.equal((await send(chloe, files, [{ name: 'a.txt', content: 'x' }])).status, 409)
})

test('what a scanner condemns is not kept, and what it has not seen waits', async () => {
  await using app = await start()
  const { chloe, agnes, files } = await broken(app)
  let verdict: ScanResult = { verdict: 'infected', signature: 'Eicar' }
  app.app.runtime.scan.scan = async (content) => {
    content.destroy()
    return verdict
  }
  const refused = await send(chloe, files, [{ name: 'a.png', content: png }])
  assert.deepEqual([refused.status, refused.body.errors[0].code], [422, 'infected'])
  assert.deepEqual(await storedFiles(app), [])
  verdict = { verdict: 'unavailable', reason: 'asleep' }
  const waits = await send(chloe, files, [{ name: 'a.png', content: png }])
  const alsoWaits = await send(chloe, files, [{ name: 'b.png', content: png }])
  assert.equal(waits.body.scan, 'pending')
  const early = await agnes.get(`${files}/${waits.body.id}/download`)
  assert.deepEqual([early.status, early.body.code, early.headers['retry-after']], [503, 'scanner_unavailable', '60'])
  verdict = { verdict: 'clean' }
  await app.drain()
  assert.equal((await agnes.get(`${files}/${waits.body.id}`)).body.scan, 'clean')
  assert.equal((await agnes.get(`${files}/${waits.body.id}/download`)).status, 302)
  assert.equal((await agnes.get(`${files}/${alsoWaits.body.id}`)).body.scan, 'clean')
  verdict = { verdict: 'unavailable', reason: 'asleep' }
  const bad = await send(chloe, files, [{ name: 'c.png', content: png }])
  verdict = { verdict: 'infected', signature: 'Eicar' }
  await app.drain()
  assert.equal((await agnes.get(`${files}/${bad.body.id}`)).body.scan, 'infected')
  assert.equal((await agnes.get(`${files}/${bad.body.id}/download`)).status, 410)
  assert.equal((await storedFiles(app)).length, 2)
})

test('what a scanner condemns goes for good, though the storage be away at that moment', async () => {
  await using app = await start()
  const { chloe, files } = await broken(app)
  let verdict: ScanResult = { verdict: 'unavailable', reason: 'asleep' }
  app.app.runtime.scan.scan = async (content) => {
    content.destroy()
    return verdict
  }
  const bad = await send(chloe, files, [{ name: 'c.png', content: png }])
  verdict = { verdict: 'infected', signature: 'Eicar' }
  failNextDeletion(app)
  await app.drain()
  assert.equal((await chloe.get(`${files}/${bad.body.id}`)).body.scan, 'infected')
  assert.equal((await storedFiles(app)).length, 1)
  await tryAgain(app, 'support.remove_files')
  assert.deepEqual(await storedFiles(app), [])
})
