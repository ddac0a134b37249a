/**
 * Tells open pages what has just changed, across processes: `tx.notify` speaks after the commit, one listening connection per
 * API process hears, and each stream gets what concerns its workspace. A missed message costs a page nothing but time,
 * because pages read the record itself.
 */
import pg from 'pg'
import type { Logger } from 'pino'

export interface LiveMessage {
  topic: string
  data: Record<string, unknown>
}

export interface Listener {
  hear(message: LiveMessage): void
  /** Called when this process stops telling. */
  end(): void
}

export interface Live {
  /** Resolves when the listener hears, to the function that ends the subscription. */
  subscribe(workspaceId: string, listener: Listener): Promise<() => void>
  /** Open streams by reader, so that nobody takes all of them. */
  readonly places: Map<string, number>
  /** Ends every stream; a server that stops cannot wait for pages that stay open. */
  endAll(): void
  close(): Promise<void>
}

const reconnectMs = 1_000

export function openLive(url: string, log: Logger): Live {
  const listeners = new Map<string, Set<Listener>>()
  let client: pg.Client | undefined
  let connecting: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false

  function deliver(payload: string): void {
    const { workspace_id: workspaceId, ...message } = JSON.parse(payload) as LiveMessage & { workspace_id: string }
    for (const { hear } of listeners.get(workspaceId) ?? []) hear(message)
  }

  async function connect(): Promise<void> {
    if (closed) return
    const options = '-c role=rapport_app'
    const next = new pg.Client({ connectionString: url, options, application_name: 'rapport live' })
    client = next
    next.on('notification', ({ payload }) => payload && deliver(payload))
    next.on('error', (error) => closed || log.warn({ err: error }, 'the live connection was lost'))
    next.on('end', reconnectLater)
    try {
      await next.connect()
      await next.query('listen rapport_live')
    } catch {
      await next.end().catch(() => {})
      reconnectLater()
    }
  }

  function reconnectLater(): void {
    connecting = undefined
    if (closed || retry || !listeners.size) return
    retry = setTimeout(() => {
      retry = undefined
      connecting ??= connect()
    }, reconnectMs)
  }

  function endAll(): void {
    for (const audience of listeners.values()) for (const { end } of audience) end()
  }

  return {
    places: new Map(),
    async subscribe(workspaceId, listener) {
      const audience = listeners.get(workspaceId) ?? new Set()
      audience.add(listener)
      listeners.set(workspaceId, audience)
      connecting ??= connect()
      await connecting
      return () => {
        audience.delete(listener)
        if (!audience.size && listeners.get(workspaceId) === audience) listeners.delete(workspaceId)
      }
    },
    endAll,
    async close() {
      closed = true
      endAll()
      clearTimeout(retry)
      await connecting
      await client?.end().catch(() => {})
    },
  }
}
