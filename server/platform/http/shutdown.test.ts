// Stopping: what is in hand is finished, open streams end, and a client at full speed sees no 5xx.
import { Agent, request as send, type IncomingMessage } from 'node:http'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { start, tokenOf } from '#testing/start.ts'
import { route } from './route.ts'

function get(url: string, agent: Agent, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    send(url, { agent, headers }, resolve).on('error', reject).end()
  })
}

test('a stop under load finishes what is in hand, answers no 5xx, and does not wait for open pages', async () => {
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const slow = route({
    method: 'GET',
    path: '/probe/slow',
    may: 'public',
    summary: 'Probe',
    replies: { 200: Type.Object({ done: Type.Boolean() }) },
    run: async () => {
      entered.resolve()
      await release.promise
      return { done: true }
    },
  })
  const app = await start({}, { routes: [slow] })
  const url = await app.app.http.listen({ port: 0, host: '127.0.0.1' })
  const agent = new Agent({ keepAlive: true })
  const authorization = `Bearer ${await tokenOf(app.world.people.anna, app.world.workspaceId)}`
  const stream = await get(`${url}/api/v1/events/stream`, agent, { authorization })
  const streamEnded = new Promise((resolve) => stream.on('close', resolve).resume())
  const inHand = get(`${url}/api/v1/probe/slow`, agent)
  await entered.promise

  const statuses: number[] = []
  let refused = 0
  let loading = true
  const load = Array.from({ length: 4 }, async () => {
    while (loading) {
      const reply = await get(`${url}/api/v1/jobs`, agent, { authorization }).catch(() => null)
      reply?.resume()
      if (reply) statuses.push(reply.statusCode ?? 0)
      else if (++refused > 3) return
    }
  })
  await expect.poll(() => statuses.length).toBeGreaterThan(50)
  const closing = app[Symbol.asyncDispose]()
  await streamEnded
  release.resolve()
  const reply = await inHand
  const body = await reply.toArray()
  expect([reply.statusCode, Buffer.concat(body).toString()]).toEqual([200, '{"done":true}'])
  await closing
  loading = false
  await Promise.all(load)
  expect(new Set(statuses)).toEqual(new Set([200]))
  agent.destroy()
})
