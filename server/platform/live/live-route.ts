/** `/events/stream`: what changes in a workspace, as server-sent events, for as long as the reader keeps up and may read. */
import type { FastifyReply } from 'fastify'
import { PassThrough } from 'node:stream'
import { Type } from 'typebox'
import { TooMany } from '../errors.ts'
import { streamRoute } from '../http/route.ts'

/** A comment now and then keeps proxies from closing the connection; at each, the reader's right is looked at again. */
const heartbeatMs = 15_000
/** A reader that lets this much wait is cut off, and connects again when it can. */
const waitingBytesMax = 256 * 1024
const streamsPerActorMax = 20

export const liveStream = streamRoute({
  method: 'GET',
  path: '/events/stream',
  may: 'live.read',
  summary: 'Server-sent events: progress of jobs and campaigns, as it happens',
  description: 'text/event-stream; `event` is the topic (job, campaign …), `data` is JSON.',
  replies: { 200: Type.String({ contentMediaType: 'text/event-stream' }) },
  stream: async ({ actor, runtime, raw, stillWelcome }) => {
    const leave = takePlace(runtime.live.places, `${actor.workspaceId} ${actor.id}`)
    const stream = new PassThrough()
    const end = (): void => void stream.destroy()
    const write = (text: string): void => {
      stream.write(text)
      if (stream.writableLength + stream.readableLength + unsent(raw) > waitingBytesMax) end()
    }
    const unsubscribe = await runtime.live.subscribe(actor.workspaceId, {
      hear: ({ topic, data }) => write(`event: ${topic}\ndata: ${JSON.stringify(data)}\n\n`),
      end,
    })
    const heartbeat = setInterval(() => void beat(), heartbeatMs)
    const beat = async (): Promise<void> => ((await stillWelcome()) ? write(': still here\n\n') : end())
    stream.once('close', () => {
      clearInterval(heartbeat)
      unsubscribe()
      leave()
      raw.raw.destroy()
    })
    raw.raw.once('close', end)
    if (raw.raw.destroyed) end()
    write('retry: 2000\n\n')
    return raw
      .header('content-type', 'text/event-stream')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream)
  },
})

/** What the reader's socket has not taken yet. */
function unsent(raw: FastifyReply): number {
  return raw.raw.writableLength
}

function takePlace(places: Map<string, number>, who: string): () => void {
  const taken = places.get(who) ?? 0
  if (taken >= streamsPerActorMax) {
    throw new TooMany('too_many_streams', 'Close another page of Rapport first.', { retryAfterSeconds: 15 })
  }
  places.set(who, taken + 1)
  return () => {
    const left = (places.get(who) ?? 1) - 1
    if (left) places.set(who, left)
    else places.delete(who)
  }
}
