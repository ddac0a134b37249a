/**
 * The consequences of deliveries, a batch at a time and exactly once each: the entry on the contact's timeline, the
 * events, and for a mailbox that does not exist its suppression. Apart from the hand-over, so that sending never waits.
 */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { publishBundles } from '#platform/events/outbox.ts'
import { newId } from '#platform/ids.ts'
import type { Services } from '#platform/services.ts'
import { recordInteractions, suppress } from '#modules/contacts/index.ts'

const batchSize = 1_000

interface Ended {
  id: string
  contact_id: string
  email: string
  state: 'sent' | 'failed' | 'skipped'
  reason: string | null
  message_id: string | null
  sent_at: Date | null
}

/** Answers how many were settled; fewer than a batch means that none is left. */
export async function settleBatch(tx: Tx, services: Services, campaign: { id: string; name: string }): Promise<number> {
  const { rows } = await sql<Ended>`
    update communication.deliveries d set settled_at = now()
    where d.workspace_id = ${tx.workspaceId} and d.campaign_id = ${campaign.id} and d.contact_id = any(array(
      select contact_id from communication.deliveries
      where workspace_id = ${tx.workspaceId} and campaign_id = ${campaign.id}
        and settled_at is null and state in ('sent', 'failed', 'skipped')
      limit ${batchSize} for update skip locked))
    returning d.id, d.contact_id, d.email, d.state, d.reason, d.message_id, d.sent_at`.execute(tx.sql)
  const sent = rows.filter((row) => row.state === 'sent')
  const failed = rows.filter((row) => row.state === 'failed')
  await recordInteractions(
    tx,
    sent.map((row) => ({
      contactId: row.contact_id,
      type: 'email_sent' as const,
      description: campaign.name,
      metadata: { delivery_id: row.id, message_id: row.message_id },
      occurredAt: row.sent_at ?? tx.now,
      campaignId: campaign.id,
      sourceKey: `delivery:${row.id}:sent`,
    })),
  )
  const events = [
    ...sent.map((row) => ({
      event: 'email.sent',
      id: newId(),
      subject: row.contact_id,
      data: eventData(campaign.id, row),
    })),
    ...failed.map((row) => ({
      event: 'email.failed',
      id: newId(),
      subject: row.contact_id,
      data: { ...eventData(campaign.id, row), reason: row.reason },
    })),
  ]
  if (events.length) {
    const rows = sql`
      select event, id, subject, data, row_number() over ()
      from jsonb_to_recordset(${JSON.stringify(events)}::jsonb) as e(event text, id uuid, subject text, data jsonb)`
    await publishBundles(tx, campaign.id, rows)
  }
  const gone = failed.filter((row) => row.reason === 'invalid_mailbox').map((row) => row.email)
  await suppress(tx, services, gone, 'hard_bounce')
  if (rows.length) tx.notify('campaign', { id: campaign.id, settled: rows.length })
  return rows.length
}

function eventData(campaignId: string, row: Ended): object {
  return {
    contact_id: row.contact_id,
    email: row.email,
    campaign_id: campaignId,
    delivery_id: row.id,
    message_id: row.message_id,
  }
}

export { batchSize as settleBatchSize }
