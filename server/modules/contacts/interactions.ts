/**
 * The timeline of a contact, in monthly partitions (docs/decisions/0021). What comes from outside carries a `sourceKey`
 * and is written once, however often it arrives and whatever time it tells.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import { NotFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import { afterCursor, countRows, orderBy, page, parseSort } from '#platform/http/paging.ts'
import { survivorsOf } from './merging/survivors.ts'
import type { InteractionTable } from './tables.ts'
import { hideUnseenTickets } from './ticket-sight.ts'
import type { Selectable } from 'kysely'

/** What a person may enter by hand: the types of the specification. */
export const manualTypes = [
  'booking_created',
  'booking_completed',
  'booking_cancelled',
  'email_sent',
  'note_added',
  'manual_entry',
] as const

export const interactionTypes = [
  ...manualTypes,
  'contact_created',
  'contact_updated',
  'contact_deleted',
  'contact_restored',
  'contact_merged',
  'contact_unmerged',
  'email_opened',
  'email_clicked',
  'email_bounced',
  'email_complained',
  'form_submitted',
  'purchase',
  'subscribed',
  'unsubscribed',
  'imported',
  'tag_added',
  'tag_removed',
  'list_added',
  'list_removed',
  'order_returned',
  'appointment_created',
  'appointment_completed',
  'appointment_cancelled',
  'ticket_created',
  'ticket_resolved',
  'ticket_closed',
  'ticket_reopened',
] as const
export type InteractionType = (typeof interactionTypes)[number]

export interface NewInteraction {
  contactId: string
  type: InteractionType
  description?: string
  metadata?: object
  occurredAt?: Date | string
  actor?: Pick<Actor, 'id' | 'name'> | null
  bookingId?: string | null
  campaignId?: string | null
  /** Unique per workspace: an entry that came before is left out. */
  sourceKey?: string | null
}

export type Interaction = Selectable<InteractionTable>

/**
 * Writes any number of entries in one statement, and answers those that are new. A contact of another workspace
 * cannot be named: the foreign key carries the tenant. `areNew`: the contacts were just made, so none was merged.
 */
export async function recordInteractions(
  tx: Tx,
  entries: NewInteraction[],
  { areNew = false } = {},
): Promise<{ id: string; contact_id: string; source_key: string | null }[]> {
  if (!entries.length) return []
  const survivors = await survivorsOf(tx, areNew ? [] : entries.map((entry) => entry.contactId))
  const rows = entries.map((entry, number) => ({
    number,
    id: newId(),
    contact_id: survivors.get(entry.contactId) ?? entry.contactId,
    interaction_type: entry.type,
    description: entry.description ?? '',
    metadata: entry.metadata ?? {},
    occurred_at: entry.occurredAt ?? tx.now,
    actor_id: entry.actor?.id ?? null,
    actor_name: entry.actor?.name ?? '',
    booking_id: entry.bookingId ?? null,
    campaign_id: entry.campaignId ?? null,
    source_key: entry.sourceKey ?? null,
    source_hash: entry.sourceKey ? hashSource(entry.sourceKey) : null,
  }))
  const fresh = rows.some((row) => row.source_hash) ? freshSources(tx) : null
  const written = await sql<{ id: string; contact_id: string; source_key: string | null }>`
    with entry as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as entry(
        number int, id uuid, contact_id uuid, interaction_type text, description text, metadata jsonb, occurred_at timestamptz,
        actor_id uuid, actor_name text, booking_id text, campaign_id uuid, source_key text, source_hash uuid))
    ${fresh ? sql`, ${fresh}` : sql``}
    insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, description, metadata, occurred_at,
      actor_id, actor_name, booking_id, campaign_id, source_key)
    select ${tx.workspaceId}::uuid, id, contact_id, interaction_type, description, metadata, occurred_at,
      actor_id, actor_name, booking_id, campaign_id, source_key
    from entry ${fresh ? sql`where source_hash is null or number in (select number from fresh)` : sql``}
    order by number
    returning id, contact_id, source_key`.execute(tx.sql)
  return written.rows
}

/** Of each source the first entry, unless it came before. In the order of the hashes, so that two batches never wait crosswise. */
function freshSources(tx: Tx) {
  return sql`
    first as materialized (
      select distinct on (source_hash) source_hash, number from entry where source_hash is not null order by source_hash, number
    ), claimed as (
      insert into contacts.interaction_sources (workspace_id, source_hash)
      select ${tx.workspaceId}::uuid, source_hash from first order by source_hash
      on conflict do nothing returning source_hash
    ), fresh as (select number from first join claimed using (source_hash))`
}

/** As the migration computes it of older entries. */
function hashSource(sourceKey: string): string {
  return createHash('sha256').update(sourceKey, 'utf8').digest('hex').slice(0, 32)
}

export interface InteractionQuery {
  contactId?: string
  types?: string[]
  limit?: number
  cursor?: string
  exactCount?: boolean
}

/** Newest first; without a contact, those of the whole workspace. */
export async function listInteractions(
  tx: Tx,
  actor: Actor,
  services: Pick<Services, 'sights' | 'permissions'>,
  query: InteractionQuery,
) {
  const list = await readInteractions(tx, query)
  return { ...list, data: await hideUnseenTickets(tx, actor, services, list.data) }
}

/** The same for nobody in particular: whoever shows it goes through `hideUnseenTickets` first. */
export async function readInteractions(tx: Tx, query: InteractionQuery) {
  const limit = query.limit ?? 50
  const byTime = { occurred_at: { expression: sql`i.occurred_at`, type: 'timestamptz' as const } }
  const sort = parseSort(undefined, byTime, '-occurred_at')
  const from = sql`from contacts.interactions i
    where i.workspace_id = platform.workspace_id()
      ${query.contactId ? sql`and i.contact_id = ${query.contactId}` : sql``}
      ${query.types?.length ? sql`and i.interaction_type = any(${query.types})` : sql``}`
  const after = afterCursor(query.cursor, sort, sql`i.id`)
  const { rows } = await sql<Interaction & { sort_key: string; contact_name: string }>`
    select i.*, c.name as contact_name, i.sort_key
    from (select i.*, i.occurred_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
          order by ${orderBy(sort, sql`i.id`)} limit ${limit + 1}) i
    cross join lateral (
      select coalesce(nullif(trim(first_name || ' ' || last_name), ''), email) as name
      from contacts.contacts where workspace_id = i.workspace_id and id = i.contact_id) c
    order by ${orderBy(sort, sql`i.id`)}`.execute(tx.sql)
  const total = await countRows(tx, from, query.exactCount ?? false)
  return { ...page(rows, limit, sort, viewInteraction), total }
}

/** An entry made by hand; the contact must be there. */
export async function addInteraction(
  tx: Tx,
  actor: Actor,
  contactId: string,
  entry: Omit<NewInteraction, 'contactId' | 'actor' | 'sourceKey'>,
): Promise<Interaction> {
  const { rows } = await sql`
    select from contacts.contacts where id = ${contactId} and deleted_at is null for key share`.execute(tx.sql)
  if (!rows.length) throw new NotFound('contact')
  const [written] = await recordInteractions(tx, [{ ...entry, contactId, actor }])
  return tx.sql.selectFrom('contacts.interactions').selectAll().where('id', '=', written!.id).executeTakeFirstOrThrow()
}

export type ShownInteraction = ReturnType<typeof viewInteraction>

export function viewInteraction(row: Interaction & { contact_name?: string }) {
  return {
    id: row.id,
    contact_id: row.contact_id,
    ...(row.contact_name === undefined ? {} : { contact_name: row.contact_name }),
    interaction_type: row.interaction_type,
    description: row.description,
    metadata: row.metadata,
    is_hidden: false,
    occurred_at: row.occurred_at,
    recorded_at: row.recorded_at,
    edited_at: row.edited_at,
    actor: row.actor_id || row.actor_name ? { id: row.actor_id, name: row.actor_name } : null,
    booking_id: row.booking_id,
    campaign_id: row.campaign_id,
  }
}
