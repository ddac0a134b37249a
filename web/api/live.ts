// One stream of server-sent events for the whole page. An event only says that something moved: the caches named here are
// asked again, at most once a second, so that a thousand events cost one request. Without the stream, pages poll.
import type { QueryClient } from '@tanstack/react-query'
import { downloadUrl } from './client.ts'

const staleBy: Record<string, string[]> = {
  job: ['jobs', 'imports'],
  import: ['imports'],
  campaign: ['campaigns', 'sandbox'],
}

let connected = false
export const isLive = (): boolean => connected

/** Opens the stream and returns how to close it. The browser reconnects by itself. */
export function listenLive(queries: QueryClient): () => void {
  const source = new EventSource(downloadUrl('/events/stream'))
  const waiting = new Set<string>()
  const timer = setInterval(() => {
    for (const key of waiting) void queries.invalidateQueries({ queryKey: [key] })
    waiting.clear()
  }, 1_000)
  source.addEventListener('open', () => {
    connected = true
    // What moved between the page's own question and this moment told nobody.
    for (const key of Object.values(staleBy).flat()) waiting.add(key)
  })
  source.addEventListener('error', () => (connected = false))
  for (const [event, keys] of Object.entries(staleBy)) {
    source.addEventListener(event, () => keys.forEach((key) => waiting.add(key)))
  }
  return () => {
    connected = false
    clearInterval(timer)
    source.close()
  }
}
