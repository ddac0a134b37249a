/**
 * Freezes a campaign's audience into the ledger: set-based chunks in the order of ids, resumable at any of them. Someone
 * who is there already stays as they are, so freezing twice changes nothing.
 */
import { sql } from 'kysely'
import type { JobDefinition } from '#platform/jobs/job.ts'
import type { Tx } from '#platform/db/db.ts'
import { refreshStatistics } from '#platform/db/statistics.ts'
import { newId } from '#platform/ids.ts'
import { countAudience, pageAudience, recipientsOf, type Audience } from '#modules/contacts/index.ts'
import { freezeJob, getCampaign } from '../campaigns.ts'

const chunkSize = 2_000

interface Cursor {
  afterId: string | null
  done: number
}

export const freezeAudience: JobDefinition = {
  kind: freezeJob,
  retryLimit: 20,
  concurrency: 2,
  async run(job) {
    const campaignId = String(job.data.campaign_id)
    let { afterId, done } = (job.cursor as Cursor | null) ?? { afterId: null, done: 0 }
    const total = await job.transaction(async (tx) => {
      const audience = await audienceOf(tx, campaignId)
      return audience ? countAudience(tx, audience) : 0
    })
    for (let more = true; more;) {
      more = await job.transaction(async (tx) => {
        const audience = await audienceOf(tx, campaignId)
        if (!audience) return false
        const chunk = await pageAudience(tx, audience, afterId, chunkSize)
        if (chunk.length) {
          await addToLedger(
            tx,
            campaignId,
            chunk.map((row) => row.id),
          )
          afterId = chunk.at(-1)!.id
          done += chunk.length
        }
        const last = chunk.length < chunkSize
        if (last) await markFrozen(tx, campaignId)
        await refreshStatistics(tx, ['communication.deliveries'])
        await job.checkpoint(tx, { cursor: { afterId, done }, done, total: Math.max(total, done) })
        return !last
      })
    }
    return { recipients: done }
  },
}

/** Null once the campaign was canceled or deleted: there is nothing to freeze any more. */
async function audienceOf(tx: Tx, campaignId: string): Promise<Audience | null> {
  const whole = await getCampaign(tx, campaignId).catch(() => null)
  if (!whole || !['active', 'paused'].includes(whole.campaign.status)) return null
  return whole.campaign.target_audience as Audience
}

async function addToLedger(tx: Tx, campaignId: string, contactIds: string[]): Promise<void> {
  const recipients = await recipientsOf(tx, contactIds)
  await sql`
    insert into communication.deliveries (workspace_id, campaign_id, contact_id, id, email, full_name, domain)
    select ${tx.workspaceId}::uuid, ${campaignId}::uuid, contact_id, id, email, full_name,
      lower(split_part(email, '@', 2))
    from unnest(${recipients.map((row) => row.id)}::uuid[], ${recipients.map(() => newId())}::uuid[],
      ${recipients.map((row) => row.email)}::text[], ${recipients.map((row) => row.full_name)}::text[])
      as r(contact_id, id, email, full_name)
    on conflict do nothing`.execute(tx.sql)
}

async function markFrozen(tx: Tx, campaignId: string): Promise<void> {
  await tx.sql.updateTable('communication.campaigns').set({ frozen_at: tx.now }).where('id', '=', campaignId).execute()
}
