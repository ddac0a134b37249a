// The copy of the audit ledger that LOG_SERVICE_URL gets: whole, in order, without anybody's name, and not lost while it is away.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { start, type TestApp } from '#testing/start.ts'

interface Line {
  id: string
  number: number
  event: string
  workspace_id: string
}

/** A log service of which a test says what it answers. */
async function startLogService() {
  const batches: Line[][] = []
  const state = { status: 204 }
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (state.status < 300) batches.push((JSON.parse(body) as { entries: Line[] }).entries)
      response.writeHead(state.status).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`,
    state,
    lines: () => batches.flat(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const copy = ({ app }: TestApp) =>
  app.tasks.find(({ name }) => name === 'privacy.copy_to_log_service')!.run(app.runtime)

test('the log service is told of each entry once, in order, and of none that it was told before', async () => {
  await using service = await startLogService()
  await using app = await start({ LOG_SERVICE_URL: service.url })
  const adrian = app.as('adrian')
  const { body: ana } = await app.as('maria').post('/contacts', { email: 'ana@example.com', first_name: 'Anamaria' })
  expect((await adrian.post('/gdpr/export', { contact_id: ana.id })).status).toBe(202)
  await app.drain()
  await copy(app)
  expect(service.lines().map(({ event }) => event)).toEqual(['audit.export.requested', 'audit.export.made'])
  expect(service.lines()[0]).toMatchObject({
    number: 1,
    workspace_id: app.world.workspaceId,
    level: 'info',
    service: 'Rapport',
    actor_id: app.world.people.adrian.id,
    actor_name: 'Adrian',
    timestamp: expect.stringMatching(/Z$/),
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  await copy(app)
  expect(service.lines()).toHaveLength(2)

  service.state.status = 503
  expect((await adrian.post('/gdpr/delete', { contact_id: ana.id })).status).toBe(202)
  await app.drain()
  await copy(app)
  expect(service.lines()).toHaveLength(2)
  service.state.status = 200
  await copy(app)
  expect(service.lines().map(({ number }) => number)).toEqual([1, 2, 3, 4])
  expect(JSON.stringify(service.lines())).not.toMatch(/ana@example|Anamaria/)
})

test('without a log service nothing is sent, and nothing fails', async () => {
  await using app = await start()
  await app.as('adrian').post('/gdpr/export', { email: 'nobody@example.com' })
  await copy(app)
  const { rowCount } = await app.inTx((tx) => tx.rawQuery('select from privacy.log_copies'))
  expect(rowCount).toBe(0)
})
