// The live stream tells a workspace what is its own, for as long as the reader may read and keeps up.
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { start, tokenOf, type TestApp } from '#testing/start.ts'

let app: TestApp
let url: string
beforeAll(async () => {
  app = await start()
  url = await app.app.http.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(() => app[Symbol.asyncDispose]())

interface Open {
  status: number
  type: string
  text: () => string
  closed: Promise<unknown>
  close(): void
}

const mine = () => tokenOf(app.world.people.victor, app.world.workspaceId)
async function open(token: string): Promise<Open> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/api/v1/events/stream`, { agent: false, headers: { authorization: `Bearer ${token}` } }, resolve).on(
      'error',
      reject,
    )
  })
  let text = ''
  reply.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const closed = new Promise((resolve) => reply.on('close', resolve))
  return {
    status: reply.statusCode ?? 0,
    type: String(reply.headers['content-type']),
    text: () => text,
    closed,
    close: () => reply.destroy(),
  }
}
const places = () => app.app.runtime.live.places

test('each workspace hears its own, at commit, and nothing of a transaction that failed', async () => {
  const here = await open(await mine())
  const there = await open(await tokenOf(app.world.stranger, app.world.otherWorkspaceId))
  expect([here.status, here.type]).toEqual([200, 'text/event-stream'])
  await app
    .inTx(async (tx) => {
      tx.notify('job', { id: 'never' })
      throw new Error('no')
    })
    .catch(() => {})
  await app.inTx(async (tx) => tx.notify('job', { id: 'j1', note: 'line\nbreak' }))
  await app.inTx(async (tx) => tx.notify('campaign', { big: 'x'.repeat(20_000) }))
  await expect.poll(here.text).toContain('event: campaign\ndata: {}\n\n')
  expect(here.text()).toContain('event: job\ndata: {"id":"j1","note":"line\\nbreak"}\n\n')
  expect(here.text()).not.toContain('never')
  await app.app.runtime.db.transaction(app.world.otherWorkspaceId, async (tx) => tx.notify('job', { id: 'theirs' }))
  await expect.poll(there.text).toContain('theirs')
  expect(there.text()).not.toContain('j1')
  expect(here.text()).not.toContain('theirs')
  here.close()
  there.close()
  await expect.poll(() => places().size).toBe(0)
})

test('without a credential there is no stream, and HEAD opens none', async () => {
  expect((await app.anonymous.get('/events/stream')).status).toBe(401)
  await fetch(`${url}/api/v1/events/stream`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${await mine()}` },
  }).catch(() => {})
  await expect.poll(() => places().size).toBe(0)
})

test('a reader takes at most twenty places', async () => {
  const token = await mine()
  const streams = await Promise.all(Array.from({ length: 21 }, () => open(token)))
  expect(streams.filter(({ status }) => status === 200)).toHaveLength(20)
  expect(streams.filter(({ status }) => status === 429)).toHaveLength(1)
  for (const stream of streams) stream.close()
  await expect.poll(() => places().size).toBe(0)
  const again = await open(token)
  expect(again.status).toBe(200)
  again.close()
})

test('a reader that does not keep up is cut off, and costs a bounded memory', async () => {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.pause()
  socket.write(`GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await mine()}\r\n\r\n`)
  await expect.poll(() => places().size).toBe(1)
  const note = 'x'.repeat(7_000)
  for (let batch = 0; batch < 60 && places().size; batch++) {
    await app.inTx(async (tx) => {
      for (let n = 0; n < 50; n++) tx.notify('job', { id: `${batch}.${n}`, note })
    })
  }
  await expect.poll(() => places().size).toBe(0)
  socket.destroy()
})

test('the stream ends when the credential that opened it does', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  try {
    const stream = await open(await mine())
    await vi.advanceTimersByTimeAsync(15_000)
    await expect.poll(stream.text, { interval: 5 }).toContain(': still here')
    vi.setSystemTime(Date.now() + 2 * 3_600_000) // the token lives for an hour
    await vi.advanceTimersByTimeAsync(15_000)
    await stream.closed
  } finally {
    vi.useRealTimers()
  }
  await expect.poll(() => places().size).toBe(0)
})
