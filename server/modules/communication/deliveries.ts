/** The ledger as people read it, and what may be put back into the queue. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { countRows, afterCursor, orderBy, page, parseSort } from '#platform/http/paging.ts'
import type { Delivery, DeliveryState } from './tables.ts'
import { countNames, type Counts } from './campaign-shapes.ts'

const sorts = {
  full_name: { expression: sql`full_name`, type: 'text' as const },
  created_at: { expression: sql`created_at`, type: 'timestamptz' as const },
}

export async function listDeliveries(
  tx: Tx,
  campaignId: string,
  query: { state?: DeliveryState; reason?: string; search?: string; cursor?: string; limit?: number; count?: 'exact' },
) {
  const sort = parseSort(undefined, sorts, 'created_at')
  const limit = query.limit ?? 50
  const pattern = query.search ? `%${query.search.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%` : null
  const from = sql`from communication.deliveries where campaign_id = ${campaignId}
    ${query.state ? sql`and state = ${query.state}` : sql``}
    ${query.reason ? sql`and reason = ${query.reason}` : sql``}
    ${pattern ? sql`and (lower(email) like ${pattern} or lower(full_name) like ${pattern})` : sql``}`
  const after = afterCursor(query.cursor, sort, sql`contact_id`)
  const { rows } = await sql<Delivery & { sort_key: string }>`
    select *, created_at::text as sort_key ${from} ${after ? sql`and ${after}` : sql``}
    order by ${orderBy(sort, sql`contact_id`)} limit ${limit + 1}`.execute(tx.sql)
  const keyed = rows.map((row) => ({ ...row, delivery_id: row.id, id: row.contact_id }))
  const total = await countRows(tx, from, query.count === 'exact')
  return { ...page(keyed, limit, sort, viewDelivery), total }
}

function viewDelivery(row: Delivery & { delivery_id: string }) {
  const { delivery_id: id, workspace_id: _w, campaign_id: _c, claim: _f, lease_until: _l, domain: _d, ...shown } = row
  return { ...shown, id }
}

/** One pass over the campaign's part of an index; every state is there, also those nobody is in. */
export async function countDeliveries(tx: Tx, campaignIds: string[]): Promise<Map<string, Counts>> {
  const { rows } = await sql<{ campaign_id: string; state: DeliveryState } & Omit<Counts, DeliveryState>>`
    select campaign_id, state, count(*) as total,
      count(*) filter (where opened_at is not null) as opened,
      count(*) filter (where opens_machine > 0) as opened_machine,
      count(*) filter (where clicked_at is not null) as clicked,
      count(*) filter (where clicks_machine > 0) as clicked_machine,
      count(*) filter (where unsubscribed_at is not null) as unsubscribed
    from communication.deliveries where campaign_id = any(${campaignIds}::uuid[]) group by 1, 2`.execute(tx.sql)
  const counts = new Map(campaignIds.map((id) => [id, noCounts()]))
  for (const { campaign_id, state, ...figures } of rows) {
    const sum = counts.get(campaign_id)!
    sum[state] = figures.total
    for (const name of Object.keys(figures) as (keyof typeof figures)[]) sum[name] += figures[name]
  }
  return counts
}

function noCounts(): Counts {
  return Object.fromEntries(countNames.map((name) => [name, 0])) as Counts
}

/** Failures of a lasting kind stay: a mailbox that does not exist will not exist the second time. */
export async function requeueRest(tx: Tx, campaignId: string): Promise<number> {
  const result = await tx.sql
    .updateTable('communication.deliveries')
    .set({ state: 'queued', reason: null, code: null, response: null, attempts: 0, claim: null, settled_at: null })
    .where('campaign_id', '=', campaignId)
    .where((eb) =>
      eb.or([
        eb('state', '=', 'skipped'),
        eb.and([eb('state', '=', 'failed'), eb('reason', 'is distinct from', 'invalid_mailbox')]),
      ]),
    )
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Reads the links of a campaign with their figures. */
export async function listLinks(tx: Tx, campaignId: string) {
  return tx.sql
    .selectFrom('communication.links')
    .select(['number', 'url', 'clicks', 'clicks_machine', 'unique_clicks'])
    .where('campaign_id', '=', campaignId)
    .orderBy('number')
    .execute()
}
