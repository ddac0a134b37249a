// The embedded cache: one process, bounded in entries and in characters, the least recently used goes first.
// Values are kept as JSON text, so that a caller who changes what it got does not change what others get,
// just as with Redis.
import { createGetOrSet, type Cache } from './cache.ts'

type Entry = { text: string; expiresAt: number }

export type MemoryCacheOptions = { entriesMax?: number; charactersMax?: number; now?: () => number }

/** A cache in this process's memory; the bounds hold after every call. */
export function createMemoryCache(options: MemoryCacheOptions = {}): Cache {
  const { entriesMax = 10_000, charactersMax = 32 * 1024 * 1024, now = Date.now } = options
  // A Map keeps insertion order: reading re-inserts, so the first key is always the least recently used.
  const entries = new Map<string, Entry>()
  let characters = 0

  function read(key: string): Entry | undefined {
    const entry = entries.get(key)
    if (!entry) return undefined
    remove(key)
    if (entry.expiresAt <= now()) return undefined
    keep(key, entry)
    return entry
  }

  function keep(key: string, entry: Entry): void {
    const size = key.length + entry.text.length
    if (size > charactersMax) return
    entries.set(key, entry)
    characters += size
    for (const oldest of entries.keys()) {
      if (entries.size <= entriesMax && characters <= charactersMax) break
      remove(oldest)
    }
  }

  function remove(key: string): void {
    const entry = entries.get(key)
    if (!entry) return
    entries.delete(key)
    characters -= key.length + entry.text.length
  }

  const store: Pick<Cache, 'get' | 'set'> = {
    get: <T>(key: string) => {
      const entry = read(key)
      return Promise.resolve(entry && (JSON.parse(entry.text) as T))
    },
    set: (key, value, ttlMs) => {
      remove(key)
      if (value !== undefined && ttlMs > 0) keep(key, { text: JSON.stringify(value), expiresAt: now() + ttlMs })
      return Promise.resolve()
    },
  }

  return {
    ...store,
    getOrSet: createGetOrSet(store),
    delete: (key) => {
      remove(key)
      return Promise.resolve(true)
    },
    increment: (key, ttlMs) => {
      const entry = read(key)
      const count = (entry ? (JSON.parse(entry.text) as number) : 0) + 1
      remove(key)
      keep(key, { text: String(count), expiresAt: entry?.expiresAt ?? now() + ttlMs })
      return Promise.resolve(count)
    },
    close: () => {
      entries.clear()
      characters = 0
      return Promise.resolve()
    },
  }
}
