// The scaled cache: Redis through ioredis, shared by all processes. Redis may be down at any time, also at the start:
// every call then answers within the command time-out as if nothing were cached, and the connection heals by itself.
import { Redis } from 'ioredis'
import { createGetOrSet, type Cache } from './cache.ts'
import { createMemoryCache } from './memory.ts'

export type RedisCacheOptions = {
  url: string
  prefix?: string
  commandTimeoutMs?: number
  /** Told once when Redis goes away, and again only after it was back. */
  onFault?: (error: Error) => void
}

// How long a Redis that failed is left alone before the next call tries it.
const REST_MS = 1000

// One round trip, and the expiry cannot be lost between the two commands.
const INCREMENT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`

/** Connects in the background: neither a slow nor an absent Redis delays the start. */
export function createRedisCache(options: RedisCacheOptions): Cache {
  const { url, prefix = 'rapport:', commandTimeoutMs = 500, onFault } = options
  const redis = new Redis(url, {
    keyPrefix: prefix,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2000,
    maxRetriesPerRequest: 0,
    // Commands given during the first connection wait for it, bounded by the command time-out.
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(100 * 2 ** attempt, 2000),
  })
  const local = createMemoryCache({ entriesMax: 10_000 })
  let isFaulty = false
  let restUntil = 0

  function note(error: Error): void {
    if (!isFaulty) onFault?.(error)
    isFaulty = true
    restUntil = Date.now() + REST_MS
  }
  redis.on('error', note)
  redis.on('ready', () => {
    isFaulty = false
    restUntil = 0
  })

  async function ask<T>(command: () => Promise<T>, otherwise: () => T | Promise<T>): Promise<T> {
    // While Redis is known to be away or silent, waiting for it would make every request as slow as the time-out.
    if (Date.now() < restUntil || (isFaulty && redis.status !== 'ready')) return otherwise()
    try {
      const answer = await command()
      isFaulty = false
      return answer
    } catch (error) {
      note(error instanceof Error ? error : new Error(String(error)))
      return otherwise()
    }
  }

  const store: Pick<Cache, 'get' | 'set'> = {
    get: <T>(key: string) =>
      ask<T | undefined>(
        async () => {
          const text = await redis.get(key)
          return text === null ? undefined : (JSON.parse(text) as T)
        },
        () => undefined,
      ),
    set: async (key, value, ttlMs) => {
      if (value === undefined || ttlMs <= 0)
        return void (await ask(
          () => redis.del(key),
          () => 0,
        ))
      await ask(
        () => redis.set(key, JSON.stringify(value), 'PX', Math.ceil(ttlMs)),
        () => 'OK' as const,
      )
    },
  }

  return {
    ...store,
    getOrSet: createGetOrSet(store),
    delete: (key) =>
      ask(
        async () => {
          await redis.del(key)
          return true
        },
        () => false,
      ),
    increment: (key, ttlMs) =>
      ask(
        async () => Number(await redis.eval(INCREMENT, 1, key, Math.ceil(ttlMs))),
        () => local.increment(key, ttlMs),
      ),
    close: async () => {
      redis.disconnect()
      await local.close()
    },
  }
}
