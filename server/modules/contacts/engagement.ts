/**
 * What people did with what we sent: counters, dates, score, timeline and event. Machines that open and click are shown
 * on the timeline, marked, and count for nothing.
 */
import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { survivorsOf } from './merging/survivors.ts'
import { recordInteractions, type InteractionType } from './interactions.ts'
import { scoreSql } from './score.ts'

export const engagementTypes = ['opened', 'clicked', 'form_submitted', 'purchase'] as const
export type EngagementType = (typeof engagementTypes)[number]

export interface EngagementEntry {
  contactId: string
  type: EngagementType
  campaignId?: string | null
  occurredAt: Date
  /** A scanner or a mail proxy, not a person. */
  machine?: boolean
  metadata?: Record<string, unknown>
  /** Instead of the usual words. */
  description?: string
  /** Names the fact (`open:<delivery>`): it counts once, however often it is told. */
  sourceKey: string
  actor?: Pick<Actor, 'id' | 'name'> | null
}

const shown: Record<EngagementType, { type: InteractionType; description: string }> = {
  opened: { type: 'email_opened', description: 'Opened an e-mail' },
  clicked: { type: 'email_clicked', description: 'Clicked a link in an e-mail' },
  form_submitted: { type: 'form_submitted', description: 'Submitted a form' },
  purchase: { type: 'purchase', description: 'Made a purchase' },
}

/**
 * Any number of facts in a few statements; answers the source keys of those that are new. Whoever tracks opens asks
 * `trackingAllowed` first: this function writes down what it is told.
 */
export async function recordEngagement(
  tx: Tx,
  services: Pick<Services, 'config'>,
  told: EngagementEntry[],
): Promise<Set<string>> {
  const survivors = await survivorsOf(
    tx,
    told.map((entry) => entry.contactId),
  )
  const entries = told.map((entry) => ({ ...entry, contactId: survivors.get(entry.contactId) ?? entry.contactId }))
  const present = await lockPresent(tx, entries)
  const known = entries.filter((entry) => present.has(entry.contactId))
  const written = await recordInteractions(tx, known.map(toInteraction))
  const fresh = new Set(written.map((row) => row.source_key).filter((key) => key !== null))
  const counted = [...new Map(known.map((entry) => [entry.sourceKey, entry])).values()].filter(
    (entry) => fresh.has(entry.sourceKey) && !entry.machine,
  )
  const scores = await addToCounters(tx, services, counted)
  await tx.publishAll(
    counted.map((entry) => ({
      event: 'contact.engagement',
      subject: entry.contactId,
      data: {
        contact_id: entry.contactId,
        email: present.get(entry.contactId),
        type: entry.type,
        campaign_id: entry.campaignId ?? null,
        occurred_at: entry.occurredAt,
        engagement_score: scores.get(entry.contactId),
      },
    })),
  )
  return fresh
}

/** Those of the contacts who allow that their opens are recorded. */
export async function trackingAllowed(tx: Tx, contactIds: string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select c.id from contacts.contacts c
    left join contacts.contacts s on s.workspace_id = c.workspace_id and s.id = c.merged_into
    where c.workspace_id = ${tx.workspaceId} and c.id = any(${contactIds}::uuid[])
      and case when c.merged_into is null then c.tracking_allowed else s.tracking_allowed end`.execute(tx.sql)
  return new Set(rows.map((row) => row.id))
}

/** Scores sink as time passes: recalculates those that do not fit any more, in batches that hold their locks shortly. */
export async function recalculateScores(
  services: Pick<Services, 'config'>,
  inTx: <T>(run: (tx: Tx) => Promise<T>) => Promise<T>,
  batchSize = 10_000,
): Promise<number> {
  let changed = 0
  for (let after: string | null = '00000000-0000-0000-0000-000000000000'; after;) {
    const from: string = after
    const batch = await inTx((tx) => recalculateBatch(tx, services, from, batchSize))
    changed += batch.changed
    after = batch.last
  }
  return changed
}

async function recalculateBatch(tx: Tx, services: Pick<Services, 'config'>, after: string, batchSize: number) {
  const score = scoreSql(services.config.engagement, tx.now)
  const { rows } = await sql<{ last: string | null; changed: number }>`
    with batch as (
      select id from contacts.contacts where workspace_id = ${tx.workspaceId} and id > ${after} order by id limit ${batchSize}
    ), stale as (
      select c.id from contacts.contacts c join batch using (id)
      where c.workspace_id = ${tx.workspaceId} and c.engagement_score <> ${score}
      order by c.id for update of c
    ), changed as (
      update contacts.contacts c set engagement_score = ${score}
      from stale where c.workspace_id = ${tx.workspaceId} and c.id = stale.id returning 1
    )
    select (select id from batch order by id desc limit 1) as last, (select count(*) from changed) as changed`.execute(
    tx.sql,
  )
  return rows[0]!
}

/** Locks in the order of ids, as everything does that changes several contacts; answers their addresses. */
async function lockPresent(tx: Tx, entries: EngagementEntry[]): Promise<Map<string, string>> {
  const ids = [...new Set(entries.map((entry) => entry.contactId))]
  const rows = await tx.sql
    .selectFrom('contacts.contacts')
    .select(['id', 'email'])
    .where('workspace_id', '=', tx.workspaceId)
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  return new Map(rows.map((row) => [row.id, row.email]))
}

function toInteraction(entry: EngagementEntry) {
  return {
    contactId: entry.contactId,
    ...shown[entry.type],
    ...(entry.description ? { description: entry.description } : {}),
    metadata: { ...entry.metadata, ...(entry.machine ? { machine: true } : {}) },
    occurredAt: entry.occurredAt,
    campaignId: entry.campaignId ?? null,
    sourceKey: entry.sourceKey,
    actor: entry.actor ?? null,
  }
}

async function addToCounters(
  tx: Tx,
  services: Pick<Services, 'config'>,
  entries: EngagementEntry[],
): Promise<Map<string, number>> {
  if (!entries.length) return new Map()
  const facts = entries.map((entry) => ({ id: entry.contactId, type: entry.type, at: entry.occurredAt }))
  const { rows } = await sql<{ id: string; engagement_score: number }>`
    with facts as (
      select id, count(*) filter (where type = 'opened') as opened, count(*) filter (where type = 'clicked') as clicked,
        count(*) filter (where type = 'purchase') as purchases, max(at) filter (where type = 'opened') as opened_at,
        max(at) filter (where type = 'clicked') as clicked_at, max(at) as engaged_at
      from jsonb_to_recordset(${JSON.stringify(facts)}::jsonb) as fact(id uuid, type text, at timestamptz)
      group by id
    ), counts as (
      select id, c.total_emails_opened + opened as total_emails_opened, c.total_emails_clicked + clicked as total_emails_clicked,
        c.total_purchases + purchases as total_purchases, greatest(c.last_email_opened_at, opened_at) as last_email_opened_at,
        greatest(c.last_email_clicked_at, clicked_at) as last_email_clicked_at,
        greatest(c.last_engaged_at, engaged_at) as last_engaged_at
      from facts join contacts.contacts c using (id) where c.workspace_id = ${tx.workspaceId}
    )
    update contacts.contacts c
    set total_emails_opened = counts.total_emails_opened, total_emails_clicked = counts.total_emails_clicked,
      total_purchases = counts.total_purchases, last_email_opened_at = counts.last_email_opened_at,
      last_email_clicked_at = counts.last_email_clicked_at, last_engaged_at = counts.last_engaged_at,
      engagement_score = ${scoreSql(services.config.engagement, tx.now, 'counts')}
    from counts where c.workspace_id = ${tx.workspaceId} and c.id = counts.id
    returning c.id, c.engagement_score`.execute(tx.sql)
  return new Map(rows.map((row) => [row.id, row.engagement_score]))
}
