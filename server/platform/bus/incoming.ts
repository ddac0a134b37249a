/** A message of another program as an event of ours: the envelope of the documents, with or without an id and a workspace. */
import { createHash } from 'node:crypto'
import type { Event } from '../events/outbox.ts'
import { isId } from '../ids.ts'

export interface Message {
  body: unknown
  messageId?: string | undefined
  /** Names the event when the body does not. */
  routingKey: string
}

export type Incoming = { event: Omit<Event, 'workspace_id'> & { workspace_id: string | null } } | { refused: string }

const eventName = /^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*$/
const workspaceNames = ['workspace_id', 'business_id', 'organizer_id'] as const

/**
 * Document 1 shows `{event, timestamp, data}`. Without an id of its own a message is known by its content, so that a
 * redelivery is still seen as one; without a workspace it is for the only one there is.
 */
export function readMessage({ body, messageId, routingKey }: Message, now: Date): Incoming {
  const envelope = asObject(body)
  if (!envelope) return { refused: 'The message is not a JSON object.' }
  const name = typeof envelope.event === 'string' ? envelope.event : routingKey
  if (!eventName.test(name) || name.length > 100) return { refused: 'The message names no event.' }
  const data = asObject(envelope.data) ?? ('data' in envelope ? null : envelope)
  if (!data) return { refused: 'The data of the event is not an object.' }
  const timestamp = typeof envelope.timestamp === 'string' ? new Date(envelope.timestamp) : now
  if (Number.isNaN(timestamp.getTime())) return { refused: 'The timestamp of the event cannot be read.' }
  const workspace = workspaceNames.map((field) => envelope[field] ?? data[field]).find((id) => id !== undefined)
  if (workspace !== undefined && (typeof workspace !== 'string' || !isId(workspace))) {
    return { refused: 'The workspace of the event is not an id.' }
  }
  return {
    event: {
      id: eventId(envelope, messageId, name),
      event: name,
      timestamp: timestamp.toISOString(),
      workspace_id: workspace ?? null,
      data,
    },
  }
}

/** The id that an event brings, or one of its content: whoever sends the same again sends the same event. */
export function eventId(envelope: Record<string, unknown>, messageId: string | undefined, name: string): string {
  const given = [envelope.id, messageId].find((id) => typeof id === 'string' && id !== '') as string | undefined
  if (given && isId(given)) return given.toLowerCase()
  const hex = createHash('sha256')
    .update(given ? `${name} ${given}` : JSON.stringify(envelope))
    .digest('hex')
  // RFC 9562, version 8: an id of one's own making.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}
