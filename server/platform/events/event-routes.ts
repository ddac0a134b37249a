/** Doors of the events: those that failed, and those that come from other programs. */
import { Type } from 'typebox'
import { sql } from 'kysely'
import { Forbidden } from '../errors.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '../http/paging.ts'
import { route } from '../http/route.ts'
import {
  Closed,
  Id,
  JsonObject,
  Message,
  NullableText,
  OneOf,
  Page,
  pageQuery,
  Problem,
  Timestamp,
} from '../http/shapes.ts'
import { eventId } from '../bus/incoming.ts'
import { receiveEvent, resendEvent, type FailedEvent } from './failed.ts'

const FailedEventView = Type.Object(
  {
    id: Id,
    event: Type.String(),
    subject: Type.String(),
    data: JsonObject,
    attempts: Type.Integer(),
    error: NullableText,
    created_at: Timestamp,
    failed_at: Timestamp,
  },
  { $id: 'FailedEvent' },
)

const listFailed = route({
  method: 'GET',
  path: '/events/failed',
  may: 'event.manage',
  summary: 'Events that something refused until the last try, newest first',
  query: Closed({ ...pageQuery }),
  replies: { 200: Page(FailedEventView) },
  run: async ({ tx, query }) => {
    const columns = { created_at: { expression: sql`created_at`, type: 'timestamptz' as const } }
    const sort = parseSort(undefined, columns, '-created_at')
    const limit = query.limit ?? 50
    const from = sql`from platform.outbox where workspace_id = ${tx.workspaceId} and failed_at is not null`
    const after = afterCursor(query.cursor, sort, sql`id`)
    const { rows } = await sql<FailedEvent & { sort_key: string }>`
      select id, event, subject, data, attempts, error, created_at, failed_at, created_at::text as sort_key
      ${from} ${after ? sql`and ${after}` : sql``} order by ${orderBy(sort, sql`id`)} limit ${limit + 1}`.execute(
      tx.sql,
    )
    const total = await countRows(tx, from, query.count === 'exact')
    return { ...page(rows, limit, sort, viewFailed), total }
  },
})

const resend = route({
  method: 'POST',
  path: '/events/failed/:id/resend',
  may: 'event.manage',
  summary: 'Hand a failed event on once more; what has handled it already does not see it again',
  params: Closed({ id: Id }),
  replies: { 202: Message, 404: Problem },
  run: async ({ tx, params }) => {
    await resendEvent(tx, params.id)
    return { message: 'The event is on its way again.' }
  },
})

const receive = route({
  method: 'POST',
  path: '/events',
  may: 'event.manage',
  summary: 'Hand in an event of another program',
  description:
    'The same reactions hear it as hear our own events, once per event `id`, however often it is sent. Without an `id`, the ' +
    'same content is the same event.',
  body: Closed({
    id: Type.Optional(Id),
    event: Type.String({ pattern: '^[a-z][a-z0-9_]*([.][a-z0-9_]+)*$', maxLength: 100 }),
    timestamp: Type.String({ format: 'date-time' }),
    workspace_id: Type.Optional(Id),
    data: JsonObject,
  }),
  replies: { 202: Type.Object({ id: Id, status: OneOf(['accepted', 'duplicate']) }), 409: Problem },
  run: async ({ tx, body }) => {
    if (body.workspace_id && body.workspace_id.toLowerCase() !== tx.workspaceId.toLowerCase()) {
      throw new Forbidden('other_workspace', 'This key does not speak for that workspace.')
    }
    const id = eventId(body, undefined, body.event)
    const isNew = await receiveEvent(tx, { ...body, id, workspace_id: tx.workspaceId })
    return { id, status: isNew ? ('accepted' as const) : ('duplicate' as const) }
  },
})

export const eventRoutes = [listFailed, resend, receive]

function viewFailed(row: FailedEvent) {
  const { id, event, subject, data, attempts, error, created_at, failed_at } = row
  return { id, event, subject, data: data as Record<string, unknown>, attempts, error, created_at, failed_at }
}
