/**
 * Tells open pages what has just changed, across processes: `tx.notify` speaks at commit, one listening connection per
 * API process hears, and each stream gets what concerns its workspace. A missed message costs a page nothing but time,
 * because pages read the record itself.
 */
import pg from 'pg'
import type { Logger } from 'pino'

export interface LiveMessage {
  topic: string
  data: Record<string, unknown>
}

export interface Live {
  /** Answers the function that ends the subscription. */
  subscribe(workspaceId: string, hear: (message: LiveMessage) => void): () => void
  close(): Promise<void>
}

const reconnectMs = 1_000

export function openLive(url: string, log: Logger): Live {
  const listeners = new Map<string, Set<(message: LiveMessage) => void>>()
  let client: pg.Client | undefined
  let retry: NodeJS.Timeout | undefined
  let closed = false

  function deliver(payload: string): void {
    const { workspace_id: workspaceId, ...message } = JSON.parse(payload) as LiveMessage & { workspace_id: string }
    for (const hear of listeners.get(workspaceId) ?? []) hear(message)
  }

  function reconnectLater(): void {
    client = undefined
    if (!closed && listeners.size) retry ??= setTimeout(() => ((retry = undefined), void connect()), reconnectMs)
  }

  async function connect(): Promise<void> {
    if (client || closed) return
    const next = new pg.Client({ connectionString: url, application_name: 'rapport live' })
    client = next
    next.on('notification', ({ payload }) => payload && deliver(payload))
    next.on('error', (error) => log.warn({ err: error }, 'the live connection was lost'))
    next.on('end', reconnectLater)
    await next.connect().then(() => next.query('listen rapport_live'), reconnectLater)
  }

  return {
    subscribe(workspaceId, hear) {
      const audience = listeners.get(workspaceId) ?? new Set()
      audience.add(hear)
      listeners.set(workspaceId, audience)
      void connect()
      return () => {
        audience.delete(hear)
        if (!audience.size) listeners.delete(workspaceId)
      }
    },
    async close() {
      closed = true
      clearTimeout(retry)
      await client?.end().catch(() => {})
    },
  }
}
