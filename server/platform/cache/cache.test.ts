// The contract of the cache, against every adapter.
import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { answers, REDIS_URL } from '#testing/services.ts'
import { startTcpProxy } from '#testing/tcp-proxy.ts'
import { createMemoryCache } from './memory.ts'
import { createRedisCache } from './redis.ts'

const hasRedis = await answers(REDIS_URL)
const prefix = `rapport-test-${randomUUID()}:`

describe.each([
  { name: 'memory', create: () => createMemoryCache(), isThere: true },
  { name: 'Redis', create: () => createRedisCache({ url: REDIS_URL, prefix }), isThere: hasRedis },
])('the $name cache', ({ create, isThere }) => {
  if (!isThere) return test.skip('needs its service')
  const cache = create()
  afterAll(() => cache.close())

  test('keeps a value, replaces it, forgets it', async () => {
    expect(await cache.get('a')).toBeUndefined()
    await cache.set('a', { tags: ['x'], n: null }, 60_000)
    expect(await cache.get('a')).toEqual({ tags: ['x'], n: null })
    await cache.set('a', false, 60_000)
    expect(await cache.get('a')).toBe(false)
    expect(await cache.delete('a')).toBe(true)
    expect(await cache.get('a')).toBeUndefined()
  })

  test('hands out copies', async () => {
    await cache.set('list', [1], 60_000)
    const mine = await cache.get<number[]>('list')
    mine?.push(2)
    expect(await cache.get('list')).toEqual([1])
  })

  test('lets a value go when its time is up', async () => {
    await cache.set('brief', 1, 30)
    await vi.waitFor(async () => expect(await cache.get('brief')).toBeUndefined(), { timeout: 5000, interval: 10 })
    await cache.set('never', 1, 0)
    expect(await cache.get('never')).toBeUndefined()
  })

  test('counts, and the time of a count begins with its first call', async () => {
    const counts = await Promise.all(Array.from({ length: 20 }, () => cache.increment('n', 60_000)))
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(await cache.increment('short', 40)).toBe(1)
    // Further calls must not prolong it: counting every 10 ms, the count starts anew at some point.
    await vi.waitFor(async () => expect(await cache.increment('short', 60_000)).toBe(1), {
      timeout: 5000,
      interval: 10,
    })
  })

  test('computes once for many who ask at the same time, and does not keep failures', async () => {
    const compute = vi.fn(() => Promise.resolve({ answer: 42 }))
    const all = await Promise.all(Array.from({ length: 50 }, () => cache.getOrSet('once', 60_000, compute)))
    expect(all).toHaveLength(50)
    expect(await cache.getOrSet('once', 60_000, compute)).toEqual({ answer: 42 })
    expect(compute).toHaveBeenCalledTimes(1)
    await expect(cache.getOrSet('bad', 60_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await cache.getOrSet('bad', 60_000, () => Promise.resolve('yes'))).toBe('yes')
  })
})

test('the memory cache stays within its bounds and drops the least recently used', async () => {
  const few = createMemoryCache({ entriesMax: 3 })
  for (const key of ['a', 'b', 'c']) await few.set(key, key, 60_000)
  await few.get('a')
  await few.set('d', 'd', 60_000)
  expect(await Promise.all(['a', 'b', 'c', 'd'].map((key) => few.get(key)))).toEqual(['a', undefined, 'c', 'd'])
  const small = createMemoryCache({ charactersMax: 100 })
  await small.set('big', 'x'.repeat(200), 60_000)
  expect(await small.get('big')).toBeUndefined()
  for (let index = 0; index < 20; index++) await small.set(`k${index}`, 'x'.repeat(30), 60_000)
  expect(await small.get('k19')).toBe('x'.repeat(30))
  expect(await small.get('k0')).toBeUndefined()
})

test('an absent Redis means computing, not failing', async () => {
  const onFault = vi.fn()
  const cache = createRedisCache({ url: 'redis://127.0.0.1:1/0', onFault })
  expect(await cache.get('a')).toBeUndefined()
  await cache.set('a', 1, 1000)
  expect(await cache.getOrSet('a', 1000, () => Promise.resolve(7))).toBe(7)
  expect(await cache.delete('a')).toBe(false)
  expect([await cache.increment('n', 60_000), await cache.increment('n', 60_000)]).toEqual([1, 2])
  expect(onFault).toHaveBeenCalledTimes(1)
  await cache.close()
})

test.skipIf(!hasRedis)('a Redis that goes away in the middle is survived, and used again when it is back', async () => {
  await using proxy = await startTcpProxy(Number(new URL(REDIS_URL).port))
  const onFault = vi.fn()
  const cache = createRedisCache({ url: `redis://127.0.0.1:${proxy.port}/9`, prefix, onFault, commandTimeoutMs: 2000 })
  await cache.set('kept', 1, 60_000)
  expect(await cache.get('kept')).toBe(1)
  proxy.cut()
  expect(await Promise.all(Array.from({ length: 20 }, () => cache.get('kept')))).toEqual(Array(20).fill(undefined))
  expect(await cache.getOrSet('kept', 60_000, () => Promise.resolve(2))).toBe(2)
  expect(onFault).toHaveBeenCalledTimes(1)
  proxy.mend()
  await vi.waitFor(async () => expect(await cache.get('kept')).toBe(1), { timeout: 10_000, interval: 50 })
  await cache.close()
})
