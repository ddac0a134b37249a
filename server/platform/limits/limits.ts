// How often somebody may do something: fixed windows counted in this process, or in Redis for all processes together.
// When Redis does not answer, each process counts for itself: a limit may then let through as many times more as there
// are processes, but it never opens wholly.
import type { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible'

export type Rate = { limit: number; windowMs: number }

export type Taken = { allowed: boolean; limit: number; remaining: number; resetMs: number }

export type RateLimiter = {
  /** Takes `cost` (1) out of the key's window. Windows are whole seconds, rounded up. Refused attempts count as well. */
  take(key: string, rate: Rate & { cost?: number }): Promise<Taken>
  /** Gives a key its full allowance back, for example after a good sign-in. */
  reset(key: string, rate: Rate): Promise<void>
}

const UNITS_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const

/** Reads "5/minute", "100/15 minutes", "1000/hour", "10/s"; null when it is none of these. */
export function parseRate(text: string): Rate | null {
  const match = /^\s*(\d{1,9})\s*\/\s*(\d{1,5})?\s*([a-z]{1,8})\s*$/i.exec(text)
  if (!match) return null
  const [, limit, count = '1', word = ''] = match
  const unit = unitOf(word.toLowerCase())
  if (!unit || Number(count) === 0) return null
  return { limit: Number(limit), windowMs: Number(count) * UNITS_MS[unit] }
}

/** Counts in this process. */
export function createMemoryLimiter(): RateLimiter {
  return createLimiter((options) => new RateLimiterMemory(options))
}

/** Counts in Redis; the connection belongs to the caller. */
export function createRedisLimiter(redis: Redis, prefix = 'rapport:limit'): RateLimiter {
  return createLimiter(
    ({ keyPrefix, ...rate }) =>
      new RateLimiterRedis({
        ...rate,
        storeClient: redis,
        keyPrefix: `${prefix}:${keyPrefix}`,
        rejectIfRedisNotReady: true,
        insuranceLimiter: new RateLimiterMemory({ ...rate, keyPrefix }),
      }),
  )
}

type Make = (options: { points: number; duration: number; keyPrefix: string }) => RateLimiterAbstract

/** The library wants one object per rate; a program has a few dozen rates, so they are kept for good. */
function createLimiter(make: Make): RateLimiter {
  const limiters = new Map<string, RateLimiterAbstract>()

  function limiterOf({ limit, windowMs }: Rate): RateLimiterAbstract {
    // Redis forgets by whole seconds, and a window of 0 would never end.
    const duration = Math.max(1, Math.ceil(windowMs / 1000))
    const keyPrefix = `${limit}/${duration}s`
    let limiter = limiters.get(keyPrefix)
    if (!limiter) limiters.set(keyPrefix, (limiter = make({ points: limit, duration, keyPrefix })))
    return limiter
  }

  return {
    async take(key, { limit, windowMs, cost = 1 }) {
      try {
        const result = await limiterOf({ limit, windowMs }).consume(key, cost)
        return { allowed: true, limit, remaining: result.remainingPoints, resetMs: result.msBeforeNext }
      } catch (refusal) {
        // A refusal is thrown as a result; anything else is a fault, and the caller must not take it for a permission.
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        return { allowed: false, limit, remaining: 0, resetMs: refusal.msBeforeNext }
      }
    },
    async reset(key, rate) {
      await limiterOf(rate).delete(key)
    },
  }
}

function unitOf(word: string): keyof typeof UNITS_MS | undefined {
  const short = { s: 'second', sec: 'second', m: 'minute', min: 'minute', h: 'hour', d: 'day' } as const
  const singular = word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word
  if (Object.hasOwn(UNITS_MS, singular)) return singular as keyof typeof UNITS_MS
  return Object.hasOwn(short, singular) ? short[singular as keyof typeof short] : undefined
}
