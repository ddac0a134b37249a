// The cache port. What it holds may vanish at any moment, and nothing may be true only because the cache says so.
// Values are JSON. Keys carry their workspace: the caller writes `${workspaceId}:…`, the port adds nothing.

export type Cache = {
  /** The value, or undefined when it is absent, expired, or the store does not answer. Never rejects. */
  get<T>(key: string): Promise<T | undefined>
  /** Keeps a value for at most `ttlMs`. Never rejects: a value that could not be kept is computed again. */
  set(key: string, value: unknown, ttlMs: number): Promise<void>
  /** Answers false when the store did not answer: then the old value may be seen until its time is up. */
  delete(key: string): Promise<boolean>
  /** Adds one and answers the count; the time begins with the first call. While the store is away, counts in this process. */
  increment(key: string, ttlMs: number): Promise<number>
  /** The cached value, or the computed one, which is then kept. Parallel calls in one process compute once. */
  getOrSet<T>(key: string, ttlMs: number, compute: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Single flight over any get and set: shared by the adapters. A failed computation is not remembered. */
export function createGetOrSet(store: Pick<Cache, 'get' | 'set'>): Cache['getOrSet'] {
  const flights = new Map<string, Promise<unknown>>()
  return function getOrSet<T>(key: string, ttlMs: number, compute: () => Promise<T>): Promise<T> {
    const running = flights.get(key)
    if (running) return running as Promise<T>
    const flight = (async () => {
      const kept = await store.get<T>(key)
      if (kept !== undefined) return kept
      const value = await compute()
      await store.set(key, value, ttlMs)
      return value
    })().finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }
}
