/** Notes on the delivery that somebody left by the link in its mail, so that the campaign can tell how many did. */
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import type { Event } from '#platform/events/outbox.ts'
import { when } from '#platform/module.ts'

/** The first time counts: whoever comes back and leaves again has left this campaign once. */
async function noteUnsubscriptions(tx: Tx, events: Event[]): Promise<void> {
  const rows = events
    .filter(({ data }) => data.campaign_id && data.contact_id)
    .map(({ data, timestamp }) => ({ campaign_id: data.campaign_id, contact_id: data.contact_id, at: timestamp }))
  if (!rows.length) return
  await sql`
    update communication.deliveries d set unsubscribed_at = coalesce(d.unsubscribed_at, e.at)
    from (
      select campaign_id, contact_id, min(at) as at
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as event(campaign_id uuid, contact_id uuid, at timestamptz)
      group by 1, 2) as e
    where d.workspace_id = ${tx.workspaceId} and d.campaign_id = e.campaign_id and d.contact_id = e.contact_id
  `.execute(tx.sql)
}

export const unsubscriptionReactions = [
  when('contact.unsubscribed', 'communication.note_unsubscriptions', noteUnsubscriptions),
]
