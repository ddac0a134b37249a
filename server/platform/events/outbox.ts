/**
 * The transactional outbox: an event is a row of the transaction that caused it, so there is no change without its
 * event and no event without its change. `relay.ts` hands the rows on.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '../db/db.ts'
import { newId } from '../ids.ts'

export interface NewEvent {
  /** `contact.created`: the noun, and what happened to it. */
  event: string
  /** The id of the thing it happened to; events of one subject are handed on in order. */
  subject: string
  data: object
}

/** The envelope, in the shape of the documents. */
export interface Event<Data = Record<string, unknown>> {
  id: string
  event: string
  /** RFC 3339, UTC. */
  timestamp: string
  workspace_id: string
  data: Data
}

export async function publishEvents(tx: Tx, events: NewEvent[]): Promise<void> {
  const rows = events.map((event) => ({ id: newId(), event: event.event, subject: event.subject, data: event.data }))
  await sql`
    insert into platform.outbox (id, workspace_id, event, subject, data, created_at)
    select id, ${tx.workspaceId}::uuid, event, subject, data, ${tx.now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(id uuid, event text, subject text, data jsonb)
  `.execute(tx.sql)
}

/** Events in one row of the outbox: as many as a reaction takes at once. */
const bundleSize = 500

/**
 * For batches that the database itself knows best, and that are large: many events share a row, which `relay.ts` opens
 * again. `rows` selects `event`, `id`, `subject`, `data` and `number` (their order); they stay in order as one subject.
 */
export async function publishBundles(tx: Tx, subject: string, rows: RawBuilder<unknown>): Promise<void> {
  await sql`
    insert into platform.outbox (id, workspace_id, event, subject, is_bundle, data, created_at)
    select gen_random_uuid(), ${tx.workspaceId}::uuid, event, ${subject}, true,
      jsonb_agg(jsonb_build_object('id', id, 'subject', subject, 'data', data) order by number), ${tx.now}::timestamptz
    from (${rows}) as published (event, id, subject, data, number), lateral (select number / ${bundleSize}::int as bundle) as part
    group by event, bundle
    order by bundle, event`.execute(tx.sql)
}
