import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { answers, REDIS_URL } from '#testing/services.ts'
import { startTcpProxy } from '#testing/tcp-proxy.ts'
import { createMemoryLimiter, createRedisLimiter, parseRate } from './limits.ts'

const hasRedis = await answers(REDIS_URL)
const prefix = `rapport-test-${randomUUID()}`

test.each([
  ['5/minute', 5, 60_000],
  ['100/15 minutes', 100, 900_000],
  ['1000/hour', 1000, 3_600_000],
  [' 10 / s ', 10, 1000],
  ['3/2days', 3, 172_800_000],
  ['0/day', 0, 86_400_000],
])('the rate %j is read', (text, limit, windowMs) => {
  expect(parseRate(text)).toEqual({ limit, windowMs })
})

test.each([
  '',
  '5',
  '5/',
  '/minute',
  '-5/minute',
  '5/0 minutes',
  '5/fortnight',
  '5/constructor',
  '1e9/s',
  '5/minute x',
])('the rate %j is not', (text) => expect(parseRate(text)).toBeNull())

describe.each([
  { name: 'memory', isThere: true },
  { name: 'Redis', isThere: hasRedis },
])('the $name limiter', ({ name, isThere }) => {
  if (!isThere) return test.skip('needs its service')
  const redis = name === 'Redis' ? new Redis(REDIS_URL) : null
  const limiter = redis ? createRedisLimiter(redis, prefix) : createMemoryLimiter()
  afterAll(() => redis?.disconnect())

  test('allows exactly the limit, however many come at once', async () => {
    if (redis) await redis.ping()
    const rate = { limit: 10, windowMs: 60_000 }
    const all = await Promise.all(Array.from({ length: 25 }, () => limiter.take('burst', rate)))
    expect(all.filter((taken) => taken.allowed)).toHaveLength(10)
    const next = await limiter.take('burst', rate)
    expect(next).toMatchObject({ allowed: false, limit: 10, remaining: 0 })
    expect(next.resetMs).toBeGreaterThan(0)
    expect(next.resetMs).toBeLessThanOrEqual(60_000)
    expect((await limiter.take('other', rate)).remaining).toBe(9)
  })

  test('weighs by cost, keeps rates apart, and gives back', async () => {
    const rate = { limit: 10, windowMs: 60_000 }
    expect(await limiter.take('heavy', { ...rate, cost: 7 })).toMatchObject({ allowed: true, remaining: 3 })
    expect(await limiter.take('heavy', { ...rate, cost: 7 })).toMatchObject({ allowed: false })
    expect(await limiter.take('heavy', { limit: 10, windowMs: 3_600_000 })).toMatchObject({ remaining: 9 })
    await limiter.reset('heavy', rate)
    expect(await limiter.take('heavy', rate)).toMatchObject({ allowed: true, remaining: 9 })
    expect(await limiter.take('none', { limit: 0, windowMs: 60_000 })).toMatchObject({ allowed: false })
  })

  test('begins anew after the window', async () => {
    const rate = { limit: 1, windowMs: 200 }
    expect((await limiter.take('window', rate)).allowed).toBe(true)
    expect((await limiter.take('window', rate)).allowed).toBe(false)
    await vi.waitFor(async () => expect((await limiter.take('window', rate)).allowed).toBe(true), { timeout: 5000 })
  })
})

test.skipIf(!hasRedis)('without Redis the limit still holds in each process', async () => {
  await using proxy = await startTcpProxy(Number(new URL(REDIS_URL).port))
  const redis = new Redis(`redis://127.0.0.1:${proxy.port}/9`, { maxRetriesPerRequest: 0 })
  redis.on('error', () => {})
  await redis.ping()
  const limiter = createRedisLimiter(redis, prefix)
  const rate = { limit: 3, windowMs: 60_000 }
  expect((await limiter.take('cut', rate)).allowed).toBe(true)
  proxy.cut()
  const all = await Promise.all(Array.from({ length: 8 }, () => limiter.take('cut', rate)))
  expect(all.filter((taken) => taken.allowed)).toHaveLength(3)
  redis.disconnect()
})
