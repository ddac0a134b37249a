// A circuit breaker per destination: after several failures in a row it is left alone for a while, then one request tries.
// So a dead endpoint costs its callers nothing, and gets no storm when it comes back.

export type Breakers = {
  /** Whether a request may go now. True for one probe after each pause. */
  admits(key: string): boolean
  report(key: string, succeeded: boolean): void
}

type Breaker = { failures: number; openUntil: number }

export type BreakerOptions = { failuresMax?: number; pauseMs?: number; keysMax?: number; now?: () => number }

/** Bounded: when there are too many destinations, the one that is longest untouched is forgotten. */
export function createBreakers(options: BreakerOptions = {}): Breakers {
  const { failuresMax = 5, pauseMs = 30_000, keysMax = 5000, now = Date.now } = options
  // Only destinations in trouble are kept.
  const breakers = new Map<string, Breaker>()

  return {
    admits(key) {
      const breaker = breakers.get(key)
      if (!breaker || breaker.failures < failuresMax) return true
      if (now() < breaker.openUntil) return false
      // This one is the probe; the next pause begins, so that a probe that never reports does not close the way for ever.
      breaker.openUntil = now() + pauseMs
      return true
    },
    report(key, succeeded) {
      const breaker = breakers.get(key) ?? { failures: 0, openUntil: 0 }
      breakers.delete(key)
      if (succeeded) return
      breaker.failures++
      breaker.openUntil = now() + pauseMs
      breakers.set(key, breaker)
      const [oldest] = breakers.keys()
      if (breakers.size > keysMax && oldest !== undefined) breakers.delete(oldest)
    },
  }
}
